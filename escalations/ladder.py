"""Who is told of a ticket, one after the other, until somebody takes it."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from config.clock import now
from escalations.calendar import in_words
from escalations.models import Ticket
from escalations.roster import roster_now
from escalations.tickets import OPEN, ROBOT, TicketWiring, short
from ledger.changed import row_changed
from staff.people import active_with
from staff.roles import ROLES


async def escalate_due(wiring: TicketWiring) -> int:
    """Tell the next person of each ticket nobody acknowledged; how many tickets moved.

    Overdue answers become an incident and reach the supervisors once.
    """
    moment = now()
    async with wiring.ledger.db.session() as session:
        waiting = select(Ticket.id).where(Ticket.state == "open", Ticket.acknowledge_by <= moment)
        late = select(Ticket.id).where(Ticket.state.in_(OPEN), Ticket.due_at <= moment)
        waiting_ids = (await session.scalars(waiting.order_by(Ticket.id))).all()
        late_ids = (await session.scalars(late)).all()
    moved = sum([await _escalate(wiring, ticket_id) for ticket_id in waiting_ids])
    for ticket_id in late_ids:
        await _overdue(wiring, ticket_id)
    return moved


async def _escalate(wiring: TicketWiring, ticket_id: str) -> bool:
    """Tell one more person, under the write lock, so that two jobs never tell two."""
    moment = now()
    if not await wiring.ledger.facts(f"ticket:{ticket_id}"):
        # Opened by no signed entry: nobody is alarmed in a citizen's name whom nobody heard.
        await row_changed(wiring.ledger, Ticket.__tablename__, ticket_id)
        return False
    async with wiring.ledger.transaction() as tx:
        ticket = await tx.session.get(Ticket, ticket_id)
        if ticket is None or ticket.state != "open" or ticket.acknowledge_by > moment:
            return False
        hours = wiring.hours
        # Nobody is called at night: the first working minute is the new deadline.
        if not hours.is_working(moment):
            ticket.acknowledge_by = hours.next_working(moment)
            return False
        # Each person is told once; who did not answer is not called again, the next one is.
        told = {entry["staff"] for entry in ticket.notified}
        ladder = await _ladder(tx.session, ticket.topic)
        person = next((one for one in ladder if one[0] not in told), None)
        # Moved on even when nobody is left: the job would otherwise find it due each minute.
        ticket.acknowledge_by = hours.due_at(moment, hours.acknowledge_minutes)
        if person is not None:
            staff_id, tier = person
            ticket.notified = [
                *ticket.notified,
                {"staff": staff_id, "at": moment.isoformat(), "tier": tier},
            ]
            ticket.tier = tier
            await tx.append(
                "ticket.escalated",
                subject=f"ticket:{ticket_id}",
                actor=ROBOT,
                body={"to": staff_id, "tier": tier, "step": len(ticket.notified)},
            )
    if person is None:
        await wiring.ledger.open_incident(
            "ticket.unclaimed",
            subject=f"ticket:{ticket_id}",
            message="咨询单已通知全部值班人员和主管，仍无人认领：请在控制台认领",
            detail={"told": len(told)},
        )
        return False
    await wiring.alarm(
        person[0],
        f"有新的咨询单 {short(ticket)} 待认领，请在 {in_words(ticket.acknowledge_by)} 前处理，"
        f"答复时限 {in_words(ticket.due_at)}。内容请登录控制台查看。",
    )
    return True


async def _overdue(wiring: TicketWiring, ticket_id: str) -> None:
    subject = f"ticket:{ticket_id}"
    async with wiring.ledger.transaction() as tx:
        ticket = await tx.session.get(Ticket, ticket_id)
        marked = ticket is None or any(entry.get("overdue") for entry in ticket.notified)
        # Once: the mark stands among those notified, so that no column more is needed.
        if ticket is None or marked or not wiring.hours.is_working(now()):
            return
        mark = {"staff": "", "at": now().isoformat(), "tier": ticket.tier, "overdue": True}
        ticket.notified = [*ticket.notified, mark]
        supervisors = await active_with(tx.session, {"supervisor"})
        await tx.append("ticket.overdue", subject=subject, actor=ROBOT, body={})
    await wiring.ledger.open_incident(
        "ticket.overdue",
        subject=subject,
        message=f"咨询单 {short(ticket)} 已超过答复时限：请尽快答复",
        detail={},
    )
    for staff_id in supervisors:
        await wiring.alarm(staff_id, f"咨询单 {short(ticket)} 已超过答复时限，请督办。")


async def _ladder(session: AsyncSession, topic: str) -> list[tuple[str, int]]:
    """Whom to tell, in order: by tier, within it the topic's people first, at last supervisors."""
    lines = [line for line in await roster_now(session) if line.topic in ("", topic)]
    working = set(await active_with(session, ROLES))
    ordered = [
        line
        for _, line in sorted(
            enumerate(lines), key=lambda one: (one[1].tier, one[1].topic == "", one[0])
        )
        if line.staff in working
    ]
    last = (ordered[-1].tier if ordered else -1) + 1
    # Reversed, so that a person on several lines keeps the first of them.
    ladder = {line.staff: line.tier for line in reversed(ordered)}
    ordered_ids = [line.staff for line in ordered]
    for staff_id in await active_with(session, {"supervisor"}):
        if staff_id not in ladder:
            ladder[staff_id] = last
            ordered_ids.append(staff_id)
    return [(staff_id, ladder[staff_id]) for staff_id in dict.fromkeys(ordered_ids)]
