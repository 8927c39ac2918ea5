"""A citizen's question in a person's hands: opened, added to, claimed, closed, erased.

Every act takes the `TicketWiring` first. Telling the roster is in ladder.py, answering in
replying.py. Staff acts refuse with staff.refusal.Refused (403, 404, 409, 422). Each step is a
signed ledger entry that holds the ticket and the contact's subject_ref, never text or address.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import and_, delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.contract import State
from bot.delivery.routes import Windowed
from bot.models import Contact, Delivery
from bot.replies import Parts
from bot.sealing import rewrite
from config.clock import now
from escalations.alarms import Told
from escalations.calendar import OfficeHours
from escalations.commitments import CLAIMED, OPENED, due_of, holder_of, opened_for, same_citizen
from escalations.kinds import WORKING_DAYS
from escalations.models import Ticket, TicketMessage, TicketNote, TicketReply
from escalations.paging import REASON, paging_at
from gates.finding import Finding
from ledger.append import Ledger, Transaction
from ledger.changed import row_changed
from ledger.verify import Broken, Entry
from staff.models import Staff
from staff.people import Member, person_with
from staff.refusal import Reason, Refused
from storage.crypt import DataKey
from storage.database import new_id

OPEN = ("open", "claimed")
DUTY_ROLES = frozenset({"duty", "supervisor"})
ROBOT = "system"
TAKEN_BACK = "问题已结束，答复没有再发送"


class QueueReply(Protocol):
    """bot.delivery.outbox.queue_reply: leaves one reply row, unique by key, in the transaction."""

    async def __call__(self, parts: Parts, key: str, session: AsyncSession | None = None) -> str:
        """The delivery's id."""


class NotAsSigned(Exception):
    """A row is not what was signed of it."""

    def __init__(self, row: Ticket | TicketReply | Contact, rule: str, message: str) -> None:
        """`row` is named in the incident; rule and message say it to whoever was refused."""
        super().__init__(message)
        self.table, self.row_id = str(row.__tablename__), str(row.id)
        self.reason = Reason(rule, message)


@asynccontextmanager
async def as_signed(ledger: Ledger) -> AsyncIterator[None]:
    """What is done inside is refused (409), and an incident, when a row is NotAsSigned.

    Around the transaction: that one is rolled back, the incident is not.
    """
    try:
        yield
    except NotAsSigned as wrong:
        await row_changed(ledger, wrong.table, wrong.row_id)
        raise Refused(409, [wrong.reason]) from wrong


Check = Callable[[str], Awaitable[Sequence[Finding]]]
"""A staff reply in, findings of the gates out."""

Send = Callable[[str], Awaitable[object]]
"""A delivery's id: sent at once when it can be; what came of it stands in its row."""

Alarm = Callable[[str, str], Awaitable[Told]]
"""Staff id and a text without anything a citizen wrote; see escalations/alarms.py."""


async def _left_to_the_job(delivery_id: str) -> None:
    """The job that delivers finds it."""


@dataclass(frozen=True)
class TicketWiring:
    """What tickets are given by the root. `channels` by platform; one not named has no window.

    `crypt` hides the number somebody leaves for a call back; without it none is kept.
    """

    ledger: Ledger
    hours: OfficeHours
    check: Check
    queue_reply: QueueReply
    alarm: Alarm
    channels: Mapping[str, Windowed] = field(default_factory=dict)
    send: Send = _left_to_the_job
    crypt: DataKey | None = None


@dataclass(frozen=True)
class Question:
    """What is handed over: masked text, the answering's closed status, and clauses it found.

    `within`: until when the platform takes an answer, where it does not take one at any time.
    """

    text: str
    reason: str
    topic: str = ""
    candidates: Sequence[Mapping[str, Any]] = ()
    within: datetime | None = None


