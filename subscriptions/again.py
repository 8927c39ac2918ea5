"""Who lacks a push and why, and what a person decides about them all at once.

Nobody is named: people are counted by how their message ended, by the platform's code and by the
words of its table of meanings. What surely did not go out may be sent again; what may have gone out
only by a person who says in a sentence that somebody may get it twice. Each choice is signed about
the item, and its rows change in the same transaction.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from bot.channels import CHANNELS
from bot.chosen import CALL_HOLD
from bot.codes import WINDOW_HOLD
from bot.contract import NotReleased, Release, State
from bot.delivery.mended import AGAIN, MEND_HOLD, Going, going
from bot.delivery.once import recalled
from bot.delivery.outbox import CHANGED_HOLD
from bot.meaning import Listed, Meaning
from bot.models import Account, AccountRest, Contact, Delivery, Publication
from bot.sealing import rewrite
from config.clock import now
from ledger.append import Transaction
from ledger.changed import row_changed
from ledger.verify import Broken, Entry
from review_queue.desk import Queue, Said, append_with_words, read_item
from review_queue.models import Item
from staff.refusal import Reason, Refused, missing, refuse
from staff.rights import entitled
from subscriptions.matching import Making, Matching
from subscriptions.push import CREATED, FINISHED, RESUME, age
from subscriptions.reach import BEGUN

GIVEN_UP, LEFT_UNKNOWN, COMPLETED = "push.given_up", "push.left", "push.completed"
RISK = "我已核对，知道有人可能收到两次"
"""What a person types who sends again to somebody who may have it."""
SEEN = "seen"
"""Delivery.code of an unknown one that a person looked at and lets be."""
_GIVEN_UP = "经人工决定不再发送"
_LET_BE = "经人工看过：可能已经收到，不再发送"
_LISTED = (State.UNKNOWN, State.FAILED, State.HELD, State.RETRYING, State.ENDED)


class Choice(StrEnum):
    """What may be decided about people whose message came to the same end."""

    AGAIN = "again"
    RISK = "risk"
    LEAVE = "leave"
    GIVE_UP = "give_up"


@dataclass(frozen=True)
class Ended:
    """One way in which messages of a push ended, or wait; rows of earlier versions have no code.

    `listed` is what the platform's table says of the code; None for our own and unlisted ones.
    """

    state: str
    hold: str = ""
    code: str = ""
    why: str = ""
    listed: Listed | None = None

    @property
    def meaning(self) -> Meaning | None:
        """What the platform meant."""
        return self.listed.meaning if self.listed is not None else None

    def rows(self, publication_id: str) -> ColumnElement[bool]:
        """The rows of a push that came to this."""
        parts = [
            Delivery.publication_id == publication_id,
            Delivery.state == self.state,
            Delivery.hold == self.hold,
            Delivery.code == self.code,
        ]
        return and_(*parts) if self.code else and_(*parts, Delivery.why == self.why)

    @property
    def choices(self) -> tuple[Choice, ...]:
        """What a person may choose for them."""
        if CALL_HOLD in (self.hold, self.code):
            return ()  # what becomes of its publication becomes of them
        if self.state == State.UNKNOWN:
            return (Choice.RISK,) if self.code == SEEN else (Choice.LEAVE, Choice.RISK)
        if self.state == State.FAILED:
            # The same text would be refused again: its correction takes its place.
            refused = self.meaning is Meaning.REVIEW
            return (Choice.GIVE_UP,) if refused else (Choice.AGAIN, Choice.GIVE_UP)
        if self.state != State.HELD or self.hold == MEND_HOLD:
            return ()  # it goes on, is over, or is decided for the whole push
        if self.hold in (WINDOW_HOLD, CHANGED_HOLD):
            return (Choice.GIVE_UP,)  # their next message frees it; a forged row nothing does
        return (Choice.AGAIN, Choice.GIVE_UP)


@dataclass(frozen=True)
class People:
    """How many came to one end, and when something happens next by itself."""

    ended: Ended
    count: int
    next_at: datetime | None


async def people(session: AsyncSession, publication_id: str) -> list[People]:
    """Everybody of a push who has it not, or of whom nobody knows, by reason."""
    codes, rests = await _codes_of(session, publication_id)
    columns = (Delivery.state, Delivery.hold, Delivery.code, Delivery.why)
    query = (
        select(*columns, func.count(), func.min(Delivery.next_at))
        .where(Delivery.publication_id == publication_id, Delivery.state.in_(_LISTED))
        .group_by(*columns)
    )
    found: dict[tuple[str, ...], People] = {}
    for state, hold, code, why, count, due in await session.execute(query):
        next_at = max(due, rests) if due and rests else due
        key = (state, hold, code or why)
        was = found.get(key)
        if was is not None:  # the same code in other words: the platform's own are part of them
            times = [one for one in (was.next_at, next_at) if one is not None]
            found[key] = People(was.ended, was.count + count, min(times, default=None))
        else:
            found[key] = People(Ended(state, hold, code, why, codes.get(code)), count, next_at)
    order = {state: number for number, state in enumerate(_LISTED)}
    return sorted(found.values(), key=lambda one: (order[State(one.ended.state)], -one.count))


async def _codes_of(
    session: AsyncSession, publication_id: str
) -> tuple[Mapping[str, Listed], datetime | None]:
    """The table of the push's platform, and until when its account rests."""
    query = (
        select(Account.platform, AccountRest.until)
        .join(Publication, Publication.account_id == Account.id)
        .outerjoin(AccountRest, AccountRest.account_id == Account.id)
        .where(Publication.id == publication_id)
    )
    found = (await session.execute(query)).first()
    if found is None:
        return {}, None
    channel = CHANNELS.get(found.platform)
    rests = found.until if found.until and found.until > now() else None
    return (channel.codes if channel else {}), rests


