"""Of several schedulers one leads; when it goes, is silent or loses its database, another does."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from office import leading
from office.leading import Leader
from tests.waiting import until

pytestmark = pytest.mark.servers


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leading, "PING", 0.1)


class Scheduler:
    """One process that would like to lead."""

    def __init__(self, url: str) -> None:
        self.leader = Leader(url)
        self.task = asyncio.create_task(self.leader.lead(self.work))
        self.working = False

    @asynccontextmanager
    async def work(self) -> AsyncIterator[None]:
        self.working = True
        try:
            yield
        finally:
            self.working = False

    async def end(self) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)


@pytest.fixture
async def two(postgres_url: str) -> AsyncIterator[tuple[Scheduler, Scheduler]]:
    """The first one leads, the second stands by."""
    first = Scheduler(postgres_url)
    await _works(first)
    second = Scheduler(postgres_url)
    await asyncio.sleep(0.5)
    assert (first.working, second.working) == (True, False)
    yield first, second
    for one in (first, second):
        await one.end()


async def _works(one: Scheduler) -> None:
    async def works() -> bool:
        return one.working

    await until(works)


async def test_when_the_leader_ends_the_other_leads(two: tuple[Scheduler, Scheduler]) -> None:
    first, second = two
    await first.end()
    assert not first.working
    await _works(second)
    assert (first.leader.leads, second.leader.leads) == (False, True)


async def test_who_lost_the_connection_with_its_lock_stops_asking_and_somebody_leads_again(
    two: tuple[Scheduler, Scheduler], postgres_url: str
) -> None:
    engine = create_async_engine(postgres_url, isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        await connection.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )
    await engine.dispose()
    first, second = two

    async def stopped() -> bool:
        return not first.working

    async def one_leads() -> bool:
        return first.working != second.working

    await until(stopped)
    await until(one_leads)
    assert not any(one.task.done() for one in two)


async def test_a_leader_that_stands_still_is_followed_by_another(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped by the system, or cut off: its connection is there and nothing comes over it."""
    monkeypatch.setattr(leading, "SILENT", 1)
    asked, words = leading._asked, 0

    async def counted(connection: AsyncConnection, question: str) -> str:
        nonlocal words
        answer = await asked(connection, question)
        words += 1
        return answer

    monkeypatch.setattr(leading, "_asked", counted)
    still = Scheduler(postgres_url)
    await _works(still)
    monkeypatch.setattr(leading, "PING", 60.0)
    before = words

    async def has_spoken() -> bool:
        return words > before

    await until(has_spoken)  # its next word is a minute away
    monkeypatch.setattr(leading, "PING", 0.1)
    other = Scheduler(postgres_url)
    await _works(other)
    for one in (still, other):
        await one.end()
