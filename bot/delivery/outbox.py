"""The rows of what leaves: claimed, given their outcome, held, made due again; replies queued.

Functions of an open session: who calls them decides what stands in one transaction.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from bot.calling import Call
from bot.codes import ACCOUNT_HOLD, WINDOW_HOLD
from bot.consents import NOTHING, Left
from bot.contacts import Contacts, make_due
from bot.contract import ACTS, Outcome, State
from bot.delivery import windows
from bot.delivery.choosing import Picked, Via
from bot.delivery.recent import stopped_accounts
from bot.delivery.rests import resting
from bot.delivery.retrying import LOST, counts, delay, ends_contact, give_up
from bot.delivery.wiring import Wants
from bot.models import OPEN, Attempt, Contact, Delivery, InboundMessage, Publication, phase
from bot.replies import Parts
from bot.sealing import TABLE, rewrite, said_of
from config.clock import now
from storage.database import UNREADABLE, Base, Database, new_id
from storage.seals import Seals, seals_of

RELEASE_HOLD, CHANGED_HOLD = "release", "changed"
_HELD_ANSWER = (
    Delivery.state == State.HELD,
    Delivery.hold == ACCOUNT_HOLD,
    Delivery.release_id.is_(None),
    Delivery.late.is_(False),
)
CHANGED = "这条记录被绕过本系统改动，没有发送"
DUE = (State.CREATED, State.RETRYING)
WAITS = (WINDOW_HOLD, ACCOUNT_HOLD)
"""Why an answer may be late: it waited for the citizen's next message, or for the account."""

# Tables and not mapped classes: a push writes thousands of rows, and the unit of work of the ORM
# costs more than all of their calls together.
_deliveries, _attempts, _contacts = (
    Base.metadata.tables[model.__tablename__] for model in (Delivery, Attempt, Contact)
)
_CLAIMED = (*Delivery.SEALED[:-1], "attempts", "seal", "gather", "route")
_ASKED = (
    *("id", "account_id", "address", "address_hash", "state"),
    *("last_inbound_at", "window_used", "brief_at", "brief_used", "refused_at", "refused_why"),
)
ASKED_OF_CONTACTS = tuple(_contacts.c[name] for name in _ASKED)
_OUTCOME = (
    update(_deliveries)
    # Thought dead meanwhile, its row may be another process's by now, or a person has settled it.
    .where(
        _deliveries.c.id == bindparam("key"),
        _deliveries.c.owner == bindparam("who"),
        or_(*(_deliveries.c.state == state for state in (State.SENDING, State.UNKNOWN))),
    )
    .values(
        {
            name: bindparam(name)
            for name in (
                *("state", "reason", "ref", "why", "code", "hold", "late", "next_at"),
                *("finished_at", "seal", "attempts", "route"),
            )
        }
    )
)


@dataclass(frozen=True)
class Wrong:
    """A row that somebody wrote past this program: it is held, and staff are told which one."""

    table: str
    id: str
    about: str
    """What the row belongs to: many rows of one forging open one incident."""


@dataclass
class Work:
    """One claimed delivery on its way; UNKNOWN until its call has said otherwise."""

    id: str
    attempt_id: str
    content_key: str
    release_id: str | None
    publication_id: str | None
    account_id: str
    contact_id: str
    reason: str
    reply: Mapping[str, Any] | None
    late: bool
    attempts: int
    seal: str
    gather: bool = False
    route: str = ""
    contact: Any = None
    agreed: Left = NOTHING
    chosen: Picked | None = None
    wants: Wants | None = None
    counts: str = ""
    call: Call = field(default_factory=Call)
    outcome: Outcome = field(default_factory=lambda: Outcome(State.UNKNOWN, reason=LOST))

    @property
    def key(self) -> tuple[str, str]:
        """What this message is, whatever row says so."""
        return self.content_key, self.contact_id

    @property
    def by(self) -> str:
        """The way it took or waits by, as it is recorded; that of the time before, if none."""
        if self.chosen is None:
            return self.route
        return Via.HOLD if windows.waits(self.outcome) else self.chosen.via


