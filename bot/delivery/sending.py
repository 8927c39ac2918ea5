"""Messages to contacts: a turn writes the last outcomes and claims the next rows, then calls."""

import asyncio
from collections.abc import Collection, Sequence
from functools import partial

import structlog
from sqlalchemy import and_
from sqlalchemy.ext.asyncio import AsyncSession

from bot.calling import watch
from bot.channel import Channel
from bot.contract import AccountView, Outcome, Reply, ReplyBasis, State, Withheld
from bot.delivery import outbox
from bot.delivery.digest import (
    AllStill,
    Ready,
    bundles,
    waits_for_the_next,
    with_all_of_one,
    written,
)
from bot.delivery.fair import Lanes, Slots, each_account, waiting_accounts
from bot.delivery.leases import Lease
from bot.delivery.life import ANSWERS
from bot.delivery.noticing import not_said
from bot.delivery.notifying import note_agreements, notify, template_of
from bot.delivery.outbox import (
    Work,
    Wrong,
)
from bot.delivery.past import Past
from bot.delivery.preparing import Opened, Preparing, Shared, tells_of_answer
from bot.delivery.recent import Recent
from bot.delivery.refused import resume
from bot.delivery.retrying import not_begun
from bot.delivery.turned import Turned, begin, unwritten, write
from bot.delivery.wiring import Wiring
from bot.models import ENDS, Delivery
from bot.render import REASON_ROOM, first_units, units
from bot.replies import Parts, Unsayable, parts_from
from config.clock import now
from ledger.verify import Broken
from storage.away import AWAY, gone, surely, until_back
from storage.database import UNREADABLE, unreadable

LEAVE = "。不想再收到，回复“退订”"
SOON = 3.0  # seconds a person waits for the end of what they sent; it goes on after them
PARTS_HOLD = "parts"  # Delivery.hold: no words may be made of it now
_log = structlog.get_logger("bot.delivery")


