"""The task engine: embedded it drains, on Redis it loses nothing and sets poison aside."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis
from taskiq import InMemoryBroker

from office.engine import ReliableStreamBroker, TaskEngine
from tests.waiting import until


async def _until(condition: asyncio.Event) -> None:
    await asyncio.wait_for(condition.wait(), 60)


async def test_a_job_asked_for_is_done() -> None:
    done = asyncio.Event()

    async def publish() -> None:
        done.set()

    tasks = TaskEngine({"publish": publish})
    await tasks.start()
    await tasks.ask("publish")
    await _until(done)
    await tasks.stop()
    with pytest.raises(KeyError):
        await tasks.ask("nothing")


async def test_stopping_waits_for_what_runs() -> None:
    finished, begun = [], asyncio.Event()

    async def deliver() -> None:
        begun.set()
        await asyncio.sleep(0.05)
        finished.append("deliver")

    tasks = TaskEngine({"deliver": deliver})
    await tasks.start()
    await tasks.ask("deliver")
    await _until(begun)
    await tasks.stop()
    assert finished == ["deliver"]


async def test_many_requests_while_a_job_runs_become_one_more_round() -> None:
    rounds = 0
    go = asyncio.Event()

    async def deliver() -> None:
        nonlocal rounds
        rounds += 1
        await go.wait()

    tasks = TaskEngine({"deliver": deliver})
    await tasks.start()
    assert isinstance(tasks.broker, InMemoryBroker)
    for _ in range(20):
        await tasks.ask("deliver")

    async def all_heard() -> bool:  # but the one at work
        # How many are at work is told nowhere else, and its type is the one of every broker.
        return len(tasks.broker._running_tasks) == 1  # type: ignore[attr-defined]

    await until(all_heard)
    assert rounds == 1
    go.set()
    await tasks.broker.wait_all()
    await tasks.stop()
    assert rounds == 2


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    client: Redis = Redis.from_url(redis_url)
    await client.flushdb()
    yield client
    await client.aclose()


@pytest.mark.servers
async def test_on_redis_a_worker_does_it_and_nothing_stays_behind(
    redis: Redis, redis_url: str
) -> None:
    done = asyncio.Event()

    async def publish() -> None:
        done.set()

    asking, working = (
        TaskEngine({"publish": publish}, redis_url),
        TaskEngine({"publish": publish}, redis_url),
    )
    working.broker.claim_every = 0.05  # type: ignore[attr-defined]
    await asking.start(worker=False)
    await working.start()
    await asking.ask("publish")
    await _until(done)
    await working.stop()
    await asking.stop()
    assert await redis.xlen("shenfa") == 0


async def _broker(url: str, idle_ms: int) -> ReliableStreamBroker:
    broker = ReliableStreamBroker(url, idle_ms=idle_ms)
    broker.claim_every = 0.02
    await broker.startup()
    return broker


@pytest.mark.servers
async def test_a_dead_workers_task_is_taken_over_while_the_queue_is_idle(
    redis: Redis, redis_url: str
) -> None:
    dead, living = await _broker(redis_url, 40), await _broker(redis_url, 40)
    await redis.xadd("shenfa", {"data": b"task"})
    taken = await anext(dead.listen())
    again = await asyncio.wait_for(anext(living.listen()), 60)
    assert taken.data == again.data == b"task"
    await again.ack()  # type: ignore[misc]
    assert await redis.xlen("shenfa") == 0
    await dead.shutdown()
    await living.shutdown()


@pytest.mark.servers
async def test_a_task_that_kills_every_worker_is_set_aside(redis: Redis, redis_url: str) -> None:
    await redis.xadd("shenfa", {"data": b"poison"})
    broker = await _broker(redis_url, 5)
    client: Redis = Redis(connection_pool=broker.connection_pool)
    await client.xreadgroup("taskiq", "w0", {"shenfa": ">"})
    for _ in range(8):
        await asyncio.sleep(0.01)
        await broker._abandoned(client)
    assert await redis.xlen("shenfa") == 0
    assert await redis.xlen("shenfa:poison") == 1
    await broker.shutdown()
