"""Pacing of platform calls: windows shared by every process when Redis is there."""

import asyncio
import hashlib
from typing import Any

from pyrate_limiter import InMemoryBucket, Limiter, Rate, RateItem, RedisBucket
from pyrate_limiter.buckets.redis_bucket import LuaScript
from redis.exceptions import NoScriptError

from storage.away import REDIS_AWAY
from storage.cache import Cache, RedisCache

PER_SECOND = 30  # messages a second for one bot (docs/platforms.md#T1)
PER_MINUTE_GROUP = 20
SLACK = 40  # milliseconds added to a window, so that jitter on the wire never breaks it
LOOK = 5  # milliseconds after a window is free until its next place is taken; the stock 50 cost 4 %


PUT = LuaScript.PUT_ITEM.replace("window_start, now)", "window_start, '+inf')")
"""The stock script passes over what is later than its own moment: of two processes that take the
last place at once, the one that read its clock first and arrives second would find it free."""


class SharedBucket(RedisBucket):
    """A window in Redis that outlives it: a Redis begun anew has forgotten its script, and the
    stock clean-up ends for good with the first call that fails.
    """

    async def put(self, item: RateItem) -> bool:
        """Whether there was room."""
        try:
            return bool(await self._put(item))
        except NoScriptError:
            redis: Any = self.redis  # its types say that it may be the one that waits for nothing
            self.script_hash = await redis.script_load(PUT)
            return bool(await self._put(item))

    async def _put(self, item: RateItem) -> bool:
        room = super().put(item)
        return room if isinstance(room, bool) else await room

    async def leak(self, current_timestamp: int | None = None) -> int:
        """Forget what is too old to count; what cannot be done now is done the next time."""
        try:
            left = super().leak(current_timestamp)
            return left if isinstance(left, int) else await left
        except REDIS_AWAY:
            return 0


class Pace:
    """At most 30 a second for a bot, one a second for a chat, 20 a minute for a group."""

    def __init__(self, cache: Cache) -> None:
        """`cache` decides whether the windows are shared: RedisCache does, MemoryCache does not."""
        self._cache = cache
        self._limiters: dict[str, Limiter] = {}
        self._making = asyncio.Lock()

    async def wait(self, bot: str, chat: str, per_second: int = PER_SECOND) -> None:
        """Return when one more message to `chat` is allowed. `per_second` 0 means unpaced."""
        if per_second <= 0:
            return
        name = hashlib.sha256(f"{bot}:{chat}".encode()).hexdigest()[:24]
        # The slowest limit first: a place in the bot's second would be lost while waiting here.
        await self._chat_turn(f"pace:chat:{name}")
        # Groups and channels have numbers below zero, or a public name (T1).
        if chat.startswith(("-", "@")):
            group = await self._limiter(f"group:{name}", Rate(PER_MINUTE_GROUP, 60_000 + SLACK))
            await group.try_acquire_async("message")
        limiter = await self._limiter(f"bot:{bot}", Rate(per_second, 1000 + SLACK))
        await limiter.try_acquire_async("message")

    async def _chat_turn(self, key: str) -> None:
        while not await self._cache.add_once(key, 1.0 + SLACK / 1000):  # noqa: ASYNC110  others hold it
            await asyncio.sleep(0.05)  # another process may hold the turn: nothing to wait on

    async def _limiter(self, name: str, rate: Rate) -> Limiter:
        if name not in self._limiters:
            async with self._making:
                if name not in self._limiters:
                    self._limiters[name] = await self._make(name, rate)
        return self._limiters[name]

    async def _make(self, name: str, rate: Rate) -> Limiter:
        if isinstance(self._cache, RedisCache):
            redis = self._cache.redis
            script = await redis.script_load(PUT)
            return Limiter(SharedBucket([rate], redis, f"pace:{name}", script), buffer_ms=LOOK)
        return Limiter(InMemoryBucket([rate]), buffer_ms=LOOK)

    def close(self) -> None:
        """Stop the limiters' own clean-up."""
        for limiter in self._limiters.values():
            limiter.close()
        self._limiters.clear()