class Sender:
    """Sends what is due. One a process; any number of processes."""

    def __init__(self, wiring: Wiring, lease: Lease, recent: Recent) -> None:
        """`lease` and `recent` are shared with the process's Publisher."""
        self._w = wiring
        self._lease = lease
        self._recent = recent
        # A quarter of the calls is kept for answers: a citizen who asks during a push to
        # thousands must not wait for its end.
        reply_slots = max(1, wiring.in_flight // 4)
        most = max(1, wiring.in_flight - reply_slots)
        self._slots = Slots(most, lanes=2 if most > 1 else 1)
        self._lanes = Lanes(self._slots, self._surely, self._send, lambda: lease.stopping)
        self._turning = asyncio.Lock()
        self._reply_slots = asyncio.Semaphore(reply_slots)
        self._delivering = asyncio.Lock()
        self._past = Past()
        self._prepare = Preparing(wiring, recent, self._past)

    @property
    def owner(self) -> str:
        """The name of this process on its rows."""
        return self._lease.owner

    async def deliver_due(self, limit: int = 500) -> int:
        """Send up to `limit` due messages; how many got an outcome."""
        async with self._delivering:
            look = partial(self._queues, limit)
            return await self._lease.guarded(each_account(self._slots, look, self._lanes.serve))

    async def _queues(self, limit: int, besides: Collection[str]) -> dict[str, list[str]]:
        """What is due of every account but these."""
        if self._lease.stopping:
            return {}
        due = outbox.delivery_due(now(), await self._recent.stops())
        queues: dict[str, list[str]] = {}
        async with self._w.db.session() as session:
            accounts = await waiting_accounts(session)
            if accounts is None:  # somebody wrote past this program: then all are one queue
                queues[""] = [] if besides else await outbox.candidates(session, due, limit)
            for account in accounts or ():
                if account not in besides:
                    mine = and_(due, Delivery.account_id == account)
                    queues[account] = await outbox.candidates(session, mine, limit)
        return {account: queue for account, queue in queues.items() if queue}

    async def _surely(self, finished: Sequence[Work], batch: Sequence[str]) -> list[Work]:
        """One turn; while the database is away, outcomes that nobody else knows are kept here."""
        turned = Turned()
        try:
            await self._stand(finished, batch, turned)
            await turned.tell()
        except BaseException:  # nobody calls for what was claimed: the sweep makes it due again
            self._lease.gave(one.id for one in turned.claimed)
            raise
        return turned.claimed

    async def _stand(self, finished: Sequence[Work], batch: Sequence[str], turned: Turned) -> None:
        async with self._turning:  # one transaction at a time: SQLite has one writer
            try:
                await self._turn(finished, batch, turned)
                return
            except AWAY as error:
                if not (finished and gone(error)):
                    raise
                _log.warning("outcomes_wait", rows=len(finished), error=type(error).__name__)
            turned.again = True
            await until_back(partial(self._turn, finished, (), turned))

    async def _turn(self, finished: Sequence[Work], batch: Sequence[str], turned: Turned) -> None:
        """One turn; a row that cannot be read is held, and keeps no other of its batch."""
        try:
            await self._turn_of(finished, batch, turned)
            return
        except Broken:
            raise
        except UNREADABLE as error:
            if not (batch and unreadable(error)):
                raise
        if finished:  # all was rolled back: the outcomes first, and then row by row
            await self._turn(finished, [], turned)
        if len(batch) > 1 or not turned.apart:
            turned.apart = True
            for one in batch:
                await self._turn([], [one], turned)
            return
        async with self._w.db.session() as session:
            wrong = await outbox.hold_unreadable(session, batch[0])
        turned.tells.append(partial(self._w.on_changed, wrong.table, wrong.id))

    async def _turn_of(self, finished: Sequence[Work], batch: Sequence[str], turn: Turned) -> None:
        """Write the last outcomes and claim the next rows, in one short transaction.

        One and not two: a push would else cost twice the commits, and a process that died between
        them would have claimed rows whose refusal it already knew.
        """
        stops = await self._recent.stops()
        claimed: list[Work] = []
        wrong: list[Wrong] = []
        async with begin(self._w.db, finished) as session:
            left = await unwritten(session, finished) if turn.again else finished
            turn.add_paused(self._w, await write(session, self._w, left, self._lease.owner))
            refused = await outbox.hold_after(session, finished)
            self._past.add(one.key for one in left if one.outcome.state in ENDS)
            if batch:
                due = outbox.delivery_due(now(), stops)
                if not turn.apart:
                    batch = await with_all_of_one(session, batch, due)
                claimed, wrong = await outbox.claim(session, batch, due, self._lease.owner)
                wrong += await self._ask_wants(session, claimed)
        self._lease.took(one.id for one in claimed)
        self._lease.gave(one.id for one in finished)
        turn.claimed += claimed
        turn.add(self._w, finished, self._past.news(wrong), refused)

    async def _ask_wants(self, session: AsyncSession, claimed: Sequence[Work]) -> list[Wrong]:
        """What those want who are to get a push: they may have left since its rows were made."""
        pushes = [one for one in claimed if one.reply is None]
        by_notice = [one for one in claimed if one.reply is None or tells_of_answer(one)]
        by_notice = [one for one in by_notice if self._recent.has_notices(one.account_id)]
        if by_notice:
            await note_agreements(session, by_notice)
        if not pushes:
            return []
        wants = await self._w.wants(session, [one.contact_id for one in pushes])
        for one in pushes:
            one.wants = wants
        return [Wrong(table, row_id, table) for table, row_id in wants.wrong]

    async def _send(self, work: Sequence[Work]) -> None:
        """Call the platform once per row or digest, at the same time; outcomes land in the work."""
        together, shared = bundles(work), Shared()
        calls = [self._watched(rows, shared) for rows in together]
        for rows, came in zip(
            together, await asyncio.gather(*calls, return_exceptions=True), strict=True
        ):
            for at, one in enumerate(rows):
                if isinstance(came, BaseException):
                    _failed(one, came)
                else:
                    one.outcome = came[at]

    async def _watched(self, rows: Sequence[Work], shared: Shared) -> Sequence[Outcome]:
        call = watch()
        for one in rows:
            one.call = call
        if len(rows) > 1:
            return await self._send_digest(rows, shared)
        return [await self._send_one(rows[0], shared)]

    async def _send_one(self, one: Work, shared: Shared) -> Outcome:
        way = await self._prepare.opened(one, shared)
        if isinstance(way, Outcome):
            return way
        if tells_of_answer(one):
            return await self._tell_of_answer(way, one)
        if one.reply is not None:
            return await self._send_reply(*way, one)
        ready = await self._prepare.ready(way[1], one, shared)
        return ready if isinstance(ready, Outcome) else await self._push(way, ready, one)

    async def _send_digest(self, rows: Sequence[Work], shared: Shared) -> Sequence[Outcome]:
        """One message of all of them that may leave; each row is told what became of it."""
        way, ready, outcomes = await self._prepare.each(rows, shared)
        if way is None:
            return waits_for_the_next(outcomes, [])
        sent = [one for one, own in zip(rows, outcomes, strict=True) if own is None]
        for one in sent[1:]:
            one.counts = ""  # one message, and it counts once in their window
        if template_of(sent[0]) is not None:  # a notice holds one item: the others follow
            return waits_for_the_next(outcomes, [await self._push(way, ready[0], sent[0])])
        number, form, reason = written(ready)
        still = AllStill(ready[:number])
        items = tuple(key for one in ready[:number] for key in one.items)
        together = Ready(form, "", "", reason, still, items)
        outcome = await self._push(way, together, sent[0])
        return waits_for_the_next(outcomes, still.outcomes(outcome))

    async def _push(self, way: Opened, one: Ready, work: Work) -> Outcome:
        """One call for one item, or for all of a digest."""
        channel, account, address = way
        try:
            if template_of(work) is not None:
                return await self._told(await notify(self._w, way, one, work), one)
            # Leaving has to be as easy as coming (K1): each push says how.
            reason = first_units(one.reason, REASON_ROOM - units(LEAVE)) + LEAVE
            outcome = await channel.push(account, address, one.form, reason, one.still)
        except Withheld as withheld:
            return withheld.outcome
        return await self._told(outcome, one)

    async def _told(self, outcome: Outcome, one: Ready) -> Outcome:
        """The outcome; staff hear of an item that was taken back while it was on its way."""
        if outcome.state is State.PUBLISHED:
            for item in one.items:
                await surely(partial(self._tell_recalled, item))
        return outcome

    async def _tell_recalled(self, item_id: str) -> None:
        if await self._recent.recalled(item_id):
            words = "稿件撤回时，有推送消息已经在途，收到的人已能看到：请写更正说明"
            await self._w.on_incident("recalled_late", f"item:{item_id}", words)

    async def note_changed(self, table: str, row_id: str) -> None:
        """Tell staff of a row that somebody wrote past this program."""
        await self._w.on_changed(table, row_id)

    async def _tell_of_answer(self, way: Opened, one: Work) -> Outcome:
        """One notice with the one line that an answer waits."""
        try:
            parts = parts_from(one.account_id, one.contact_id, one.reply or {})
            words = (await self.build(parts, way[1].platform)).text
        except Unsayable as why:
            return Outcome(State.ENDED, reason=str(why), code=PARTS_HOLD)
        form = {"push": {"text": words}}
        return await notify(self._w, way, Ready(form, words, "", words, _at_any_time), one)

    async def _send_reply(
        self, channel: Channel, account: AccountView, address: str, one: Work
    ) -> Outcome:
        try:
            parts = parts_from(one.account_id, one.contact_id, one.reply or {})
            if parts.basis in ANSWERS and "answers" in await self._recent.stops():
                return Outcome(State.RETRYING, reason="已按开关停止自动答复", retry_after=30.0)
            if parts.basis is ReplyBasis.NOTICE:
                stop = await not_said(self._w, await self._recent.stops(), one, parts)
                if stop is not None:
                    return stop
            reply = await self.build(parts, account.platform)
        except Unsayable as why:
            await self._w.on_incident("reply_refused", f"delivery:{one.id}", str(why))
            return Outcome(State.HELD, reason=str(why), code=PARTS_HOLD)
        outcome = await channel.reply(account, address, reply)
        if parts.basis is ReplyBasis.STAFF and outcome.state in (State.PUBLISHED, State.UNKNOWN):
            await surely(partial(self._w.on_answered, parts, outcome.state))
        return outcome

    async def build(self, parts: Parts, platform: str) -> Reply:
        """The words of a reply, made now; Unsayable when none may be made."""
        return await self._w.build(parts, platform)

    # --- one answer at once ---------------------------------------------------------------

    async def reply_now(self, parts: Parts, key: str) -> Outcome:
        """Say and send a reply at once and once; a second call with the same key sends nothing.

        In a process that was told to stop it stays queued, for the next one to send.
        """
        delivery_id = await outbox.queue_reply(self._w.db, parts, key)
        await self._send_queued(delivery_id)
        async with self._w.db.session() as session:
            row = await session.get_one(Delivery, delivery_id)
        return Outcome(State(row.state), ref=row.ref, reason=row.why)

    async def send_soon(self, delivery_id: str) -> None:
        """Send what is queued, if it is due; who asks waits a moment for what comes of it."""
        try:
            await asyncio.wait_for(self._send_queued(delivery_id), SOON)
        except TimeoutError:
            pass
        except Exception:  # noqa: BLE001  it is queued: the clock sends it, whoever asks is done
            _log.exception("send_soon_failed", delivery=delivery_id)

    async def _send_queued(self, delivery_id: str) -> None:
        async with self._reply_slots:
            # Asked here, with the slot in hand: citizens are still heard while the site closes, and
            # a call begun now could lose its outcome with the process.
            await self.send_row(delivery_id)

    async def send_row(self, delivery_id: str) -> Work | None:
        """Send one row with its outcome written; None when it is not due, or we are stopping."""
        return None if self._lease.stopping else await self._lease.guarded(self._one(delivery_id))

    async def _one(self, delivery_id: str) -> Work | None:
        work = await self._surely([], [delivery_id])
        await self._send(work)
        if work:
            await self._surely(work, [])
        return work[0] if work else None

    async def resume(self, account_id: str) -> int:
        """Make due again what an account-level refusal held; how many rows."""
        self._recent.forget_account(account_id)
        async with self._w.db.session() as session:
            return await resume(session, account_id)


async def _at_any_time() -> None:
    """Nothing takes back that an answer waits."""


def _failed(one: Work, error: BaseException) -> None:
    if not one.call.begun:
        one.outcome = not_begun(error)
    if one.call.begun or not gone(error):
        _log.error("send_failed", delivery=one.id, begun=one.call.begun, exc_info=error)
    else:  # without its trace: a neighbour that is away would write one for each message
        _log.warning("send_put_off", delivery=one.id, error=type(error).__name__)
