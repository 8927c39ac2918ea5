"""A person's answer to a citizen: what its writer and its second person signed, and who may say it.

The signed entries of a ticket hold a salted digest over account, citizen, words and findings; the
salt stays in the row. Who sends compares the row with them: neither the words nor whom they reach
can be changed in between.
"""

import json
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from bot.contract import State
from bot.models import Contact
from bot.replies import Parts, Unsayable, Written
from escalations.models import Ticket, TicketReply
from ledger.append import Ledger
from ledger.verify import Broken, Entry
from staff.proposed import words_digest
from staff.standing import Standing, standing

OPENED, CLAIMED = "ticket.opened", "ticket.claimed"
PASSED, REOPENED = "ticket.passed", "ticket.reopened"
MERGED, PARTED = "ticket.merged", "ticket.parted"
ANSWERED, STOPPED, KEPT = "ticket.answered", "ticket.reply_stopped", "ticket.reply_kept"
DROPPED = "ticket.reply_dropped"
SENT, FAILED = "ticket.reply_sent", "ticket.reply_failed"
CLOSED = "ticket.closed"
RETRACTED = "taken_back"
"""The result of a failed reply that its writer took back before its hour."""
DUTY_ROLES = frozenset({"duty", "supervisor"})


def commitment(ticket: Ticket, contact: Contact, reply: TicketReply) -> str:
    """The digest that is signed: whose account, which citizen, which words, what the gates said."""
    said = [ticket.account_id, contact.id, contact.subject_ref, reply.text, reply.findings]
    return words_digest(reply.salt, json.dumps(said, ensure_ascii=False, sort_keys=True))


def signed_words(entries: Sequence[Entry], reply_id: str, *kinds: str) -> str | None:
    """The digest in the last entry of these kinds about one reply; None when none holds one."""
    for entry in reversed(entries):
        if entry.kind in kinds and entry.body.get("reply") == reply_id and "words" in entry.body:
            return str(entry.body["words"])
    return None


def opened_for(contact: Contact) -> dict[str, str]:
    """Whom the entry that opens a ticket names.

    By the reference, and by a digest over it and the row it stood in: a reference alone could be
    given to somebody else's row.
    """
    asker = words_digest(contact.subject_ref, contact.id)
    return {"contact": contact.subject_ref, "asker": asker}


def same_citizen(entries: Sequence[Entry], contact: Contact) -> bool:
    """Whether the ticket was opened for this contact, by its signed first entry and its seal."""
    opened = next((one.body for one in entries if one.kind == OPENED), {})
    if not contact.whole:
        return False
    # Entries of an earlier version name the reference alone.
    mine = opened_for(contact)
    return all(opened.get(name, mine[name]) == mine[name] for name in mine) and (
        "contact" in opened
    )


def holder_of(entries: Sequence[Entry]) -> str:
    """Who claimed the ticket last, by their own signed entry; "" for nobody, or once passed on."""
    last = next((one for one in reversed(entries) if one.kind in (CLAIMED, PASSED)), None)
    return last.actor if last is not None and last.kind == CLAIMED else ""


def due_of(entries: Sequence[Entry]) -> datetime | None:
    """By when it is to be answered, by the last signed word about that; None without any."""
    said = (
        one.body["due_at"]
        for one in reversed(entries)
        if one.kind in (OPENED, REOPENED, MERGED) and one.body.get("due_at")
    )
    last = next(said, None)
    return None if last is None else datetime.fromisoformat(last)


def merged_of(entries: Sequence[Entry]) -> list[str]:
    """The questions that are answered with this one, by their ids."""
    found: dict[str, None] = {}
    for one in entries:
        if one.kind == MERGED:
            found |= dict.fromkeys(one.body["tickets"])
        elif one.kind == PARTED:
            found.pop(one.body["ticket"], None)
    return list(found)


def stopped_writer(entries: Sequence[Entry], reply_id: str) -> str:
    """Who wrote a reply that the gates stopped, by their own signed entry; "" for nobody."""
    stopped = _last(entries, reply_id, STOPPED)
    return stopped.actor if stopped is not None else ""