# --- in bulk ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Decided:
    """What a person chose for all who came to one end, and why or what they confirm."""

    ended: Ended
    choice: Choice
    words: str = ""


async def choose(queue: Queue, publication_id: str, staff_id: str, what: Decided) -> int:
    """Do what was chosen for everybody who came to this end; how many people.

    Refused 403, 404, 409 or 422.
    """
    sends = what.choice in (Choice.AGAIN, Choice.RISK)
    place = await _place(queue, publication_id)
    async with queue.db.session() as session:
        codes, _ = await _codes_of(session, place.id)
    known = replace(what.ended, listed=codes.get(what.ended.code))
    faults = _choice_faults(replace(what, ended=known))
    faults += await _sending_faults(queue, place) if sends else []
    async with queue.ledger.transaction() as tx:
        await entitled(tx.session, staff_id, "pushes.decide")
        item = await read_item(tx.session, place.item_id)
        which = what.ended.rows(place.id)
        rows = await _count(tx.session, which)
        if not rows and not faults:
            faults.append(Reason("state", "已经没有这样的人：请看页面上的最新结果"))
        refuse(faults)
        about = {"state": what.ended.state, "code": what.ended.code or what.ended.hold}
        said = Said(_KINDS[what.choice], staff_id, what.words)
        seq = await _sign(
            tx, item, said, place, {"which": what.choice.value, "rows": rows, **about}
        )
        if sends:
            await _due_again(tx.session, which, place, seq)
        elif what.choice is Choice.GIVE_UP:
            ended: dict[str, Any] = {"state": State.ENDED, "hold": "", "why": _GIVEN_UP}
            await rewrite(tx.session, which, **ended, code="given_up", next_at=None)
        else:
            seen = update(Delivery).where(which).values(code=SEEN, why=_LET_BE)
            await tx.session.execute(seen)
        return rows


_KINDS = {
    Choice.AGAIN: AGAIN,
    Choice.RISK: AGAIN,
    Choice.GIVE_UP: GIVEN_UP,
    Choice.LEAVE: LEFT_UNKNOWN,
}


def _choice_faults(what: Decided) -> list[Reason]:
    if what.choice not in what.ended.choices:
        return [Reason("choice", "对这些人不能这样选")]
    if what.choice is Choice.RISK and what.words.strip() != RISK:
        return [Reason("words", f"他们可能已经收到：要再发一次，请照抄“{RISK}”")]
    if what.choice is Choice.GIVE_UP and not what.words.strip():
        return [Reason("words", "请写明不再发送的理由")]
    return []


async def _due_again(
    session: AsyncSession, which: ColumnElement[bool], place: Publication, seq: int
) -> int:
    """Make rows due once more, under the number of the entry that says so.

    The new key keeps older copies of these rows spent; `late`, for the push may be sealed already.
    """
    again = {"state": State.CREATED, "hold": "", "why": "", "code": "", "ref": ""}
    key = f"{place.release_id}+{seq}"
    return await rewrite(
        session, which, **again, content_key=key, late=True, attempts=0, next_at=None,
        finished_at=None,
    )  # fmt: skip


# --- only to those who lack it ----------------------------------------------------------------


_WAITING = (WINDOW_HOLD, CHANGED_HOLD, MEND_HOLD, CALL_HOLD)


def lacking(place: Publication) -> ColumnElement[bool]:
    """Messages of a push that surely did not arrive, to people who can still be reached.

    An unknown one may have arrived. What waits for its citizen's message still goes by itself.
    """
    reachable = select(Contact.id).where(
        Contact.account_id == place.account_id, Contact.state == "active"
    )
    held = and_(Delivery.state == State.HELD, Delivery.hold.not_in(_WAITING))
    return and_(
        Delivery.publication_id == place.id,
        or_(held, Delivery.state.in_((State.FAILED, State.ENDED))),
        Delivery.contact_id.in_(reachable),
    )


