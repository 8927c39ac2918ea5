"""By which ways a push went to its people: one for each of them, counted."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import case, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.contract import State
from bot.delivery.choosing import Via
from bot.models import Delivery


@dataclass(frozen=True)
class Routed:
    """How many people one way was chosen for, and how many of them have it."""

    people: int
    sent: int


async def routes_of(session: AsyncSession, publication_id: str) -> Mapping[str, Routed]:
    """The ways of one push in their order; none where its platform has one way only."""
    sent = func.sum(case((Delivery.state == State.PUBLISHED, 1), else_=0))
    query = (
        select(Delivery.route, func.count(), sent)
        .where(Delivery.publication_id == publication_id, Delivery.route != "")
        .group_by(Delivery.route)
    )
    found = {route: Routed(count, done) for route, count, done in await session.execute(query)}
    return {via.value: found[via] for via in Via if via in found}