# --- claiming and outcomes --------------------------------------------------------------------


def delivery_due(moment: datetime, stops: frozenset[str]) -> ColumnElement[bool]:
    """Whether a message may be claimed at `moment` under these stops."""
    if "all" in stops:
        return Delivery.id.is_(None)
    parts: list[ColumnElement[bool]] = [
        Delivery.state.in_(DUE),
        or_(Delivery.next_at.is_(None), Delivery.next_at <= moment),
        Delivery.account_id.not_in(resting(moment)),
    ]
    if "push" in stops:
        parts.append(Delivery.release_id.is_(None))
    if idle := stopped_accounts(stops):
        parts.append(Delivery.account_id.not_in(idle))
    return and_(*parts)


async def candidates(session: AsyncSession, due: ColumnElement[bool], limit: int) -> list[str]:
    """Ids of due rows: answers first, then what must be retried, then the push itself."""
    found: dict[str, None] = {}
    for part in (
        Delivery.release_id.is_(None),
        Delivery.state == State.RETRYING,
        Delivery.state == State.CREATED,
    ):
        if len(found) < limit:
            query = select(Delivery.id).where(due, part).limit(limit)
            found |= dict.fromkeys(await session.scalars(query))
    return list(found)[:limit]


async def claim(
    session: AsyncSession, batch: Sequence[str], due: ColumnElement[bool], owner: str
) -> tuple[list[Work], list[Wrong]]:
    """Take those of `batch` that are still due: the rows that stand before their calls.

    What somebody wrote past this program is held in the same step, and returned beside them.
    """
    moment = now()
    # `due` is asked again here: between the list and this claim a stop may have been turned, and
    # another process may hold the row (skip_locked).
    free = select(Delivery.id).where(Delivery.id.in_(batch), due).with_for_update(skip_locked=True)
    taken = await session.execute(
        update(_deliveries)
        .where(_deliveries.c.id.in_(free))
        .values(
            state=State.SENDING,
            owner=owner,
            sending_since=moment,
            attempts=_deliveries.c.attempts + 1,
        )
        .returning(*(_deliveries.c[name] for name in _CLAIMED))
    )
    taken_rows = [Work(attempt_id=new_id(), **row._mapping) for row in taken]
    if not taken_rows:
        return [], []
    work, wrong = await _believed(session, taken_rows)
    if wrong:
        await _hold_changed(session, {one.id for one in taken_rows} - {one.id for one in work})
    if work:
        await _note_attempts(session, work, moment)
    return work, wrong


async def _believed(session: AsyncSession, taken: Sequence[Work]) -> tuple[list[Work], list[Wrong]]:
    """Those whose seal holds and whose contact is their account's; what is wrong of the others."""
    people = await session.execute(
        select(*ASKED_OF_CONTACTS).where(_contacts.c.id.in_([one.contact_id for one in taken]))
    )
    known = {row.id: row for row in people}
    seals, work, wrong = seals_of(session), [], []
    for one in taken:
        one.contact = known.get(one.contact_id)
        if not seals.hold(one.seal, TABLE, said_of(vars(one), OPEN)):
            wrong.append(Wrong(TABLE, one.id, one.content_key))
        elif one.contact is not None and one.contact.account_id != one.account_id:
            wrong.append(Wrong("contact", one.contact_id, one.contact_id))
        else:
            work.append(one)
    return work, wrong


async def hold_unreadable(session: AsyncSession, delivery_id: str) -> Wrong:
    """Hold the row whose claim raises; which one holds what no column could: it, or its contact."""
    await _hold_changed(session, [delivery_id])
    try:
        columns = (_deliveries.c[name] for name in _CLAIMED)
        query = select(*columns).where(_deliveries.c.id == delivery_id)
        row = (await session.execute(query)).one()
    except UNREADABLE:
        return Wrong(TABLE, delivery_id, delivery_id)
    return Wrong("contact", row.contact_id, row.contact_id)


