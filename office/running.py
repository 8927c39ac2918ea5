"""The jobs of an office under way: all in one process, or asked for here and done there."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial

import structlog

from bot.delivery.runs import Runs, ages
from config.signals import end
from office.engine import TaskEngine
from office.jobs import ANSWER, Job
from office.leading import Leader
from office.rest import Rest
from office.ticking import ticking
from storage.away import AWAY
from storage.database import Database

NOTED = 5.0  # seconds between two notes of what was done
_log = structlog.get_logger("office.running")


@asynccontextmanager
async def running(
    jobs: Sequence[Job], redis_url: str, db: Database | None = None
) -> AsyncIterator[TaskEngine]:
    """A ticker asks, the task engine does; drained at the end."""
    done = None if db is None else partial(ages, db)
    async with working(jobs, redis_url, db) as engine:
        # What several processes do no single one knows to be done.
        alone = db is not None and db.tells_news and not redis_url
        spares = Rest(db, engine.runs).spares if alone and db is not None else None
        async with ticking(jobs, engine.ask, done, spares):
            yield engine


@asynccontextmanager
async def working(
    jobs: Sequence[Job], redis_url: str, db: Database | None = None
) -> AsyncIterator[TaskEngine]:
    """The task engine does what it is asked; drained at the end. What was done is noted in `db`."""
    runs = Runs({job.name: job.every for job in jobs})
    engine = TaskEngine({job.name: job.run for job in jobs}, redis_url, runs)
    await engine.start()
    noting = None if db is None else asyncio.create_task(_note(runs, db))
    try:
        yield engine
    finally:
        await engine.stop()
        if noting is not None and db is not None:
            await end(noting)
            with suppress(*AWAY):
                await runs.keep(db)


async def _note(runs: Runs, db: Database) -> None:
    while True:
        await asyncio.sleep(NOTED)
        try:
            await runs.keep(db)
        except AWAY as error:  # noted the next time
            _log.warning("runs_not_noted", error=type(error).__name__)


@asynccontextmanager
async def answering(jobs: Sequence[Job]) -> AsyncIterator[None]:
    """What this process could not answer at once it answers after all: nobody else may, it lives.

    `jobs` as the office has them; the face of one that has workers does this one and no other.
    """
    own = {job.name: job for job in jobs if job.name == ANSWER}

    async def do(name: str) -> None:
        await own[name].run()

    async with ticking(list(own.values()), do):
        yield


async def scheduling(
    jobs: Sequence[Job], redis_url: str, leader: Leader, db: Database | None = None
) -> None:
    """Until cancelled: while this process leads, ask for each job in its time; do none."""
    engine = TaskEngine({job.name: job.run for job in jobs}, redis_url)
    await engine.start(worker=False)
    try:
        done = None if db is None else partial(ages, db)
        leading = asyncio.create_task(leader.lead(lambda: ticking(jobs, engine.ask, done)))
        try:
            await asyncio.shield(leading)
        finally:
            await end(leading)
    finally:
        await engine.stop()
