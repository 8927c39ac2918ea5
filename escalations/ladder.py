"""Who is told of a ticket, one after the other, until somebody takes it."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from config.clock import now
from escalations.alarms import Told
from escalations.calendar import OfficeHours, in_words
from escalations.lateness import BETWEEN, CALLED, LATE, OpenTickets, Waiting, waiting_at
from escalations.models import Ticket
from escalations.paging import paging_at
from escalations.righting import called_by, put_right, strays
from escalations.roster import roster_now
from escalations.tickets import OPEN, ROBOT, TicketWiring, short
from ledger.changed import row_changed
from ledger.verify import Broken
from staff.people import active_with
from staff.roles import ROLES
from storage.database import rows_of

_FRESH = 5.0
"""Seconds: a look that old is good enough to find what is due; the act reads anew."""
TELLING = timedelta(minutes=2)
"""How long a ticket is put off while one person is told: more than all their ways may take."""
_ROUNDS = 3
"""How often somebody who could not be reached is tried, a turn of the ladder apart."""


async def escalate_due(wiring: TicketWiring) -> int:
    """Tell the next person of each ticket nobody acknowledged; how many tickets moved.

    Overdue answers become an incident and reach the supervisors once. Both by signed entries: a
    row that says otherwise is put right and told as changed, and the others go on.
    """
    moved = 0
    try:
        for ticket_id, row in (await _looked_at(wiring)).items():
            moved += await _look(wiring, ticket_id, row)
    except Broken:  # the watch tells; nobody is called by a ledger that does not hold
        pass
    return moved


async def _looked_at(wiring: TicketWiring) -> dict[str, Ticket | None]:
    """What waits by signed entries or by its row; None for a row that is gone or unreadable."""
    signed = (await wiring.ledger.following(OpenTickets, age=_FRESH)).ids
    async with wiring.ledger.db.session() as session:
        query = select(Ticket.id).where(Ticket.state.in_(OPEN))
        ids = sorted({*(await session.scalars(query)), *signed}, key=str)
        rows = await rows_of(session, Ticket, ids)
    return {one: rows.get(one) for one in ids}


async def _look(wiring: TicketWiring, ticket_id: str, row: Ticket | None) -> int:
    hours = wiring.hours
    waits = waiting_at(await wiring.ledger.facts(f"ticket:{ticket_id}", age=_FRESH), hours)
    if strays(row, waits):
        row = await put_right(wiring, ticket_id)
        waits = waiting_at(await wiring.ledger.facts(f"ticket:{ticket_id}"), hours)
    if row is None or waits is None:
        return 0
    # First, so that the one who is called hears the time that is signed.
    if _apart(row, waits) or _is_late(waits, hours):
        await _overdue(wiring, row.id)
    # Whoever is on duty is called for danger already, at any hour (urgent.py).
    if paging_at(await wiring.ledger.facts(f"ticket:{ticket_id}", age=_FRESH)) is not None:
        return 0
    if row.state == "open" and _calls(row, waits, hours):
        return await _escalate(wiring, row.id)
    return 0


def _calls(row: Ticket, waits: Waiting, hours: OfficeHours) -> bool:
    """Whether the row is due, or is none the program would have written."""
    if _noted(row) != _signed(waits):
        return True
    if abs(row.acknowledge_by - waits.call_at) <= BETWEEN:
        return waits.call_at <= now()
    return row.acknowledge_by < waits.call_at or _call_at(row, waits, hours) <= now()


def _call_at(row: Ticket, waits: Waiting, hours: OfficeHours) -> datetime:
    """When the next person is told. The row may name a later moment: a morning, one more turn."""
    moment = now()
    latest = max(hours.next_working(moment), hours.due_at(moment, hours.acknowledge_minutes))
    # Later than anything that is ever put off from now: the row would silence the ladder.
    return waits.call_at if row.acknowledge_by > latest else max(row.acknowledge_by, waits.call_at)


def _apart(row: Ticket, waits: Waiting) -> bool:
    return abs(row.due_at - waits.due) > BETWEEN


def _is_late(waits: Waiting, hours: OfficeHours) -> bool:
    return waits.due <= now() and not waits.told and hours.is_working(now())


def _noted(row: Ticket) -> list[str]:
    """Whom the row says were told; the mark of a late answer stands there without a person."""
    given = row.notified if isinstance(row.notified, list) else []
    found = [str(one.get("staff", "")) if isinstance(one, dict) else "?" for one in given]
    return [one for one in found if one]


def _signed(waits: Waiting) -> list[str]:
    return [str(one.body["to"]) for one in waits.called]


@dataclass(frozen=True)
class _Step:
    """What one turn of the ladder came to. `to`: whom to tell now, "" for nobody."""

    to: str = ""
    tier: int = 0
    told: int = 0
    reached: int = 0
    due: bool = False
    changed: bool = False
    words: str = ""


async def _escalate(wiring: TicketWiring, ticket_id: str) -> bool:
    """Tell one more person; whoever cannot be reached is passed over at once.

    Each is chosen under the write lock, which puts the ticket off for a moment, so that two jobs
    never tell two; what came of it is signed after it.
    """
    tried: set[str] = set()
    while True:
        step = await _turn(wiring, ticket_id, tried)
        if not step.to:
            break
        tried.add(step.to)
        told = await wiring.alarm(step.to, step.words)
        await _sign(wiring, ticket_id, step, told)
        if told:
            return True
    if step.due and step.reached:
        await wiring.ledger.open_incident(
            "ticket.unclaimed",
            subject=f"ticket:{ticket_id}",
            message="能通知到的值班人员和主管都已通知，咨询单仍无人认领：请在控制台认领",
            detail={"told": step.told},
        )
    elif step.due:
        await _nobody_reached(wiring)
    return bool(tried)


async def _turn(wiring: TicketWiring, ticket_id: str, tried: Collection[str]) -> _Step:
    """Choose whom to tell, and put the ticket off while they are told."""
    async with wiring.ledger.transaction() as tx:
        ticket = await tx.session.get(Ticket, ticket_id)
        if ticket is None or ticket.state != "open":
            return _Step()
        hours = wiring.hours
        waits = waiting_at(await wiring.ledger.facts(f"ticket:{ticket_id}"), hours)
        # Opened by no signed entry, claimed or closed by one: nobody is alarmed in a citizen's
        # name whom nobody heard, or who was answered.
        step = _Step(changed=True)
        if waits is not None and not waits.claimed:
            step = await _step(tx.session, ticket, waits, hours, tried)
    if step.changed:
        await row_changed(wiring.ledger, Ticket.__tablename__, ticket_id)
    return step


async def _step(
    session: AsyncSession,
    ticket: Ticket,
    waits: Waiting,
    hours: OfficeHours,
    tried: Collection[str],
) -> _Step:
    """The next person when it is time, by what is signed."""
    moment = now()
    changed = ticket.acknowledge_by < waits.call_at - BETWEEN or _noted(ticket) != _signed(waits)
    call_at = ticket.acknowledge_by = _call_at(ticket, waits, hours)
    if changed:
        ticket.notified = called_by(waits)
    if call_at > moment:
        return _Step(changed=changed)
    # Nobody is called at night: the first working minute is the new deadline.
    if not hours.is_working(moment):
        ticket.acknowledge_by = hours.next_working(moment)
        return _Step(changed=changed)
    # Each person is told once; who did not answer is not called again, the next one is.
    called = Counter(_signed(waits))
    reached = {str(one.body["to"]) for one in waits.called if one.body.get("reached", True)}
    left = [
        one
        for one in await ladder_of(session, ticket.topic)
        if one[0] not in reached and one[0] not in tried and called[one[0]] < _ROUNDS
    ]
    to, tier = min(left, key=lambda one: called[one[0]], default=("", 0))
    by = hours.due_at(moment, hours.acknowledge_minutes)
    # Moved on even when nobody is left: the job would otherwise find it due each minute.
    ticket.acknowledge_by = min(by, moment + TELLING) if to else by
    return _Step(
        to,
        tier,
        len(called),
        len(reached),
        due=True,
        changed=changed,
        words=_words(ticket, by, "有新的咨询单"),
    )


def _words(ticket: Ticket, by: datetime, what: str) -> str:
    return (
        f"{what} {short(ticket)} 待认领，请在 {in_words(by)} 前处理，"
        f"答复时限 {in_words(ticket.due_at)}。内容请登录控制台查看。"
    )


async def call(wiring: TicketWiring, ticket: Ticket, to: str) -> Told:
    """Call one person to whom a colleague passed it; after them the ladder goes on as ever."""
    by = wiring.hours.due_at(now(), wiring.hours.acknowledge_minutes)
    step = _Step(to, ticket.tier, words=_words(ticket, by, "同事转来的咨询单"))
    told = await wiring.alarm(to, step.words)
    await _sign(wiring, ticket.id, step, told)
    return told


async def _sign(wiring: TicketWiring, ticket_id: str, step: _Step, told: Told) -> None:
    """What came of telling one person; without an address, by what kind of way they were told."""
    subject, moment, hours = f"ticket:{ticket_id}", now(), wiring.hours
    # Whoever was not reached holds nothing up: the next one is due at once.
    by = hours.due_at(moment, hours.acknowledge_minutes) if told else moment
    async with wiring.ledger.transaction() as tx:
        called = [one for one in await wiring.ledger.facts(subject) if one.kind == CALLED]
        ticket = await tx.session.get(Ticket, ticket_id)
        if ticket is not None:
            before = ticket.notified if isinstance(ticket.notified, list) else []
            mark = {"staff": step.to, "at": moment.isoformat(), "tier": step.tier}
            ticket.notified = [*before, mark]
            ticket.acknowledge_by, ticket.tier = by, step.tier
        body = {
            "to": step.to,
            "tier": step.tier,
            "step": len(called) + 1,
            "acknowledge_by": by.isoformat(),
            "reached": bool(told),
            "route": told.route,
        }
        await tx.append(CALLED, subject=subject, actor=ROBOT, body=body)


async def _nobody_reached(wiring: TicketWiring) -> None:
    """One incident for the office, while it is open: the remedy is the same for each ticket."""
    await wiring.ledger.open_incident(
        "duty.unreached",
        subject="roster",
        message="有咨询单没有通知到任何值班人员和主管：请现在就到“值班”页认领，"
        "再让他们在“我的登录”的“值班提醒”里填写提醒方式，并发一条测试提醒",
        detail={},
    )


async def _overdue(wiring: TicketWiring, ticket_id: str) -> None:
    subject = f"ticket:{ticket_id}"
    late, supervisors = False, []
    async with wiring.ledger.transaction() as tx:
        ticket = await tx.session.get(Ticket, ticket_id)
        if ticket is None or ticket.state not in OPEN:
            return
        hours = wiring.hours
        waits = waiting_at(await wiring.ledger.facts(subject), hours)
        changed = waits is None or _apart(ticket, waits)
        if waits is not None:
            ticket.due_at = waits.due
            late = _is_late(waits, hours)
        if late:
            mark = {"staff": "", "at": now().isoformat(), "tier": ticket.tier, "overdue": True}
            ticket.notified = [*ticket.notified, mark]
            supervisors = await active_with(tx.session, {"supervisor"})
            body = {"due_at": ticket.due_at.isoformat()}
            await tx.append(LATE, subject=subject, actor=ROBOT, body=body)
    if changed:
        await row_changed(wiring.ledger, Ticket.__tablename__, ticket_id)
    if not late:
        return
    await wiring.ledger.open_incident(
        "ticket.overdue",
        subject=subject,
        message=f"咨询单 {short(ticket)} 已超过答复时限：请尽快答复",
        detail={},
    )
    for staff_id in supervisors:
        await wiring.alarm(staff_id, f"咨询单 {short(ticket)} 已超过答复时限，请督办。")


async def ladder_of(session: AsyncSession, topic: str | None) -> list[tuple[str, int]]:
    """Whom to tell, in order: by tier, within it the topic's people first, at last supervisors.

    Without a topic (None) whoever is on duty for anything, those for everything first.
    """
    roster = await roster_now(session)
    lines = [line for line in roster if topic is None or line.topic in ("", topic)]
    working = set(await active_with(session, ROLES))
    ordered = [
        line
        for _, line in sorted(
            enumerate(lines),
            key=lambda one: (one[1].tier, (one[1].topic == "") == (topic is not None), one[0]),
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
