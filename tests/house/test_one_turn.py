"""SQLite: how often a session goes to the thread of its connection, and what it leaves there."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from storage.database import Database
from storage.one_turn import Connection
from tests.made import SEALS

ADD = "INSERT INTO t (b) VALUES (:b)"


@pytest.fixture
async def db(tmp_path: Path) -> AsyncIterator[Database]:
    """One small table; its connection is open already."""
    db = Database(f"sqlite+aiosqlite:///{tmp_path / 'one.db'}", SEALS)
    async with db.session() as session:
        await session.execute(text("CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT UNIQUE)"))
    yield db
    await db.close()


async def held(db: Database) -> list[Any]:
    async with db.session() as session:
        return list(await session.scalars(text("SELECT b FROM t ORDER BY a")))


@pytest.mark.parametrize(
    ("statements", "turns"),
    [
        ([], 0),
        (["SELECT 1"], 1),
        (["SELECT 1", "SELECT 2"], 2),
        (["INSERT INTO t (b) VALUES ('x')"], 2),
        (["INSERT INTO t (b) VALUES ('x') RETURNING a"], 2),
    ],
)
async def test_a_statement_is_a_turn_and_the_end_of_a_write_is_one(
    db: Database, monkeypatch: pytest.MonkeyPatch, statements: list[str], turns: int
) -> None:
    taken = []
    turn = Connection._execute

    async def counted(self: Connection, *of: Any, **more: Any) -> Any:
        taken.append(of)
        return await turn(self, *of, **more)

    monkeypatch.setattr(Connection, "_execute", counted)
    async with db.session() as session:
        for one in statements:
            await session.execute(text(one))
    assert len(taken) == turns


async def test_what_a_statement_said_is_told_after_its_cursor_is_closed(db: Database) -> None:
    async with db.session() as session:
        done: Any = await session.execute(text(ADD), {"b": "x"})
        assert (done.rowcount, done.lastrowid) == (1, 1)
        await session.execute(text(ADD), [{"b": "y"}, {"b": "z"}])
        back: Any = await session.execute(text("UPDATE t SET b = b || '1' RETURNING b"))
        assert sorted(back.scalars()) == ["x1", "y1", "z1"]
        found = await session.execute(text("SELECT a, b FROM t WHERE a = 9"))
        assert (list(found.keys()), found.all()) == (["a", "b"], [])
    assert await held(db) == ["x1", "y1", "z1"]


async def test_what_failed_and_what_was_left_is_taken_back(db: Database) -> None:
    async with db.session() as session:
        await session.execute(text(ADD), {"b": "x"})

    async def twice() -> None:
        async with db.session() as session:
            await session.execute(text(ADD), {"b": "y"})
            await session.execute(text(ADD), {"b": "x"})

    async def left() -> None:
        async with db.writing() as session:
            await session.execute(text(ADD), {"b": "z"})
            raise KeyError

    with pytest.raises(IntegrityError):
        await twice()
    with pytest.raises(KeyError):
        await left()
    assert await held(db) == ["x"]


async def test_a_write_cancelled_on_its_way_holds_no_lock(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The thread is held until the task that waits for it has gone."""
    held_up, going = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    turn = Connection._execute

    async def late(self: Connection, fn: Any, *of: Any) -> Any:
        def waits() -> Any:
            asyncio.run_coroutine_threadsafe(going.wait(), loop).result()
            return fn(*of)

        held_up.set()
        return await turn(self, waits)

    async def write() -> None:
        async with db.session() as session:
            await session.execute(text(ADD), {"b": "x"})

    with monkeypatch.context() as patch:
        patch.setattr(Connection, "_execute", late)
        writing = asyncio.create_task(write())
        await held_up.wait()
        patch.setattr(Connection, "_execute", turn)
        writing.cancel()
        loop.call_soon(going.set)
        with pytest.raises(asyncio.CancelledError):
            await writing
    assert await held(db) == []
    async with db.session() as session:
        await session.execute(text(ADD), {"b": "y"})
    assert await held(db) == ["y"]
