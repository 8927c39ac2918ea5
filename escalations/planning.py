"""An answer written outside working hours goes out when people next begin, within the window.

Its delivery is an ordinary one that is not due before its hour. Whoever holds the question may send
it at once after all, or take it back; both are signed.
"""

from datetime import datetime, timedelta

from sqlalchemy import update

from bot.contract import State
from bot.delivery.routes import Route
from bot.models import Delivery
from bot.sealing import rewrite
from config.clock import now
from escalations.calendar import OfficeHours
from escalations.commitments import FAILED, RETRACTED
from escalations.models import Ticket, TicketReply
from escalations.outcomes import Came, planned_words, replies_of
from escalations.tickets import (
    TicketWiring,
    as_signed,
    check_held,
    check_holder,
    note,
    on_duty,
    refused,
    ticket_of,
)
from ledger.append import Transaction

PLANNED, SOONER = "ticket.reply_planned", "ticket.reply_sooner"
SLACK = timedelta(minutes=10)
"""So long before the platform closes must the hour lie: the sender may be busy."""
TAKEN_BACK = "值班人员在发出前收回"


def planned_for(hours: OfficeHours, way: Route) -> datetime | None:
    """When an answer written now could go out instead; None at work, or when it is too late then.

    `way` is how this person is reached now.
    """
    moment = now()
    if hours.is_working(moment) or not way.open:
        return None
    begin = hours.next_working(moment)
    return begin if way.until is None or begin + SLACK < way.until else None


async def put_off(tx: Transaction, ticket: Ticket, reply: TicketReply, until: datetime) -> None:
    """Not before this hour: the row that was just queued, and a signed entry that says so."""
    mine = update(Delivery).where(Delivery.id == reply.delivery_id)
    await tx.session.execute(mine.values(next_at=until))
    reply.state, reply.why = Came.PLANNED, planned_words(until)
    body = {"reply": reply.id, "at": until.isoformat()}
    await note(tx, PLANNED, ticket, reply.staff_id, body)


async def send_planned(wiring: TicketWiring, reply_id: str, staff_id: str) -> TicketReply:
    """Send it at once after all. Refused 403, 404, 409."""
    async with as_signed(wiring.ledger), wiring.ledger.transaction() as tx:
        ticket, reply = await _planned(wiring, tx, reply_id, staff_id)
        mine = update(Delivery).where(
            Delivery.id == reply.delivery_id, Delivery.state == State.CREATED
        )
        await tx.session.execute(mine.values(next_at=None))
        reply.state, reply.why = Came.SENDING, ""
        await note(tx, SOONER, ticket, staff_id, {"reply": reply.id})
    if reply.delivery_id:
        await wiring.send(reply.delivery_id)
    return next(one for one in await replies_of(wiring, ticket.id) if one.id == reply_id)


async def unplan(wiring: TicketWiring, reply_id: str, staff_id: str) -> str:
    """Take it back before its hour: the question waits again for who holds it; the words.

    Refused 403, 404, 409 once it is on its way.
    """
    async with as_signed(wiring.ledger), wiring.ledger.transaction() as tx:
        ticket, reply = await _planned(wiring, tx, reply_id, staff_id)
        which = (Delivery.id == reply.delivery_id) & (Delivery.state == State.CREATED)
        ended = {"state": State.ENDED, "why": TAKEN_BACK, "finished_at": now()}
        if not await rewrite(tx.session, which, **ended):
            raise refused(409, "state", "这条答复已经在发送，不能再收回")
        reply.state, reply.why, ticket.state = Came.FAILED, TAKEN_BACK, "claimed"
        body = {"reply": reply.id, "result": RETRACTED}
        await note(tx, FAILED, ticket, staff_id, body)
    return reply.text


async def _planned(
    wiring: TicketWiring, tx: Transaction, reply_id: str, staff_id: str
) -> tuple[Ticket, TicketReply]:
    reply = await tx.session.get(TicketReply, reply_id)
    if reply is None:
        raise refused(404, "reply", "没有这条答复")
    ticket = await ticket_of(tx.session, reply.ticket_id)
    await on_duty(tx.session, staff_id)
    if reply.state != Came.PLANNED:
        raise refused(409, "state", "这条答复不在等候定时发出：请刷新页面")
    check_holder(ticket, staff_id, "replied")
    check_held(ticket, await wiring.ledger.facts(f"ticket:{ticket.id}"))
    return ticket, reply
