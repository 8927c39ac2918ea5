"""The clock of the office asks in time, whatever is done to the clock on the wall."""

import asyncio
import time
from collections import Counter
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

import pytest
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from office import ticking as module
from office.jobs import Job
from office.ticking import ticking
from tests.office.serving import until

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

    await until(often, 5)


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

        await until(follows, 5)


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
