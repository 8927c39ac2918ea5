"""Pacing: never more than 30 in any second for a bot, one a second for a chat."""

import asyncio
import time

import pytest

from bot.pace import Pace
from storage.cache import MemoryCache, RedisCache


def _most_in_a_second(moments: list[float]) -> int:
    return max(sum(1 for other in moments if at <= other < at + 1) for at in moments)


async def _send(pace: Pace, chats: range, moments: list[float]) -> None:
    for chat in chats:
        await pace.wait("bot", str(chat))
        moments.append(time.monotonic())


async def test_thirty_in_any_second_at_most() -> None:
    pace, moments = Pace(MemoryCache()), list[float]()
    started = time.monotonic()
    await _send(pace, range(45), moments)
    assert _most_in_a_second(moments) <= 30
    assert 1.0 <= time.monotonic() - started < 3.0
    pace.close()


async def test_one_chat_waits_a_second_and_unpaced_does_not() -> None:
    pace = Pace(MemoryCache())
    started = time.monotonic()
    await pace.wait("bot", "5")
    await pace.wait("bot", "6")
    assert time.monotonic() - started < 0.9
    await pace.wait("bot", "5")
    assert time.monotonic() - started >= 1.0
    for _ in range(100):
        await pace.wait("bot", "5", 0)
    assert time.monotonic() - started < 5
    pace.close()


@pytest.mark.servers
async def test_two_processes_share_one_window_on_redis(redis_url: str) -> None:
    caches = [RedisCache(redis_url), RedisCache(redis_url)]
    await caches[0].redis.flushdb()
    paces, moments = [Pace(cache) for cache in caches], list[float]()
    await asyncio.gather(
        _send(paces[0], range(25), moments), _send(paces[1], range(100, 125), moments)
    )
    assert _most_in_a_second(moments) <= 30
    for pace, cache in zip(paces, caches, strict=True):
        pace.close()
        await cache.close()