async def _hold_changed(session: AsyncSession, ids: Iterable[str]) -> None:
    values = {"state": State.HELD, "hold": CHANGED_HOLD, "why": CHANGED}
    await session.execute(update(_deliveries).where(_deliveries.c.id.in_(ids)).values(**values))


async def _note_attempts(session: AsyncSession, work: Sequence[Work], moment: datetime) -> None:
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


async def write_outcomes(
    session: AsyncSession, finished: Sequence[Work], contacts: Contacts, owner: str
) -> None:
    """What became of each call; a contact that is gone ends with all that waits for it."""
    moment = now()
    for one in finished:
        one.outcome = give_up(one.outcome, one.attempts)
        if one.reply is not None and hold_of(one.outcome) in WAITS:
            one.late = True
    lost = [one for one in finished if ends_contact(one.outcome)]
    waiting = {one.id: one.contact for one in finished if windows.waits(one.outcome)}
    await _lock(session, {*(one.contact_id for one in lost), *(one.id for one in waiting.values())})
    seals = seals_of(session)
    rows = [{**_outcome_row(seals, one, moment), "who": owner} for one in finished]
    await session.execute(_OUTCOME, rows)
    await _end_attempts(session, finished, moment)
    await windows.count(session, [(one.contact, one.counts, one.outcome) for one in finished])
    if opened := await windows.opened_since(session, waiting):
        await make_due(session, Delivery.id.in_(opened))
    held = {one.contact_id: one.outcome for one in finished if one.id in waiting.keys() - opened}
    await windows.pause(session, held)
    back = await _back_since(session, lost)
    for one in lost:
        if one.contact_id not in back:
            await contacts.lost(session, one.contact_id, one.outcome)


async def _end_attempts(session: AsyncSession, finished: Sequence[Work], moment: datetime) -> None:
    """One statement for all calls that came to the same: of a push that is nearly all of them."""
    same: dict[str, tuple[dict[str, Any], list[str]]] = {}
    for one in finished:
        detail = {**one.outcome.detail, **({"route": one.by} if one.by else {})}
        said = {"state": one.outcome.state, "code": one.outcome.code[:40], "detail": detail}
        same.setdefault(repr(said), (said, []))[1].append(one.attempt_id)
    for said, ids in same.values():
        mine = update(_attempts).where(_attempts.c.id.in_(ids))
        await session.execute(mine.values(**said, finished_at=moment))


async def _lock(session: AsyncSession, contacts: Iterable[str]) -> None:
    """Whoever is just coming back or writing is stored first, and then seen; in order, so that
    none cross.
    """
    if ids := sorted(contacts):
        query = select(Contact.id).where(Contact.id.in_(ids)).order_by(Contact.id)
        await session.execute(query.with_for_update())


async def _back_since(session: AsyncSession, lost: Sequence[Work]) -> set[str]:
    """Contacts who acted after the call began: a late refusal says nothing of who came back."""
    if not lost:
        return set()
    began = {one.contact_id: one.attempt_id for one in lost}
    query = select(InboundMessage.contact_id, func.max(InboundMessage.id)).where(
        InboundMessage.contact_id.in_(began), InboundMessage.kind.in_(ACTS)
    )
    newest = await session.execute(query.group_by(InboundMessage.contact_id))
    return {contact for contact, act in newest if contact and act > began[contact]}


def hold_of(outcome: Outcome) -> str:
    """The word for what holds a message; its code may be the platform's own number."""
    return outcome.held_by[:20]


