"""Pacing: never more than 30 in any second for a bot, one a second for a chat."""

import asyncio
import time
from typing import Any

import pytest
from pyrate_limiter import InMemoryBucket, Rate, RateItem

from bot.pace import PUT, Pace, SharedBucket
from storage.cache import MemoryCache, RedisCache


def _most_in_a_second(moments: list[int]) -> int:
    return max(sum(1 for other in moments if at <= other < at + 1000) for at in moments)


async def _send(pace: Pace, chats: range, left: list[int]) -> None:
    for chat in chats:
        await pace.wait("bot", str(chat))
        left.append(chat)


class Turns(MemoryCache):
    """Remembers who was given a turn at once."""

    def __init__(self) -> None:
        super().__init__()
        self.given: list[bool] = []

    async def add_once(self, key: str, ttl: float) -> bool:
        self.given.append(await super().add_once(key, ttl))
        return self.given[-1]


async def test_thirty_in_any_second_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the moments the places were taken in, and each is waited for: how late this machine gets
    to write a moment down says nothing of the window.
    """
    taken, stock, pace = list[int](), InMemoryBucket.put, Pace(MemoryCache())

    def put(bucket: InMemoryBucket, item: RateItem) -> bool:
        if room := stock(bucket, item):
            assert item.timestamp <= time.monotonic_ns() // 1_000_000
            taken.append(item.timestamp)
        return room

    monkeypatch.setattr(InMemoryBucket, "put", put)
    left = list[int]()
    await _send(pace, range(45), left)
    assert len(taken) == len(left) == 45
    assert _most_in_a_second(taken) <= 30
    assert taken[-1] - taken[0] < 20_000
    pace.close()


async def test_one_chat_waits_a_second_and_unpaced_does_not() -> None:
    turns = Turns()
    pace, started = Pace(turns), time.monotonic()
    await pace.wait("bot", "5")
    await pace.wait("bot", "6")
    assert turns.given == [True, True]
    await pace.wait("bot", "5")
    assert time.monotonic() - started >= 1.0
    asked = len(turns.given)
    for _ in range(100):
        await pace.wait("bot", "5", 0)
    assert len(turns.given) == asked
    pace.close()


@pytest.mark.servers
async def test_two_processes_share_one_window_on_redis(
    redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken, stock = list[int](), SharedBucket.put

    async def put(bucket: SharedBucket, item: RateItem) -> bool:
        if room := await stock(bucket, item):
            taken.append(item.timestamp)
        return room

    monkeypatch.setattr(SharedBucket, "put", put)
    caches = [RedisCache(redis_url), RedisCache(redis_url)]
    await caches[0].redis.flushdb()
    paces, left = [Pace(cache) for cache in caches], list[int]()
    await asyncio.gather(_send(paces[0], range(25), left), _send(paces[1], range(100, 125), left))
    assert len(taken) == len(left) == 50
    assert _most_in_a_second(taken) <= 30
    for pace, cache in zip(paces, caches, strict=True):
        pace.close()
        await cache.close()


@pytest.mark.servers
async def test_whoever_arrives_late_with_an_early_moment_gets_no_place_that_is_taken(
    redis_url: str,
) -> None:
    cache = RedisCache(redis_url)
    redis: Any = cache.redis
    await redis.flushdb()
    bucket = SharedBucket([Rate(3, 1000)], redis, "pace:late", await redis.script_load(PUT))
    moment = bucket.now()
    assert [await bucket.put(RateItem("m", moment + 5)) for _ in range(3)] == [True] * 3
    assert not await bucket.put(RateItem("m", moment))
    assert await bucket.put(RateItem("m", moment + 1006))
    await cache.close()
