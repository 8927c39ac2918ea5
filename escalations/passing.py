"""A question in other hands: to a colleague, to 12345, and taken up again after its end.

Each is one signed entry of whoever holds or takes it; who is called next reads them (lateness.py).
"""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.contacts import ERASED
from bot.contract import ReplyBasis
from bot.models import Contact
from bot.replies import Filled, Parts
from config.clock import now
from escalations.commitments import CLAIMED, PASSED, REOPENED, due_of, same_citizen
from escalations.ladder import TELLING, call
from escalations.merging import part
from escalations.models import Ticket
from escalations.paging import REASON
from escalations.tickets import (
    DUTY_ROLES,
    NotAsSigned,
    TicketWiring,
    active,
    as_signed,
    check_held,
    check_holder,
    note,
    on_duty,
    refused,
    short,
    ticket_of,
)
from ledger.append import Transaction
from ledger.verify import Entry
from staff.models import Staff
from staff.people import active_with

HANDED = "ticket.handed_over"
MAX_NUMBER = 40


async def colleagues(session: AsyncSession, but: str) -> Sequence[Staff]:
    """Who else may answer, by name."""
    ids = [one for one in await active_with(session, DUTY_ROLES) if one != but]
    query = select(Staff).where(Staff.id.in_(ids)).order_by(Staff.name)
    return (await session.scalars(query)).all()


async def transfer(wiring: TicketWiring, ticket_id: str, staff_id: str, to: str) -> Ticket:
    """Give it back and call one colleague for it; whoever does not take it is passed over in turn.

    Refused 403, 404, 409: not held, somebody in danger, or nobody who may answer.
    """
    async with as_signed(wiring.ledger), wiring.ledger.transaction() as tx:
        ticket = await _held(wiring, tx, ticket_id, staff_id)
        if ticket.reason == REASON:
            raise refused(409, "danger", "有人遇险的问题不转交：请与同事一起处理")
        if to not in await active_with(tx.session, DUTY_ROLES) or to == staff_id:
            raise refused(409, "to", "请选另一位值班人员或监督人员")
        ticket.state, ticket.claimed_by = "open", None
        ticket.acknowledge_by = now() + TELLING
        await note(tx, PASSED, ticket, staff_id, {"to": to})
    await call(wiring, ticket, to)
    return ticket


async def reopen(wiring: TicketWiring, ticket_id: str, staff_id: str) -> Ticket:
    """Take up again what was answered or ended, with a new due time. Refused 403, 404, 409.

    One that was merged is parted again; while the other waits, it is due when it was before.
    """
    async with as_signed(wiring.ledger), wiring.ledger.transaction() as tx:
        ticket = await ticket_of(tx.session, ticket_id)
        await on_duty(tx.session, staff_id)
        if ticket.state not in ("answered", "closed"):
            raise refused(409, "state", "问题还在办理，不用重开")
        entries = await wiring.ledger.facts(f"ticket:{ticket.id}")
        contact = await tx.session.get(Contact, ticket.contact_id)
        if contact is None or _is_erased(contact, entries):
            raise refused(409, "gone", "对方已删除信息，不能重开")
        if not same_citizen(entries, contact):
            raise NotAsSigned(ticket, "contact", "咨询单的来信人与签名记录不符，不能重开")
        other = await active(tx.session, ticket.contact_id)
        if other is not None and other.id != ticket.merged_into:
            raise refused(409, "other", "对方另有一张在办的咨询单：请在那一张里答复")
        before = due_of(entries) if await part(tx, ticket, staff_id) else None
        due = before or wiring.hours.due_at(now(), wiring.hours.answer_minutes)
        ticket.state, ticket.claimed_by, ticket.answered_at = "claimed", staff_id, None
        ticket.due_at, ticket.acknowledge_by, ticket.notified = due, now(), []
        body = {"due_at": due.isoformat(), "acknowledge_by": now().isoformat()}
        await note(tx, REOPENED, ticket, staff_id, body)
        await note(tx, CLAIMED, ticket, staff_id, {})
    return ticket


def _is_erased(contact: Contact, entries: Sequence[Entry]) -> bool:
    """Also of a question that was answered or merged before, which no entry of theirs ended."""
    return contact.ended_reason == ERASED or any(one.body.get("erased") for one in entries)


async def hand_over(wiring: TicketWiring, ticket_id: str, staff_id: str, number: str) -> Ticket:
    """Ended here, for 12345 has it under this number; the citizen is told where to ask.

    Refused 403, 404, 409, and 422 without a number.
    """
    if not 0 < len(number.strip()) <= MAX_NUMBER or not number.strip().isalnum():
        raise refused(422, "number", "请填 12345 的工单号（字母和数字）")
    async with as_signed(wiring.ledger), wiring.ledger.transaction() as tx:
        ticket = await _held(wiring, tx, ticket_id, staff_id)
        contact = await tx.session.get(Contact, ticket.contact_id)
        entries = await wiring.ledger.facts(f"ticket:{ticket.id}")
        before = sum(one.kind == HANDED for one in entries)
        ticket.state, ticket.phone = "closed", ""
        await note(tx, HANDED, ticket, staff_id, {"number": number.strip()})
        await note(tx, "ticket.closed", ticket, staff_id, {"answered": False, "handed": True})
        if contact is not None and same_citizen(entries, contact):
            fields = {"ticket": short(ticket), "phone": wiring.hours.hotline}
            parts = Parts(
                account_id=ticket.account_id,
                contact_id=contact.id,
                basis=ReplyBasis.TEMPLATE,
                pieces=(Filled("handed_over", fields),),
            )
            # Handed over, taken up again and handed over once more is said once more.
            key = f"handed:{ticket.id}:{before}" if before else f"handed:{ticket.id}"
            await wiring.queue_reply(parts, key, tx.session)
    return ticket


async def _held(wiring: TicketWiring, tx: Transaction, ticket_id: str, staff_id: str) -> Ticket:
    ticket = await ticket_of(tx.session, ticket_id)
    await on_duty(tx.session, staff_id)
    check_holder(ticket, staff_id)
    check_held(ticket, await wiring.ledger.facts(f"ticket:{ticket.id}"))
    return ticket
