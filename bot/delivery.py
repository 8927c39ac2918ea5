"""Everything that leaves: publications and messages, a row before each call, its outcome after.

No transaction is open across a network call. Rows a dead process left `sending` become `unknown`:
they are never sent again by themselves.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar

import structlog
from sqlalchemy import ColumnElement, and_, bindparam, insert, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from bot.contacts import WINDOW_HOLD, Contacts
from bot.contract import (
    AccountView,
    Button,
    Channel,
    Inbound,
    LoadMedia,
    NotReleased,
    Outcome,
    Release,
    Reply,
    ReplyBasis,
    State,
    Verify,
)
from bot.models import Attempt, Contact, Delivery, Publication
from config.clock import now
from storage.cache import Cache
from storage.database import Base, Database, new_id
from storage.switches import Switch

RETRY_AFTER = (30, 120, 600, 1800, 7200)  # seconds before attempt 2, 3, 4, 5, 6
DRAIN_SECONDS = 20.0  # what is on its way at a stop gets so long to come back
LEASE = 15.0  # seconds a process counts as alive after its last sign of life
VERIFY_FOR = 1.0  # seconds one verification serves the same push
STOPS_FOR = 0.5
RELEASE_HOLD, ACCOUNT_HOLD = "release", "account"
DUE = (State.CREATED, State.RETRYING)
LOST = "发送途中程序中断，不能确定是否送达，请人工核对"

T = TypeVar("T")
_log = structlog.get_logger("bot.delivery")
_deliveries, _attempts, _contacts = (
    Base.metadata.tables[model.__tablename__] for model in (Delivery, Attempt, Contact)
)


async def _no_incident(kind: str, subject: str, message: str) -> None:
    _log.error(kind, subject=subject, message=message)


async def _no_news(publication_id: str) -> None:
    _log.info("publication", id=publication_id)


@dataclass(frozen=True)
class Wiring:
    """What the deliverer is given by the composition root.

    `on_incident(kind, subject, message)` records what staff must see. `on_publication(id)` is
    called after a publication reached published, failed, held or unknown.
    `in_flight`: how many calls may be unsettled at any instant in this process.
    """

    db: Database
    cache: Cache
    contacts: Contacts
    channels: Mapping[str, Channel]
    verify: Verify
    open_account: Callable[[str], Awaitable[AccountView]]
    load_media: LoadMedia
    in_flight: int = 8
    on_incident: Callable[[str, str, str], Awaitable[None]] = _no_incident
    on_publication: Callable[[str], Awaitable[None]] = _no_news


@dataclass
class _Work:
    """One claimed delivery on its way."""

    id: str
    attempt_id: str
    release_id: str | None
    account_id: str
    contact_id: str
    reason: str
    reply: Mapping[str, Any] | None
    attempts: int
    contact: Any = None
    outcome: Outcome = field(default_factory=lambda: Outcome(State.UNKNOWN, reason=LOST))


class Deliverer:
    """Sends what is due. One instance a process; any number of processes."""

    def __init__(self, wiring: Wiring) -> None:
        """Nothing runs until `start` or one of the `*_due` methods is called."""
        self._w = wiring
        self.owner = new_id()
        reply_slots = max(1, wiring.in_flight // 4)
        self._batch = max(1, wiring.in_flight - reply_slots)
        self._reply_slots = asyncio.Semaphore(reply_slots)
        self._delivering = asyncio.Lock()
        self._publishing = asyncio.Lock()
        self._stopping = False
        self._verifying = asyncio.Lock()
        self._verified: dict[str, tuple[float, Release | NotReleased]] = {}
        self._opened: dict[str, tuple[float, AccountView | str]] = {}
        self._stops: tuple[float, frozenset[str]] = (0.0, frozenset())
        self._paused: dict[str, float] = {}  # account id to monotonic time
        self._alive: asyncio.Task[None] | None = None
        self._busy: set[asyncio.Task[Any]] = set()

    # --- life -----------------------------------------------------------------------------

    async def start(self) -> int:
        """Sign this process as alive and sweep up after dead ones; returns the rows swept."""
        await self._beat()
        self._alive = asyncio.create_task(self._keep_alive())
        return await self.sweep()

    def halt(self) -> None:
        """Claim nothing more; what was claimed is still sent and gets its outcome."""
        self._stopping = True

    async def stop(self, timeout: float = DRAIN_SECONDS) -> None:  # noqa: ASYNC109
        """Claim nothing more, wait for what is on its way, then give up the lease."""
        self.halt()
        if self._busy:
            await asyncio.wait(self._busy, timeout=timeout)
        if self._alive is not None:
            self._alive.cancel()
            with suppress(asyncio.CancelledError):
                await self._alive
        await self._w.cache.delete(f"lease:{self.owner}")

    async def _beat(self) -> None:
        await self._w.cache.set(f"lease:{self.owner}", "1", LEASE)

    async def _keep_alive(self) -> None:
        while True:
            await asyncio.sleep(LEASE / 3)
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
        for owner in owners - {self.owner}:
            if await self._w.cache.get(f"lease:{owner}") is None:
                swept += await self._sweep_owner(owner)
        return swept

    async def _sweep_owner(self, owner: str) -> int:
        async with self._w.db.session() as session:
            lost = (
                update(Delivery)
                .where(Delivery.state == State.SENDING, Delivery.owner == owner)
                .values(state=State.UNKNOWN, why=LOST, finished_at=now())
                .returning(Delivery.id)
            )
            deliveries = list(await session.scalars(lost))
            left = (
                update(Publication)
                .where(Publication.state == State.SENDING, Publication.owner == owner)
                .values(state=State.UNKNOWN, reason=LOST)
                .returning(Publication.id, Publication.account_id)
            )
            publications = (await session.execute(left)).all()
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
        for row in publications:
            if await self._resumable(row.account_id):
                await self._set_publication(row.id, state=State.RETRYING, next_at=now(), reason="")
            else:
                await self._w.on_publication(row.id)
        return len(deliveries) + len(publications)

    async def _resumable(self, account_id: str) -> bool:
        account = await self._account(account_id)
        if isinstance(account, str):
            return False
        return self._w.channels[account.platform].resumable(account)

    # --- publications ---------------------------------------------------------------------

    async def publish_due(self, limit: int = 20) -> int:
        """Publish every publication that is due, one after the other; how many were tried."""
        async with self._publishing:
            stops = await self._stopped_names()
            if {"all", "publishing"} & stops:
                return 0
            async with self._w.db.session() as session:
                query = (
                    select(Publication.id)
                    .where(
                        _publication_due(now()),
                        Publication.account_id.not_in(_stopped_accounts(stops)),
                    )
                    .order_by(Publication.due_at)
                    .limit(limit)
                )
                due = list(await session.scalars(query))
            tried = 0
            for publication_id in due:
                if self._stopping:
                    break
                tried += await self._guarded(self._publish(publication_id))
            return tried

    async def _publish(self, publication_id: str) -> int:
        row = await self._claim_publication(publication_id)
        if row is None:
            return 0
        publication, attempt_id = row
        try:
            outcome = await self._call_publish(publication)
        except (LookupError, ValueError) as error:
            outcome = Outcome(State.HELD, reason=str(error), code="account")
        await self._finish_publication(publication, outcome, attempt_id)
        return 1

    async def _claim_publication(self, publication_id: str) -> tuple[Publication, str] | None:
        attempt_id, moment = new_id(), now()
        async with self._w.db.session() as session:
            claim = (
                update(Publication)
                .where(Publication.id == publication_id, _publication_due(moment))
                .values(
                    state=State.SENDING,
                    owner=self.owner,
                    attempts=Publication.attempts + 1,
                    claimed_until=moment + timedelta(minutes=5),
                )
                .returning(Publication.id)
            )
            if (await session.scalars(claim)).first() is None:
                return None
            session.add(
                Attempt(
                    id=attempt_id,
                    publication_id=publication_id,
                    started_at=moment,
                    state=State.SENDING,
                    detail={},
                )
            )
            publication = await session.get_one(Publication, publication_id)
        return publication, attempt_id

    async def _call_publish(self, publication: Publication) -> Outcome:
        account = await self._w.open_account(publication.account_id)
        channel = self._w.channels[account.platform]
        if {"all", "publishing", f"account:{account.id}"} & await self._stopped_names():
            return Outcome(State.RETRYING, reason="已按开关停止发布", retry_after=30.0)
        try:
            release = await self._w.verify(publication.release_id)
        except NotReleased as refused:
            return Outcome(State.HELD, reason="；".join(refused.reasons), code=RELEASE_HOLD)
        rendering = release.renderings.get(account.id)
        if rendering is None or release.digest != publication.digest:
            return Outcome(State.HELD, reason="放行的内容与发布记录不符", code=RELEASE_HOLD)
        outcome = await channel.publish(account, rendering, self._w.load_media)
        if outcome.state is State.UNKNOWN and channel.resumable(account):
            return Outcome(State.RETRYING, reason=outcome.reason, retry_after=60.0)
        return outcome

    async def _finish_publication(
        self, publication: Publication, outcome: Outcome, attempt_id: str = ""
    ) -> None:
        moment = now()
        outcome = _give_up(outcome, publication.attempts)
        values: dict[str, Any] = {
            "state": outcome.state,
            "ref": outcome.ref[:200] or publication.ref,
            "reason": outcome.reason,
            "next_at": None,
        }
        if outcome.state is State.PUBLISHED:
            values |= {"published_at": moment, "url": str(outcome.detail.get("url", ""))[:500]}
        elif outcome.state is State.SUBMITTED:
            values |= {"claimed_until": moment, "next_at": moment + timedelta(seconds=5)}
        elif outcome.state is State.RETRYING:
            values["next_at"] = moment + timedelta(seconds=_delay(outcome, publication.attempts))
        await self._set_publication(publication.id, attempt=(attempt_id, outcome), **values)
        if outcome.detail.get("scope") == "account":
            await self._halt_account(publication.account_id, outcome.reason)
        if outcome.state not in (State.SUBMITTED, State.RETRYING):
            await self._w.on_publication(publication.id)

    async def _set_publication(
        self, publication_id: str, attempt: tuple[str, Outcome] | None = None, **values: Any
    ) -> None:
        async with self._w.db.session() as session:
            await session.execute(
                update(Publication).where(Publication.id == publication_id).values(**values)
            )
            if attempt is not None and attempt[0]:
                await session.execute(
                    update(Attempt)
                    .where(Attempt.id == attempt[0])
                    .values(
                        state=attempt[1].state,
                        code=attempt[1].code[:40],
                        detail=dict(attempt[1].detail),
                        finished_at=now(),
                    )
                )

    async def settle_due(self, limit: int = 20) -> int:
        """Ask the platform about submitted publications, ever less often; how many were settled."""
        async with self._w.db.session() as session:
            query = (
                select(Publication)
                .where(Publication.state == State.SUBMITTED, Publication.next_at <= now())
                .limit(limit)
            )
            rows = (await session.scalars(query)).all()
        settled = 0
        for row in rows:
            account = await self._account(row.account_id)
            if isinstance(account, str):
                continue
            outcome = await self._w.channels[account.platform].settle(account, row.ref)
            if outcome.state in (State.PUBLISHED, State.FAILED):
                await self._finish_publication(row, outcome)
                settled += 1
            else:
                since = (now() - (row.claimed_until or row.due_at)).total_seconds()
                wait = timedelta(seconds=min(max(5.0, since), 1800.0))
                await self._set_publication(row.id, next_at=now() + wait)
        return settled

    async def on_result_event(self, inbound: Inbound) -> bool:
        """Settle the publication a RESULT event speaks of; False when none is known."""
        told = self._w.channels[inbound.platform].result(inbound)
        if told is None:
            return False
        ref, outcome = told
        async with self._w.db.session() as session:
            query = select(Publication).where(
                Publication.account_id == inbound.account_id,
                Publication.ref == ref,
                Publication.state.in_((State.SUBMITTED, State.UNKNOWN)),
            )
            row = (await session.scalars(query)).first()
        if row is None:
            return False
        await self._finish_publication(row, outcome)
        return True

    # --- messages to contacts -------------------------------------------------------------

    async def deliver_due(self, limit: int = 500) -> int:
        """Send up to `limit` due messages; how many got an outcome."""
        async with self._delivering:
            return await self._guarded(self._deliver(await self._candidates(limit)))

    async def _deliver(self, queue: Sequence[str]) -> int:
        done = 0
        work: list[_Work] = []
        waiting = list(queue)
        while waiting or work:
            batch = [] if self._stopping else waiting[: self._batch]
            waiting = [] if self._stopping else waiting[self._batch :]
            done += len(work)
            work = await self._turn(work, batch)
            await self._send(work)
        return done

    async def _candidates(self, limit: int) -> list[str]:
        """Ids of due rows: answers first, then what must be retried, then the push itself."""
        due = _delivery_due(now(), await self._stopped_names(), self._resting())
        found: dict[str, None] = {}
        async with self._w.db.session() as session:
            for part in (
                Delivery.release_id.is_(None),
                Delivery.state == State.RETRYING,
                Delivery.state == State.CREATED,
            ):
                if len(found) < limit:
                    query = select(Delivery.id).where(due, part).limit(limit)
                    found |= dict.fromkeys(await session.scalars(query))
        return list(found)[:limit]

    async def _turn(self, finished: Sequence[_Work], batch: Sequence[str]) -> list[_Work]:
        """Write the last outcomes and claim the next rows, in one short transaction."""
        stops = await self._stopped_names()
        async with self._w.db.session() as session:
            if finished:
                await self._write_outcomes(session, finished)
                refused = await self._hold_after(session, finished)
            claimed = await self._claim(session, batch, stops) if batch else []
        if finished:
            for account_id, reason in refused.items():
                await self._w.on_incident("account_refused", f"account:{account_id}", reason)
        return claimed

    async def _hold_after(self, session: AsyncSession, finished: Sequence[_Work]) -> dict[str, str]:
        """Hold what would meet the same refusal; returns refused accounts and why."""
        refused = {
            one.account_id: one.outcome.reason
            for one in finished
            if one.outcome.detail.get("scope") == "account"
        }
        for account_id, reason in refused.items():
            await _hold(session, Delivery.account_id == account_id, reason, ACCOUNT_HOLD)
        broken = {
            one.release_id: one.outcome.reason
            for one in finished
            if one.outcome.code == RELEASE_HOLD and one.release_id
        }
        for release_id, reason in broken.items():
            await _hold(session, Delivery.release_id == release_id, reason, RELEASE_HOLD)
        return refused

    async def _claim(
        self, session: AsyncSession, batch: Sequence[str], stops: frozenset[str]
    ) -> list[_Work]:
        moment = now()
        free = (
            select(Delivery.id)
            .where(Delivery.id.in_(batch), _delivery_due(moment, stops, self._resting()))
            .with_for_update(skip_locked=True)
        )
        taken = await session.execute(
            update(_deliveries)
            .where(_deliveries.c.id.in_(free))
            .values(
                state=State.SENDING,
                owner=self.owner,
                sending_since=moment,
                attempts=_deliveries.c.attempts + 1,
            )
            .returning(
                *(
                    _deliveries.c[name]
                    for name in (
                        "id",
                        "release_id",
                        "account_id",
                        "contact_id",
                        "reason",
                        "reply",
                        "attempts",
                    )
                )
            )
        )
        work = [_Work(attempt_id=new_id(), **row._mapping) for row in taken]
        if not work:
            return []
        await session.execute(
            insert(_attempts),
            [
                {
                    "id": one.attempt_id,
                    "delivery_id": one.id,
                    "started_at": moment,
                    "state": State.SENDING,
                    "code": "",
                    "detail": {},
                }
                for one in work
            ],
        )
        people = await session.execute(
            select(
                _contacts.c.id,
                _contacts.c.address,
                _contacts.c.state,
                _contacts.c.last_inbound_at,
                _contacts.c.window_used,
            ).where(_contacts.c.id.in_([one.contact_id for one in work]))
        )
        known = {row.id: row for row in people}
        for one in work:
            one.contact = known.get(one.contact_id)
        return work

    async def _send(self, work: Sequence[_Work]) -> None:
        """Call the platform once per claimed row, at the same time; outcomes land in the work."""
        calls = [self._send_one(one) for one in work]
        for one, outcome in zip(
            work, await asyncio.gather(*calls, return_exceptions=True), strict=True
        ):
            if isinstance(outcome, Outcome):
                one.outcome = outcome
            else:
                _log.error("send_failed", delivery=one.id, exc_info=outcome)

    async def _send_one(self, one: _Work) -> Outcome:
        if one.contact is None or one.contact.state != "active":
            return Outcome(State.ENDED, reason="对方已取消关注或已退出")
        account = await self._account(one.account_id)
        if isinstance(account, str):
            return Outcome(State.HELD, reason=account, code=ACCOUNT_HOLD)
        channel = self._w.channels[account.platform]
        if _outside_window(channel, account, one.contact):
            return Outcome(
                State.HELD, reason="不在平台允许的时限内，等对方下次来信", code=WINDOW_HOLD
            )
        address = self._w.contacts.open_address(one.contact.address)
        if one.reply is not None:
            return await self._send_reply(channel, account, address, reply_from(one.reply))
        release = await self._release(str(one.release_id))
        if isinstance(release, NotReleased):
            return Outcome(State.HELD, reason="；".join(release.reasons), code=RELEASE_HOLD)
        rendering = release.renderings.get(account.id)
        if rendering is None:
            return Outcome(State.HELD, reason="放行的内容不含这个账号", code=RELEASE_HOLD)
        return await channel.push(account, address, rendering, one.reason)

    async def _send_reply(
        self, channel: Channel, account: AccountView, address: str, reply: Reply
    ) -> Outcome:
        robot = reply.basis in (ReplyBasis.QUOTE, ReplyBasis.TEMPLATE)
        if robot and "answers" in await self._stopped_names():
            return Outcome(State.RETRYING, reason="已按开关停止自动答复", retry_after=30.0)
        return await channel.reply(account, address, reply)

    async def _write_outcomes(self, session: AsyncSession, finished: Sequence[_Work]) -> None:
        moment = now()
        rows, attempts = [], []
        for one in finished:
            outcome = one.outcome = _give_up(one.outcome, one.attempts)
            retrying = outcome.state is State.RETRYING
            wait = timedelta(seconds=_delay(outcome, one.attempts))
            held = outcome.state is State.HELD
            rows.append(
                {
                    "key": one.id,
                    "state": outcome.state,
                    "ref": outcome.ref[:200],
                    "why": outcome.reason,
                    "hold": outcome.code[:20] if held else "",
                    "next_at": moment + wait if retrying else None,
                    "finished_at": None if retrying or held else moment,
                }
            )
            attempts.append(
                {
                    "key": one.attempt_id,
                    "state": outcome.state,
                    "code": outcome.code[:40],
                    "detail": dict(outcome.detail),
                    "finished_at": moment,
                }
            )
            if retrying and outcome.code == "429":
                self._paused[one.account_id] = time.monotonic() + outcome.retry_after
        await session.execute(_OUTCOME, rows)
        await session.execute(_ATTEMPT_OUTCOME, attempts)
        sent = [one.contact_id for one in finished if one.outcome.state is State.PUBLISHED]
        if sent:
            await session.execute(
                update(_contacts)
                .where(_contacts.c.id.in_(sent))
                .values(window_used=_contacts.c.window_used + 1)
            )
        for one in finished:
            if one.outcome.state is State.ENDED:
                await self._w.contacts.end(session, one.contact_id, one.outcome.reason)

    # --- replies --------------------------------------------------------------------------

    async def queue_reply(self, reply: Reply, key: str, session: AsyncSession | None = None) -> str:
        """Leave a reply to be sent; `key` is unique per contact, so one reply is sent once.

        With `session`, the row belongs to the caller's transaction. Returns the delivery id.
        """
        if session is not None:
            return await _reply_row(session, reply, key)
        try:
            async with self._w.db.session() as own:
                return await _reply_row(own, reply, key)
        except IntegrityError:  # another process was a moment faster
            async with self._w.db.session() as own:
                return await _reply_row(own, reply, key)

    async def reply_now(self, reply: Reply, key: str) -> Outcome:
        """Send a reply at once and once; a second call with the same key sends nothing."""
        delivery_id = await self.queue_reply(reply, key)
        async with self._reply_slots:
            await self._guarded(self._reply_turn(delivery_id))
        async with self._w.db.session() as session:
            row = await session.get_one(Delivery, delivery_id)
        return Outcome(State(row.state), ref=row.ref, reason=row.why)

    async def _reply_turn(self, delivery_id: str) -> None:
        work = await self._turn([], [delivery_id])
        await self._send(work)
        if work:
            await self._turn(work, [])

    # --- holding and resuming -------------------------------------------------------------

    async def resume(self, account_id: str) -> int:
        """Make due again what an account-level refusal held; how many rows."""
        self._opened.pop(account_id, None)
        self._paused.pop(account_id, None)
        async with self._w.db.session() as session:
            query = (
                update(Delivery)
                .where(
                    Delivery.account_id == account_id,
                    Delivery.state == State.HELD,
                    Delivery.hold == ACCOUNT_HOLD,
                )
                .values(state=State.CREATED, hold="", next_at=None)
                .returning(Delivery.id)
            )
            return len(list(await session.scalars(query)))

    async def resume_publication(self, publication_id: str) -> bool:
        """Make a held or failed publication due again; False when it is in another state."""
        async with self._w.db.session() as session:
            query = (
                update(Publication)
                .where(
                    Publication.id == publication_id,
                    Publication.state.in_((State.HELD, State.FAILED)),
                )
                .values(state=State.CREATED, reason="", next_at=None)
                .returning(Publication.id)
            )
            return (await session.scalars(query)).first() is not None

    async def _halt_account(self, account_id: str, reason: str) -> None:
        async with self._w.db.session() as session:
            await _hold(session, Delivery.account_id == account_id, reason, ACCOUNT_HOLD)
        await self._w.on_incident("account_refused", f"account:{account_id}", reason)

    # --- what is asked often, remembered shortly ------------------------------------------

    async def _release(self, release_id: str) -> Release | NotReleased:
        """Verified at most VERIFY_FOR seconds ago, so a recall stops a push within a second."""
        async with self._verifying:
            found = self._verified.get(release_id)
            if found is None or found[0] < time.monotonic():
                proof: Release | NotReleased
                try:
                    proof = await self._w.verify(release_id)
                except NotReleased as refused:
                    proof = refused
                found = self._verified[release_id] = (time.monotonic() + VERIFY_FOR, proof)
        return found[1]

    async def _account(self, account_id: str) -> AccountView | str:
        """The opened account, or why it cannot be used."""
        found = self._opened.get(account_id)
        if found is None or found[0] < time.monotonic():
            try:
                view: AccountView | str = await self._w.open_account(account_id)
            except (LookupError, ValueError) as error:
                view = str(error)
            found = self._opened[account_id] = (time.monotonic() + VERIFY_FOR, view)
        return found[1]

    async def _stopped_names(self) -> frozenset[str]:
        if self._stops[0] < time.monotonic():
            async with self._w.db.session() as session:
                names = await session.scalars(select(Switch.name).where(Switch.stopped.is_(True)))
                self._stops = (time.monotonic() + STOPS_FOR, frozenset(names))
        return self._stops[1]

    def _resting(self) -> list[str]:
        moment = time.monotonic()
        return [account for account, until in self._paused.items() if until > moment]

    async def _guarded(self, work: Coroutine[Any, Any, T]) -> T:
        """Run `work` to its end even when the caller is cancelled; `stop` waits for it."""
        task = asyncio.create_task(work)
        self._busy.add(task)
        task.add_done_callback(self._busy.discard)
        return await asyncio.shield(task)


_OUTCOME = (
    update(_deliveries)
    .where(_deliveries.c.id == bindparam("key"))
    .values(
        {
            name: bindparam(name)
            for name in ("state", "ref", "why", "hold", "next_at", "finished_at")
        }
    )
)
_ATTEMPT_OUTCOME = (
    update(_attempts)
    .where(_attempts.c.id == bindparam("key"))
    .values({name: bindparam(name) for name in ("state", "code", "detail", "finished_at")})
)


def reply_from(data: Mapping[str, Any]) -> Reply:
    """A Reply read back from its JSON row."""
    return Reply(
        account_id=data["account_id"],
        contact_id=data["contact_id"],
        text=data["text"],
        basis=ReplyBasis(data["basis"]),
        buttons=tuple(tuple(Button(**one) for one in row) for row in data["buttons"]),
        sources=tuple(data["sources"]),
    )


async def _reply_row(session: AsyncSession, reply: Reply, key: str) -> str:
    known = select(Delivery.id).where(
        Delivery.content_key == key, Delivery.contact_id == reply.contact_id
    )
    found = (await session.scalars(known)).first()
    if found is not None:
        return found
    row = Delivery(
        id=new_id(),
        content_key=key,
        account_id=reply.account_id,
        contact_id=reply.contact_id,
        reply=asdict(reply),
        state=State.CREATED,
        created_at=now(),
    )
    session.add(row)
    await session.flush()
    return row.id


async def _hold(session: AsyncSession, which: ColumnElement[bool], reason: str, hold: str) -> None:
    await session.execute(
        update(Delivery)
        .where(which, Delivery.state.in_(DUE))
        .values(state=State.HELD, hold=hold, why=reason, next_at=None)
    )


def _publication_due(moment: datetime) -> ColumnElement[bool]:
    return and_(
        Publication.state.in_(DUE),
        Publication.due_at <= moment,
        or_(Publication.next_at.is_(None), Publication.next_at <= moment),
    )


def _delivery_due(
    moment: datetime, stops: frozenset[str], resting: Sequence[str]
) -> ColumnElement[bool]:
    if "all" in stops:
        return Delivery.id.is_(None)
    parts: list[ColumnElement[bool]] = [
        Delivery.state.in_(DUE),
        or_(Delivery.next_at.is_(None), Delivery.next_at <= moment),
    ]
    if "push" in stops:
        parts.append(Delivery.release_id.is_(None))
    if idle := [*_stopped_accounts(stops), *resting]:
        parts.append(Delivery.account_id.not_in(idle))
    return and_(*parts)


def _stopped_accounts(stops: frozenset[str]) -> list[str]:
    return [name.removeprefix("account:") for name in stops if name.startswith("account:")]


def _outside_window(channel: Channel, account: AccountView, contact: Any) -> bool:
    """Whether the platform would refuse by its window (WeChat: 48 h and 5 messages, W7)."""
    if not channel.window_seconds:
        return False
    if contact.last_inbound_at is None:
        return True
    count = int(account.settings.get("window_count", channel.window_count))
    age = (now() - contact.last_inbound_at).total_seconds()
    return bool(age >= channel.window_seconds or contact.window_used >= count)


def _give_up(outcome: Outcome, attempts: int) -> Outcome:
    """A retry too many is a failure."""
    if outcome.state is State.RETRYING and attempts > len(RETRY_AFTER):
        return Outcome(
            State.FAILED, reason=f"多次重试仍未成功：{outcome.reason}", code=outcome.code
        )
    return outcome


def _delay(outcome: Outcome, attempts: int) -> float:
    """Seconds to the next attempt: what the platform said, else the table."""
    return outcome.retry_after or RETRY_AFTER[min(attempts, len(RETRY_AFTER)) - 1]
