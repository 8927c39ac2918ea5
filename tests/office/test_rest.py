"""An office at rest leaves out turns that would find nothing, and misses nothing that comes."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import delete, text

from app import Shenfa
from bot.comment_models import CommentAct
from bot.contract import State
from bot.delivery.runs import Runs
from bot.models import Delivery, InboundMessage, Publication, Takedown
from config.clock import now
from office import rest as module
from office.jobs import Job, jobs_of
from office.rest import LOOKS, Rest, next_moment
from office.running import running
from office.ticking import ticking
from storage.database import Base, Database, new_id
from tests.made import SEALS

HOUR = timedelta(hours=1)


async def _look() -> None:
    """A turn that finds nothing."""


DELIVER = Job("deliver", 0.5, _look, "often")


@pytest.fixture
async def db(tmp_path: Path) -> AsyncIterator[Database]:
    """Of a file: a server tells of no news, and in front of one nothing is left out."""
    made = Database(f"sqlite+aiosqlite:///{tmp_path / 'shenfa.db'}", SEALS)
    await made.create_all()
    yield made
    await made.close()


def _turn(runs: Runs, error: Exception | None = None) -> None:
    runs.began(DELIVER.name)
    runs.ended(DELIVER.name, error)


@pytest.fixture
async def at_rest(db: Database, monkeypatch: pytest.MonkeyPatch) -> tuple[Rest, Runs]:
    """The job looked, and nothing was written for a while."""
    monkeypatch.setattr(module, "AWAKE", 0.0)
    runs = Runs({})
    rest = Rest(db, runs)
    assert not await rest.spares(DELIVER), "what was never done is asked for"
    _turn(runs)
    assert await rest.spares(DELIVER)
    return rest, runs


async def test_whatever_is_written_by_whomever_ends_the_rest(
    db: Database, at_rest: tuple[Rest, Runs]
) -> None:
    rest, runs = at_rest
    async with db.session() as session:
        await session.execute(text("UPDATE item SET kind = kind"))
    async with db.session() as session:
        await session.execute(text("INSERT INTO job_run (name, every, began) VALUES ('x', 1, 0)"))
    assert not await rest.spares(DELIVER)
    _turn(runs)
    assert await rest.spares(DELIVER)
    # As another process would: a command of the same office.
    with sqlite3.connect(str(db.engine.url.database)) as other:
        other.execute("UPDATE job_run SET every = 2")
    other.close()
    assert not await rest.spares(DELIVER)


async def test_a_sign_of_life_is_no_news(db: Database, at_rest: tuple[Rest, Runs]) -> None:
    rest, runs = at_rest
    await runs.keep(db)
    async with db.session() as session:
        assert (await session.execute(text("SELECT name FROM job_run"))).scalar_one() == "deliver"
    assert await rest.spares(DELIVER)


async def test_it_keeps_its_pace_for_a_while_after_anything_was_written(
    monkeypatch: pytest.MonkeyPatch, at_rest: tuple[Rest, Runs]
) -> None:
    monkeypatch.setattr(module, "AWAKE", 10.0)
    assert not await at_rest[0].spares(DELIVER)


async def test_a_turn_that_failed_or_is_long_ago_is_no_turn(
    monkeypatch: pytest.MonkeyPatch, at_rest: tuple[Rest, Runs]
) -> None:
    rest, runs = at_rest
    _turn(runs, RuntimeError("no"))
    assert not await rest.spares(DELIVER)
    _turn(runs)
    assert await rest.spares(DELIVER)
    runs.began(DELIVER.name)
    assert not await rest.spares(DELIVER), "asked while it runs, it makes one more round"
    _turn(runs)
    monkeypatch.setattr(module, "LONGEST", 0.0)
    assert not await rest.spares(DELIVER)


async def test_while_somebody_writes_aside_it_is_asked_for(at_rest: tuple[Rest, Runs]) -> None:
    rest, _ = at_rest
    aside: Any = rest._db._aside
    with aside._free:
        assert not await rest.spares(DELIVER)
    assert await rest.spares(DELIVER)


async def test_it_wakes_at_the_hour_of_what_waits(
    db: Database, monkeypatch: pytest.MonkeyPatch, at_rest: tuple[Rest, Runs]
) -> None:
    rest, runs = at_rest
    async with db.session() as session:
        session.add(_delivery(next_at=now() + HOUR))
    assert not await rest.spares(DELIVER)
    _turn(runs)
    assert await rest.spares(DELIVER)
    monkeypatch.setattr(module, "now", lambda: now() + HOUR)
    assert not await rest.spares(DELIVER)
    _turn(runs)  # what is due and stays keeps it awake
    assert not await rest.spares(DELIVER)


def _delivery(**more: Any) -> Delivery:
    known: dict[str, Any] = {
        "id": new_id(),
        "content_key": new_id(),
        "account_id": "a",
        "contact_id": "c",
    }
    return Delivery(**(known | {"state": State.CREATED, "created_at": now()} | more))


def _publication(**more: Any) -> Publication:
    known: dict[str, Any] = {
        "id": new_id(),
        "release_id": new_id(),
        "item_id": "i",
        "account_id": "a",
    }
    known |= {"digest": "", "ref": "", "url": "", "due_at": now() + HOUR}
    return Publication(**(known | more))


def _takedown(**more: Any) -> Takedown:
    known: dict[str, Any] = {
        "id": new_id(),
        "publication_id": new_id(),
        "item_id": "i",
        "account_id": "a",
    }
    return Takedown(**(known | {"asked_at": now()} | more))


def _act(**more: Any) -> CommentAct:
    known: dict[str, Any] = {"id": new_id(), "area_id": "a", "number": 1, "act": "open"}
    return CommentAct(**(known | {"asked_at": now(), "words": "", "salt": "", "by": "s"} | more))


async def _next_of(db: Database, row: Base) -> float | None:
    """In how many hours the first thing is due where only this row waits; None for nothing."""
    async with db.session() as session:
        session.add(row)
    moment = await db.read(next_moment)
    async with db.session() as session:
        await session.execute(delete(type(row)))
    return None if moment is None else round((moment - now()) / HOUR)


async def test_each_thing_that_waits_for_an_hour_is_known_by_it(db: Database) -> None:
    then = now() + 2 * HOUR
    assert await _next_of(db, _publication(state=State.CREATED)) == 1
    assert await _next_of(db, _publication(state=State.RETRYING, next_at=then)) == 2
    assert await _next_of(db, _publication(state=State.SUBMITTED, next_at=then)) == 2
    assert await _next_of(db, _delivery(next_at=then)) == 2
    assert await _next_of(db, _delivery(state=State.RETRYING, next_at=then)) == 2
    assert await _next_of(db, _takedown(state="waiting", next_at=then)) == 2
    assert await _next_of(db, _act(state="ready", next_at=then)) == 2
    assert await _next_of(db, _act(state="doing", next_at=then)) == 2


async def test_what_waits_for_no_hour_lets_nothing_rest(db: Database) -> None:
    inbound = InboundMessage(
        id=new_id(), account_id="a", dedupe="1", kind="text", text="", waits="x", at=now()
    )
    for row in (
        _delivery(),
        _publication(state=State.PUBLISHED, published_at=now()),
        _takedown(state="calling"),
        inbound,
    ):
        assert (await _next_of(db, row) or 0) < -1000


async def test_what_is_over_waits_for_nothing(db: Database) -> None:
    for row in (
        _delivery(state=State.PUBLISHED),
        _delivery(state=State.HELD),
        _publication(state=State.PUBLISHED, published_at=now(), pushed_at=now()),
        _publication(state=State.FAILED),
        _takedown(state="ended"),
        _act(state="done"),
    ):
        assert await _next_of(db, row) is None


def test_every_name_is_a_job_and_what_calls_for_help_never_rests() -> None:
    anything: Any = _Anything()
    office: Shenfa = anything
    often = {job.name for job in jobs_of(office) if job.every <= 5}
    assert often - LOOKS == {"danger", "pulse"}
    assert often >= LOOKS


class _Anything(SimpleNamespace):
    """Has whatever it is asked for."""

    def __getattr__(self, name: str) -> "_Anything":
        return _Anything()

    def __call__(self, *args: Any, **more: Any) -> None:
        """Nothing."""


async def test_a_spared_turn_is_not_asked_for() -> None:
    asked, looked = list[str](), asyncio.Event()

    async def ask(name: str) -> None:
        asked.append(name)

    async def spares(job: Job) -> bool:
        if len(asked) == 2:
            looked.set()
        return job.name == "rows"

    jobs = [Job("rows", 0.01, _look, "often"), Job("deliver", 0.01, _look, "often")]
    async with ticking(jobs, ask, spares=spares):
        await asyncio.wait_for(looked.wait(), 60)
    assert set(asked) == {"deliver"}


async def test_an_office_under_way_rests_and_wakes(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "AWAKE", 0.05)
    turns, spared, again = list[float](), asyncio.Event(), asyncio.Event()

    async def look() -> None:
        turns.append(asyncio.get_running_loop().time())
        if spared.is_set():
            again.set()

    real = Rest.spares

    async def spares(self: Rest, job: Job) -> bool:
        if found := await real(self, job):
            spared.set()
        return found

    monkeypatch.setattr(Rest, "spares", spares)
    async with running([Job("deliver", 0.01, look, "often")], "", db):
        await asyncio.wait_for(spared.wait(), 60)
        async with db.session() as session:
            session.add(_delivery())
        await asyncio.wait_for(again.wait(), 60)
