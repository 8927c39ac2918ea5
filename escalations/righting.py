"""The row of an open question put right by its signed entries, also when it is gone."""

from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.models import Contact
from escalations.lateness import Waiting, waiting_at
from escalations.models import Ticket
from escalations.tickets import OPEN, TicketWiring
from ledger.changed import row_changed
from storage.database import UNREADABLE, rows_of

_GONE = "（这张咨询单的记录被绕过本系统从数据库中删去或改动，原来的问题已经没有：请联系本人）"


def strays(row: Ticket | None, waits: Waiting | None) -> bool:
    """Whether the row is not that of a question which waits as its entries say."""
    if row is None or waits is None:
        return True
    if row.state not in OPEN and not waits.ends_signed:
        return False
    return row.state != waits.state or (waits.claimed and row.claimed_by != waits.holder)


def called_by(waits: Waiting) -> list[dict[str, object]]:
    """What the row's list of people is by the signed entries."""
    return [
        {"staff": one.body["to"], "at": one.at, "tier": one.body["tier"]} for one in waits.called
    ]


async def put_right(wiring: TicketWiring, ticket_id: str) -> Ticket | None:
    """The row as it waits by signed entries, and an incident when it did not; None: no such.

    Nobody is told here: who is to be called is asked of the row as it stands then.
    """
    async with wiring.ledger.transaction() as tx:
        row = (await rows_of(tx.session, Ticket, [ticket_id])).get(ticket_id)
        entries = await wiring.ledger.facts(f"ticket:{ticket_id}")
        waits = waiting_at(entries, wiring.hours)
        changed = strays(row, waits)
        if waits is not None and row is None:
            row = await _anew(tx.session, ticket_id, waits)
        elif waits is not None and row is not None and changed:
            row.state, row.claimed_by, row.answered_at = waits.state, waits.holder or None, None
    if changed:
        await row_changed(wiring.ledger, Ticket.__tablename__, ticket_id)
    return row if waits is not None else None


async def _anew(session: AsyncSession, ticket_id: str, waits: Waiting) -> Ticket:
    """A row in the place of one that is gone or cannot be read; its question if that is there."""
    body = waits.opened.body
    found = select(Contact.id, Contact.account_id).where(
        Contact.subject_ref == body.get("contact", "")
    )
    person = (await session.execute(found)).first()
    question = await _question(session, ticket_id)
    await session.execute(delete(Ticket).where(Ticket.id == ticket_id))
    row = Ticket(
        id=ticket_id,
        account_id=person.account_id if person else "",
        contact_id=person.id if person else "",
        question=question,
        topic=str(body.get("topic", "")),
        reason=str(body.get("reason", "")),
        candidates=[],
        state=waits.state,
        tier=waits.called[-1].body["tier"] if waits.called else 0,
        notified=called_by(waits),
        claimed_by=waits.holder or None,
        acknowledge_by=waits.call_at,
        due_at=waits.due,
        created_at=datetime.fromisoformat(waits.opened.at),
    )
    session.add(row)
    await session.flush()
    return row


async def _question(session: AsyncSession, ticket_id: str) -> str:
    try:
        found = await session.scalar(select(Ticket.question).where(Ticket.id == ticket_id))
    except UNREADABLE:
        return _GONE
    return found if isinstance(found, str) else _GONE
