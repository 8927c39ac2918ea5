"""What colleagues tell each other about a question: never said to the citizen, gone with them."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from config.clock import now
from escalations.models import TicketNote
from escalations.tickets import TicketWiring, note, on_duty, refused, ticket_of
from storage.database import new_id

NOTED = "ticket.noted"
MAX_NOTE = 500


async def add_note(wiring: TicketWiring, ticket_id: str, staff_id: str, text: str) -> TicketNote:
    """Keep a note; personal data is refused (422), for it would be kept without a need."""
    words = text.strip()
    if not 0 < len(words) <= MAX_NOTE:
        raise refused(422, "text", f"备注应为 1 至 {MAX_NOTE} 字：请填写或缩短")
    if any(one.gate == "secrecy" for one in await wiring.check(words)):
        raise refused(422, "secrecy", "备注里请不要写手机号、证件号等个人信息和涉密内容")
    async with wiring.ledger.transaction() as tx:
        ticket = await ticket_of(tx.session, ticket_id)
        await on_duty(tx.session, staff_id)
        row = TicketNote(id=new_id(), ticket_id=ticket.id, staff_id=staff_id, text=words, at=now())
        tx.session.add(row)
        await note(tx, NOTED, ticket, staff_id, {"note": row.id})
    return row


async def notes_of(session: AsyncSession, tickets: Sequence[str]) -> Sequence[TicketNote]:
    """The notes of these questions in order."""
    query = select(TicketNote).where(TicketNote.ticket_id.in_(tickets)).order_by(TicketNote.id)
    return (await session.scalars(query)).all()
