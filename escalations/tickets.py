"""A citizen's question in a person's hands: opened, told to the roster, claimed, answered, closed.

`Tickets(TicketWiring(ledger=..., hours=..., check=..., queue_reply=..., alarm=..., channels=...))`
  open(contact, Question) -> Ticket · active(session, contact_id) · add_message(ticket_id, text)
  claim(ticket_id, staff_id) · reply(ticket_id, staff_id, text) -> TicketReply
  approve_reply(reply_id, staff_id) -> TicketReply · close(ticket_id, staff_id)
  promote(ticket_id, staff_id, create_item) -> item id · route(session, ticket) -> Route
  job: escalate_due() -> int
Staff acts refuse with staff.refusal.Refused (403, 404, 409, 422). Each step is a signed
ledger entry that holds the ticket and the contact's subject_ref, never text or address.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.contract import Content, Reply, ReplyBasis
from bot.delivery.routes import Route, Way, Window, Windowed, route, window_of
from bot.models import Account, Contact
from config.clock import now
from escalations.calendar import OfficeHours, in_words, with_calendar
from escalations.models import RosterEntry, Ticket, TicketMessage, TicketReply
from gates.finding import Finding
from ledger.append import Ledger, Transaction
from review_queue.findings import to_json
from review_queue.models import Item
from staff.models import Staff
from staff.refusal import Reason, Refused
from storage.database import new_id

OPEN = ("open", "claimed")
DUTY_ROLES = frozenset({"duty", "supervisor"})
MAX_REPLY = 600  # characters; fits every channel's single message (2,048 bytes in the smallest, W4)
ROBOT = "system"


class QueueReply(Protocol):
    """bot.delivery.outbox.queue_reply: leaves one reply row, unique by key, in the transaction."""

    async def __call__(self, reply: Reply, key: str, session: AsyncSession | None = None) -> str:
        """The delivery's id."""


Check = Callable[[str], Awaitable[Sequence[Finding]]]
"""A staff reply in, findings of the gates out."""

Alarm = Callable[[str, str], Awaitable[object]]
"""Staff id and a text without anything a citizen wrote; see escalations/alarms.py."""

CreateItem = Callable[[Content, str], Awaitable[Item]]
"""Content and staff id in, a draft in the review queue out."""


@dataclass(frozen=True)
class TicketWiring:
    """What tickets are given by the root. `channels` by platform; one not named has no window."""

    ledger: Ledger
    hours: OfficeHours
    check: Check
    queue_reply: QueueReply
    alarm: Alarm
    channels: Mapping[str, Windowed] = field(default_factory=dict)


@dataclass(frozen=True)
class Question:
    """What is handed over: masked text, the answering's closed status, and clauses it found."""

    text: str
    reason: str
    topic: str = ""
    candidates: Sequence[Mapping[str, Any]] = ()


