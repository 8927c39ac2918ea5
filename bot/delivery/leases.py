"""Signs of life: which process sends what, and what becomes of the rows of a dead one."""

import asyncio
import time
from collections.abc import Collection, Coroutine, Iterable
from contextlib import suppress
from datetime import timedelta
from typing import Any, TypeVar

import structlog
from sqlalchemy import and_, delete, insert, or_, select, update
from sqlalchemy.orm import Session

from bot.contract import State
from bot.delivery.articles import unsure_articles
from bot.delivery.processes import ALL, LEASE, clock, living, place
from bot.delivery.recent import Recent
from bot.delivery.retrying import LOST
from bot.delivery.wiring import Wiring
from bot.models import Attempt, Delivery, Process, Publication
from bot.sealing import rewrite
from config.clock import now
from config.signals import end
from storage.away import AWAY, BackOff
from storage.database import new_id

DRAIN_SECONDS = 20.0  # what is on its way at a stop gets so long to come back
UNHEARD = 60.0  # seconds after which a claim that nobody here knows of was never heard of
CLAIMED_FOR = timedelta(minutes=5)

T = TypeVar("T")
_log = structlog.get_logger("bot.delivery")


class Lease:
    """One process's name on its rows, and its work that must not be cut off half-way.

    Signs of life stand in the database beside the rows they are about: a cache that forgets makes
    nobody look dead.
    """

    def __init__(self, wiring: Wiring, recent: Recent) -> None:
        """Nothing runs until `start`."""
        self._w = wiring
        self._recent = recent
        self.owner = new_id()
        self.kind = ALL
        """What this process is for (processes.py); set before `sign`."""
        self.stopping = False
        self._alive: asyncio.Task[None] | None = None
        self._busy: set[asyncio.Task[Any]] = set()
        self._hands: set[str] = set()
        self._blind_until = 0.0

    async def start(self) -> int:
        """Sign this process as alive and sweep up after dead ones; returns the rows swept."""
        await self.sign()
        return await self.sweep()

    async def sign(self) -> None:
        """Be known as alive from now on: before the first act of a citizen is taken."""
        if self._alive is None:
            await self._beat()
            self._alive = asyncio.create_task(self._keep_alive())

    def took(self, ids: Iterable[str]) -> None:
        """These rows are on their way in this process."""
        self._hands.update(ids)

    def gave(self, ids: Iterable[str]) -> None:
        """These have their outcome."""
        self._hands.difference_update(ids)

    def halt(self) -> None:
        """Claim nothing more; what was claimed is still sent and gets its outcome."""
        self.stopping = True

    async def stop(self, timeout: float = DRAIN_SECONDS) -> None:  # noqa: ASYNC109  a drain
        """Claim nothing more, wait for what is on its way, then give up the lease."""
        self.halt()
        if self._busy:
            await asyncio.wait(self._busy, timeout=timeout)
        if self._alive is not None:
            await end(self._alive)
        with suppress(*AWAY):  # then it runs out
            async with self._w.db.session() as session:
                await session.execute(delete(Process).where(Process.id == self.owner))

    async def guarded(self, work: Coroutine[Any, Any, T]) -> T:
        """Run `work` to its end even when the caller is cancelled; `stop` waits for it.

        A message between its call and its outcome would otherwise be left `sending`, and the next
        sweep could only call it unknown.
        """
        task = asyncio.create_task(work)
        self._busy.add(task)
        task.add_done_callback(self._busy.discard)
        return await asyncio.shield(task)

    async def _beat(self, **more: Any) -> None:
        """One sign of life; a row that somebody took away is made anew."""
        at = clock(self._w.db)
        mine = update(Process).where(Process.id == self.owner)
        values = {"id": self.owner, "place": place(), "kind": self.kind}
        signs = {"since": at, "until": at + LEASE}

        def write(session: Session) -> None:
            done = session.execute(mine.values(until=at + LEASE, **more).returning(Process.id))
            if done.first() is None:
                session.execute(insert(Process).values(**values, **signs, **more))

        await self._w.db.unheard(write)

    async def _keep_alive(self) -> None:
        away = BackOff()
        while True:
            if not away.begun:
                await asyncio.sleep(LEASE / 3)  # two may be lost before anybody thinks us dead
            try:
                await self._beat()
                away.reset()
            except AWAY as error:
                # While the database was away nobody could sign: it says nothing of the others.
                self._blind_until = time.monotonic() + LEASE
                if not away.begun:
                    _log.warning("lease_not_renewed", error=type(error).__name__)
                await away.pause()

    async def pulse(self) -> None:
        """Say that the task engine does its work: this is one of its jobs."""
        await self._beat(worked=clock(self._w.db))

    async def sweep(self) -> int:
        """Rows left `sending` by processes without a lease become `unknown`; how many there were.

        A publication the platform itself guards against doubles is tried again instead. What this
        process claimed without learning so was never sent, and is due again.
        """
        if time.monotonic() < self._blind_until:
            return 0
        swept = await self._mine_again()
        async with self._w.db.session() as session:
            owners = {
                owner
                for model in (Delivery, Publication)
                for owner in await session.scalars(
                    select(model.owner).where(model.state == State.SENDING).distinct()
                )
            }
            alive, known = await living(session, self._w.db)
        for owner in owners - {self.owner} - alive:  # our own are on their way right now
            swept += await self._sweep_owner(owner)
        await self._forget(known - alive - {self.owner})
        return swept

    async def _forget(self, dead: Collection[str]) -> None:
        if dead:
            async with self._w.db.session() as session:
                await session.execute(delete(Process).where(Process.id.in_(dead)))

    async def _mine_again(self) -> int:
        """The answer to a claim was lost with its connection: nobody called for those rows."""
        done = 0
        before = now() - timedelta(seconds=UNHEARD)
        async with self._w.db.writing() as session:
            mine = and_(
                Delivery.state == State.SENDING,
                Delivery.owner == self.owner,
                Delivery.sending_since < before,
                Delivery.id.not_in(self._hands),
            )
            done += await rewrite(session, mine, state=State.RETRYING, next_at=now())
            for row in await session.scalars(
                select(Publication).where(
                    Publication.state == State.SENDING,
                    Publication.owner == self.owner,
                    Publication.claimed_until < before + CLAIMED_FOR,
                    Publication.id.not_in(self._hands),
                )
            ):
                row.state, row.next_at = State.RETRYING, now()
                done += 1
        return done

    async def _sweep_owner(self, owner: str) -> int:
        async with self._w.db.writing() as session:
            lost = and_(Delivery.state == State.SENDING, Delivery.owner == owner)
            deliveries = list(await session.scalars(select(Delivery.id).where(lost)))
            ended: dict[str, object] = {"state": State.UNKNOWN, "why": LOST, "code": "lost"}
            await rewrite(session, lost, **ended, finished_at=now())
            left = select(Publication).where(
                Publication.state == State.SENDING, Publication.owner == owner
            )
            publications = (await session.scalars(left)).all()
            for row in publications:
                row.state, row.reason = State.UNKNOWN, LOST
                await unsure_articles(session, row.id, LOST)
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
