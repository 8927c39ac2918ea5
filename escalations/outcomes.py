"""What became of a staff answer on its way, brought back to its ticket.

A ticket whose answer is written is `replied`. It is `answered` once the answer went out; an answer
that will not go out by itself gives the ticket back to who holds it, with the reason. Asked of the
delivery's row and not told by its sender: many paths end a row in one statement.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import select

from bot.codes import ACCOUNT_HOLD, WINDOW_HOLD
from bot.contract import State
from bot.delivery.outbox import CHANGED
from bot.models import Delivery
from bot.sealing import COLUMNS, read_apart, whole
from config.clock import now
from escalations.calendar import in_words
from escalations.commitments import FAILED
from escalations.models import Ticket, TicketReply
from escalations.tickets import ROBOT, TicketWiring, note, short
from ledger.append import Transaction
from storage.database import Base, rows_of
from storage.seals import Seals, seals_of


class Came(StrEnum):
    """How far an answer has come, beside `stopped` (TicketReply.state)."""

    SENDING = "sending"
    PLANNED = "planned"
    HELD = "held"
    SENT = "sent"
    FAILED = "failed"
    UNKNOWN = "unknown"


ON_WAY = (Came.SENDING, Came.PLANNED, Came.HELD)
"""States of an answer that is not out yet: on its way, or waiting for its hour or an act."""
_COMES = frozenset({WINDOW_HOLD, ACCOUNT_HOLD})
"""Holds after which an answer still goes out by itself."""
_deliveries = Base.metadata.tables[Delivery.__tablename__]
_ASKED = (*COLUMNS, *(_deliveries.c[name] for name in ("hold", "why", "next_at")))


@dataclass(frozen=True)
class End:
    """What an answer has come to; `why` is for staff, in Chinese."""

    state: Came
    why: str = ""


async def settle_replies(wiring: TicketWiring, ticket_id: str = "") -> int:
    """Bring every answer on its way (of one ticket, or of all) up to date; how many changed."""
    db = wiring.ledger.db
    mine = [TicketReply.ticket_id == ticket_id] if ticket_id else []
    async with db.session() as session:
        query = select(TicketReply.id).where(TicketReply.state.in_(ON_WAY), *mine)
        replies = await rows_of(session, TicketReply, [*(await session.scalars(query))])
        ids = [one.delivery_id for one in replies.values() if one.delivery_id]
        rows, _ = await read_apart(session, select(*_ASKED).where(_deliveries.c.id.in_(ids)))
        seals = seals_of(session)
    found = {row["id"]: row for row in rows}
    changed = [
        (one, end)
        for one in replies.values()
        if (end := _end(seals, found.get(one.delivery_id or ""))) != End(Came(one.state), one.why)
    ]
    for one, end in changed:
        await _bring(wiring, one.id, end)
    return len(changed)


def _end(seals: Seals, row: Mapping[str, Any] | None) -> End:
    """What the row of a delivery says; one that somebody wrote past this program sends nothing."""
    if row is None or not whole(seals, row) or row["state"] not in set(State):
        return End(Came.FAILED, CHANGED)
    state, why = State(row["state"]), str(row["why"])
    if state is State.PUBLISHED:
        return End(Came.SENT)
    if state is State.UNKNOWN:
        return End(Came.UNKNOWN, why)
    if state in (State.FAILED, State.ENDED):
        return End(Came.FAILED, why)
    if state is State.HELD:
        return End(Came.HELD if row["hold"] in _COMES else Came.FAILED, why)
    if state is State.CREATED and row["next_at"] is not None and row["next_at"] > now():
        return End(Came.PLANNED, planned_words(row["next_at"]))
    return End(Came.SENDING, why if state is State.RETRYING else "")


def planned_words(moment: datetime) -> str:
    """When an answer that waits for its hour goes out."""
    return f"定于 {in_words(moment)} 发出"


async def _bring(wiring: TicketWiring, reply_id: str, end: End) -> None:
    back: Ticket | None = None
    async with wiring.ledger.transaction() as tx:
        reply = await tx.session.get(TicketReply, reply_id)
        if reply is None or reply.state not in ON_WAY:
            return
        reply.state, reply.why = end.state, end.why
        ticket = await tx.session.get(Ticket, reply.ticket_id)
        if ticket is None or end.state in ON_WAY or ticket.state != "replied":
            return
        if end.state is Came.SENT:
            # With the answer out nobody calls back: the number goes, whoever ends the question.
            ticket.state, ticket.answered_at, ticket.phone = "answered", now(), ""
        else:
            back = await _give_back(tx, ticket, reply_id, end)
    if back is not None and back.claimed_by:
        words = f"咨询单 {short(back)} 的答复没有送达，已退回给您，请登录控制台查看原因。"
        await wiring.alarm(back.claimed_by, words)


async def _give_back(tx: Transaction, ticket: Ticket, reply_id: str, end: End) -> Ticket:
    """The question waits again for who holds it; signed, for the ladder reads the entries."""
    ticket.state = "claimed"
    body = {"reply": reply_id, "result": str(end.state)}
    await note(tx, FAILED, ticket, ROBOT, body)
    return ticket


async def replies_of(wiring: TicketWiring, ticket_id: str) -> Sequence[TicketReply]:
    """The answers to a ticket in order, each as it stands now."""
    await settle_replies(wiring, ticket_id)
    async with wiring.ledger.db.session() as session:
        query = select(TicketReply).where(TicketReply.ticket_id == ticket_id)
        return (await session.scalars(query.order_by(TicketReply.created_at))).all()