class Commitments:
    """Reads staff answers for whoever is about to say them."""

    def __init__(self, ledger: Ledger) -> None:
        """The ledger brings the database with it."""
        self._ledger = ledger

    async def words(self, parts: Parts, written: Written) -> str:
        """The answer as it was signed. Unsayable when anything of it was changed, or when writer or
        second person are not on duty any more.
        """
        async with self._ledger.db.session() as session:
            found = await _rows(session, parts, written)
        if found is None:
            raise Unsayable("没有这条人工答复的记录，没有发送")
        ticket, reply, contact = found
        try:
            entries = await self._ledger.facts(f"ticket:{ticket.id}")
            answered = _last(entries, reply.id, ANSWERED)
            if answered is None or not same_citizen(entries, contact):
                raise Unsayable("没有签名记录证明这条答复是写给这个人的，没有发送")
            if signed_words(entries, reply.id, ANSWERED, KEPT) != commitment(
                ticket, contact, reply
            ):
                raise Unsayable("人工答复与签名时的内容或对象不符，没有发送")
            if _last(entries, reply.id, SENT) is not None:
                raise Unsayable("台账记载这条人工答复已经发出，不再发送")
            if _taken_back(entries, answered):
                raise Unsayable("这条人工答复已收回，或问题已结束，不再发送")
            await self._on_duty(answered, blocked=_blocked(reply))
        except Broken as broken:
            raise Unsayable(f"台账有误，没有发送：{broken}") from broken
        numbers = "、".join(one[-6:].upper() for one in (ticket.id, *merged_of(entries)))
        return f"【人工答复 {numbers}】\n{reply.text}"

    async def sent(self, parts: Parts, state: State) -> None:
        """Sign that this answer is out, or may be: no older copy of its row sends it again."""
        (written,) = (one for one in parts.pieces if isinstance(one, Written))
        subject = f"ticket:{written.ticket}"
        body = {"reply": written.reply, "result": str(state)}
        async with self._ledger.transaction() as tx:
            await tx.append(SENT, subject=subject, actor="system", body=body)

    async def _on_duty(self, answered: Entry, *, blocked: bool) -> None:
        writer, second = str(answered.body["writer"]), str(answered.body.get("second") or "")
        if blocked and second in ("", writer):
            raise Unsayable("被拦截的答复没有第二人同意，没有发送")
        for staff_id in {writer, second} - {""}:
            if not _may(await standing(self._ledger, staff_id)):
                raise Unsayable("答复人或同意人已不在岗，没有发送：请由在岗人员重新答复")


def _may(one: Standing) -> bool:
    return one.active and bool(DUTY_ROLES & one.roles)


def _blocked(reply: TicketReply) -> bool:
    return any(one.get("severity") == "block" for one in reply.findings)


def _taken_back(entries: Sequence[Entry], answered: Entry) -> bool:
    """Whether it was taken back, or the question ended without it: no older row sends it then."""
    reply = answered.body["reply"]
    return any(
        (one.kind == FAILED and one.body.get("reply") == reply and one.body["result"] == RETRACTED)
        or (one.kind == CLOSED and not one.body.get("answered"))
        for one in entries
        if one.seq > answered.seq
    )


def _last(entries: Sequence[Entry], reply_id: str, kind: str) -> Entry | None:
    mine = [one for one in entries if one.kind == kind and one.body.get("reply") == reply_id]
    return mine[-1] if mine else None


async def _rows(
    session: AsyncSession, parts: Parts, written: Written
) -> tuple[Ticket, TicketReply, Contact] | None:
    ticket = await session.get(Ticket, written.ticket)
    reply = await session.get(TicketReply, written.reply)
    contact = await session.get(Contact, parts.contact_id)
    if ticket is None or reply is None or contact is None or reply.ticket_id != ticket.id:
        return None
    same = (ticket.account_id, ticket.contact_id) == (parts.account_id, parts.contact_id)
    return (ticket, reply, contact) if same else None
