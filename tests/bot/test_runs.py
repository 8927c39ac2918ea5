"""When each job was last done is known to every process, by the database's own clock."""

import time
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import update

from bot.delivery.processes import SCHEDULER, SERVE, WORKER, clock, faults, lacking
from bot.delivery.runs import Age, Runs, ages
from bot.models import JobRun, Process
from storage.database import Database


async def _ages(database: Database) -> dict[str, Age]:
    return {name: _rounded(age) for name, age in (await ages(database)).items()}


def _rounded(age: Age) -> Age:
    return replace(age, began=_now(age.began), ended=_now(age.ended), failed=_now(age.failed))


def _now(age: float | None) -> Any:
    """0 for a moment ago, however slow this machine is."""
    return 0 if age is not None and -1 < age < 30 else age


async def test_a_job_is_known_while_it_is_done_after_it_and_after_it_failed(
    database: Database,
) -> None:
    runs = Runs({"poll": 20, "verify": 60})
    runs.began("poll")
    await runs.keep(database)
    assert await _ages(database) == {"poll": Age(20, 0, None, None, "")}
    runs.ended("poll", None)
    await runs.keep(database)
    assert await _ages(database) == {"poll": Age(20, 0, 0, None, "")}
    runs.began("poll")
    runs.ended("poll", LookupError("somebody's words"))
    await runs.keep(database)
    assert await _ages(database) == {"poll": Age(20, 0, 0, 0, "LookupError")}
    runs.began("poll")
    runs.ended("poll", None)
    await runs.keep(database)
    assert await _ages(database) == {
        "poll": Age(20, 0, 0, 0, "LookupError")
    }  # told until it is old


async def test_the_later_turn_stands_whichever_process_writes_first(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    early, late, real = Runs({"verify": 60}), Runs({"verify": 60}), time.monotonic
    with monkeypatch.context() as patch:
        patch.setattr(time, "monotonic", lambda: real() - 60)
        early.began("verify")
        early.ended("verify", None)
    late.began("verify")
    await late.keep(database)
    await early.keep(database)
    assert await _ages(database) == {"verify": Age(60, 0, None, None, "")}


async def test_a_moment_to_come_in_the_table_hides_nothing(database: Database) -> None:
    runs = Runs({"poll": 20, "verify": 60})
    runs.began("verify")
    await runs.keep(database)
    async with database.session() as session:
        await session.execute(update(JobRun).values(began=1e12))
    runs.began("verify")
    await runs.keep(database)
    assert await _ages(database) == {"verify": Age(60, 0, None, None, "")}


@pytest.mark.parametrize(
    ("age", "words"),
    [
        (Age(0.5, 1, 1, None, ""), ""),
        (Age(60, 200, 200, None, ""), ""),
        (Age(60, 300, 299, None, ""), "应每 60 秒运行，已有 300 秒没有运行"),
        (Age(0.5, 600, None, None, ""), ""),  # a push to many takes its time
        (Age(0.5, 7200, None, None, ""), "120 分钟前开始，还没有结束"),
        (Age(20, 5, 3, 3, "KeyError"), "最近一次没有做成（KeyError），原因在日志里"),
        (Age(20, 5, 3, 25, "KeyError"), ""),
        (Age(60, 9e5, 9e5, None, ""), ""),
    ],
)
def test_a_job_that_is_late_or_fails_is_told_in_words(age: Age, words: str) -> None:
    assert age.fault == words


def test_what_is_lacking_is_said_only_where_the_work_is_shared() -> None:
    assert lacking({}) == {}
    assert lacking({"all": 1}) == {}
    assert set(lacking({SERVE: 2})) == {WORKER, SCHEDULER}
    assert set(lacking({WORKER: 1, SCHEDULER: 1})) == {SERVE}
    assert lacking({SERVE: 1, WORKER: 3, SCHEDULER: 1}) == {}
    assert lacking({SERVE: 1, "all": 1}) == {}  # a process of before, that does everything
    assert "shenfa worker" in lacking({SERVE: 1})[WORKER]


async def test_a_face_without_workers_is_no_sign_of_a_working_engine(database: Database) -> None:
    async with database.session() as session:
        at = clock(database)
        for number, kind in enumerate((SERVE, WORKER, SCHEDULER)):
            row = Process(id=str(number), since=0.0, until=0.0, kind=kind)
            session.add(row)
            await session.flush()
        await session.execute(update(Process).values(since=at - 5, until=at + 10))
        await session.execute(
            update(Process).where(Process.kind == WORKER).values(since=at - 90, worked=at - 90)
        )
    assert list(await faults(database)) == ["engine"]
    async with database.session() as session:
        await session.execute(update(Process).where(Process.kind == WORKER).values(until=0.0))
    assert list(await faults(database)) == [WORKER]
    async with database.session() as session:
        await session.execute(update(Process).where(Process.kind == SERVE).values(until=0.0))
    assert list(await faults(database)) == [SERVE, WORKER]
    assert list(await faults(database, besides=[SERVE])) == [WORKER]
