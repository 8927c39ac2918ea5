"""How the digests of each day went: when, how many messages, what was skipped, what is left.

Added to in the transaction that writes what became of the calls, so a run that was killed and goes
on counts everything once. Counts for people who look; nothing is decided by them.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import and_, case, func, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from bot.contract import State
from bot.delivery.outbox import DUE, Work
from bot.models import Delivery, DigestDay
from bot.quota import day_of
from config.clock import now

SHOWN = timedelta(days=14)
_COUNTS = ("messages", "items", "skipped", "failed")


def _adding(kind: Any) -> Any:
    """Make the row of a day, or add to it."""
    new = kind.insert(DigestDay)
    added = {name: getattr(DigestDay, name) + new.excluded[name] for name in _COUNTS}
    added["newest"] = new.excluded.newest
    return new.on_conflict_do_update(index_elements=["account_id", "day"], set_=added)


_ADD = {"sqlite": _adding(sqlite), "postgresql": _adding(postgresql)}


async def note_digests(session: AsyncSession, finished: Iterable[Work]) -> None:
    """Add what these digests came to; what goes on later counts when it has its end."""
    calls: dict[int, list[Work]] = defaultdict(list)
    for one in finished:
        if one.gather:
            calls[id(one.call)].append(one)  # the rows of a digest share one call
    found: dict[str, list[int]] = {}
    for rows in calls.values():
        if any(came := _came([one.outcome.state for one in rows])):
            so_far = found.get(rows[0].account_id, [0, 0, 0, 0])
            found[rows[0].account_id] = [a + b for a, b in zip(so_far, came, strict=True)]
    if not found:
        return
    moment = now()
    at = {"day": day_of(moment).isoformat(), "began": moment, "newest": moment}
    add = _ADD[session.get_bind().dialect.name]
    for account_id, numbers in sorted(found.items()):
        counts = dict(zip(_COUNTS, numbers, strict=True))
        await session.execute(add, {"account_id": account_id, **at, **counts})


def _came(states: Sequence[State]) -> tuple[int, int, int, int]:
    """Messages, the items in them, skipped, failed: of one call."""
    if State.PUBLISHED in states:
        return 1, states.count(State.PUBLISHED), 0, 0
    if all(one is State.ENDED for one in states):
        return 0, 0, 1, 0
    return 0, 0, 0, int(State.FAILED in states or State.UNKNOWN in states)


@dataclass(frozen=True)
class Left:
    """People of an account whose digest is still to be sent: now, or at its hour."""

    now: int
    later: int


async def digest_days(session: AsyncSession) -> Sequence[DigestDay]:
    """The days shown to staff, the newest first."""
    since = day_of(now() - SHOWN).isoformat()
    query = select(DigestDay).where(DigestDay.day > since)
    order = (DigestDay.day.desc(), DigestDay.account_id)
    return (await session.scalars(query.order_by(*order))).all()


async def digests_left(session: AsyncSession) -> dict[str, Left]:
    """Who waits for a digest, by account; who has something due and something later is due."""
    due = or_(Delivery.next_at.is_(None), Delivery.next_at <= now())
    waiting = and_(Delivery.gather, Delivery.state.in_(DUE))
    person = (
        select(Delivery.account_id, func.max(case((due, 1), else_=0)).label("due"))
        .where(waiting)
        .group_by(Delivery.account_id, Delivery.contact_id)
        .subquery()
    )
    query = select(person.c.account_id, func.sum(person.c.due), func.count())
    rows = await session.execute(query.group_by(person.c.account_id))
    return {account: Left(int(due), int(all_ - due)) for account, due, all_ in rows}
