"""What is sent counts in the window it went through, and what the platform says of a window stands.

Functions of an open session, as those of outbox.py.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from bot.codes import WINDOW_HOLD
from bot.contract import (
    Outcome,
    State,
)
from bot.models import Contact
from bot.opens import MESSAGES
from config.clock import now
from storage.database import Base

_contacts = Base.metadata.tables[Contact.__tablename__]
_NONE = (None, None)
_SEEN = ("last_inbound_at", "brief_at")
Sent = tuple[Any, str, Outcome]
"""The contact as it was when the message was claimed, the column it counts in, what it came to."""


def waits(outcome: Outcome) -> bool:
    """Whether a message waits for its contact's next act."""
    return outcome.held_by == WINDOW_HOLD


async def count(session: AsyncSession, finished: Sequence[Sent]) -> None:
    """Only what arrived counts: a refusal costs the citizen nothing (W7)."""
    used: dict[tuple[str, int], list[str]] = defaultdict(list)
    for contact, column, outcome in finished:
        sent = int(outcome.detail.get(MESSAGES, outcome.state is State.PUBLISHED))
        if column and sent:
            used[column, sent].append(contact.id)
        elif waits(outcome) and "errcode" in outcome.detail:
            await _close(session, contact)
    for (column, sent), ids in used.items():
        values = {column: _contacts.c[column] + sent}
        await session.execute(update(_contacts).where(_contacts.c.id.in_(ids)).values(values))


async def _close(session: AsyncSession, contact: Any) -> None:
    """The platform knows better than our count: no window that stood at the claim is open."""
    stood = [_contacts.c[name] == getattr(contact, name) for name in _SEEN]
    values = dict.fromkeys(_SEEN)
    await session.execute(
        update(_contacts).where(_contacts.c.id == contact.id, *stood).values(values)
    )


async def pause(session: AsyncSession, held: Mapping[str, Outcome]) -> None:
    """Since when something waits for the next act of these contacts, by id; an act ends it."""
    codes: dict[str, list[str]] = defaultdict(list)
    for contact_id, outcome in held.items():
        codes[str(outcome.detail.get("errcode", ""))].append(contact_id)
    for code, ids in codes.items():
        own = update(_contacts).where(_contacts.c.id.in_(ids), _contacts.c.paused_at.is_(None))
        await session.execute(own.values(paused_at=now(), paused_code=code[:20]))


async def opened_since(session: AsyncSession, waiting: Mapping[str, Any]) -> list[str]:
    """Of these messages, held just now for a window, those whose contact acted meanwhile.

    What that act made due did not find them: they were on their way.
    """
    if not waiting:
        return []
    query = select(*(_contacts.c[name] for name in ("id", *_SEEN))).where(
        _contacts.c.id.in_({one.id for one in waiting.values()}),
        or_(*(_contacts.c[name].is_not(None) for name in _SEEN)),
    )
    stand = {row.id: (row.last_inbound_at, row.brief_at) for row in await session.execute(query)}
    return [
        key
        for key, one in waiting.items()
        if stand.get(one.id, _NONE) not in ((one.last_inbound_at, one.brief_at), _NONE)
    ]
