"""Publications: claimed, called once, their outcome written, and asked after until it is known."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

import structlog
from sqlalchemy import ColumnElement, and_, or_, select

from bot.calling import watch
from bot.channel import Channel
from bot.codes import ACCOUNT_HOLD, NO_ANSWER
from bot.contract import AccountView, Inbound, NotReleased, Outcome, State, Withheld
from bot.delivery.articles import blaming, end_articles, facts_of_articles
from bot.delivery.chosen import ChosenRows, end_chosen, is_chosen
from bot.delivery.commenting import open_areas
from bot.delivery.confirming import asked_next, in_words, waiting_for
from bot.delivery.failures import tell_failure
from bot.delivery.last_look import LastLook, unproved
from bot.delivery.leases import CLAIMED_FOR, Lease
from bot.delivery.not_now import asked_enough
from bot.delivery.once import (
    RELEASE_HOLD,
    once_faults,
    recalled,
    refusal,
    sign_finished,
    stand_of,
)
from bot.delivery.outbox import DUE, close_attempt, hold, set_publication
from bot.delivery.recent import Recent, stopped_accounts
from bot.delivery.rests import ACCOUNT, rest, resting
from bot.delivery.retrying import LOST, counts, delay, give_up, not_begun
from bot.delivery.spent import note_calls
from bot.delivery.together import articles_of
from bot.delivery.wiring import Wiring
from bot.models import Attempt, Delivery, Publication
from config.clock import now
from ledger.changed import row_changed
from ledger.verify import Broken, Entry
from storage.away import gone, surely
from storage.database import new_id

HALTING = frozenset({"all", "publishing"})
"""Switches that stop every publication; `account:<id>` stops those of one account."""
CHANGED = "这条发布记录被绕过本系统改动，已停止使用：请查明后重新安排发布"
_REF = 200
_log = structlog.get_logger("bot.delivery")
OUT = (State.PUBLISHED, State.SUBMITTED, State.UNKNOWN)
"""Outcomes after which readers may see something."""


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
                        Publication.account_id.not_in(resting(now(), ACCOUNT)),
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
        self._lease.took([publication_id])
        call = watch()
        # Whatever the call ends with, the row gets an outcome.
        [came] = await asyncio.gather(self._call(publication), return_exceptions=True)
        outcome = _outcome_of(came, begun=call.begun)
        if not counts(outcome):  # here and not where it is written: that may be tried again
            publication.attempts -= 1
        # Nobody else knows the outcome.
        await surely(partial(self._finish, publication, outcome, attempt_id))
        await note_calls(self._w, await self._recent.account(publication.account_id), call)
        self._lease.gave([publication_id])
        return 1

    async def _claim(self, publication_id: str) -> tuple[Publication, str] | None:
        attempt_id, moment = new_id(), now()
        # Under the write lock, and through the mapping: the new state is sealed with the row.
        async with self._w.db.writing() as session:
            query = select(Publication).where(
                Publication.id == publication_id, _publication_due(moment)
            )
            row = (await session.scalars(query)).first()
            if row is None:
                return None
            if row.whole:
                row.state, row.owner = State.SENDING, self._lease.owner
                row.attempts += 1
                row.claimed_until = moment + CLAIMED_FOR
                session.add(
                    Attempt(
                        id=attempt_id,
                        publication_id=publication_id,
                        started_at=moment,
                        state=State.SENDING,
                        detail={},
                    )
                )
        if not row.whole:
            await self._changed(publication_id)
            return None
        return row, attempt_id

    async def _changed(self, publication_id: str) -> None:
        """Somebody wrote the row past this program: it waits for a person, the others go on."""
        async with self._w.db.writing() as session:
            row = await session.get(Publication, publication_id)
            if row is not None and not row.whole:
                row.state, row.reason, row.next_at = State.HELD, CHANGED, None
        await row_changed(self._w.ledger, "publication", publication_id)

    async def _call(self, publication: Publication) -> Outcome:
        account = await self._w.open_account(publication.account_id)
        channel = self._w.channels[account.platform]
        if (HALTING | {f"account:{account.id}"}) & await self._recent.stops():
            return Outcome(State.RETRYING, reason="已按开关停止发布", retry_after=30.0)
        guarded = channel.resumable(account)
        if refused := await self._once(publication, guarded=guarded):
            return refused
        try:
            # Not through Recent: what stands in public for years is verified at its very moment.
            release = await self._w.verify(publication.release_id, publication.account_id)
        except NotReleased as broken:
            return unproved(broken)
        rendering = release.renderings.get(account.id)
        mine = (publication.digest, publication.item_id)
        if rendering is None or (release.digest, release.item_id) != mine:
            return Outcome(State.HELD, reason="放行的内容与发布记录不符", code=RELEASE_HOLD)
        still = LastLook(self._w, publication, account, release)
        if (waits := await still.room()) is not None:
            return waits
        if is_chosen(self._w, account, release):
            rows = ChosenRows(self._w, publication, account, release)
            still.said = rows.said
            to = rows.chosen(still)
            outcome = await channel.publish_to(account, rendering, self._w.load_media, to)
        else:
            outcome = await channel.publish(account, rendering, self._w.load_media, still)
        # Where the platform itself refuses doubles, no answer is no danger: try again. What it did
        # answer in a way nobody understands is for a person.
        if outcome.state is State.UNKNOWN and guarded and outcome.code in ("", NO_ANSWER):
            unsure = {"unsure": True}
            return Outcome(State.RETRYING, reason=outcome.reason, retry_after=60.0, detail=unsure)
        return outcome

    async def _once(self, publication: Publication, *, guarded: bool) -> Outcome | None:
        """Why signed entries forbid a call; a row that wants one all the same was put back."""
        try:
            facts = await self._w.ledger.facts(f"item:{publication.item_id}")
        except Broken as broken:
            return Outcome(State.HELD, reason=str(broken), code=RELEASE_HOLD)
        stand = stand_of(facts, publication.release_id, publication.account_id)
        faults = once_faults(stand, now(), guarded=guarded)
        if not faults:
            return None
        await row_changed(self._w.ledger, "publication", publication.id)
        return refusal(stand, faults)

    async def _finish(
        self, publication: Publication, outcome: Outcome, attempt_id: str = ""
    ) -> None:
        moment = now()
        unsure = bool(outcome.detail.get("unsure"))
        outcome = give_up(blaming(outcome), publication.attempts)
        if unsure and outcome.state is State.FAILED:
            outcome = replace(outcome, state=State.UNKNOWN)  # asked often, and never answered
        facts = await self._facts(publication)
        of_articles = await facts_of_articles(self._w.ledger, publication.id)
        async with self._w.ledger.transaction() as tx:
            row = await tx.session.get(Publication, publication.id)
            # The claimed one says whose outcome this is, whatever became of the row meanwhile.
            for one in (publication, row):
                if one is not None:
                    one.attempts = publication.attempts
                    _write(one, outcome, moment)
            await rest(tx.session, publication.account_id, outcome)
            if not unsure:
                await sign_finished(tx, publication, outcome, facts)
            articles = await end_articles(tx, publication, outcome, of_articles)
            await end_chosen(tx.session, publication, outcome)
            await open_areas(tx.session, publication, outcome)
            if attempt_id:
                await close_attempt(tx.session, attempt_id, outcome)
        if outcome.detail.get("scope") == "account":
            await self._halt_account(publication.account_id, outcome.reason)
        if outcome.state in OUT:
            await self._recalled_meanwhile(publication)
        if outcome.state not in (State.SUBMITTED, State.RETRYING):
            for done in (publication.id, *articles):
                await self._w.on_publication(done)
            await tell_failure(self._w, publication, outcome)

    async def _facts(self, publication: Publication) -> Sequence[Entry]:
        try:
            return await self._w.ledger.facts(f"item:{publication.item_id}")
        except Broken:  # what became of a call is written down all the same
            return ()

    async def _recalled_meanwhile(self, publication: Publication) -> None:
        """Tell of the publication, and of an edition of each article, that was recalled by now."""
        async with self._w.db.session() as session:
            articles = await articles_of(session, publication.id)
        for one in (publication, *articles):
            if recalled(await self._facts(one)):
                await self._recalled_late(one)

    async def _recalled_late(self, publication: Publication) -> None:
        """The recall came while the call was on its way: a person takes it off the platform."""
        account = await self._recent.account(publication.account_id)
        how = "到平台上删除"
        where = "账号"
        if isinstance(account, AccountView):
            how, where = self._w.channels[account.platform].take_down, f"“{account.name}”"
        await self._w.on_incident(
            "recalled_late",
            f"publication:{publication.id}",
            f"稿件撤回时，{where}的发布已经在途或发出了一部分：系统有了结果就去撤下，结果在稿件页。"
            f"急的请马上{how}，并写更正说明",
        )

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
            if not row.whole:
                await self._changed(row.id)
            elif isinstance(account, AccountView):
                settled += await self._settle(row, self._w.channels[account.platform], account)
        return settled

    async def _settle(self, row: Publication, channel: Channel, account: AccountView) -> int:
        until = await asked_enough(self._w, account)
        if until is not None:
            async with self._w.db.session() as session:
                await set_publication(session, row.id, next_at=until)
            return 0
        call, asked = watch(), waiting_for(row, account.platform, account.settings)
        outcome = in_words(await channel.settle(account, row.ref), asked, now())
        await note_calls(self._w, account, call)
        if outcome.state in (State.PUBLISHED, State.FAILED, State.UNKNOWN):
            await self._finish(row, outcome)
            return 1
        # Asking costs a daily quota (W20, W35): wait as long again as it took so far.
        since = (now() - (row.claimed_until or row.due_at)).total_seconds()
        wait = timedelta(seconds=min(max(5.0, since), 1800.0))
        then = asked_next(asked, now(), now() + wait)
        async with self._w.db.session() as session:
            await set_publication(session, row.id, next_at=then)
        return 0

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
                Publication.edition_id == "",  # its articles get it from there
                # An unknown one too: the event is the answer that never came. Of a failed one it
                # may say why, where asking only told that it failed.
                Publication.state.in_((State.SUBMITTED, State.UNKNOWN, State.FAILED)),
            )
            row = (await session.scalars(query)).first()
        if row is None:
            return False
        if not row.whole:
            await self._changed(row.id)
            return False
        if row.state == State.FAILED and outcome.state is not State.FAILED:
            return False
        await self._finish(row, outcome)
        return True

    async def resume_publication(self, publication_id: str) -> bool:
        """Make a held or failed publication due again; False when it is in another state."""
        async with self._w.db.writing() as session:
            row = await session.get(Publication, publication_id)
            if row is None or not row.whole or row.state not in (State.HELD, State.FAILED):
                return False
            row.state, row.reason, row.next_at = State.CREATED, "", None
        return True


def _outcome_of(error: Outcome | BaseException, *, begun: bool) -> Outcome:
    """What a call came to, also when it ended by an exception."""
    if isinstance(error, Outcome):
        return error
    if isinstance(error, Withheld):
        return error.outcome
    # The account is gone, off or misdirected: a person mends it, time does not.
    if isinstance(error, LookupError | ValueError) and not begun:
        return Outcome(State.HELD, reason=str(error), code="account")
    if begun or not gone(error):
        _log.error("publish_failed", begun=begun, exc_info=error)
    return Outcome(State.UNKNOWN, reason=LOST) if begun else not_begun(error)


def _write(row: Publication, outcome: Outcome, moment: datetime) -> None:
    row.state, row.reason, row.next_at = outcome.state, outcome.reason, None
    # An article may be many messages: what has no room is left out by whole numbers.
    ref = outcome.ref if len(outcome.ref) <= _REF else outcome.ref[:_REF].rpartition(",")[0]
    row.ref = ref or row.ref
    if outcome.state is State.PUBLISHED:
        row.published_at, row.url = moment, str(outcome.detail.get("url", ""))[:500]
    elif outcome.state is State.SUBMITTED:
        row.claimed_until, row.next_at = moment, moment + timedelta(seconds=5)
    elif outcome.state in (State.RETRYING, State.CREATED):
        row.next_at = moment + timedelta(seconds=delay(outcome, row.attempts))


def _publication_due(moment: datetime) -> ColumnElement[bool]:
    return and_(
        Publication.state.in_(DUE),
        Publication.edition_id == "",  # an article goes out with its edition and not by itself
        Publication.due_at <= moment,
        or_(Publication.next_at.is_(None), Publication.next_at <= moment),
    )