class Tickets:
    """The life of tickets over one database and one ledger."""

    def __init__(self, wiring: TicketWiring) -> None:
        """Nothing runs until a method is called."""
        self._w = wiring
        self._db = wiring.ledger.db

    # --- the citizen's side ---------------------------------------------------------------

    async def open(self, contact: Contact, question: Question) -> Ticket:
        """The contact's open ticket, or a new one.

        It is due at once when people are at work: `escalate_due` tells the first of them, so the
        citizen's answer never waits for an alarm.
        """
        moment = now()
        async with self._w.ledger.transaction() as tx:
            found = await self.active(tx.session, contact.id)
            if found is not None:
                return found
            hours = await with_calendar(tx.session, self._w.hours)
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
                acknowledge_by=hours.next_working(moment),
                due_at=hours.due_at(moment, hours.answer_minutes),
                created_at=moment,
            )
            tx.session.add(ticket)
            await tx.append(
                "ticket.opened",
                subject=f"ticket:{ticket.id}",
                actor=ROBOT,
                body={
                    "contact": contact.subject_ref,
                    "topic": question.topic,
                    "reason": question.reason,
                    "due_at": ticket.due_at.isoformat(),
                },
            )
        return ticket

    async def active(self, session: AsyncSession, contact_id: str) -> Ticket | None:
        """The ticket that a person still has to answer for this contact."""
        query = select(Ticket).where(Ticket.contact_id == contact_id, Ticket.state.in_(OPEN))
        return (await session.scalars(query.order_by(Ticket.id).limit(1))).first()

    async def add_message(self, ticket_id: str, text: str) -> None:
        """Keep what the citizen adds (masked) for the person who holds the ticket."""
        async with self._db.session() as session:
            session.add(TicketMessage(id=new_id(), ticket_id=ticket_id, text=text, at=now()))

    async def messages(self, session: AsyncSession, ticket_id: str) -> list[TicketMessage]:
        """What the citizen added, in order."""
        query = select(TicketMessage).where(TicketMessage.ticket_id == ticket_id)
        return [*(await session.scalars(query.order_by(TicketMessage.id))).all()]

    async def erase(self, session: AsyncSession, contact_id: str) -> None:
        """忘记我: the words of this contact and of the replies to it are removed."""
        tickets = select(Ticket).where(Ticket.contact_id == contact_id)
        for ticket in (await session.scalars(tickets)).all():
            ticket.question, ticket.candidates = "（已按本人要求删除）", []
            ticket.state = "closed"
            for message in await self.messages(session, ticket.id):
                await session.delete(message)
            replies = select(TicketReply).where(TicketReply.ticket_id == ticket.id)
            for reply in (await session.scalars(replies)).all():
                reply.text, reply.findings = "", []

    # --- who is told ----------------------------------------------------------------------

    async def escalate_due(self) -> int:
        """Tell the next person of each ticket nobody acknowledged; how many tickets moved.

        Overdue answers become an incident and reach the supervisors once.
        """
        moment = now()
        async with self._db.session() as session:
            waiting = select(Ticket.id).where(
                Ticket.state == "open", Ticket.acknowledge_by <= moment
            )
            late = select(Ticket.id).where(Ticket.state.in_(OPEN), Ticket.due_at <= moment)
            waiting_ids = (await session.scalars(waiting.order_by(Ticket.id))).all()
            late_ids = (await session.scalars(late)).all()
        moved = sum([await self._escalate(ticket_id) for ticket_id in waiting_ids])
        for ticket_id in late_ids:
            await self._overdue(ticket_id)
        return moved

    async def _escalate(self, ticket_id: str) -> bool:
        """Tell one more person, under the write lock, so that two jobs never tell two."""
        moment = now()
        async with self._w.ledger.transaction() as tx:
            ticket = await tx.session.get(Ticket, ticket_id)
            if ticket is None or ticket.state != "open" or ticket.acknowledge_by > moment:
                return False
            hours = await with_calendar(tx.session, self._w.hours)
            if not hours.is_working(moment):
                ticket.acknowledge_by = hours.next_working(moment)
                return False
            told = {entry["staff"] for entry in ticket.notified}
            ladder = await _ladder(tx.session, ticket.topic)
            person = next((one for one in ladder if one[0] not in told), None)
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
            await self._w.ledger.open_incident(
                "ticket.unclaimed",
                subject=f"ticket:{ticket_id}",
                message="咨询单已通知全部值班人员和主管，仍无人认领：请在控制台认领",
                detail={"told": len(told)},
            )
            return False
        await self._w.alarm(
            person[0],
            f"有新的咨询单 {short(ticket)} 待认领，请在 {in_words(ticket.acknowledge_by)} 前处理，"
            f"答复时限 {in_words(ticket.due_at)}。内容请登录控制台查看。",
        )
        return True

    async def _overdue(self, ticket_id: str) -> None:
        subject = f"ticket:{ticket_id}"
        async with self._w.ledger.transaction() as tx:
            ticket = await tx.session.get(Ticket, ticket_id)
            marked = ticket is None or any(entry.get("overdue") for entry in ticket.notified)
            hours = await with_calendar(tx.session, self._w.hours)
            if ticket is None or marked or not hours.is_working(now()):
                return
            mark = {"staff": "", "at": now().isoformat(), "tier": ticket.tier, "overdue": True}
            ticket.notified = [*ticket.notified, mark]
            supervisors = await _supervisors(tx.session)
            await tx.append("ticket.overdue", subject=subject, actor=ROBOT, body={})
        await self._w.ledger.open_incident(
            "ticket.overdue",
            subject=subject,
            message=f"咨询单 {short(ticket)} 已超过答复时限：请尽快答复",
            detail={},
        )
        for staff_id in supervisors:
            await self._w.alarm(staff_id, f"咨询单 {short(ticket)} 已超过答复时限，请督办。")

    # --- the staff's side -----------------------------------------------------------------

    async def claim(self, ticket_id: str, staff_id: str) -> Ticket:
        """Take the ticket; the second person gets 409 with the holder's name."""
        async with self._w.ledger.transaction() as tx:
            ticket = await _ticket(tx.session, ticket_id)
            await _person(tx.session, staff_id)
            if ticket.state == "claimed":
                holder = await tx.session.get(Staff, ticket.claimed_by)
                name = holder.name if holder else "其他同事"
                raise _refused(409, "claimed", f"咨询单已由 {name} 认领")
            if ticket.state != "open":
                raise _refused(409, "state", "咨询单已办结，不能再认领")
            ticket.state, ticket.claimed_by = "claimed", staff_id
            await _note(tx, "ticket.claimed", ticket, staff_id, {})
        return ticket

    async def reply(self, ticket_id: str, staff_id: str, text: str) -> TicketReply:
        """Check the reply with the gates; clean: queued for the citizen, blocking: stopped."""
        words = text.strip()
        if not 0 < len(words) <= MAX_REPLY:
            raise _refused(422, "text", f"答复 text 应为 1 至 {MAX_REPLY} 字：请填写或缩短")
        async with self._db.session() as session:
            _held_by(await _ticket(session, ticket_id), staff_id)
        findings = await self._w.check(words)
        blocked = any(finding.severity == "block" for finding in findings)
        async with self._w.ledger.transaction() as tx:
            ticket = await _ticket(tx.session, ticket_id)
            await _person(tx.session, staff_id)
            _held_by(ticket, staff_id)
            reply = TicketReply(
                id=new_id(),
                ticket_id=ticket_id,
                staff_id=staff_id,
                text=words,
                findings=[to_json(one) for one in findings],
                state="stopped" if blocked else "sent",
                created_at=now(),
            )
            tx.session.add(reply)
            if blocked:
                rules = sorted({finding.rule for finding in findings})
                await _note(
                    tx,
                    "ticket.reply_stopped",
                    ticket,
                    staff_id,
                    {"reply": reply.id, "rules": rules},
                )
            else:
                await self._send(tx, ticket, reply, staff_id)
        return reply

    async def approve_reply(self, reply_id: str, staff_id: str) -> TicketReply:
        """A second person lets a stopped reply go; the writer may not."""
        async with self._w.ledger.transaction() as tx:
            reply = await tx.session.get(TicketReply, reply_id)
            if reply is None:
                raise _refused(404, "reply", "没有这条答复")
            ticket = await _ticket(tx.session, reply.ticket_id)
            await _person(tx.session, staff_id)
            if staff_id in (reply.staff_id, ticket.claimed_by):
                raise _refused(403, "second_person", "被拦截的答复须由另一人同意")
            if reply.state != "stopped" or ticket.state != "claimed":
                raise _refused(409, "state", "这条答复不在等待同意的状态")
            reply.state, reply.second_id = "sent", staff_id
            await self._send(tx, ticket, reply, staff_id)
        return reply

    async def _send(
        self, tx: Transaction, ticket: Ticket, reply: TicketReply, staff_id: str
    ) -> None:
        message = Reply(
            account_id=ticket.account_id,
            contact_id=ticket.contact_id,
            text=f"【人工答复 {short(ticket)}】\n{reply.text}",
            basis=ReplyBasis.STAFF,
        )
        key = f"ticket:{ticket.id}:{reply.id}"
        reply.delivery_id = await self._w.queue_reply(message, key, tx.session)
        ticket.state, ticket.answered_at = "answered", now()
        await _note(
            tx,
            "ticket.answered",
            ticket,
            staff_id,
            {"reply": reply.id, "writer": reply.staff_id, "second": reply.second_id or ""},
        )

    async def close(self, ticket_id: str, staff_id: str) -> Ticket:
        """An answered ticket is done; an unanswered one can only be closed by its holder."""
        async with self._w.ledger.transaction() as tx:
            ticket = await _ticket(tx.session, ticket_id)
            await _person(tx.session, staff_id)
            if ticket.state == "closed":
                raise _refused(409, "state", "咨询单已关闭")
            if ticket.state != "answered":
                _held_by(ticket, staff_id)
            answered = ticket.state == "answered"
            ticket.state = "closed"
            await _note(tx, "ticket.closed", ticket, staff_id, {"answered": answered})
        return ticket

    async def promote(self, ticket_id: str, staff_id: str, create_item: CreateItem) -> str:
        """Offer question and sent reply as a draft 问答 in the review queue; its item id."""
        async with self._db.session() as session:
            ticket = await _ticket(session, ticket_id)
            await _person(session, staff_id)
            query = select(TicketReply).where(
                TicketReply.ticket_id == ticket_id, TicketReply.state == "sent"
            )
            sent = (await session.scalars(query.order_by(TicketReply.id.desc()).limit(1))).first()
        if sent is None:
            raise _refused(409, "state", "还没有已发出的答复，不能转为问答条目")
        content = Content(kind="问答", title=ticket.question[:60], body=sent.text)
        item = await create_item(content, staff_id)
        async with self._w.ledger.transaction() as tx:
            await _note(tx, "ticket.promoted", ticket, staff_id, {"item": item.id})
        return item.id

    async def route(self, session: AsyncSession, ticket: Ticket) -> Route:
        """Whether a reply can go out now, until when, and what happens when it cannot."""
        contact = await session.get(Contact, ticket.contact_id)
        account = await session.get(Account, ticket.account_id)
        if account is None:
            way = route(Window(), None, now())
        else:
            channel = self._w.channels.get(account.platform)
            window = window_of(channel, account.settings) if channel else Window()
            way = route(window, contact, now())
        return replace(way, words=_route_words(way, self._w.hours.hotline))


