"""Topics as a list: how many follow each, how that grew, how long it has been silent, who left why.

Counts for staff, of nobody in particular. `topics_of(session, taxonomy)`, `by_day(session)`,
`pushed(session)`.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.contract import State
from bot.models import Contact, Publication
from config.clock import beijing, now
from facets.criteria import ANY_TOPIC, TOPICS, Asked, of_now, wanted
from facets.taxonomy import Taxonomy
from review_queue.models import ReleaseRow, Revision
from subscriptions.models import LeaveCount, Subscription

GROWTH = timedelta(days=30)
SILENCE = timedelta(days=90)


@dataclass(frozen=True)
class Pushed:
    """A push of the last 90 days: when, on which account, for whom."""

    account_id: str
    at: datetime
    audience: Mapping[str, Any]


@dataclass
class Topic:
    """One topic. `began` and `left` are of the last 30 days; `last` is empty for 90 silent days."""

    key: str
    label: str
    people: int = 0
    unreachable: int = 0
    began: int = 0
    left: int = 0
    last: datetime | None = None
    reasons: dict[str, int] = field(default_factory=dict)
    """Of the last 90 days: how often it was left, by how that was said (departures.py)."""

    @property
    def silent(self) -> int | None:
        """Days since something was pushed to it; None for more than 90."""
        return None if self.last is None else (now() - self.last).days


@dataclass(frozen=True)
class Day:
    """What began and what was left on one Beijing day."""

    day: str
    began: int
    left: int


async def topics_of(
    session: AsyncSession, taxonomy: Taxonomy, pushes: Sequence[Pushed]
) -> list[Topic]:
    """Every topic that is followed, was left lately, or is among the widest; most people first."""
    found = _Topics(taxonomy)
    for facet in taxonomy.facets[TOPICS].values():
        if facet.parent is None and facet.key != "other":
            found.at(facet.key)
    for key, reachable, people in await _people(session):
        one = found.at(key)
        one.people += people if reachable else 0
        one.unreachable += 0 if reachable else people
    for key, began, left in await _growth(session):
        found.at(key).began += began
        found.at(key).left += left
    for key, how, number in await _left(session):
        reasons = found.at(key).reasons
        reasons[how] = reasons.get(how, 0) + number
    for key, number in await _forgotten(session):
        found.at(key).left += number
    for one_push in pushes:
        found.take(one_push)
    return sorted(found.by_key.values(), key=lambda one: (-one.people, -one.unreachable, one.key))


class _Topics:
    """Topics by key, made when they are first spoken of; an older key is its heir's."""

    def __init__(self, taxonomy: Taxonomy) -> None:
        self._taxonomy = taxonomy
        self.by_key: dict[str, Topic] = {}

    def at(self, key: str) -> Topic:
        key = of_now(self._taxonomy, Asked(key)).topic
        if key not in self.by_key:
            label = self._taxonomy.label(TOPICS, key) if key else ANY_TOPIC
            self.by_key[key] = Topic(key, label)
        return self.by_key[key]

    def take(self, push: Pushed) -> None:
        meant = wanted(self._taxonomy, push.audience).limits[TOPICS]
        for key in meant & self.by_key.keys():
            topic = self.by_key[key]
            topic.last = max(push.at, topic.last or push.at)


async def _people(session: AsyncSession) -> Iterable[tuple[str, bool, int]]:
    reachable: ColumnElement[Any] = Contact.state == "active"
    query = (
        select(Subscription.topic, reachable, func.count(Subscription.contact_id.distinct()))
        .join(Contact, Contact.id == Subscription.contact_id)
        .where(Subscription.state == "active")
        .group_by(Subscription.topic, reachable)
    )
    return [(key, bool(yes), int(n)) for key, yes, n in (await session.execute(query)).all()]


async def _growth(session: AsyncSession) -> Iterable[tuple[str, int, int]]:
    since = now() - GROWTH
    began = func.sum(case((Subscription.created_at >= since, 1), else_=0))
    gone = and_(Subscription.state == "left", Subscription.left_at >= since)
    left = func.sum(case((gone, 1), else_=0))
    query = (
        select(Subscription.topic, began, left)
        .where(Subscription.state.in_(("active", "left")))
        .group_by(Subscription.topic)
    )
    return [(key, int(b or 0), int(n or 0)) for key, b, n in (await session.execute(query)).all()]


