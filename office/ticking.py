"""The clock of an office: asks for each job when its time has come.

Intervals go by the monotonic clock: a clock that is set back or forward delays and doubles nothing.
What has a place in the calendar is APScheduler's, which is told to look anew when that happened;
a turn that nobody took, because nothing ran at its hour, is found by when it was last done.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.cron import CronTrigger

from bot.delivery.runs import Age
from config.clock import BEIJING
from config.signals import end
from office.jobs import Job
from storage.away import AWAY

FIRST = 60.0  # seconds after which also what is seldom done is asked for the first time
LOOK = 15.0  # seconds between two looks at whether the clock on the wall was set
SET = 5.0  # seconds by which it must differ to count as set

MISSED = 300.0  # seconds between two looks at which turn of the calendar nobody took
TAKEN = 90.0  # seconds within which a turn that was asked for has begun and is noted
AGAIN = 3600.0  # seconds after which a turn that failed, or that nobody took, is asked for again

Ask = Callable[[str], Awaitable[Any]]
Spares = Callable[[Job], Awaitable[bool]]
Ages = Callable[[], Awaitable[Mapping[str, Age]]]
_log = structlog.get_logger("office.ticking")


@asynccontextmanager
async def ticking(
    jobs: Sequence[Job], ask: Ask, done: Ages | None = None, spares: Spares | None = None
) -> AsyncIterator[None]:
    """Ask for each job in its time, until the end.

    `done` says how long ago each was done; with it what was missed while nothing ran is made up.
    `spares` says which turns may be left out (rest.py).
    """
    calendar = AsyncIOScheduler(timezone=BEIJING)
    for job in jobs:
        if job.at:
            # A turn that was slept through is taken once, however late.
            calendar.add_job(
                _asked,
                CronTrigger.from_crontab(job.at, timezone=BEIJING),
                args=[ask, job.name],
                coalesce=True,
                max_instances=1,
                misfire_grace_time=None,
            )
    calendar.start()
    ticks = [asyncio.create_task(_tick(job, ask, spares)) for job in jobs if not job.at]
    ticks.append(asyncio.create_task(_watch(calendar)))
    if done is not None:
        ticks.append(asyncio.create_task(_make_up([job for job in jobs if job.at], ask, done)))
    try:
        yield
    finally:
        calendar.shutdown(wait=False)
        await end(*ticks)


async def _tick(job: Job, ask: Ask, spares: Spares | None) -> None:
    due = time.monotonic() + min(job.every, FIRST)
    while True:
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        if spares is None or not await spares(job):
            await _asked(ask, job.name)
        due = max(due + job.every, time.monotonic())  # turns that were missed are not made up


async def _make_up(jobs: Sequence[Job], ask: Ask, done: Ages) -> None:
    """Ask once for each turn of the calendar that nobody took."""
    asked: dict[str, float] = {}
    while True:
        try:
            ages = await done()
        except AWAY as error:  # looked at again in a while
            _log.warning("turns_not_looked_at", error=type(error).__name__)
            ages = {}
        for job in jobs:
            since = time.monotonic() - asked.get(job.name, -AGAIN)
            if since >= AGAIN and is_missed(job, ages, datetime.now(BEIJING)):
                asked[job.name] = time.monotonic()
                _log.info("turn_made_up", job=job.name)
                await _asked(ask, job.name)
        await asyncio.sleep(MISSED)


def is_missed(job: Job, ages: Mapping[str, Age], at: datetime) -> bool:
    """Whether the last turn that the calendar had for a job was taken by nobody.

    One that was never done counts from the last sign of life of any job: a new office owes nothing.
    One that failed is owed an hour later.
    """
    if not ages:
        return False
    own = ages.get(job.name)
    if own is not None and own.failed is not None and own.failed <= (own.ended or 0.0):
        return own.failed > AGAIN
    last = min(one.began for one in ages.values()) if own is None else own.began
    return last > (at - _turn_before(job, at)).total_seconds() + 1.0


def _turn_before(job: Job, at: datetime) -> datetime:
    """When it should have been done last; long ago where it had no turn that is over."""
    trigger = CronTrigger.from_crontab(job.at, timezone=BEIJING)
    turn, latest = at - timedelta(seconds=2 * job.every), datetime.min.replace(tzinfo=BEIJING)
    over = at - timedelta(seconds=TAKEN)
    while (found := trigger.get_next_fire_time(None, turn)) is not None and found <= over:
        latest, turn = found, found + timedelta(seconds=1)
    return latest


async def _asked(ask: Ask, name: str) -> None:
    try:
        await ask(name)
    except Exception:  # noqa: BLE001  whatever it is, the next turn is asked for all the same
        _log.exception("job_not_asked", job=name)


async def _watch(calendar: AsyncIOScheduler) -> None:
    apart = time.time() - time.monotonic()
    while True:
        await asyncio.sleep(LOOK)
        apart, before = time.time() - time.monotonic(), apart
        if abs(apart - before) > SET:
            _log.warning("clock_was_set", seconds=round(apart - before))
            if apart < before:  # else it would wait until the old hour comes once more
                for job in calendar.get_jobs():
                    job.reschedule(job.trigger)
            calendar.wakeup()
