"""Who was told which clause or which reviewed answer, for a later correction.

A row carries a seal: whoever writes to the database alone can make nobody get a correction.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from config.clock import now
from knowledge.models import Told
from storage.database import new_id

ENTRY = "entry:"


def of_entry(key: str) -> str:
    """How a reviewed answer is named beside clauses."""
    return f"{ENTRY}{key}"


async def tell(session: AsyncSession, contact_id: str, what: Iterable[str]) -> None:
    """Keep that a contact was told these clauses and answers, for a later correction."""
    moment = now()
    for one in dict.fromkeys(what):
        session.add(Told(id=new_id(), contact_id=contact_id, clause_id=one, at=moment))


async def told_of(
    session: AsyncSession, what: Iterable[str], until: datetime | None = None
) -> tuple[list[str], list[str]]:
    """The contacts who were told one of these, each once, earliest first; rows nobody sealed.

    `until`: the moment after which it does not count any more.
    """
    query = select(Told).where(Told.clause_id.in_(list(what)))
    if until is not None:
        query = query.where(Told.at <= until)
    rows = (await session.scalars(query.order_by(Told.at, Told.id))).all()
    people = list(dict.fromkeys(row.contact_id for row in rows if row.whole))
    return people, [row.id for row in rows if not row.whole]


async def counts_of(session: AsyncSession, what: Collection[str]) -> Mapping[str, int]:
    """How many were told each of these, for lists."""
    query = (
        select(Told.clause_id, func.count(Told.contact_id.distinct()))
        .where(Told.clause_id.in_(what))
        .group_by(Told.clause_id)
    )
    return {row[0]: row[1] for row in (await session.execute(query)).all()}


async def forget(session: AsyncSession, contact_id: str) -> None:
    """Remove what somebody was told, with whatever else the transaction removes."""
    await session.execute(delete(Told).where(Told.contact_id == contact_id))
