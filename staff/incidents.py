"""Closing an incident: who did it, and what was done about it."""

from config.clock import now
from ledger.append import Ledger
from ledger.models import Incident
from staff.refusal import Reason, Refused, missing
from staff.rights import entitled

LEAST_WORDS = 4  # "已处理" alone says nothing to whoever reads it a year later


async def close_incident(
    ledger: Ledger, incident_id: str, staff_id: str, resolution: str
) -> Incident:
    """Close it once, as a signed entry; Refused 403, 404, 409 or 422."""
    words = resolution.strip()
    async with ledger.transaction() as tx:
        await entitled(tx.session, staff_id, "incidents.close")
        if len(words) < LEAST_WORDS:
            raise Refused(422, [Reason("resolution", "请写明怎样处理的")])
        row = await tx.session.get(Incident, incident_id)
        if row is None:
            raise missing("个事件")
        if row.closed_at is not None:
            raise Refused(409, [Reason("state", "这个事件已经处理过")])
        row.closed_at, row.closed_by, row.resolution = now(), staff_id, words
        await tx.append(
            "incident.closed", subject=f"incident:{incident_id}", actor=staff_id, body={}
        )
    return row
