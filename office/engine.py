"""The task engine: the same few tasks in this process, or on Redis streams for several workers.

Tasks carry no content: rows are the truth, a task only says "look now". A lost or doubled task
harms nothing, because every claim of a row is guarded.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing, suppress
from typing import Any

import structlog
from redis.asyncio import Redis
from taskiq import AckableMessage, AsyncBroker, InMemoryBroker
from taskiq.exceptions import SendTaskError
from taskiq.receiver import Receiver
from taskiq_redis import RedisStreamBroker

from bot.delivery.runs import Runs
from config.signals import end
from storage.away import REDIS_AWAY as AWAY
from storage.away import BackOff
from storage.cache import plain_url

Act = Callable[[], Awaitable[Any]]
IDLE_MS = 30_000  # a task nobody renewed for so long belongs to a dead worker
TRIES = 5  # deliveries of one message before it is set aside as poison
DRAIN_SECONDS = 20.0
MOST_WAITING = 10_000  # tasks kept while nobody takes them; what is dropped is asked for again
_log = structlog.get_logger("office.engine")


class ReliableStreamBroker(RedisStreamBroker):
    """Redis streams that lose nothing: idle claims, lease renewal, deletion on ack, poison limit.

    The stock broker claims a dead worker's tasks only after a new message came, never renews a
    lease, keeps acknowledged messages for ever, and ends for good with its first broken connection.
    """

    claim_every = 1.0

    def __init__(self, url: str, queue_name: str = "shenfa", idle_ms: int = IDLE_MS) -> None:
        """`idle_ms`: see IDLE_MS."""
        super().__init__(
            plain_url(url),
            queue_name=queue_name,
            idle_timeout=idle_ms,
            consumer_id="0",
            maxlen=MOST_WAITING,
        )
        self.poison_name = f"{queue_name}:poison"
        self.closing = False
        """Nothing more is listened for: a client in the middle of a call may swallow a cancel."""
        self._live: set[bytes] = set()
        self._renewal: asyncio.Task[None] | None = None

    async def startup(self) -> None:
        """Also start renewing the leases of what this worker is doing.

        Without a Redis the office opens all the same: `listen` declares the group when it is there.
        """
        try:
            await super().startup()
        except AWAY as error:
            _log.warning("engine_waits_for_redis", error=str(error))
        if self.is_worker_process:
            self._renewal = asyncio.create_task(self._renew())

    async def shutdown(self) -> None:
        """Stop renewing."""
        if self._renewal is not None:
            await end(self._renewal)
        await super().shutdown()

    async def _renew(self) -> None:
        async with Redis(connection_pool=self.connection_pool) as redis:
            while True:
                # A third of the idle time: one missed renewal does not lose the lease.
                await asyncio.sleep(self.idle_timeout / 3000)
                ids: list[Any] = list(self._live)
                try:
                    # In parts: one call with thousands of ids would hold up Redis.
                    for start in range(0, len(ids), 500):
                        await redis.xclaim(
                            self.queue_name,
                            self.consumer_group_name,
                            self.consumer_name,
                            0,
                            ids[start : start + 500],
                            justid=True,
                        )
                except AWAY as error:
                    _log.warning("lease_not_renewed", error=str(error))

    def _message(self, redis: Any, number: bytes, fields: Mapping[bytes, bytes]) -> AckableMessage:
        self._live.add(number)

        async def ack() -> None:
            try:
                async with redis.pipeline(transaction=True) as pipe:
                    pipe.xack(self.queue_name, self.consumer_group_name, number)
                    pipe.xdel(self.queue_name, number)
                    await pipe.execute()
            except AWAY as error:  # then it comes once more, and harms nothing
                _log.warning("task_not_acknowledged", error=str(error))
            finally:
                self._live.discard(number)

        return AckableMessage(data=fields[b"data"], ack=ack)

    async def listen(self) -> AsyncGenerator[AckableMessage, None]:
        """New tasks, and every `claim_every` seconds those of dead workers; for ever.

        A Redis that was flushed or begun anew knows no stream and no group of ours: both are
        declared again before it is asked again.
        """
        away = BackOff()
        while not self.closing:
            try:
                await self._declare_consumer_group()
                async with aclosing(self._listen()) as heard:
                    async for message in heard:
                        away.reset()
                        if message is not None:
                            yield message
            except AWAY as error:
                if not away.begun:
                    _log.warning("engine_lost_redis", error=str(error))
                await away.pause()

    async def _listen(self) -> AsyncGenerator[AckableMessage | None, None]:
        """As long as Redis answers: messages, and None for an answer without any."""
        redis: Any = Redis(connection_pool=self.connection_pool)
        claim_at = 0.0
        while not self.closing:
            if time.monotonic() >= claim_at:
                for number, fields in await self._abandoned(redis):
                    yield self._message(redis, number, fields)
                claim_at = time.monotonic() + self.claim_every
            fetched = await redis.xreadgroup(
                self.consumer_group_name,
                self.consumer_name,
                {self.queue_name: ">"},
                block=int(self.claim_every * 1000),
                count=self.count,
            )
            yield None
            for _, messages in fetched or []:
                for number, fields in messages:
                    yield self._message(redis, number, fields)

    async def _abandoned(self, redis: Any) -> list[tuple[bytes, dict[bytes, bytes]]]:
        """Claim what dead workers left; what was delivered too often is set aside."""
        found: list[tuple[bytes, dict[bytes, bytes]]] = []
        cursor: Any = "0-0"
        while True:
            cursor, messages, *_ = await redis.xautoclaim(
                self.queue_name,
                self.consumer_group_name,
                self.consumer_name,
                self.idle_timeout,
                cursor,
                count=100,
            )
            for number, fields in messages:
                if fields is None or number in self._live:
                    continue
                if await self._tries(redis, number) > TRIES:
                    await self._set_aside(redis, number, fields)
                else:
                    found.append((number, fields))
            if cursor in (b"0-0", "0-0"):
                return found

    async def _tries(self, redis: Any, number: bytes) -> int:
        pending = await redis.xpending_range(
            self.queue_name, self.consumer_group_name, number, number, 1
        )
        return int(pending[0]["times_delivered"]) if pending else 0

    async def _set_aside(self, redis: Any, number: bytes, fields: Mapping[bytes, bytes]) -> None:
        async with redis.pipeline(transaction=True) as pipe:
            # Kept for a person to look at, with a bound: a broken job must not fill the memory of
            # Redis.
            pipe.xadd(self.poison_name, dict(fields), maxlen=1000)
            pipe.xack(self.queue_name, self.consumer_group_name, number)
            pipe.xdel(self.queue_name, number)
            await pipe.execute()
        _log.error("task_set_aside", queue=self.queue_name, tries=TRIES)


class TaskEngine:
    """Named jobs on the engine. `ask` is what tickers call; `stop` drains before it returns."""

    def __init__(
        self, jobs: Mapping[str, Act], redis_url: str = "", runs: Runs | None = None
    ) -> None:
        """`jobs`: name to a function without arguments, safe to run twice and anywhere."""
        self.broker: AsyncBroker
        self.broker = ReliableStreamBroker(redis_url) if redis_url else InMemoryBroker()
        self._embedded = not redis_url
        self._jobs = dict(jobs)
        self.runs = runs or Runs({})
        self._running: set[str] = set()
        self._again: set[str] = set()
        self._stopping = False
        self._unasked = False
        self._finish = asyncio.Event()
        self._worker: asyncio.Task[None] | None = None

        async def run(name: str) -> None:
            await self.run(name)

        self._run = self.broker.register_task(run, task_name="shenfa:run")

    async def run(self, name: str) -> None:
        """Do one job here; while it runs, further requests for it become one more round."""
        if name in self._running:
            # Asked while running: what came in between is not missed, and a hundred requests make
            # one round.
            self._again.add(name)
            return
        self._running.add(name)
        try:
            while not self._stopping:
                self._again.discard(name)
                await self._do(name)
                if name not in self._again:
                    return
        finally:
            self._running.discard(name)

    async def _do(self, name: str) -> None:
        self.runs.began(name)
        failure: Exception | None = None
        try:
            await self._jobs[name]()
        except Exception as error:
            failure = error
            raise
        finally:
            self.runs.ended(name, failure)

    async def ask(self, name: str) -> None:
        """Have the job done soon, by whichever worker is free. KeyError for an unknown name."""
        if name not in self._jobs:
            raise KeyError(name)
        if self._stopping:
            return
        try:
            await self._run.kiq(name)
        except SendTaskError as error:  # the clock asks again; rows wait, and nothing is lost
            if not self._unasked:
                _log.warning("engine_not_asked", job=name, error=str(error.__cause__ or error))
            self._unasked = True
        else:
            self._unasked = False

    async def start(self, *, worker: bool = True) -> None:
        """Connect; with `worker` also take tasks (an embedded engine always does)."""
        self.broker.is_worker_process = worker
        await self.broker.startup()
        if worker and not self._embedded:
            self._worker = asyncio.create_task(self._work())

    async def _work(self) -> None:
        """Take tasks until the end; a receiver that ends before is followed by another."""
        away = BackOff()
        while not self._finish.is_set():
            receiver = Receiver(
                self.broker,
                max_async_tasks=20,
                run_startup=False,
                wait_tasks_timeout=DRAIN_SECONDS,
            )
            task = asyncio.create_task(receiver.listen(self._finish))
            await asyncio.wait({task})
            if not self._finish.is_set():
                error = None if task.cancelled() else task.exception()
                _log.error("engine_began_anew", exc_info=error)
                await away.pause()

    async def stop(self) -> None:
        """Take nothing more, wait up to DRAIN_SECONDS for what runs, then disconnect."""
        self._stopping = True
        self._finish.set()
        if isinstance(self.broker, ReliableStreamBroker):
            self.broker.closing = True
        if isinstance(self.broker, InMemoryBroker):
            with suppress(TimeoutError):
                await asyncio.wait_for(self.broker.wait_all(), DRAIN_SECONDS)
        if self._worker is not None:
            await asyncio.wait({self._worker}, timeout=DRAIN_SECONDS + 5)
        await self.broker.shutdown()
