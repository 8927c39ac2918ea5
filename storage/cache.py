"""Short-lived keys: Redis when several processes share them, else its in-process twin."""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol
from urllib.parse import parse_qsl, urlencode, urlsplit

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialWithJitterBackoff
from redis.exceptions import ConnectionError as ConnectionLost

from storage.seals import Seals


class Cache(Protocol):
    """What both faces offer; times to live are seconds."""

    async def add_once(self, key: str, ttl: float) -> bool:
        """True for the first caller within `ttl`, False for everyone after."""

    async def get(self, key: str) -> str | None:
        """The value, or None when absent or expired."""

    async def set(self, key: str, value: str, ttl: float) -> None:
        """Keep `value` for `ttl` seconds."""

    async def delete(self, key: str) -> None:
        """Forget the key."""

    async def count(self, key: str, ttl: float, by: int = 1) -> int:
        """Add `by` and return the new count; the window starts with the first call."""

    async def close(self) -> None:
        """Give connections back."""


class MemoryCache:
    """One process: a dictionary with expiry."""

    def __init__(self) -> None:
        """Start empty."""
        self._values: dict[str, tuple[str, float]] = {}
        self._calls = 0

    def _live(self, key: str) -> str | None:
        self._calls += 1
        # Expired keys that nobody asks for again would stay for ever.
        if self._calls % 10_000 == 0:
            moment = time.monotonic()
            self._values = {k: v for k, v in self._values.items() if v[1] > moment}
        found = self._values.get(key)
        return found[0] if found and found[1] > time.monotonic() else None

    async def add_once(self, key: str, ttl: float) -> bool:
        """See Cache."""
        if self._live(key) is not None:
            return False
        self._values[key] = ("1", time.monotonic() + ttl)
        return True

    async def get(self, key: str) -> str | None:
        """See Cache."""
        return self._live(key)

    async def set(self, key: str, value: str, ttl: float) -> None:
        """See Cache."""
        self._values[key] = (value, time.monotonic() + ttl)

    async def delete(self, key: str) -> None:
        """See Cache."""
        self._values.pop(key, None)

    async def count(self, key: str, ttl: float, by: int = 1) -> int:
        """See Cache."""
        held = self._live(key)
        value = int(held or 0) + by
        # The window starts with the first call and is not pushed on by later ones.
        expiry = self._values[key][1] if held is not None else time.monotonic() + ttl
        self._values[key] = (str(value), expiry)
        return value

    async def close(self) -> None:
        """See Cache."""
        self._values.clear()


OURS = frozenset({"protocol", "decode_responses", "encoding", "encoding_errors"})
"""What the form of an answer hangs on: each of our clients decides it, and no address does."""


def plain_url(url: str) -> str:
    """The address of a Redis without what would change the form of its answers."""
    parts = urlsplit(url)
    kept = [one for one in parse_qsl(parts.query) if one[0] not in OURS]
    return parts._replace(query=urlencode(kept)).geturl()


_COUNTED = 6
"""Digits of the largest counter that is read back."""


class RedisCache:
    """Several processes: the same words on Redis.

    With `seals` a value proves that this program set it under this very key: what somebody else
    wrote there, or copied from another key, is as good as absent. A token, an uploaded picture's
    name or a ready answer that was exchanged is fetched, uploaded or made anew.
    """

    def __init__(self, url: str, seals: Seals | None = None) -> None:
        """Connect lazily."""
        # A connection that was dropped while nobody used it is no reason to fail. A Redis that is
        # silent is asked once: a citizen's call waits for it.
        retry = Retry(ExponentialWithJitterBackoff(0.5, 0.05), 3, (ConnectionLost,))
        self.redis: Redis = Redis.from_url(plain_url(url), decode_responses=True, retry=retry)
        self._seals = seals

    async def add_once(self, key: str, ttl: float) -> bool:
        """See Cache."""
        return bool(await self.redis.set(key, "1", nx=True, px=int(ttl * 1000)))

    async def get(self, key: str) -> str | None:
        """See Cache."""
        found = await self.redis.get(key)
        if found is None or self._seals is None:
            return None if found is None else str(found)
        # A counter is a bare number: Redis itself adds to it, and nothing that leaves is so short.
        if len(str(found)) <= _COUNTED and str(found).isdecimal():
            return str(found)
        seal, _, value = str(found).partition(":")
        return value if self._seals.hold(seal, "cache", [key, value]) else None

    async def set(self, key: str, value: str, ttl: float) -> None:
        """See Cache."""
        if self._seals is not None:
            value = f"{self._seals.of('cache', [key, value])}:{value}"
        await self.redis.set(key, value, px=int(ttl * 1000))

    async def delete(self, key: str) -> None:
        """See Cache."""
        await self.redis.delete(key)

    async def count(self, key: str, ttl: float, by: int = 1) -> int:
        """See Cache."""
        async with self.redis.pipeline(transaction=True) as pipe:
            # Both in one transaction: a counter without an expiry would lock a person out for good.
            pipe.set(key, 0, nx=True, px=int(ttl * 1000))
            pipe.incrby(key, by)
            _, value = await pipe.execute()
        return int(value)

    async def close(self) -> None:
        """See Cache."""
        await self.redis.aclose()


def open_cache(redis_url: str, seals: Seals | None = None) -> Cache:
    """Redis when an address is set, else the in-process twin, which nobody else can write to."""
    return RedisCache(redis_url, seals) if redis_url else MemoryCache()


@asynccontextmanager
async def lock(cache: Cache, name: str, ttl: float = 30.0) -> AsyncIterator[None]:
    """Hold `name` alone across every process that shares the cache, at most `ttl` seconds."""
    token, key, deadline = secrets.token_hex(8), f"lock:{name}", time.monotonic() + ttl
    while not await cache.add_once(key, ttl):
        if time.monotonic() > deadline:
            raise TimeoutError(f"lock {name} was not free within {ttl} seconds")
        await asyncio.sleep(0.02)
    await cache.set(key, token, ttl)
    try:
        yield
    finally:
        # Held longer than the bound, another process may have it by now: its lock is not ours to
        # free.
        if await cache.get(key) == token:
            await cache.delete(key)
