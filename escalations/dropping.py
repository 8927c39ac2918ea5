"""A reply that the gates stopped is thrown away, by itself or for another one in its place."""

from collections.abc import Sequence

from escalations.commitments import DROPPED, holder_of, stopped_writer
from escalations.models import Ticket, TicketReply
from escalations.tickets import (
    TicketWiring,
    as_signed,
    check_held,
    note,
    on_duty,
    refused,
    ticket_of,
)
from ledger.append import Transaction
from ledger.verify import Entry

NEVER_SENT = "dropped"
"""TicketReply.state of a reply that was stopped and thrown away."""


async def drop(wiring: TicketWiring, reply_id: str, staff_id: str) -> Ticket:
    """Throw a stopped reply away: its writer may, and who holds the ticket. Refused 404, 403, 409.

    Its words go; that it was written, stopped and thrown away stays signed.
    """
    async with as_signed(wiring.ledger), wiring.ledger.transaction() as tx:
        reply = await tx.session.get(TicketReply, reply_id)
        if reply is None:
            raise refused(404, "reply", "没有这条答复")
        ticket = await ticket_of(tx.session, reply.ticket_id)
        await drop_in(wiring, tx, ticket, reply.id, staff_id)
    return ticket


async def drop_in(
    wiring: TicketWiring, tx: Transaction, ticket: Ticket, reply_id: str, staff_id: str
) -> None:
    """The same inside the transaction that writes another reply in its place."""
    reply = await tx.session.get(TicketReply, reply_id)
    await on_duty(tx.session, staff_id)
    entries = await wiring.ledger.facts(f"ticket:{ticket.id}")
    if reply is None or reply.ticket_id != ticket.id or reply.state != "stopped":
        raise refused(409, "state", "这条答复已经不在等待确认：请刷新页面")
    if ticket.state == "claimed":
        check_held(ticket, entries)
    if staff_id not in (stopped_writer(entries, reply.id), holder_of(entries)):
        raise refused(403, "writer", "只有写这条答复的人或接手问题的人可以修改、放弃它")
    reply.state, reply.text, reply.findings = NEVER_SENT, "", []
    await note(tx, DROPPED, ticket, staff_id, {"reply": reply.id})


def dropped(entries: Sequence[Entry], reply_id: str) -> bool:
    """Whether a signed entry says so: a row set back by SQL waits for nobody's consent."""
    return any(one.kind == DROPPED and one.body.get("reply") == reply_id for one in entries)
