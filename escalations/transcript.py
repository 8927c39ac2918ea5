"""The conversation a ticket stands in: what the citizen did, and what the bot said to it.

The bot's side is kept as parts (bot/replies.py): words are made of them by whoever shows it. What
is not kept is said to be missing, never made up.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.contract import InboundKind, State
from bot.models import Delivery, InboundMessage
from bot.replies import Parts, Unsayable, parts_from
from bot.said import kept
from bot.sealing import COLUMNS, read_apart, whole
from escalations.models import Ticket
from storage.database import Base
from storage.seals import Seals, seals_of

BEFORE = timedelta(days=7)
MOST = 60
_deliveries = Base.metadata.tables[Delivery.__tablename__]
_SHOWN = frozenset({
    InboundKind.TEXT, InboundKind.MEDIA, InboundKind.MENU, InboundKind.BUTTON,
    InboundKind.FOLLOW, InboundKind.RETURN,
})  # fmt: skip


@dataclass(frozen=True)
class Act:
    """What a citizen did. `answer` is what the bot said to it; None when that is not kept.

    `out`: whether it left; `gone`: the words were removed because their writer asked for it.
    """

    at: datetime
    kind: str
    text: str
    key: str
    answer: Parts | None
    out: bool
    gone: bool


@dataclass(frozen=True)
class Conversation:
    """The acts in order of time; `more`: there are earlier ones within the same days."""

    acts: Sequence[Act]
    more: bool

    @property
    def missing(self) -> int:
        """How many acts have no answer that is kept: none was given, or it was not kept then."""
        return sum(one.answer is None and not one.gone for one in self.acts)


async def conversation(session: AsyncSession, ticket: Ticket) -> Conversation:
    """The acts of this contact around the ticket, at most the last MOST of them.

    From some days before it was opened to as many after it was answered, or to now.
    """
    row = InboundMessage
    heard = (
        select(row)
        .where(
            row.contact_id == ticket.contact_id,
            row.kind.in_(_SHOWN),
            row.at >= ticket.created_at - BEFORE,
            *([row.at <= ticket.answered_at + BEFORE] if ticket.answered_at is not None else []),
        )
        .order_by(row.at.desc(), row.id.desc())
        .limit(MOST + 1)
    )
    acts = (await session.scalars(heard)).all()
    seals, sent = seals_of(session), await _sent(session, [one.id for one in acts])
    found = [_act(seals, ticket, one, sent.get(f"in:{one.id}")) for one in acts[:MOST]]
    return Conversation(found[::-1], more=len(acts) > MOST)


async def _sent(session: AsyncSession, acts: Sequence[str]) -> Mapping[str, Mapping[str, Any]]:
    """Answers that went out as messages, by their key; those somebody else wrote are none."""
    keys = [f"in:{one}" for one in acts]
    rows, _ = await read_apart(session, select(*COLUMNS).where(_deliveries.c.content_key.in_(keys)))
    return {row["content_key"]: row for row in rows if whole(seals_of(session), row)}


def _act(seals: Seals, ticket: Ticket, row: InboundMessage, sent: Mapping[str, Any] | None) -> Act:
    parts = kept(seals, row.id, row.said)
    out = parts is not None
    if parts is None and sent is not None:
        parts, out = sent["reply"], sent["state"] == State.PUBLISHED
    return Act(
        at=row.at,
        kind=row.kind,
        text=row.text,
        key=row.key,
        answer=_parts(ticket, parts) if parts else None,
        out=out,
        gone=row.kind == InboundKind.TEXT and not row.text,
    )


def _parts(ticket: Ticket, kept_parts: Mapping[str, Any]) -> Parts | None:
    try:
        return parts_from(ticket.account_id, ticket.contact_id, kept_parts)
    except Unsayable:
        return None
