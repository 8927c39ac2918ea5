"""One leader among the schedulers of an office, by a lock of PostgreSQL; the others stand by.

The lock belongs to a connection: it is free the moment its holder ends, and the server itself ends
a connection whose holder was silent for too long. Two leaders for a moment would do no harm: a job
may be asked for twice.
"""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from storage.away import AWAY, BackOff

LOCK = 0x53485344  # one scheduler of this database leads
PING = 2.0  # seconds between two words of the leader, and between two tries of who stands by
WAIT = 5.0  # seconds for an answer
SILENT = 15  # seconds after which the server ends the connection of a leader that says nothing
_KEPT_ALIVE = ("tcp_keepalives_idle = 5", "tcp_keepalives_interval = 5", "tcp_keepalives_count = 2")
_ENDS_THE_SILENT = 140_000  # the first version of the server that does

Work = Callable[[], AbstractAsyncContextManager[None]]
_log = structlog.get_logger("office.leading")


class Leader:
    """Takes the lock of one database as soon as it is free, and works for as long as it holds."""

    def __init__(self, url: str) -> None:
        """`url`: of a PostgreSQL; connections are made here, for none of a pool may keep a lock."""
        self._engine = create_async_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
        self.leads = False

    async def lead(self, work: Work) -> None:
        """Until cancelled: stand by, lead, and stand by again when the lock is lost."""
        away = BackOff()
        try:
            while True:
                try:
                    async with self._engine.connect() as connection:
                        await self._stand_by(connection, away)
                        await self._work(connection, work)
                except (*AWAY, TimeoutError) as error:
                    if not away.begun:
                        _log.warning("scheduler_lost_database", error=type(error).__name__)
                    await away.pause()
        finally:
            await self._engine.dispose()

    async def _stand_by(self, connection: AsyncConnection, away: BackOff) -> None:
        version = int(await _asked(connection, "SHOW server_version_num"))
        limits = [*_KEPT_ALIVE]
        if version >= _ENDS_THE_SILENT:
            limits.append(f"idle_session_timeout = '{SILENT}s'")
        for limit in limits:
            async with asyncio.timeout(WAIT):
                await connection.execute(text(f"SET {limit}"))
        while not await _asked(connection, f"SELECT pg_try_advisory_lock({LOCK})"):
            away.reset()
            await asyncio.sleep(PING)
        away.reset()

    async def _work(self, connection: AsyncConnection, work: Work) -> None:
        _log.info("scheduler_leads")
        self.leads = True
        try:
            async with work():
                while True:
                    await asyncio.sleep(PING)
                    await _asked(connection, "SELECT 1")
        finally:
            self.leads = False


async def _asked(connection: AsyncConnection, question: str) -> str:
    async with asyncio.timeout(WAIT):
        answer: str = (await connection.execute(text(question))).scalar_one()
        return answer