def _outcome_row(seals: Seals, one: Work, moment: datetime) -> dict[str, object]:
    outcome = one.outcome
    retrying, held = outcome.state is State.RETRYING, outcome.state is State.HELD
    wait = timedelta(seconds=delay(outcome, one.attempts))
    return {
        "key": one.id,
        "state": outcome.state,
        "reason": one.reason,
        "ref": outcome.ref[:200],
        "why": outcome.reason,
        "code": outcome.code[:40],
        "hold": hold_of(outcome),
        "attempts": one.attempts if counts(outcome) else one.attempts - 1,
        "late": one.late,
        "next_at": moment + wait if retrying else None,
        # A retry and a hold go on: they are not finished, and reports must not count them.
        "finished_at": None if retrying or held else moment,
        # Sealed as ended: nobody without the key makes it due again.
        "route": one.by,
        "seal": seals.of(TABLE, said_of({**vars(one), "route": one.by}, phase(outcome.state))),
    }


# --- holding -----------------------------------------------------------------------------------


async def hold(session: AsyncSession, which: ColumnElement[bool], reason: str, why: str) -> None:
    """Keep back what is still due; `why` is RELEASE_HOLD or ACCOUNT_HOLD."""
    await session.execute(
        update(Delivery)
        .where(which, Delivery.state.in_(DUE))
        .values(state=State.HELD, hold=why, why=reason, next_at=None)
    )
    if why == ACCOUNT_HOLD:  # an answer that waits for its account may be late (life.py)
        await rewrite(session, and_(which, *_HELD_ANSWER), late=True)


async def hold_after(session: AsyncSession, finished: Sequence[Work]) -> dict[str, str]:
    """Hold what would meet the same refusal; returns refused accounts and why."""
    refused = {
        one.account_id: one.outcome.reason
        for one in finished
        if hold_of(one.outcome) == ACCOUNT_HOLD and one.outcome.detail
    }
    for account_id, reason in refused.items():
        await hold(session, Delivery.account_id == account_id, reason, ACCOUNT_HOLD)
    broken = {
        one.release_id: one.outcome.reason
        for one in finished
        if one.outcome.code == RELEASE_HOLD and one.release_id
    }
    for release_id, reason in broken.items():
        await hold(session, Delivery.release_id == release_id, reason, RELEASE_HOLD)
    return refused


# --- replies ----------------------------------------------------------------------------------


async def queue_reply(
    db: Database, parts: Parts, key: str, session: AsyncSession | None = None
) -> str:
    """Leave a reply to be said and sent; `key` is unique per contact, so one reply is sent once.

    With `session`, the row belongs to the caller's transaction. Returns the delivery id.
    """
    if session is not None:
        return await _reply_row(session, parts, key)
    try:
        async with db.session() as own:
            return await _reply_row(own, parts, key)
    except IntegrityError:  # another process was a moment faster
        async with db.session() as own:
            return await _reply_row(own, parts, key)


async def _reply_row(session: AsyncSession, parts: Parts, key: str) -> str:
    known = select(Delivery.id).where(
        Delivery.content_key == key, Delivery.contact_id == parts.contact_id
    )
    found = (await session.scalars(known)).first()
    if found is not None:
        return found
    row = Delivery(
        id=new_id(),
        content_key=key,
        account_id=parts.account_id,
        contact_id=parts.contact_id,
        reply=parts.kept(),
        state=State.CREATED,
        created_at=now(),
    )
    session.add(row)
    await session.flush()
    return row.id


# --- publications -----------------------------------------------------------------------------


async def set_publication(session: AsyncSession, publication_id: str, **values: Any) -> None:
    """Write columns of one publication that its seal does not hold."""
    change = update(Publication).where(Publication.id == publication_id)
    await session.execute(change.values(**values))


async def close_attempt(session: AsyncSession, attempt_id: str, outcome: Outcome) -> None:
    """The outcome beside the row that stood before the call."""
    await session.execute(
        update(Attempt)
        .where(Attempt.id == attempt_id)
        .values(
            state=outcome.state,
            code=outcome.code[:40],
            detail=dict(outcome.detail),
            finished_at=now(),
        )
    )
