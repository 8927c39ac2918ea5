"""Which posts concern the own work of an account's body (C9), as the cockpit shows it from tables.

What neither approved topics nor a reviewer's mark say is counted as not said. A report counts the
same from signed entries (concerns.py).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot.contract import State
from bot.models import Account, Publication
from facets.remit import NO_REMIT, Concern, Ground, Remit, concern_of, ground_of, remit_of
from review_queue.models import Item

SAME_PARTS = (Item.kind, Item.topics, Item.regions, Item.concern)
"""What a post is judged by."""


def counted_by_parts(since: datetime, out: Any) -> Any:
    """How many posts of an account are alike in SAME_PARTS; `out` says which are published."""
    return (
        select(Publication.account_id, *SAME_PARTS, func.count())
        .join(Item, Item.id == Publication.item_id)
        .where(out, Publication.published_at >= since)
        .group_by(Publication.account_id, *SAME_PARTS)
    )


@dataclass
class Share:
    """Posts of one account; a post whose text is not there any more says nothing."""

    ours: int = 0
    other: int = 0
    reposts: int = 0
    ours_reposts: int = 0
    other_reposts: int = 0

    def take(self, ground: Ground, number: int, *, repost: bool) -> None:
        """So many more of one kind."""
        concern = concern_of(ground)
        self.ours += number * (concern is Concern.OURS)
        self.other += number * (concern is Concern.OTHER)
        if repost:
            self.reposts += number
            self.ours_reposts += number * (concern is Concern.OURS)
            self.other_reposts += number * (concern is Concern.OTHER)


def shares_of(
    rows: Sequence[Any], remits: Mapping[str, Remit], repost_kind: str
) -> dict[str, Share]:
    """By account, from what `counted_by_parts` found."""
    found: dict[str, Share] = {}
    for account, kind, topics, regions, mark, number in rows:
        ground = ground_of(remits.get(account, NO_REMIT), topics.split(), regions.split(), mark)
        found.setdefault(account, Share()).take(ground, number, repost=kind == repost_kind)
    return found


@dataclass(frozen=True)
class Post:
    """One publication of an account and what it is to its work."""

    id: str
    item: str
    title: str
    kind: str
    at: datetime
    topics: tuple[str, ...]
    ground: Ground

    @property
    def concern(self) -> Concern:
        """Ours, other or not said."""
        return concern_of(self.ground)


def posts_of(session: Session, account: Account, since: datetime) -> list[Post]:
    """Every post of an account since then, the newest first."""
    query = (
        select(
            Publication.id, Publication.item_id, Publication.published_at, Item.title, *SAME_PARTS
        )
        .outerjoin(Item, Item.id == Publication.item_id)
        .where(Publication.account_id == account.id, Publication.state == State.PUBLISHED)
        .where(Publication.published_at >= since)
        .order_by(Publication.published_at.desc(), Publication.id)
    )
    remit, found = remit_of(account.settings), []
    for key, item, at, title, kind, topics, regions, mark in session.execute(query):
        said = tuple((topics or "").split())
        ground = ground_of(remit, said, (regions or "").split(), mark or "")
        found.append(Post(key, item, title or "", kind or "", at or since, said, ground))
    return found