async def open_ticket(wiring: TicketWiring, contact: Contact, question: Question) -> Ticket:
    """The contact's open ticket, or a new one.

    It is due at once when people are at work: `escalate_due` tells the first of them, so the
    citizen's answer never waits for an alarm. Refused 409, and an incident, when the contact's row
    is not what this program wrote: the ticket would be signed for somebody else.
    """
    moment = now()
    async with as_signed(wiring.ledger), wiring.ledger.transaction() as tx:
        if not contact.whole:
            message = "来信人的记录被改动过，不能转人工：请看事件页"
            raise NotAsSigned(contact, "contact", message)
        found = await active(tx.session, contact.id)
        # One open question for a person: what they add goes to whoever holds it. In danger only
        # if it is theirs: a row led to them by SQL would have somebody else helped.
        if found is not None and (
            question.reason != REASON
            or same_citizen(await wiring.ledger.facts(f"ticket:{found.id}"), contact)
        ):
            return found
        call_at, due = _by(wiring, moment, question)
        ticket = Ticket(
            id=new_id(),
            account_id=contact.account_id,
            contact_id=contact.id,
            question=question.text,
            topic=question.topic,
            reason=question.reason,
            candidates=[dict(one) for one in question.candidates],
            state="open",
            notified=[],
            acknowledge_by=call_at,
            due_at=due,
            created_at=moment,
        )
        tx.session.add(ticket)
        await tx.append(
            OPENED,
            subject=f"ticket:{ticket.id}",
            actor=ROBOT,
            body={
                **opened_for(contact),
                "topic": question.topic,
                "reason": question.reason,
                "due_at": ticket.due_at.isoformat(),
                "acknowledge_by": ticket.acknowledge_by.isoformat(),
            },
        )
    return ticket


def _by(wiring: TicketWiring, moment: datetime, question: Question) -> tuple[datetime, datetime]:
    """When somebody is called first, and by when the question is to be answered."""
    hours = wiring.hours
    try:
        days = WORKING_DAYS.get(question.reason)
        if days is not None:
            return hours.next_working(moment), hours.due_after_days(moment, days)
        due = hours.due_within(moment, hours.answer_minutes, question.within)
        return hours.next_working(moment), due
    except Refused:
        # Hours that cannot be proved hold up every question, but nobody's life.
        if question.reason != REASON:
            raise
        return moment, moment


async def active(session: AsyncSession, contact_id: str) -> Ticket | None:
    """The ticket that a person still has to answer for this contact."""
    query = select(Ticket).where(Ticket.contact_id == contact_id, Ticket.state.in_(OPEN))
    return (await session.scalars(query.order_by(Ticket.id).limit(1))).first()


async def promised(wiring: TicketWiring, ticket: Ticket, contact: Contact) -> datetime:
    """By when this citizen is answered, as it was signed last.

    A row that says another hour is an incident; Refused 409 when it was opened for nobody, or
    for somebody else: no hour is told then.
    """
    try:
        entries = await wiring.ledger.facts(f"ticket:{ticket.id}")
    except Broken as broken:
        raise refused(409, "ledger", f"台账核验不通过，不能说出答复时限：{broken}") from broken
    due = due_of(entries) if same_citizen(entries, contact) else None
    if due != ticket.due_at:
        await row_changed(wiring.ledger, Ticket.__tablename__, ticket.id)
    if due is None:
        raise refused(409, "ticket", "没有签名记录证明这张咨询单是为这个人开的：请看事件页")
    return due


async def add_message(wiring: TicketWiring, ticket_id: str, text: str) -> None:
    """Keep what the citizen adds (masked) for the person who holds the ticket."""
    async with wiring.ledger.db.session() as session:
        session.add(TicketMessage(id=new_id(), ticket_id=ticket_id, text=text, at=now()))


async def messages(session: AsyncSession, ticket_id: str) -> list[TicketMessage]:
    """What the citizen added, in order."""
    query = select(TicketMessage).where(TicketMessage.ticket_id == ticket_id)
    return [*(await session.scalars(query.order_by(TicketMessage.id))).all()]


async def erase(tx: Transaction, contact_id: str) -> None:
    """忘记我: the words of this contact and of the replies to it are removed."""
    session = tx.session
    tickets = select(Ticket).where(Ticket.contact_id == contact_id)
    for ticket in (await session.scalars(tickets)).all():
        # The row stays for the count and the ledger's entry; every word of the person goes.
        ticket.question, ticket.candidates = "（已按本人要求删除）", []
        if ticket.state in OPEN:
            # Signed, so that a row set open again has nobody called for it.
            await note(tx, "ticket.closed", ticket, ROBOT, {"answered": False, "erased": True})
        ticket.state = "closed"
        for message in await messages(session, ticket.id):
            await session.delete(message)
        await session.execute(delete(TicketNote).where(TicketNote.ticket_id == ticket.id))
        ticket.phone = ""
        replies = select(TicketReply).where(TicketReply.ticket_id == ticket.id)
        for reply in (await session.scalars(replies)).all():
            reply.text, reply.findings = "", []