def _route_words(way: Route, hotline: str) -> str:
    if way.kind is Way.ENDED:
        return "对方已取消关注或已注销，无法在此答复：请通过电话等其他方式联系"
    if way.kind is Way.WAITING:
        return (
            "已超出平台允许的答复时限：答复会保留，对方下次来信时自动送达；"
            f"急事请电话联系，或请对方拨打 {hotline}"
        )
    if way.until is None:
        return "可随时答复"
    return f"请在 {in_words(way.until)} 前答复，还可发送 {way.left} 条"


def short(ticket: Ticket) -> str:
    """The number people say: the last six signs of the id."""
    return ticket.id[-6:].upper()


def _refused(status: int, rule: str, message: str) -> Refused:
    return Refused(status, [Reason(rule, message)])


async def _ticket(session: AsyncSession, ticket_id: str) -> Ticket:
    ticket = await session.get(Ticket, ticket_id)
    if ticket is None:
        raise _refused(404, "ticket", "没有这张咨询单")
    return ticket


async def _person(session: AsyncSession, staff_id: str) -> Staff:
    person = await session.get(Staff, staff_id)
    if person is None or not person.active or not DUTY_ROLES & set(person.roles):
        raise _refused(403, "role", "需要值班（duty）或主管（supervisor）角色")
    return person


