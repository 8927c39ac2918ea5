"""A neighbour that went away: what its absence raises, and how long to wait before asking again."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from asyncpg.exceptions import InterfaceError as Unlinked
from asyncpg.exceptions import PostgresError
from redis.exceptions import RedisError
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolEmpty

from storage.database import unreadable

Done = TypeVar("Done")
REDIS_AWAY = (RedisError, OSError)
AWAY = (*REDIS_AWAY, DBAPIError, PoolEmpty, PostgresError, Unlinked)
"""What a call to Redis or to the database may raise when it is not there; see `gone`."""
_PASSES = frozenset({"40P01", "25006"})
"""A deadlock, ended by the server; a server that only reads since another one took its place."""


def gone(error: BaseException) -> bool:
    """Whether it says that a neighbour is away, and nothing about what was asked of it."""
    if isinstance(error, DBAPIError):
        if unreadable(error):
            return False
        told = isinstance(error, OperationalError | InterfaceError)
        passes = getattr(error.orig, "sqlstate", None) in _PASSES
        return told or passes or error.connection_invalidated
    return isinstance(error, AWAY)


@dataclass
class BackOff:
    """Ever longer waits, until `reset`."""

    first: float = 0.1
    most: float = 5.0
    wait: float = 0.0

    @property
    def begun(self) -> bool:
        """Whether something has failed since the last reset."""
        return self.wait > 0

    def reset(self) -> None:
        """It works again."""
        self.wait = 0.0

    async def pause(self) -> None:
        """Wait, twice as long as the last time."""
        self.wait = min(self.most, self.wait * 2 or self.first)
        await asyncio.sleep(self.wait)


async def until_back(act: Callable[[], Awaitable[Done]]) -> Done:
    """Do it as soon as the neighbour is there; any other fault is raised."""
    away = BackOff()
    while True:
        await away.pause()
        try:
            return await act()
        except AWAY as error:
            if not gone(error):
                raise


async def surely(act: Callable[[], Awaitable[Done]]) -> Done:
    """Do it now, or as soon as the neighbour is there; any other fault is raised."""
    try:
        return await act()
    except AWAY as error:
        if not gone(error):
            raise
    return await until_back(act)
