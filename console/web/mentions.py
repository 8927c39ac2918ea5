"""The texts of ours that an effect counts, by name: for whoever may read them at this moment."""

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import select

from console.web.permissions import may
from review_queue.models import Item
from review_queue.states import STATES, STOPPED
from storage.database import Database

_MOST = 20


async def mentions(
    db: Database, effect: Mapping[str, Any] | None, roles: Collection[str]
) -> list[tuple[str, str, str]]:
    """Id, title and state of the items named in `effect["mentions"]`; none that is limited now."""
    listed = (effect or {}).get("mentions")
    if not isinstance(listed, list) or not may(roles, "items.read"):
        return []
    keys = [one for one in listed[:_MOST] if isinstance(one, str)]
    query = select(Item.id, Item.title, Item.state, Item.stopped).where(
        Item.id.in_(keys), Item.confined.is_(False)
    )
    async with db.session() as session:
        rows = {row.id: row for row in (await session.execute(query)).all()}
    found = [rows[key] for key in keys if key in rows]
    said = [STOPPED if row.stopped else STATES.get(row.state, row.state) for row in found]
    return [(row.id, row.title, words) for row, words in zip(found, said, strict=True)]
