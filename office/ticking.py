"""The clock of an office: asks for each job when its time has come.

Intervals go by the monotonic clock: a clock that is set back or forward delays and doubles nothing.
What has a place in the calendar is APScheduler's, which is told to look anew when that happened.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.cron import CronTrigger

from config.clock import BEIJING
from office.jobs import Job

FIRST = 60.0  # seconds after which also what is seldom done is asked for the first time
LOOK = 15.0  # seconds between two looks at whether the clock on the wall was set
SET = 5.0  # seconds by which it must differ to count as set

Ask = Callable[[str], Awaitable[Any]]
_log = structlog.get_logger("office.ticking")


@asynccontextmanager
async def ticking(jobs: Sequence[Job], ask: Ask) -> AsyncIterator[None]:
    """Ask for each job in its time, until the end."""
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
    ticks = [asyncio.create_task(_tick(job, ask)) for job in jobs if not job.at]
    ticks.append(asyncio.create_task(_watch(calendar)))
    try:
        yield
    finally:
        calendar.shutdown(wait=False)
        for tick in ticks:
            tick.cancel()
        await asyncio.gather(*ticks, return_exceptions=True)


async def _tick(job: Job, ask: Ask) -> None:
    due = time.monotonic() + min(job.every, FIRST)
    while True:
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        await _asked(ask, job.name)
        due = max(due + job.every, time.monotonic())  # turns that were missed are not made up


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
