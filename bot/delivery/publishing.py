"""Publications: claimed, called once, their outcome written, and asked after until it is known."""

import asyncio
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, or_, select, update

from bot.contract import Inbound, NotReleased, Outcome, State
from bot.delivery.leases import Lease
from bot.delivery.outbox import (
    ACCOUNT_HOLD,
    DUE,
    RELEASE_HOLD,
    close_attempt,
    hold,
    set_publication,
)
from bot.delivery.recent import Recent, stopped_accounts
from bot.delivery.retrying import delay, give_up
from bot.delivery.wiring import Wiring
from bot.models import Attempt, Delivery, Publication
from config.clock import now
from storage.database import new_id

HALTING = frozenset({"all", "publishing"})
"""Switches that stop every publication; `account:<id>` stops those of one account."""


class Publisher:
    """Publishes what is due, one after the other. One a process; any number of processes."""

    def __init__(self, wiring: Wiring, lease: Lease, recent: Recent) -> None:
        """`lease` and `recent` are shared with the process's Sender."""
        self._w = wiring
        self._lease = lease
        self._recent = recent
        self._publishing = asyncio.Lock()

    async def publish_due(self, limit: int = 20) -> int:
        """Publish every publication that is due, one after the other; how many were tried."""
        async with self._publishing:
            stops = await self._recent.stops()
            if HALTING & stops:
                return 0
            async with self._w.db.session() as session:
                query = (
                    select(Publication.id)
                    .where(
                        _publication_due(now()),
                        Publication.account_id.not_in(stopped_accounts(stops)),
                    )
                    .order_by(Publication.due_at)
                    .limit(limit)
                )
                due = list(await session.scalars(query))
            tried = 0
            for publication_id in due:
                if self._lease.stopping:  # between two, never inside one: see Lease.guarded
                    break
                tried += await self._lease.guarded(self._publish(publication_id))
            return tried

    async def _publish(self, publication_id: str) -> int:
        row = await self._claim(publication_id)
        if row is None:
            return 0
        publication, attempt_id = row
        try:
            outcome = await self._call(publication)
        except (LookupError, ValueError) as error:
            # The account is gone, off or misdirected: a person mends it, time does not.
            outcome = Outcome(State.HELD, reason=str(error), code="account")
        await self._finish(publication, outcome, attempt_id)
        return 1

    async def _claim(self, publication_id: str) -> tuple[Publication, str] | None:
        attempt_id, moment = new_id(), now()
        async with self._w.db.session() as session:
            claim = (
                update(Publication)
                .where(Publication.id == publication_id, _publication_due(moment))
                .values(
                    state=State.SENDING,
                    owner=self._lease.owner,
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

    async def _call(self, publication: Publication) -> Outcome:
        account = await self._w.open_account(publication.account_id)
        channel = self._w.channels[account.platform]
        if (HALTING | {f"account:{account.id}"}) & await self._recent.stops():
            return Outcome(State.RETRYING, reason="已按开关停止发布", retry_after=30.0)
        try:
            # Not through Recent: what stands in public for years is verified at its very moment.
            release = await self._w.verify(publication.release_id)
        except NotReleased as refused:
            return Outcome(State.HELD, reason="；".join(refused.reasons), code=RELEASE_HOLD)
        rendering = release.renderings.get(account.id)
        if rendering is None or release.digest != publication.digest:
            return Outcome(State.HELD, reason="放行的内容与发布记录不符", code=RELEASE_HOLD)
        outcome = await channel.publish(account, rendering, self._w.load_media)
        # Where the platform itself refuses doubles, no answer is no danger: try again.
        if outcome.state is State.UNKNOWN and channel.resumable(account):
            return Outcome(State.RETRYING, reason=outcome.reason, retry_after=60.0)
        return outcome

    async def _finish(
        self, publication: Publication, outcome: Outcome, attempt_id: str = ""
    ) -> None:
        moment = now()
        outcome = give_up(outcome, publication.attempts)
        values: dict[str, object] = {
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
            values["next_at"] = moment + timedelta(seconds=delay(outcome, publication.attempts))
        async with self._w.db.session() as session:
            await set_publication(session, publication.id, **values)
            if attempt_id:
                await close_attempt(session, attempt_id, outcome)
        if outcome.detail.get("scope") == "account":
            await self._halt_account(publication.account_id, outcome.reason)
        if outcome.state not in (State.SUBMITTED, State.RETRYING):
            await self._w.on_publication(publication.id)

    async def _halt_account(self, account_id: str, reason: str) -> None:
        async with self._w.db.session() as session:
            await hold(session, Delivery.account_id == account_id, reason, ACCOUNT_HOLD)
        await self._w.on_incident("account_refused", f"account:{account_id}", reason)

    # --- what became of it ----------------------------------------------------------------

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
            account = await self._recent.account(row.account_id)
            if isinstance(account, str):
                continue
            outcome = await self._w.channels[account.platform].settle(account, row.ref)
            if outcome.state in (State.PUBLISHED, State.FAILED):
                await self._finish(row, outcome)
                settled += 1
            else:
                # Asking costs a daily quota (W20, W35): wait as long again as it took so far.
                since = (now() - (row.claimed_until or row.due_at)).total_seconds()
                wait = timedelta(seconds=min(max(5.0, since), 1800.0))
                async with self._w.db.session() as session:
                    await set_publication(session, row.id, next_at=now() + wait)
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
                # An unknown one too: the event is the answer that never came.
                Publication.state.in_((State.SUBMITTED, State.UNKNOWN)),
            )
            row = (await session.scalars(query)).first()
        if row is None:
            return False
        await self._finish(row, outcome)
        return True

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


def _publication_due(moment: datetime) -> ColumnElement[bool]:
    return and_(
        Publication.state.in_(DUE),
        Publication.due_at <= moment,
        or_(Publication.next_at.is_(None), Publication.next_at <= moment),
    )
