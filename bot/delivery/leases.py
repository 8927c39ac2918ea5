"""Signs of life: which process sends what, and what becomes of the rows of a dead one."""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, TypeVar

from sqlalchemy import and_, or_, select, update

from bot.contract import State
from bot.delivery.recent import Recent
from bot.delivery.retrying import LOST
from bot.delivery.wiring import Wiring
from bot.models import Attempt, Delivery, Publication
from bot.sealing import rewrite
from config.clock import now
from storage.database import new_id

DRAIN_SECONDS = 20.0  # what is on its way at a stop gets so long to come back
LEASE = 15.0  # seconds a process counts as alive after its last sign of life

T = TypeVar("T")


class Lease:
    """One process's name on its rows, and its work that must not be cut off half-way."""

    def __init__(self, wiring: Wiring, recent: Recent) -> None:
        """Nothing runs until `start`."""
        self._w = wiring
        self._recent = recent
        self.owner = new_id()
        self.stopping = False
        self._alive: asyncio.Task[None] | None = None
        self._busy: set[asyncio.Task[Any]] = set()

    async def start(self) -> int:
        """Sign this process as alive and sweep up after dead ones; returns the rows swept."""
        await self._beat()
        self._alive = asyncio.create_task(self._keep_alive())
        return await self.sweep()

    def halt(self) -> None:
        """Claim nothing more; what was claimed is still sent and gets its outcome."""
        self.stopping = True

    async def stop(self, timeout: float = DRAIN_SECONDS) -> None:  # noqa: ASYNC109  a drain
        """Claim nothing more, wait for what is on its way, then give up the lease."""
        self.halt()
        if self._busy:
            await asyncio.wait(self._busy, timeout=timeout)
        if self._alive is not None:
            self._alive.cancel()
            with suppress(asyncio.CancelledError):
                await self._alive
        await self._w.cache.delete(f"lease:{self.owner}")

    async def guarded(self, work: Coroutine[Any, Any, T]) -> T:
        """Run `work` to its end even when the caller is cancelled; `stop` waits for it.

        A message between its call and its outcome would otherwise be left `sending`, and the next
        sweep could only call it unknown.
        """
        task = asyncio.create_task(work)
        self._busy.add(task)
        task.add_done_callback(self._busy.discard)
        return await asyncio.shield(task)

    async def _beat(self) -> None:
        await self._w.cache.set(f"lease:{self.owner}", "1", LEASE)

    async def _keep_alive(self) -> None:
        while True:
            await asyncio.sleep(LEASE / 3)  # two beats may be lost before anybody thinks us dead
            await self._beat()

    async def sweep(self) -> int:
        """Rows left `sending` by processes without a lease become `unknown`; how many there were.

        A publication the platform itself guards against doubles is tried again instead.
        """
        swept = 0
        async with self._w.db.session() as session:
            owners = set(
                await session.scalars(
                    select(Delivery.owner).where(Delivery.state == State.SENDING).distinct()
                )
            ) | set(
                await session.scalars(
                    select(Publication.owner).where(Publication.state == State.SENDING).distinct()
                )
            )
        for owner in owners - {self.owner}:  # our own are on their way right now
            if await self._w.cache.get(f"lease:{owner}") is None:
                swept += await self._sweep_owner(owner)
        return swept

    async def _sweep_owner(self, owner: str) -> int:
        async with self._w.db.writing() as session:
            lost = and_(Delivery.state == State.SENDING, Delivery.owner == owner)
            deliveries = list(await session.scalars(select(Delivery.id).where(lost)))
            await rewrite(session, lost, state=State.UNKNOWN, why=LOST, finished_at=now())
            left = select(Publication).where(
                Publication.state == State.SENDING, Publication.owner == owner
            )
            publications = (await session.scalars(left)).all()
            for row in publications:
                row.state, row.reason = State.UNKNOWN, LOST
            await session.execute(
                update(Attempt)
                .where(
                    Attempt.state == State.SENDING,
                    or_(
                        Attempt.delivery_id.in_(deliveries),
                        Attempt.publication_id.in_([row.id for row in publications]),
                    ),
                )
                .values(state=State.UNKNOWN, finished_at=now())
            )
        # Messages stay unknown: no platform refuses a second one of those.
        for row in publications:
            if await self._resumable(row.account_id):
                async with self._w.db.writing() as session:
                    again = await session.get_one(Publication, row.id)
                    again.state, again.next_at, again.reason = State.RETRYING, now(), ""
            else:
                await self._w.on_publication(row.id)
        return len(deliveries) + len(publications)

    async def _resumable(self, account_id: str) -> bool:
        account = await self._recent.account(account_id)
        if isinstance(account, str):
            return False
        return self._w.channels[account.platform].resumable(account)
