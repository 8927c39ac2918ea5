"""The table of incidents held against the signed entries: for pages, and for the ledger's watch."""

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from config.clock import now
from ledger.append import Ledger, Transaction, ledger_of
from ledger.incidents import (
    CHANGED,
    OPENED,
    OpenIncidents,
    as_signed,
    holds,
    put_back,
    resolution_digest,
    sign_open,
    tell_changed,
    words_hold,
)
from ledger.models import Incident
from ledger.verify import Broken, Entry
from storage.database import rows_of

MOST = 50  # incidents about unsigned rows at once: who inserts a million opens no million
_GONE = "这个事件的记录已被绕过本系统从数据库中删去或改动"
_UNSIGNED = (
    "事件表中有一条没有签名的记录，不算本机构的事件，已不再显示："
    "可能是有人绕过本系统写入，也可能是台账核验不通过时记下的，请查明"
)


async def open_incidents(
    session: AsyncSession, *, subject: str = "", age: float = 0.0
) -> list[Incident]:
    """What is open by signed entries, newest first, whatever the table says; `age`: see facts.

    `subject` asks for those about it alone, and is a plain name.

    While the chain does not hold, what the table says is open is among it. In no session: to read.
    """
    ledger = ledger_of(session)
    ids: set[str] = set()
    try:
        await ledger.incidents(age=age)
    except Broken:
        ids = await _open_rows(session)
    open_now = dict(ledger.incidents_so_far.entries)
    entries = {k: one for k, one in open_now.items() if subject in ("", one.body["subject"])}
    rows = await rows_of(session, Incident, sorted((ids - set(open_now)) | set(entries)))
    found = [row for key, row in rows.items() if key not in entries]
    found += [as_signed(rows.get(key), key, entry) for key, entry in entries.items()]
    told = [row for row in found if subject in ("", row.subject)]
    return sorted(told, key=lambda row: (row.opened_at, row.id), reverse=True)


async def closed_incidents(session: AsyncSession, limit: int) -> list[Incident]:
    """The last that people closed, by signed entries, newest first; [] for a broken chain."""
    ledger = ledger_of(session)
    try:
        known = await ledger.incidents()
        last = known.closed[-limit:][::-1]
        told = await ledger.facts_of(sorted({entry.subject for entry in last}))
    except Broken:
        return []
    rows = await rows_of(session, Incident, sorted(_id(entry) for entry in last))
    return [_closed(rows.get(_id(entry)), entry, told[entry.subject]) for entry in last]


def _id(entry: Entry) -> str:
    return entry.subject.partition(":")[2]


def _closed(row: Incident | None, entry: Entry, told: list[Entry]) -> Incident:
    """The row as it was closed, or that there is none any more."""
    opened = next((one for one in reversed(told) if one.kind == OPENED), None)
    at = datetime.fromisoformat((opened or entry).body.get("at", entry.at))
    digest = entry.body.get("digest")  # an earlier version signed none
    if (
        row is not None
        and (opened is None or words_hold(row, opened))
        and row.closed_by == entry.actor
        and isinstance(row.closed_at, datetime)
        and digest in (None, resolution_digest(str(row.resolution)))
    ):
        return row
    return Incident(
        id=_id(entry),
        kind=opened.body["kind"] if opened else "",
        subject=opened.body["subject"] if opened else "",
        message=_GONE,
        detail={},
        opened_at=at,
        closed_at=datetime.fromisoformat(entry.at),
        closed_by=entry.actor,
        resolution="—",
    )


async def mend_incidents(ledger: Ledger) -> int:
    """Put right every open incident whose row is not what was signed; how many rows were wrong.

    A row without an entry is put aside, and an incident says so. Raises Broken.
    """
    known = await ledger.incidents()
    async with ledger.db.session() as session:
        wrong, unsigned = await _astray(session, known)
    if not (wrong or unsigned or known.kept):
        return 0
    async with ledger.transaction() as tx:
        # Once more under the write lock: somebody may just have opened or closed one.
        await ledger.incidents()
        kept = list(known.kept.values())
        for incident_id, told, at in kept:
            if incident_id not in known.entries:
                await sign_open(tx, incident_id, told, at)
        wrong, unsigned = await _astray(tx.session, known)
        unsigned -= {incident_id for incident_id, _, _ in kept}
        for incident_id in sorted(wrong):
            await put_back(tx, incident_id, known.entries[incident_id])
        await _put_aside(tx, known, unsigned)
    known.kept.clear()
    return len(wrong) + len(unsigned)


async def _astray(session: AsyncSession, known: OpenIncidents) -> tuple[set[str], set[str]]:
    """Ids of open incidents whose row is wrong, and of open rows that no entry opened."""
    entries = dict(known.entries)
    rows = await rows_of(session, Incident, sorted(entries))
    wrong = {key for key, entry in entries.items() if not holds(rows.get(key), entry)}
    return wrong, await _open_rows(session) - set(entries)


async def _open_rows(session: AsyncSession) -> set[str]:
    return set(
        (await session.scalars(select(Incident.id).where(Incident.closed_at.is_(None)))).all()
    )


async def _put_aside(tx: Transaction, known: OpenIncidents, unsigned: set[str]) -> None:
    """Kept as evidence, and no longer among what is open: told once, not at every look."""
    told = sum(1 for one in known.entries.values() if one.body["kind"] == CHANGED)
    for incident_id in sorted(unsigned):
        await tx.session.execute(
            update(Incident).where(Incident.id == incident_id).values(closed_at=now())
        )
        if (told := told + 1) <= MOST:
            await tell_changed(tx, incident_id, _UNSIGNED)