async def send_to_lacking(
    queue: Queue, matching: Matching, publication_id: str, staff_id: str
) -> int:
    """Send a push that stopped, ended or failed in part to whoever lacks it; how many people.

    Never to somebody who has it or may have it. Refused 403, 404 or 409.
    """
    place = await _place(queue, publication_id)
    faults = await _sending_faults(queue, place)
    refuse(faults)
    release = await _release(queue, place)
    told = {one.kind: one for one in await queue.ledger.facts(f"publication:{place.id}")}
    begun = datetime.fromisoformat(told[BEGUN].at) if BEGUN in told else place.pushed_at
    making = Making(place, release, begun)
    async with queue.ledger.transaction() as tx:
        await entitled(tx.session, staff_id, "pushes.decide")
        item = await read_item(tx.session, place.item_id)
        refuse(_making_faults(place, told))
        lost = await matching.count_missing(tx.session, making)
        await _close(tx, place, told)
        which = lacking(place)
        rows = await _count(tx.session, which)
        if not rows + lost:
            raise Refused(409, [Reason("state", "没有还缺这一条的人：可能收到的不会再发")])
        body = {"which": "lacking", "rows": rows, "missing": lost}
        seq = await _sign(tx, item, Said(AGAIN, staff_id, ""), place, body)
        await _due_again(tx.session, which, place, seq)
    # Apart, batch by batch: whoever has no row at all gets the one that was never made.
    made = await matching.create_missing(queue.db, making, partial(row_changed, queue.ledger))
    if made:
        async with queue.ledger.transaction() as tx:
            body = {"publication": place.id, "rows": made}
            subject = f"item:{place.item_id}"
            await tx.append(COMPLETED, subject=subject, actor=staff_id, body=body)
    return rows + made


def _making_faults(place: Publication, told: Mapping[str, Entry]) -> list[Reason]:
    """A push whose rows are being made has nobody who lacks it yet."""
    if CREATED in told or FINISHED in told:
        return []
    if BEGUN in told:
        cut = age(told[BEGUN]) > RESUME
        return [] if cut else [Reason("state", "推送正在生成，请过一会儿再看")]
    return [] if place.pushed_at else [Reason("state", "推送还没有开始，会自动生成")]


async def _close(tx: Transaction, place: Publication, told: Mapping[str, Entry]) -> None:
    """What was cut short is made up here and nowhere else: no other process completes it."""
    subject = f"publication:{place.id}"
    if BEGUN not in told:
        body: dict[str, Any] = {"release": place.release_id}
        await tx.append(BEGUN, subject=subject, actor="system", body=body)
    if CREATED not in told and FINISHED not in told:
        rows = await _count(tx.session, Delivery.publication_id == place.id)
        await tx.append(CREATED, subject=subject, actor="system", body={"rows": rows})


# --- what both ask ----------------------------------------------------------------------------


async def _place(queue: Queue, publication_id: str) -> Publication:
    async with queue.db.session() as session:
        place = await session.get(Publication, publication_id)
        if place is None:
            raise missing("次发布")
        await read_item(session, place.item_id)  # refused to who may not read the item
        return place


async def _sending_faults(queue: Queue, place: Publication) -> list[Reason]:
    """Why nothing of this push may be sent now, by what is signed."""
    try:
        entries: Sequence[Entry] = await queue.ledger.facts(f"item:{place.item_id}")
    except Broken as broken:
        return [Reason("ledger", str(broken))]
    if not place.whole:
        return [Reason("seal", "这条发布记录被绕过本系统改动，不能据此再发送")]
    if place.state != State.PUBLISHED:
        return [Reason("state", "这一条还没有发布，不能推送")]
    if recalled(entries):
        return [Reason("recalled", "稿件已撤回，不能再发送")]
    stand = going(entries, place.account_id)
    if stand.waits or stand is Going.REPLACED:
        return [Reason("state", f"{stand.words}：请先在上面决定")]
    return []


async def _release(queue: Queue, place: Publication) -> Release:
    try:
        return await queue.releases.verify(place.release_id)
    except NotReleased as broken:
        raise Refused(409, [Reason("chain", one) for one in broken.reasons]) from broken


async def _count(session: AsyncSession, which: ColumnElement[bool]) -> int:
    return int(await session.scalar(select(func.count()).select_from(Delivery).where(which)) or 0)


async def _sign(
    tx: Transaction, item: Item, said: Said, place: Publication, body: Mapping[str, Any]
) -> int:
    names = {"publication": place.id, "account": place.account_id, "digest": place.digest}
    if said.words.strip():
        return await append_with_words(tx, item, said, {**names, **body})
    subject = f"item:{item.id}"
    return await tx.append(said.kind, subject=subject, actor=said.actor, body={**names, **body})
