"""Two questions of one citizen that are one matter, in one person's hands; reopening parts them.

The earlier goes on, due when the earlier of both was; the later ends in it and keeps its own words.
The answer names both numbers.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from bot.models import Contact
from escalations.calling_back import move_number
from escalations.commitments import (
    CLAIMED,
    CLOSED,
    MERGED,
    PARTED,
    holder_of,
    merged_of,
    same_citizen,
)
from escalations.kinds import WORKING_DAYS
from escalations.lateness import waiting_at
from escalations.models import Ticket, TicketMessage
from escalations.paging import REASON, paging_at
from escalations.tickets import (
    OPEN,
    NotAsSigned,
    TicketWiring,
    as_signed,
    note,
    on_duty,
    refused,
    ticket_of,
)
from ledger.append import Transaction
from ledger.verify import Entry

_IN_WORK = (*OPEN, "replied")


@dataclass(frozen=True)
class Beside:
    """The other questions of the same citizen: still in work, and merged into this one."""

    waiting: Sequence[Ticket] = ()
    merged: Sequence[Ticket] = ()
    ids: Sequence[str] = field(default=())
    """This one and those merged into it."""


async def beside(session: AsyncSession, ticket: Ticket) -> Beside:
    """What else the same citizen asked that belongs to this question, or could."""
    query = select(Ticket).where(
        Ticket.contact_id == ticket.contact_id,
        Ticket.id != ticket.id,
        or_(Ticket.state.in_(_IN_WORK), Ticket.merged_into == ticket.id),
    )
    rows = (await session.scalars(query.order_by(Ticket.id))).all()
    merged = [one for one in rows if one.merged_into == ticket.id and one.state == "closed"]
    waiting = [one for one in rows if one.state in _IN_WORK]
    return Beside(waiting, merged, [ticket.id, *(one.id for one in merged)])


async def said_in(session: AsyncSession, found: Beside) -> list[str]:
    """What was asked in those merged and added to any of them, in order of time."""
    query = select(TicketMessage).where(TicketMessage.ticket_id.in_(found.ids))
    said = [(one.at, one.text) for one in (await session.scalars(query)).all()]
    said += [(one.created_at, one.question) for one in found.merged]
    return [text for _, text in sorted(said)]


async def added_to(session: AsyncSession, ticket: Ticket) -> list[str]:
    """The same for one question, whatever was merged into it."""
    return await said_in(session, await beside(session, ticket))


async def merge(wiring: TicketWiring, ticket_id: str, staff_id: str, other_id: str) -> Ticket:
    """Take both together: the earlier one, which goes on in this person's hands.

    Refused 403, 404, 409: not one citizen's, not both theirs or free, one is not in work, somebody
    is in danger, or a time limit of its own binds one of them.
    """
    async with as_signed(wiring.ledger), wiring.ledger.transaction() as tx:
        await on_duty(tx.session, staff_id)
        pair = [await ticket_of(tx.session, one) for one in (ticket_id, other_id)]
        kept, gone = sorted(pair, key=lambda one: (one.created_at, one.id))
        _check_pair(kept, gone)
        kept_due, _ = await _taken(wiring, tx, kept, staff_id)
        gone_due, entries = await _taken(wiring, tx, gone, staff_id)
        kept.due_at = due = min(kept_due, gone_due)
        kept.candidates = _joined(kept.candidates, gone.candidates)
        move_number(wiring, gone, kept)
        gone.state, gone.merged_into = "closed", kept.id
        # Those merged into the later one before go with it.
        earlier = update(Ticket).where(Ticket.merged_into == gone.id)
        await tx.session.execute(earlier.values(merged_into=kept.id))
        with_it = [gone.id, *merged_of(entries)]
        await note(tx, MERGED, kept, staff_id, {"tickets": with_it, "due_at": due.isoformat()})
        await note(tx, CLOSED, gone, staff_id, {"answered": False, "merged": kept.id})
    return kept


async def part(tx: Transaction, ticket: Ticket, staff_id: str) -> bool:
    """It stands by itself again; whether the one it was merged into still waits for an answer."""
    other = await tx.session.get(Ticket, ticket.merged_into) if ticket.merged_into else None
    ticket.merged_into = None
    if other is None:
        return False
    await note(tx, PARTED, other, staff_id, {"ticket": ticket.id})
    return other.state in _IN_WORK


def _check_pair(kept: Ticket, gone: Ticket) -> None:
    if kept.id == gone.id:
        raise refused(409, "other", "请选对方的另一个问题")
    if kept.contact_id != gone.contact_id:
        raise refused(409, "other", "两个问题不是同一个人的，不能合并")
    if REASON in (kept.reason, gone.reason):
        raise refused(409, "danger", "有人遇险的问题单独处理，不合并")
    own = {kept.reason, gone.reason} & set(WORKING_DAYS)
    if own and kept.reason != gone.reason:
        words = "申请公开、意见建议按各自的时限单独办理，不与其他问题合并"
        raise refused(409, "kind", words)


async def _taken(
    wiring: TicketWiring, tx: Transaction, ticket: Ticket, staff_id: str
) -> tuple[datetime, Sequence[Entry]]:
    """When it is due, with its entries: held by this person from now on, if it was free."""
    if ticket.state == "replied":
        raise refused(409, "state", "有一条答复还没有送达：请先收回，或等它送达")
    if ticket.state not in OPEN:
        raise refused(409, "state", "只有在办的问题可以合并")
    if ticket.claimed_by not in (None, staff_id):
        raise refused(409, "claimed", "另一个问题由其他同事认领：请对方先转交或合并")
    entries = await wiring.ledger.facts(f"ticket:{ticket.id}")
    waits, contact = waiting_at(entries, wiring.hours), await _asker(tx, ticket)
    if waits is None or (ticket.claimed_by or "") != holder_of(entries):
        raise NotAsSigned(ticket, "state", "咨询单与签名记录不符，不能合并：请看事件页")
    if contact is None or not same_citizen(entries, contact):
        raise NotAsSigned(ticket, "contact", "咨询单的来信人与签名记录不符，不能合并")
    if paging_at(entries) is not None:
        raise refused(409, "danger", "有人遇险的问题单独处理，不合并")
    if ticket.claimed_by is None:
        ticket.state, ticket.claimed_by = "claimed", staff_id
        await note(tx, CLAIMED, ticket, staff_id, {})
    return waits.due, entries


async def _asker(tx: Transaction, ticket: Ticket) -> Contact | None:
    return await tx.session.get(Contact, ticket.contact_id)


def _joined(ours: Sequence[object], theirs: Sequence[object]) -> list[object]:
    """Clauses found for both, each once."""
    return [*ours, *(one for one in theirs if one not in ours)]
