"""SQLite with one turn of its thread for a statement.

aiosqlite goes to the thread of a connection and back for the cursor, for the statement, for its
rows and for the end of the cursor, and for the end of a transaction that never began. No statement
here is streamed: every row is fetched at once in any case.
"""

import sqlite3
from collections.abc import Callable, Iterable
from contextlib import closing
from typing import Any

import aiosqlite


class Connection(aiosqlite.Connection):
    """What SQLAlchemy asks of a connection; the rest is aiosqlite's."""

    _away = 0
    """How much was given to the thread and is not known to be back: after a cancelled statement
    nobody can say from here whether a transaction is open."""

    # aiosqlite's own waits for the thread; SQLAlchemy only enters what it is given.
    def cursor(self) -> "Cursor":  # type: ignore[override]
        """One that costs nothing until it is used."""
        return Cursor(self)

    async def _execute(self, fn: Any, *args: Any, **kwargs: Any) -> Any:
        self._away += 1
        try:
            done = await super()._execute(fn, *args, **kwargs)  # type: ignore[no-untyped-call]
        except Exception:
            self._away -= 1
            raise
        self._away -= 1
        return done

    async def commit(self) -> None:
        """Nothing where nothing was begun."""
        if self._away or self.in_transaction:
            await super().commit()

    async def rollback(self) -> None:
        """Nothing where nothing was begun."""
        if self._away or self.in_transaction:
            await super().rollback()


class Cursor:
    """One statement: run, fetched and closed in one turn; what it said is kept."""

    arraysize = 1
    description: Any = None
    lastrowid: int | None = None
    rowcount = -1

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._rows: list[Any] = []

    async def __aenter__(self) -> "Cursor":
        return self

    async def execute(self, sql: str, parameters: Any = ()) -> "Cursor":
        """Run it and fetch every row."""
        return await self._said(lambda cursor: cursor.execute(sql, parameters))

    async def executemany(self, sql: str, parameters: Iterable[Any]) -> "Cursor":
        """Run it for each."""
        return await self._said(lambda cursor: cursor.executemany(sql, parameters))

    async def _said(self, run: Callable[[sqlite3.Cursor], object]) -> "Cursor":
        def turn() -> None:
            with closing(self._connection._conn.cursor()) as cursor:
                run(cursor)
                self.description = cursor.description
                self._rows = cursor.fetchall() if cursor.description else []
                self.rowcount, self.lastrowid = cursor.rowcount, cursor.lastrowid

        await self._connection._execute(turn)
        return self

    async def fetchall(self) -> list[Any]:
        """The rows, once."""
        rows, self._rows = self._rows, []
        return rows

    async def close(self) -> None:
        """It is."""


def connect(database: str, **more: Any) -> Connection:
    """As aiosqlite.connect."""
    connection = Connection(lambda: sqlite3.connect(database, **more), iter_chunk_size=64)
    connection._thread.daemon = True  # as SQLAlchemy does: a process ends without waiting for it
    return connection