def _held_by(ticket: Ticket, staff_id: str) -> None:
    if ticket.state != "claimed":
        raise _refused(409, "state", "请先认领咨询单，再答复或关闭")
    if ticket.claimed_by != staff_id:
        raise _refused(409, "claimed", "咨询单由其他同事认领，您不能答复或关闭")


async def _note(
    tx: Transaction, kind: str, ticket: Ticket, staff_id: str, body: dict[str, Any]
) -> None:
    await tx.append(kind, subject=f"ticket:{ticket.id}", actor=staff_id, body=body)


async def _ladder(session: AsyncSession, topic: str) -> list[tuple[str, int]]:
    """Whom to tell, in order: by tier, within it the topic's people first, at last supervisors."""
    query = (
        select(RosterEntry)
        .join(Staff, Staff.id == RosterEntry.staff_id)
        .where(Staff.active.is_(True), or_(RosterEntry.topic == topic, RosterEntry.topic == ""))
    )
    rows = (await session.scalars(query)).all()
    ordered = sorted(rows, key=lambda row: (row.tier, row.topic == "", row.position, row.id))
    last = (ordered[-1].tier if ordered else -1) + 1
    ladder = {row.staff_id: row.tier for row in reversed(ordered)}
    ordered_ids = [row.staff_id for row in ordered]
    for staff_id in await _supervisors(session):
        if staff_id not in ladder:
            ladder[staff_id] = last
            ordered_ids.append(staff_id)
    return [(staff_id, ladder[staff_id]) for staff_id in dict.fromkeys(ordered_ids)]


async def _supervisors(session: AsyncSession) -> list[str]:
    staff = (await session.scalars(select(Staff).where(Staff.active.is_(True)))).all()
    return sorted(person.id for person in staff if "supervisor" in person.roles)
