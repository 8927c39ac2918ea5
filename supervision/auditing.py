"""审计: whoever reads all and writes nothing, what they looked at, and the proof made before them.

Each look of an auditor is a row, and so is each look of anybody at the auditor's desk. The signed
count of a day holds their number and a root over them (supervision/counting.py).
"""

import asyncio
import hashlib
import io
import tempfile
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.models import Account, Publication
from config.clock import now
from ledger.append import Ledger
from ledger.verify import Entry
from review_queue.models import Item
from staff.refusal import Reason, Refused, missing
from storage.database import Database, new_id
from supervision.archive import published_in, write_days, write_evidence
from supervision.bundle import Checked, check_bundle
from supervision.figures import Span, read_day
from supervision.models import AuditLook

AUDITOR = "auditor"
MOST_DAYS = 92
"""Days that are chosen at once: a quarter."""
MOST_ENTRIES = 20_000
"""Entries of a piece of the ledger that are verified while a page waits; some seconds."""
_LISTED = 500


async def note_look(db: Database, staff_id: str, what: str) -> None:
    """Remember a look, before what is looked at is shown."""
    async with db.session() as session:
        session.add(AuditLook(id=new_id(), staff_id=staff_id, what=what[:300], at=now()))


async def looks(session: AsyncSession, staff_id: str = "", limit: int = 50) -> Sequence[AuditLook]:
    """The newest first, of one person or of all."""
    query = select(AuditLook).order_by(AuditLook.at.desc(), AuditLook.id.desc()).limit(limit)
    if staff_id:
        query = query.where(AuditLook.staff_id == staff_id)
    return (await session.scalars(query)).all()


async def looks_root(session: AsyncSession, span: Span) -> tuple[int, str]:
    """How many looks there were in these days, and a root over what they were at."""
    begin, end = span.moments
    query = select(AuditLook).where(AuditLook.at >= begin, AuditLook.at < end)
    rows = (await session.scalars(query.order_by(AuditLook.id))).all()
    said = [f"{row.id} {row.staff_id} {row.at.isoformat()} {row.what}" for row in rows]
    return len(rows), hashlib.sha256("\n".join(said).encode()).hexdigest()


def days_of(first: str, last: str) -> Span:
    """From one day to another, both whole; Refused (422) for what is none."""
    try:
        span = Span(read_day(first), read_day(last) + timedelta(days=1))
    except ValueError as error:
        raise Refused(422, [Reason("days", "日期写成 2026-11-24")]) from error
    if not 0 < (span.end - span.first).days <= MOST_DAYS:
        raise Refused(422, [Reason("days", f"从前到后，一次最多 {MOST_DAYS} 天")])
    return span


@dataclass(frozen=True)
class Out:
    """One publication of the chosen days."""

    row: Publication
    title: str
    account: str


async def out_in(session: AsyncSession, span: Span) -> list[Out]:
    """What went out in these days, as far as the reader may know of it."""
    rows = (await published_in(session, span))[:_LISTED]
    items = select(Item.id, Item.title).where(Item.id.in_({row.item_id for row in rows}))
    titles = {row[0]: row[1] for row in (await session.execute(items)).all()}
    accounts = {row.id: row.name for row in (await session.scalars(select(Account))).all()}
    return [
        Out(row, titles[row.item_id], accounts.get(row.account_id, ""))
        for row in rows
        if row.item_id in titles
    ]


@dataclass(frozen=True)
class Looked:
    """One item before an auditor: its signed entries, and what a check of its package said."""

    item: Item
    entries: Sequence[Entry]
    publications: Sequence[Publication]
    checked: Checked


async def look_at(ledger: Ledger, item_id: str) -> Looked:
    """Make the evidence of an item and check it as an auditor would elsewhere. Refused 404."""
    async with ledger.db.session() as session:
        item = await session.get(Item, item_id)
        if item is None:
            raise missing("篇稿件")
        out = select(Publication).where(Publication.item_id == item_id)
        rows = (await session.scalars(out.order_by(Publication.due_at, Publication.id))).all()
    entries = await ledger.facts(f"item:{item_id}")
    if entries and entries[-1].seq - entries[0].seq > MOST_ENTRIES:
        far = f"台账区间有 {entries[-1].seq - entries[0].seq} 条，请导出证据包，用命令核验"
        return Looked(item, entries, rows, Checked(holds=[far]))
    whole = io.BytesIO()
    await write_evidence(ledger, item_id, whole)
    checked = await asyncio.to_thread(check_bundle, whole, ledger.public_key)
    return Looked(item, entries, rows, checked)


async def evidence(ledger: Ledger, item_id: str) -> bytes:
    """The package of one item."""
    whole = io.BytesIO()
    await write_evidence(ledger, item_id, whole)
    return whole.getvalue()


async def evidence_of_days(ledger: Ledger, span: Span, home: Path) -> BinaryIO:
    """The package of what was published in some days, from its beginning; whoever reads closes it.

    On disk and not in memory: a quarter has all its pictures. It has no name, so nothing stays.
    """
    whole = tempfile.TemporaryFile(dir=home)  # noqa: SIM115  the reader closes it
    try:
        await write_days(ledger, span, whole)
    except BaseException:
        whole.close()
        raise
    whole.seek(0)
    return whole


def is_auditor(roles: Collection[str]) -> bool:
    """Whether each look of theirs is remembered."""
    return AUDITOR in roles
