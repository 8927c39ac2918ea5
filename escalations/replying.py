"""Answering a ticket: checked by the gates, let go by a second person, offered as an entry."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.contract import Content, ReplyBasis
from bot.delivery.routes import Route, Way, Window, route, window_of
from bot.models import Account, Contact
from bot.replies import Parts, Written
from config.clock import now
from escalations.announcing import agreed
from escalations.calendar import in_words
from escalations.commitments import (
    KEPT,
    STOPPED,
    commitment,
    holder_of,
    same_citizen,
    signed_words,
    stopped_writer,
)
from escalations.dropping import drop_in, dropped
from escalations.models import Ticket, TicketReply
from escalations.outcomes import Came, replies_of
from escalations.paging import REASON
from escalations.planning import planned_for, put_off
from escalations.tickets import (
    NotAsSigned,
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
from review_queue.canonical import QA
from review_queue.drafting import Origin
from review_queue.findings import to_json
from review_queue.models import Item
from storage.database import new_id, new_salt

_TOLD = "。对方同意过一次答复通知：写好后会用微信通知告诉他来看"
BRIEF = 120  # seconds that a clock of minutes does not tell
_MOST_NAMED = 2  # clauses that a new entry begins with; its editor chooses
MAX_REPLY = 600  # characters; fits every channel's single message (2,048 bytes, W4)

CreateItem = Callable[[Content, Origin], Awaitable[Item]]
"""Content and where it comes from in, a draft in the review queue out."""


async def reply(
    wiring: TicketWiring, ticket_id: str, staff_id: str, text: str, instead: str = ""
) -> TicketReply:
    """Check the reply with the gates; clean: sent to the citizen, blocking: stopped.

    The state of what is returned says how far it came: outcomes.py. `instead`: the stopped reply
    in whose place it is written; that one is thrown away.
    Refused 409, and an incident, when the ticket is not held or not asked as it was signed.
    """
    return await _write(wiring, ticket_id, staff_id, _Written(text.strip(), instead))


async def plan(
    wiring: TicketWiring, ticket_id: str, staff_id: str, text: str, instead: str = ""
) -> TicketReply:
    """The same outside working hours, to go out when people next begin: nobody is woken by it.

    Refused 409 while people are at work, when the platform takes no answer by then, or when
    somebody is in danger.
    """
    async with wiring.ledger.db.session() as session:
        ticket = await ticket_of(session, ticket_id)
        if ticket.reason == REASON:
            raise refused(409, "danger", "有人遇险的问题不等到上班：请直接发送")
        morning = planned_for(wiring.hours, await way(wiring, session, ticket))
    if morning is None:
        words = "现在上班，或平台的时限等不到下一个上班时间：请直接发送"
        raise refused(409, "morning", words)
    return await _write(wiring, ticket_id, staff_id, _Written(text.strip(), instead, morning))


@dataclass(frozen=True)
class _Written:
    """What a person wrote: in place of which stopped reply, and before when it does not go out."""

    words: str
    instead: str = ""
    at: datetime | None = None


async def _write(
    wiring: TicketWiring, ticket_id: str, staff_id: str, written: _Written
) -> TicketReply:
    words, instead = written.words, written.instead
    if not 0 < len(words) <= MAX_REPLY:
        raise refused(422, "text", f"答复 text 应为 1 至 {MAX_REPLY} 字：请填写或缩短")
    async with wiring.ledger.db.session() as session:
        check_holder(await ticket_of(session, ticket_id), staff_id)
    findings = await wiring.check(words)
    blocked = any(finding.severity == "block" for finding in findings)
    async with as_signed(wiring.ledger), wiring.ledger.transaction() as tx:
        ticket = await ticket_of(tx.session, ticket_id)
        await on_duty(tx.session, staff_id)
        check_holder(ticket, staff_id)
        check_held(ticket, await wiring.ledger.facts(f"ticket:{ticket.id}"))
        if instead:
            await drop_in(wiring, tx, ticket, instead, staff_id)
        reply = TicketReply(
            id=new_id(),
            ticket_id=ticket_id,
            staff_id=staff_id,
            text=words,
            salt=new_salt(),
            findings=[to_json(one) for one in findings],
            state="stopped" if blocked else Came.SENDING,
            created_at=now(),
        )
        tx.session.add(reply)
        if blocked:
            rules = sorted({finding.rule for finding in findings})
            await note(
                tx,
                "ticket.reply_stopped",
                ticket,
                staff_id,
                {
                    "reply": reply.id,
                    "rules": rules,
                    "words": await _committed(wiring, tx, ticket, reply),
                },
            )
        else:
            await _queue(wiring, tx, ticket, reply, staff_id)
            if written.at is not None:
                await put_off(tx, ticket, reply, written.at)
    return reply if blocked else await _sent_now(wiring, reply)


async def _sent_now(wiring: TicketWiring, reply: TicketReply) -> TicketReply:
    """Try at once, so that whoever wrote it is told what came of it."""
    if reply.delivery_id and reply.state != Came.PLANNED:
        await wiring.send(reply.delivery_id)
    return next(one for one in await replies_of(wiring, reply.ticket_id) if one.id == reply.id)


async def approve_reply(wiring: TicketWiring, reply_id: str, staff_id: str) -> TicketReply:
    """A second person lets a stopped reply go; the writer may not.

    Refused 409, and an incident, when the row is not what its writer signed.
    """
    async with as_signed(wiring.ledger), wiring.ledger.transaction() as tx:
        reply = await tx.session.get(TicketReply, reply_id)
        if reply is None:
            raise refused(404, "reply", "没有这条答复")
        ticket = await ticket_of(tx.session, reply.ticket_id)
        await on_duty(tx.session, staff_id)
        entries = await wiring.ledger.facts(f"ticket:{ticket.id}")
        gone = dropped(entries, reply.id)
        if reply.state != "stopped" or ticket.state != "claimed" or gone:
            raise refused(409, "state", "这条答复不在等待同意的状态")
        check_held(ticket, entries)
        await _check_reply(wiring, tx, ticket, reply)
        # By the entries: a row that names somebody else makes nobody a second person.
        if staff_id in (stopped_writer(entries, reply.id), holder_of(entries)):
            raise refused(403, "second_person", "被拦截的答复须由另一人同意")
        reply.state, reply.second_id = Came.SENDING, staff_id
        await _queue(wiring, tx, ticket, reply, staff_id)
    return await _sent_now(wiring, reply)


async def _queue(
    wiring: TicketWiring, tx: Transaction, ticket: Ticket, reply: TicketReply, staff_id: str
) -> None:
    words = await _committed(wiring, tx, ticket, reply)
    message = Parts(
        account_id=ticket.account_id,
        contact_id=ticket.contact_id,
        basis=ReplyBasis.STAFF,
        pieces=(Written(ticket.id, reply.id),),
    )
    key = f"ticket:{ticket.id}:{reply.id}"
    reply.delivery_id = await wiring.queue_reply(message, key, tx.session)
    ticket.state = "replied"
    await note(
        tx,
        "ticket.answered",
        ticket,
        staff_id,
        {
            "reply": reply.id,
            "writer": reply.staff_id,
            "second": reply.second_id or "",
            "words": words,
        },
    )


async def _committed(
    wiring: TicketWiring, tx: Transaction, ticket: Ticket, reply: TicketReply
) -> str:
    """The digest that is signed, for the citizen whose ticket it is by its own signed entry."""
    contact = await tx.session.get(Contact, ticket.contact_id)
    entries = await wiring.ledger.facts(f"ticket:{ticket.id}")
    if contact is not None and not contact.whole:
        message = "来信人的记录被改动过，不能答复：请联系管理员"
        raise NotAsSigned(contact, "contact", message)
    if contact is None or not same_citizen(entries, contact):
        message = "咨询单的来信人与签名记录不符，不能答复：请联系管理员"
        raise NotAsSigned(ticket, "contact", message)
    return commitment(ticket, contact, reply)


async def _check_reply(
    wiring: TicketWiring, tx: Transaction, ticket: Ticket, reply: TicketReply
) -> None:
    """The stopped reply is what its writer signed, and theirs; else NotAsSigned."""
    words = await _committed(wiring, tx, ticket, reply)
    entries = await wiring.ledger.facts(f"ticket:{ticket.id}")
    same = signed_words(entries, reply.id, STOPPED, KEPT) == words
    if not same or reply.staff_id != stopped_writer(entries, reply.id):
        raise NotAsSigned(reply, "words", "这条答复与写下时签名的内容不符，请重新答复")


async def promote(
    wiring: TicketWiring, ticket_id: str, staff_id: str, create_item: CreateItem
) -> str:
    """Offer question and sent reply as a draft 问答 in the review queue; its item id.

    It ends in the library of questions and answers and goes to no account.
    """
    async with wiring.ledger.db.session() as session:
        ticket = await ticket_of(session, ticket_id)
        await on_duty(session, staff_id)
        query = select(TicketReply).where(
            TicketReply.ticket_id == ticket_id, TicketReply.state == Came.SENT
        )
        sent = (await session.scalars(query.order_by(TicketReply.id.desc()).limit(1))).first()
    if sent is None:
        raise refused(409, "state", "还没有已发出的答复，不能转为问答条目")
    content = Content(kind=QA, title=ticket.question[:60], body=sent.text)
    named = [one for one in ticket.candidates if one.get("title") and _named(one, sent.text)]
    rests = tuple(dict.fromkeys(str(one["clause_id"]) for one in named))[:_MOST_NAMED]
    item = await create_item(content, Origin(staff_id, entry=ticket_id, rests=rests))
    async with wiring.ledger.transaction() as tx:
        await note(tx, "ticket.promoted", ticket, staff_id, {"item": item.id})
    return item.id


def _named(candidate: Mapping[str, Any], answer: str) -> bool:
    """Whether the answer names the document of this clause."""
    return str(candidate["title"]).strip("《》") in answer


async def way(wiring: TicketWiring, session: AsyncSession, ticket: Ticket) -> Route:
    """Whether a reply can go out now, until when, and what happens when it cannot."""
    contact = await session.get(Contact, ticket.contact_id)
    account = await session.get(Account, ticket.account_id)
    if account is None:
        found = route(Window(), None, now())
    else:
        channel = wiring.channels.get(account.platform)
        window = window_of(channel, account.settings) if channel else Window()
        found = route(window, contact, now())
    words = _route_words(found, wiring.hours.hotline)
    if found.kind is Way.WAITING and contact is not None:
        words += _TOLD if await agreed(wiring, session, contact) else ""
    return replace(found, words=words)


def _route_words(way: Route, hotline: str) -> str:
    if way.kind is Way.ENDED:
        return "对方已取消关注或已注销，无法在此答复：请通过电话等其他方式联系"
    if way.kind is Way.WAITING:
        return (
            "平台现在不允许向对方发消息（时限已过或条数已用完）：答复会保留，对方下次来信时自动送达；"
            f"急事请电话联系，或请对方拨打 {hotline}"
        )
    if way.until is None:
        return "可随时答复"
    seconds = int((way.until - now()).total_seconds())
    if seconds < BRIEF:
        return (
            f"平台只允许在 {seconds} 秒内答复，还可发送 {way.left} 条；"
            "过后答复会保留，对方下次来信时自动送达"
        )
    return f"请在 {in_words(way.until)} 前答复，还可发送 {way.left} 条"