async def claim(wiring: TicketWiring, ticket_id: str, staff_id: str) -> Ticket:
    """Take the ticket; the second person gets 409 with the holder's name."""
    async with wiring.ledger.transaction() as tx:
        ticket = await ticket_of(tx.session, ticket_id)
        await on_duty(tx.session, staff_id)
        # The name helps: the second person asks their colleague instead of pressing again.
        danger = paging_at(await wiring.ledger.facts(f"ticket:{ticket.id}")) is not None
        # Somebody in danger is taken over by whoever comes first, also from a holder who is away.
        if ticket.state == "claimed" and not danger and await _serves(tx, ticket.claimed_by):
            holder = await tx.session.get(Staff, ticket.claimed_by)
            name = holder.name if holder else "其他同事"
            raise refused(409, "claimed", f"咨询单已由 {name} 认领")
        if ticket.state not in OPEN:
            raise refused(409, "state", "咨询单已办结，不能再认领")
        ticket.state, ticket.claimed_by = "claimed", staff_id
        await note(tx, CLAIMED, ticket, staff_id, {})
    return ticket


async def _serves(tx: Transaction, staff_id: str | None) -> bool:
    """Whether a holder may still answer: a question of who left is anybody's to take."""
    try:
        await person_with(tx.session, staff_id or "", DUTY_ROLES)
    except Refused:
        return False
    return True


async def close(wiring: TicketWiring, ticket_id: str, staff_id: str) -> Ticket:
    """An answered ticket is done; an unanswered one can only be closed by its holder."""
    async with as_signed(wiring.ledger), wiring.ledger.transaction() as tx:
        ticket = await ticket_of(tx.session, ticket_id)
        await on_duty(tx.session, staff_id)
        if ticket.state == "closed":
            raise refused(409, "state", "咨询单已关闭")
        # Closing without an answer is a decision, so only the holder may take it.
        if ticket.state != "answered":
            check_holder(ticket, staff_id, "claimed", "replied")
            check_held(ticket, await wiring.ledger.facts(f"ticket:{ticket.id}"))
            await _take_back(tx.session, ticket)
        answered = ticket.state == "answered"
        ticket.state, ticket.phone = "closed", ""
        await note(tx, "ticket.closed", ticket, staff_id, {"answered": answered})
    return ticket


async def _take_back(session: AsyncSession, ticket: Ticket) -> None:
    """An answer that still waits is not sent for a question that is closed."""
    mine = select(TicketReply.delivery_id).where(TicketReply.ticket_id == ticket.id)
    waiting = Delivery.state.in_((State.CREATED, State.RETRYING, State.HELD))
    which = and_(Delivery.id.in_(mine), waiting)
    await rewrite(session, which, state=State.ENDED, why=TAKEN_BACK, finished_at=now())


def short(ticket: Ticket) -> str:
    """The number people say: the last six signs of the id."""
    # Said to citizens and staff: an id that somebody wrote into the table must say nothing.
    return "".join(sign for sign in ticket.id[-6:].upper() if sign.isascii() and sign.isalnum())


def refused(status: int, rule: str, message: str) -> Refused:
    """A refusal for one reason."""
    return Refused(status, [Reason(rule, message)])


async def ticket_of(session: AsyncSession, ticket_id: str) -> Ticket:
    """The ticket, or Refused (404)."""
    ticket = await session.get(Ticket, ticket_id)
    if ticket is None:
        raise refused(404, "ticket", "没有这张咨询单")
    return ticket


async def on_duty(session: AsyncSession, staff_id: str) -> Member:
    """The person, who must be on duty or a supervisor; else Refused (403)."""
    return await person_with(session, staff_id, DUTY_ROLES)


def check_holder(ticket: Ticket, staff_id: str, *states: str) -> None:
    """Only who claimed a ticket may answer or close it; else Refused (409).

    `states`: those in which it may be done, if it is not only while nobody has answered.
    """
    if ticket.state == "replied" and "replied" not in states:
        raise refused(
            409, "state", "上一条答复还没有送达：送达前不能再写一条，也可以先结束这个问题"
        )
    if ticket.state not in (states or ("claimed",)):
        raise refused(409, "state", "请先认领咨询单，再答复或关闭")
    if ticket.claimed_by != staff_id:
        raise refused(409, "claimed", "咨询单由其他同事认领，您不能答复或关闭")


def check_held(ticket: Ticket, entries: Sequence[Entry]) -> None:
    """Who holds a ticket is who signed that they claimed it last; else NotAsSigned."""
    if ticket.claimed_by != holder_of(entries):
        message = "咨询单的认领人与签名记录不符，不能答复或关闭：请看事件页"
        raise NotAsSigned(ticket, "claimed", message)


async def note(
    tx: Transaction, kind: str, ticket: Ticket, staff_id: str, body: Mapping[str, object]
) -> None:
    """A signed entry about a ticket."""
    await tx.append(kind, subject=f"ticket:{ticket.id}", actor=staff_id, body=body)
