"""Opening an incident inside somebody's transaction."""

from collections.abc import Mapping

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from config.clock import now
from ledger.models import Incident
from storage.database import new_id


async def open_incident_in(
    session: AsyncSession, kind: str, *, subject: str, message: str, detail: Mapping[str, object]
) -> str:
    """Once per kind and subject while one is open; its id."""
    query = select(Incident).where(
        Incident.kind == kind, Incident.subject == subject, Incident.closed_at.is_(None)
    )
    found = (await session.scalars(query.limit(1))).first()
    # One open incident says it; a job that runs every minute must not open a thousand.
    if found is not None:
        return found.id
    incident = Incident(
        id=new_id(),
        kind=kind,
        subject=subject,
        message=message,
        detail=dict(detail),
        opened_at=now(),
    )
    session.add(incident)
    return incident.id
