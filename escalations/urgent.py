"""Somebody is in danger: the person on duty is called at once, day and night, until one takes it.

`open_urgent` signs that a question is one; `page_due`, asked every two seconds, calls one person
after the other by the signed entries alone. A call that reached nobody passes to the next at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.models import Contact
from config.clock import now
from escalations.alarms import Told
from escalations.commitments import ANSWERED, CLAIMED
from escalations.ladder import ladder_of
from escalations.models import Ticket
from escalations.tickets import ROBOT, Question, TicketWiring, add_message, open_ticket, short
from ledger.verify import Broken, Entry
from storage.database import rows_of

URGENT, PAGED = "ticket.urgent", "ticket.paged"
REASON = "emergency"
AGAIN = timedelta(minutes=10)
"""Within it the same danger calls nobody twice; as long rests the ladder between two rounds."""
NEXT = timedelta(minutes=2)
"""So long has whoever was called to take it."""
ROUNDS = 3
_ENDS = frozenset({CLAIMED, ANSWERED, "ticket.closed"})
_LOOK = 1.0


class UrgentTickets:
    """The questions of people in danger that nobody has taken since."""

    def __init__(self) -> None:
        """A ledger tells each entry once."""
        self.ids: dict[str, None] = {}

    def take(self, entry: Entry) -> None:
        """The next signed entry of the chain."""
        ticket_id = entry.subject.partition(":")[2]
        if entry.kind == URGENT:
            self.ids[ticket_id] = None
        elif entry.kind in _ENDS:
            self.ids.pop(ticket_id, None)


@dataclass(frozen=True)
class Paging:
    """Where the calls of one danger stand."""

    holder: str  # who had the question when it became one, and is called first; "" for nobody
    called: tuple[str, ...]  # in this round
    rounds: int  # that are over
    next_at: datetime


async def open_urgent(wiring: TicketWiring, contact: Contact, question: Question) -> Ticket:
    """The contact's question in the hands of whoever is on duty. Refused as `open_ticket`."""
    begun = now()
    ticket = await open_ticket(wiring, contact, replace(question, reason=REASON))
    if ticket.created_at < begun:  # one that was open already
        await add_message(wiring, ticket.id, question.text)
    subject = f"ticket:{ticket.id}"
    async with wiring.ledger.transaction() as tx:
        entries = await wiring.ledger.facts(subject)
        row = await tx.session.get(Ticket, ticket.id)
        if row is not None:
            row.reason = REASON
        last = next((one for one in reversed(entries) if one.kind in (URGENT, *_ENDS)), None)
        if last is None or last.kind != URGENT or _at(last) < now() - AGAIN:
            await tx.append(URGENT, subject=subject, actor=ROBOT, body={})
    return ticket


async def page_due(wiring: TicketWiring) -> int:
    """Call whoever is next for each danger nobody took; how many people were called."""
    try:
        waiting = list((await wiring.ledger.following(UrgentTickets, age=_LOOK)).ids)
        return sum([await _page(wiring, one) for one in waiting])
    except Broken:  # the watch tells; nobody is called by a ledger that does not hold
        return 0


def paging_at(entries: Sequence[Entry]) -> Paging | None:
    """Where the calls stand by a ticket's entries; None when nobody is to be called."""
    began = max((at for at, one in enumerate(entries) if one.kind == URGENT), default=None)
    if began is None or any(one.kind in _ENDS for one in entries[began:]):
        return None
    # The same danger told again goes on where its calls stood.
    first = began
    for at in range(began, -1, -1):
        if entries[at].kind in _ENDS:
            break
        first = at if entries[at].kind == URGENT else first
    pages = [one for one in entries[first:] if one.kind == PAGED]
    ends = [at for at, one in enumerate(pages) if not one.body["to"]]
    if len(ends) >= ROUNDS:
        return None
    called = pages[ends[-1] + 1 :] if ends else pages
    holder = next((one.actor for one in reversed(entries[:first]) if one.kind == CLAIMED), "")
    return Paging(
        holder=holder,
        called=tuple(str(one.body["to"]) for one in called),
        rounds=len(ends),
        next_at=_next(entries[first], pages),
    )


def _next(urgent: Entry, pages: Sequence[Entry]) -> datetime:
    if not pages:
        return _at(urgent)
    last = pages[-1]
    if not last.body["to"]:
        return _at(last) + AGAIN
    return _at(last) + NEXT if last.body["reached"] else _at(last)


async def _page(wiring: TicketWiring, ticket_id: str) -> int:
    """Call one after the other until one was reached, or nobody is left of this round."""
    called = 0
    while True:
        paging = paging_at(await wiring.ledger.facts(f"ticket:{ticket_id}"))
        if paging is None or paging.next_at > now():
            return called
        person, ticket = await _whom(wiring, ticket_id, paging)
        told = await wiring.alarm(person, _words(ticket_id, ticket)) if person else Told()
        called += bool(person)
        async with wiring.ledger.transaction() as tx:
            body = {"to": person, "reached": bool(told), "route": told.route}
            await tx.append(PAGED, subject=f"ticket:{ticket_id}", actor=ROBOT, body=body)
        if not person:
            await _nobody(wiring, ticket_id)


async def _whom(wiring: TicketWiring, ticket_id: str, paging: Paging) -> tuple[str, Ticket | None]:
    async with wiring.ledger.db.session() as session:
        ticket = (await rows_of(session, Ticket, [ticket_id])).get(ticket_id)
        ladder = [one for one, _ in await ladder_of(session, ticket.topic if ticket else "")]
    order = dict.fromkeys([paging.holder, *ladder] if paging.holder else ladder)
    return next((one for one in order if one not in paging.called), ""), ticket


def _words(ticket_id: str, ticket: Ticket | None) -> str:
    number = short(ticket) if ticket is not None else short(Ticket(id=ticket_id))
    return (
        f"有人可能正遇险：咨询单 {number}。请马上登录控制台查看，"
        "需要时替本人拨打 110、119 或 120。两分钟内没有人认领，会通知下一位。"
    )


async def _nobody(wiring: TicketWiring, ticket_id: str) -> None:
    await wiring.ledger.open_incident(
        "ticket.danger_unclaimed",
        subject=f"ticket:{ticket_id}",
        message="有人可能正遇险，能通知到的值班人员和主管都已通知，仍无人认领：请马上在控制台认领",
        detail={},
    )


def _at(entry: Entry) -> datetime:
    return datetime.fromisoformat(entry.at)
