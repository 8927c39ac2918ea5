"""One connection beside the others to a file of SQLite: it tells whether anything was written.

`PRAGMA data_version` is another number as soon as any other connection of any process committed;
what this connection itself wrote does not count (https://sqlite.org/pragma.html).
"""

import threading
from collections.abc import Callable
from sqlite3 import Error
from typing import Any, TypeVar

from sqlalchemy import create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session
from sqlalchemy.pool import StaticPool

Done = TypeVar("Done")


class Aside:
    """Used from any thread, by one at a time."""

    def __init__(self, url: str, tune: Callable[[Any, object], None]) -> None:
        """Connects at the first use. `tune` sets up the connection."""
        self.engine = create_engine(
            url,
            hide_parameters=True,
            poolclass=StaticPool,
            connect_args={"check_same_thread": False, "timeout": 30},
        )
        event.listen(self.engine, "connect", tune)
        self._free = threading.Lock()

    def version(self) -> int | None:
        """The number; None while a write is under way here, for nobody waits for it."""
        if not self._free.acquire(blocking=False):
            return None
        try:
            connection = self.engine.raw_connection()
            try:
                [[number]] = connection.cursor().execute("PRAGMA data_version").fetchall()
            finally:
                connection.close()
            return int(number)
        except (Error, DBAPIError):  # whoever asks takes it that something was written
            return None
        finally:
            self._free.release()

    def write(self, act: Callable[[Session], Done]) -> Done:
        """One short transaction, which does not change the number."""
        with self._free, Session(self.engine) as session, session.begin():
            return act(session)
