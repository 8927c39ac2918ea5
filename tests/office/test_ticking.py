"""The clock of the office asks in time, whatever is done to the clock on the wall."""

import asyncio
import time
from collections import Counter
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

import pytest
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from bot.delivery.runs import Age
from config.clock import BEIJING
from office import ticking as module
from office.jobs import Job
from office.ticking import is_missed, ticking
from tests.waiting import until

OFTEN = 0.05


async def _nothing() -> None:
    """A job of which only the asking counts here."""


def _set_clock(patch: pytest.MonkeyPatch, by: timedelta) -> None:
    """As if somebody set the clock of this machine."""
    real = time.time

    class Set(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> "Set":
            moment = datetime.now(UTC) + by
            return cls.fromtimestamp(moment.timestamp(), tz)

    patch.setattr("apscheduler.schedulers.base.datetime", Set)
    patch.setattr(time, "time", lambda: real() + by.total_seconds())


async def _asked_for(asked: Counter[str], name: str, times: int) -> None:
    async def often() -> bool:
        return asked[name] >= times

    await until(often, 60)


@pytest.mark.parametrize("hours", [-26, 26])
async def test_jobs_are_asked_for_at_their_pace_though_the_clock_is_set(
    monkeypatch: pytest.MonkeyPatch, hours: int
) -> None:
    asked = Counter[str]()

    async def ask(name: str) -> None:
        asked[name] += 1

    async with ticking([Job("publish", OFTEN, _nothing, "often")], ask):
        await _asked_for(asked, "publish", 2)
        with monkeypatch.context() as patch:
            _set_clock(patch, timedelta(hours=hours))
            before = asked["publish"]
            await _asked_for(asked, "publish", before + 3)
            assert asked["publish"] < before + 20  # nor is anything made up for


@pytest.mark.parametrize("hours", [-26, 26])
async def test_what_has_a_place_in_the_calendar_follows_the_clock_that_was_set(
    monkeypatch: pytest.MonkeyPatch, hours: int
) -> None:
    monkeypatch.setattr(module, "LOOK", 0.05)
    made = list[Any]()

    def kept(**options: Any) -> Any:
        made.append(AsyncIOScheduler(**options))
        return made[-1]

    monkeypatch.setattr(module, "AsyncIOScheduler", kept)

    async def ask(_name: str) -> None:
        """Not before its hour."""

    job = Job("copies", 3600, _nothing, "hourly", at="17 * * * *")
    async with ticking([job], ask):
        await asyncio.sleep(0.1)
        _set_clock(monkeypatch, timedelta(hours=hours))
        there = datetime.now(UTC) + timedelta(hours=hours)

        async def follows() -> bool:
            due = made[0].get_jobs()[0].next_run_time
            return bool(there < due < there + timedelta(hours=1))

        await until(follows, 60)


async def test_a_turn_that_could_not_be_asked_for_ends_no_later_one() -> None:
    asked = Counter[str]()

    async def ask(name: str) -> None:
        asked[name] += 1
        if asked[name] == 1:
            raise ConnectionError("away")

    async with ticking([Job("deliver", OFTEN, _nothing, "often")], ask):
        await _asked_for(asked, "deliver", 3)


async def test_what_is_seldom_done_is_asked_for_within_a_minute_of_the_start(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Else an office that is begun anew every hour would never do it."""
    monkeypatch.setattr(module, "FIRST", OFTEN)
    asked = Counter[str]()

    async def ask(name: str) -> None:
        asked[name] += 1

    async with ticking([Job("policies", 300, _nothing, "seldom")], ask):
        await _asked_for(asked, "policies", 1)
        await asyncio.sleep(3 * OFTEN)
        assert asked["policies"] == 1


_DAY = 86_400.0


@pytest.mark.parametrize(
    ("own", "other", "missed"),
    [
        (Age(_DAY, 3600 * 26, 3600 * 26, None, ""), None, True),  # nothing ran at its hour
        (Age(_DAY, 3600, 3600, None, ""), None, False),
        (Age(_DAY, 3600 * 20, 3600 * 20, None, ""), None, True),
        (None, 3600 * 5, True),  # new in this version, and its hour passed while nothing ran
        (None, 5.0, False),
        (None, None, False),  # a new office owes nothing
        (Age(_DAY, 3590, 3590, 3590, "OSError"), None, False),  # it failed, and rests an hour
        (Age(_DAY, 3700, 3700, 3700, "OSError"), None, True),
        (Age(_DAY, 3700, 3700, 3800, "OSError"), None, False),  # and then it worked
    ],
)
def test_a_turn_of_the_calendar_that_nobody_took_is_known_by_its_row(
    own: Age | None, other: float | None, missed: int
) -> None:
    job = Job("selftest", _DAY, _nothing, "daily", at="41 7 * * *")
    rows = {} if own is None else {"selftest": own}
    if other is not None:
        rows["pulse"] = Age(5, other, other, None, "")
    at = datetime(2026, 11, 30, 9, 0, tzinfo=BEIJING)
    assert is_missed(job, rows, at) == missed
    # A turn of a moment ago is about to be taken, as every other day.
    early = datetime(2026, 11, 30, 7, 41, 30, tzinfo=BEIJING)
    fresh = {"selftest": Age(_DAY, _DAY, _DAY, None, "")}
    assert not is_missed(job, fresh, early)
    assert is_missed(job, fresh, early + timedelta(minutes=2))


async def test_after_a_gap_each_is_asked_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MISSED", OFTEN)
    asked, looks = Counter[str](), 0

    async def ask(name: str) -> None:
        asked[name] += 1

    async def done() -> dict[str, Age]:
        nonlocal looks
        looks += 1
        if looks == 1:
            raise ConnectionError("away")
        return {"filings": Age(_DAY, 40 * 3600, 40 * 3600, None, "")}

    jobs = [
        Job("filings", _DAY, _nothing, "daily", at="12 8 * * *"),
        Job("selftest", _DAY, _nothing, "daily", at="41 7 * * *"),
        Job("publish", 60, _nothing, "often"),
    ]
    async with ticking(jobs, ask, done):

        async def looked() -> bool:
            return looks > 4

        await until(looked, 60)
    assert asked == {"filings": 1, "selftest": 1}
