"""Who was told which clause, for a later correction."""

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from config.clock import now
from knowledge.models import Told
from storage.database import new_id


async def tell(session: AsyncSession, contact_id: str, clause_ids: Iterable[str]) -> None:
    """Keep that a contact was told these clauses, for a later correction."""
    moment = now()
    for clause_id in dict.fromkeys(clause_ids):
        session.add(Told(id=new_id(), contact_id=contact_id, clause_id=clause_id, at=moment))


async def told_of(session: AsyncSession, clause_ids: Iterable[str]) -> list[str]:
    """The contacts who were told one of these clauses, each once, earliest first."""
    query = select(Told.contact_id).where(Told.clause_id.in_(list(clause_ids))).order_by(Told.at)
    return list(dict.fromkeys((await session.scalars(query)).all()))
