"""What citizens asked and how it was answered: by day, and the questions asked most.

Read from the acts and the answers that are kept, masked as they were stored; a forged row counts
for nothing.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.contract import InboundKind
from bot.met import QUESTIONS
from bot.models import Delivery, InboundMessage
from bot.said import kept
from bot.sealing import COLUMNS, read_apart, whole
from config.clock import beijing, now
from escalations.models import Ticket
from storage.database import Base
from storage.seals import seals_of

DAYS = 30
MOST_ACTS = 5000
_SHOWN = 20
_deliveries = Base.metadata.tables[Delivery.__tablename__]
_ASKED_BACK = frozenset({"clarify", "may_fit", "may_fit_of"})
_NOTHING = frozenset({"not_found", "out_of_scope"})
_ANSWERS = frozenset({"quoted", "ended", "reviewed"})
_PUNCTUATION = "，。！？、；：,.!?;: \n\t　"


class How(StrEnum):
    """How a question was answered."""

    ANSWERED = "answered"
    ASKED_BACK = "asked_back"
    ESCALATED = "escalated"
    NOTHING = "nothing"


@dataclass(frozen=True)
class Day:
    """One Beijing day."""

    day: date
    counts: Mapping[How, int]


@dataclass(frozen=True)
class Hot:
    """A question by its words, how often it was asked, and how it was answered last."""

    text: str
    count: int
    last: How


@dataclass
class _Same:
    text: str
    last: How
    count: int = 0
    hows: set[How] = field(default_factory=set)


@dataclass(frozen=True)
class Asked:
    """The days in order, questions asked most, those never answered; `more`: older not counted."""

    days: Sequence[Day]
    hot: Sequence[Hot]
    unanswered: Sequence[Hot]
    more: bool


def how(parts: Mapping[str, Any] | None) -> How | None:
    """How the parts of an answer answer a question; None when they are something else."""
    pieces = parts.get("pieces", ()) if parts else ()
    if any(one.get("kind") in _ANSWERS for one in pieces):
        return How.ANSWERED
    filled = {one.get("name") for one in pieces}
    if filled & _ASKED_BACK:
        return How.ASKED_BACK
    if "person_opened" in filled:
        return How.ESCALATED
    return How.NOTHING if filled & _NOTHING else None


async def asked(session: AsyncSession) -> Asked:
    """The last days, at most so many acts of them."""
    today = beijing(now()).date()
    begin = now() - timedelta(days=DAYS)
    acts = (
        select(InboundMessage)
        .where(InboundMessage.kind == InboundKind.TEXT, InboundMessage.at >= begin)
        # Rows of before acts were told apart say nothing; their answers tell.
        .where(InboundMessage.text != "", InboundMessage.met.in_(("", *QUESTIONS)))
        .order_by(InboundMessage.at.desc())
        .limit(MOST_ACTS + 1)
    )
    rows = (await session.scalars(acts)).all()
    later, seals = await _later(session, begin), seals_of(session)
    days: dict[date, Counter[How]] = defaultdict(Counter)
    same: dict[str, _Same] = {}
    for row in rows[:MOST_ACTS]:
        found = how(kept(seals, row.id, row.said) or later.get(f"in:{row.id}"))
        if found is None:
            continue
        if found is not How.ESCALATED:  # counted by their tickets
            days[beijing(row.at).date()][found] += 1
        key = row.text.translate({ord(sign): None for sign in _PUNCTUATION})[:60]
        one = same.setdefault(key, _Same(row.text, found))
        one.count += 1
        one.hows.add(found)
    opened = select(Ticket.created_at).where(Ticket.created_at >= begin)
    for at in await session.scalars(opened):
        days[beijing(at).date()][How.ESCALATED] += 1
    span = [today - timedelta(days=back) for back in range(DAYS - 1, -1, -1)]
    return Asked(
        [Day(day, {one: days[day][one] for one in How}) for day in span],
        _most(same.values(), 2),
        _most([one for one in same.values() if How.ANSWERED not in one.hows], 1),
        len(rows) > MOST_ACTS,
    )


def _most(rows: Iterable[_Same], least: int) -> list[Hot]:
    found = [Hot(one.text, one.count, one.last) for one in rows if one.count >= least]
    return sorted(found, key=lambda one: -one.count)[:_SHOWN]


async def _later(session: AsyncSession, begin: datetime) -> dict[str, Mapping[str, Any]]:
    """Answers that followed as messages, by the key of their act."""
    mine = select(*COLUMNS).where(
        _deliveries.c.content_key.startswith("in:"), _deliveries.c.created_at >= begin
    )
    rows, _ = await read_apart(session, mine.limit(MOST_ACTS))
    seals = seals_of(session)
    return {row["content_key"]: row["reply"] for row in rows if whole(seals, row)}
