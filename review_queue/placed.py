"""Which editions hold an item, and how the items of an edition stand at this moment.

Read from tables, to say in plain words what the proof of each item (release.py) refuses anyhow.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from review_queue.canonical import EDITION, InEdition
from review_queue.models import Item, Revision
from review_queue.states import ItemState, state_name

HOLDING = (ItemState.REVIEW, ItemState.REFERRED, ItemState.APPROVED, ItemState.SCHEDULED)
"""States in which an edition has its items to itself; a draft of one keeps nobody from anything."""


@dataclass(frozen=True)
class Standing:
    """One item as an edition would find it now; `digest` and `canonical` are its newest."""

    item: Item
    digest: str
    canonical: str

    @property
    def title(self) -> str:
        """How it is called where people outside its circle read it."""
        return self.item.said_title

    def faults(self, wanted: str) -> list[str]:
        """Why it may not go out in an edition that was made with `wanted` of it."""
        if self.item.state == ItemState.RECALLED:
            return ["已被撤回"]
        if self.item.confined:
            return ["已限定知悉范围"]
        if self.digest != wanted:
            return ["编入以后又改过，要重新审核、重新编入"]
        if self.item.release_id is None:
            return [f"还没有通过审核（现在是“{state_name(self.item)}”）"]
        return []


async def standing_of(session: AsyncSession, items: Collection[str]) -> Mapping[str, Standing]:
    """How these items stand, by id; who is not there is left out."""
    query = (
        select(Item, Revision.digest, Revision.canonical)
        .join(Revision, (Revision.item_id == Item.id) & (Revision.number == Item.revision))
        .where(Item.id.in_(items))
    )
    return {row[0].id: Standing(*row) for row in (await session.execute(query)).all()}


@dataclass(frozen=True)
class Held:
    """An edition on its way, and what it holds."""

    edition: Item
    accounts: tuple[str, ...]
    items: frozenset[str]


async def holders(session: AsyncSession) -> Sequence[Held]:
    """The editions that hold items now: few, for an account sends one a day."""
    query = (
        select(Item, Revision.canonical)
        .join(Revision, (Revision.item_id == Item.id) & (Revision.number == Item.revision))
        .where(Item.kind == EDITION, Item.state.in_(HOLDING))
        .order_by(Item.id)
    )
    found = []
    for edition, canonical in (await session.execute(query)).all():
        data = json.loads(canonical)
        items = frozenset(one["item"] for one in data.get("edition", ()))
        found.append(Held(edition, tuple(data["accounts"]), items))
    return found


def numbered(number: int, title: str, words: Sequence[str]) -> list[str]:
    """Reasons about one article of an edition, each saying which."""
    return [f"第 {number} 篇《{title}》：{one}" for one in words]


def plain_faults(
    edition: Sequence[InEdition], standing: Mapping[str, Standing]
) -> Mapping[int, list[str]]:
    """What stands against the articles, by their number from 1; only those with a fault."""
    found: dict[int, list[str]] = {}
    for number, one in enumerate(edition, 1):
        there = standing.get(one.item)
        words = there.faults(one.digest) if there is not None else ["没有这篇稿件"]
        if words:
            found[number] = numbered(number, there.title if there else "—", words)
    return found