async def _left(session: AsyncSession) -> Iterable[tuple[str, str, int]]:
    first = beijing(now() - SILENCE).date().isoformat()
    query = (
        select(LeaveCount.topic, LeaveCount.how, func.sum(LeaveCount.count))
        .where(LeaveCount.day >= first)
        .group_by(LeaveCount.topic, LeaveCount.how)
    )
    return [(key, how, int(number)) for key, how, number in (await session.execute(query)).all()]


async def _forgotten(session: AsyncSession) -> Iterable[tuple[str, int]]:
    """What ended within 30 days and has no row any more."""
    first = beijing(now() - GROWTH).date().isoformat()
    query = (
        select(LeaveCount.topic, func.sum(LeaveCount.count))
        .where(LeaveCount.day >= first, LeaveCount.how == "forgotten")
        .group_by(LeaveCount.topic)
    )
    return [(key, int(number)) for key, number in (await session.execute(query)).all()]


async def left_after(session: AsyncSession, item_id: str) -> dict[str, int]:
    """How often something was left within a week after this item's push, by how that was said."""
    query = (
        select(LeaveCount.how, func.sum(LeaveCount.count))
        .where(LeaveCount.item_id == item_id)
        .group_by(LeaveCount.how)
    )
    return {how: int(number) for how, number in (await session.execute(query)).all()}


async def by_day(session: AsyncSession) -> list[Day]:
    """The last 30 days, oldest first: one look at the table for all of them."""
    today = beijing(now()).replace(hour=0, minute=0, second=0, microsecond=0)
    days = [today - timedelta(days=back) for back in reversed(range(GROWTH.days))]
    columns: list[Any] = []
    for column, more in ((Subscription.created_at, ()), (Subscription.left_at, _GONE)):
        for day in days:
            inside = and_(column >= day, column < day + timedelta(days=1), *more)
            columns.append(func.sum(case((inside, 1), else_=0)))
    query = select(*columns).where(Subscription.state.in_(("active", "left")))
    counts = [int(one or 0) for one in (await session.execute(query)).one()]
    size = len(days)
    return [
        Day(day.date().isoformat(), counts[at], counts[size + at]) for at, day in enumerate(days)
    ]


_GONE = (Subscription.state == "left",)


async def pushed(session: AsyncSession) -> list[Pushed]:
    """The pushes of the last 90 days, by what their approved texts say."""
    query = (
        select(Publication.account_id, Publication.pushed_at, Publication.digest)
        .where(Publication.state == State.PUBLISHED, Publication.pushed_at > now() - SILENCE)
        .order_by(Publication.pushed_at)
    )
    rows = (await session.execute(query)).all()
    digests = sorted({row.digest for row in rows})
    meant: dict[str, Mapping[str, Any]] = {}
    for at in range(0, len(digests), _AT_ONCE):
        part = select(Revision.digest, Revision.canonical).where(
            Revision.digest.in_(digests[at : at + _AT_ONCE])
        )
        for digest, canonical in (await session.execute(part)).all():
            meant[digest] = _audience(canonical)
    return [
        Pushed(row.account_id, row.pushed_at, meant[row.digest])
        for row in rows
        if meant.get(row.digest)
    ]


async def approved_texts(session: AsyncSession) -> list[dict[str, Any]]:
    """The canonical texts that passed every level, oldest first, each once."""
    digests = (await session.scalars(select(ReleaseRow.digest).order_by(ReleaseRow.id))).all()
    found: dict[str, dict[str, Any]] = {}
    for at in range(0, len(digests), _AT_ONCE):
        part = select(Revision.digest, Revision.canonical).where(
            Revision.digest.in_(digests[at : at + _AT_ONCE])
        )
        for digest, canonical in (await session.execute(part)).all():
            text = _parsed(canonical)
            found[digest] = {name: text.get(name) for name in ("title", "body", "audience")}
    return [found[digest] for digest in dict.fromkeys(digests) if digest in found]


_AT_ONCE = 100


def _audience(canonical: str) -> Mapping[str, Any]:
    found = _parsed(canonical).get("audience")
    return found if isinstance(found, dict) else {}


def _parsed(canonical: str) -> Mapping[str, Any]:
    try:
        found = json.loads(canonical)
    except ValueError:  # written past this program: the sender refuses it too
        return {}
    return found if isinstance(found, dict) else {}
