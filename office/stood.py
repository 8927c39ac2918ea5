"""Publications and incidents of an earlier version: sealed once, and what stood signed."""

from sqlalchemy import select

from bot.contract import State
from bot.delivery.once import FINISHED, SUBMITTED, names_of
from bot.models import Publication
from config.clock import now
from ledger.append import Ledger, Transaction
from ledger.incidents import Told, sign_open
from ledger.models import Incident
from ledger.verify import Broken
from storage.database import rows_of

SUBJECT = "office"
STOOD = "publications.sealed"
INCIDENTS = "incidents.signed"
_UNDER_WAY = (State.SENDING, State.SUBMITTED, State.UNKNOWN)


async def sign_what_was_published(ledger: Ledger) -> int:
    """Seal every publication and sign where it stands; how many rows.

    Once in the life of an office, said so by a signed entry: a publication that comes without a
    seal later was written past this program. An office made by this version begins so.
    """
    try:
        facts = await ledger.facts(SUBJECT)
    except Broken:  # the console opens all the same and shows where; nothing unsealed is believed
        return 0
    if not facts or any(
        entry.kind == STOOD or (entry.kind == "genesis" and entry.body.get("once"))
        for entry in facts
    ):
        return 0
    async with ledger.transaction() as tx:
        rows = (await tx.session.scalars(select(Publication).order_by(Publication.id))).all()
        for row in rows:
            row.accept()
            await _sign(tx, row)
        await tx.append(STOOD, subject=SUBJECT, actor="system", body={"rows": len(rows)})
    return len(rows)


async def sign_incidents_that_stood(ledger: Ledger) -> int:
    """Sign every incident an earlier version opened and no signed entry closed; how many.

    Once, as above. A row that says closed without an entry was closed past that version.
    """
    try:
        known = await ledger.incidents()
        facts = await ledger.facts(SUBJECT)
    except Broken:
        return 0
    if not facts or any(
        entry.kind == INCIDENTS or (entry.kind == "genesis" and entry.body.get("incidents"))
        for entry in facts
    ):
        return 0
    done = {entry.subject for entry in known.closed}
    async with ledger.transaction() as tx:
        ids = (await tx.session.scalars(select(Incident.id).order_by(Incident.id))).all()
        stood = [
            row
            for row in (await rows_of(tx.session, Incident, list(ids))).values()
            if f"incident:{row.id}" not in done and row.id not in known.entries
        ]
        for row in stood:
            detail = row.detail if isinstance(row.detail, dict) else {}
            told = Told(row.kind, row.subject, row.message, detail)
            await sign_open(tx, row.id, told, row.opened_at)
        await tx.append(INCIDENTS, subject=SUBJECT, actor="system", body={"rows": len(stood)})
    return len(stood)


async def _sign(tx: Transaction, row: Publication) -> None:
    """What was out stays out, and what was given to the platform waits for its end."""
    body = {**names_of(row), "stood": True}
    if row.state == State.PUBLISHED:
        at = (row.published_at or now()).isoformat()
        told = {"result": "published", "ref": row.ref, "url": row.url, "at": at}
        kind, body = FINISHED, {**body, **told}
    elif row.state in _UNDER_WAY:
        kind, body = SUBMITTED, {**body, "guarded": False}
    else:
        return
    await tx.append(kind, subject=f"item:{row.item_id}", actor="system", body=body)
