"""每月归档: each month that is over gets its package by itself, its digest in the ledger (M4).

The file lies beside the office's data; whoever fetches it is given exactly what was signed, or
nothing. A month that an office stood still over is made up at the next turn.
"""

import asyncio
import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from sqlalchemy import select

from config.clock import beijing, now
from ledger.append import Ledger
from ledger.models import LedgerEntry
from staff.refusal import Reason, Refused
from supervision.archive import write_archive
from supervision.figures import span_of

MADE = "archive.made"
_SUBJECT = "archives"
_MOST = 3
"""So many months in one turn; the next day goes on."""


@dataclass(frozen=True)
class Archived:
    """One package as it was signed; `digest` is empty where a month has no entry at all."""

    period: str
    digest: str
    size: int
    publications: int
    entry: int


async def archived(ledger: Ledger) -> list[Archived]:
    """Every package, newest first. Raises Broken."""
    found = [one for one in await ledger.facts(_SUBJECT) if one.kind == MADE]
    rows = [
        Archived(
            period=str(one.body["period"]),
            digest=str(one.body["sha256"]),
            size=int(one.body["size"]),
            publications=int(one.body["publications"]),
            entry=one.seq,
        )
        for one in found
    ]
    return sorted(rows, key=lambda one: one.period, reverse=True)


async def archive_due(ledger: Ledger, home: Path) -> list[str]:
    """Make what is missing; the months that were made.

    1. each month from the first entry to the last that is over; 2. write the package beside its
    name, then move it there; 3. sign its digest, once, whichever process made it.
    """
    made = []
    for period in (await _missing(ledger))[:_MOST]:
        made += [period] if await _make(ledger, home, period) else []
    return made


async def _missing(ledger: Ledger) -> list[str]:
    async with ledger.db.session() as session:
        first = (await session.scalars(select(LedgerEntry.at).order_by(LedgerEntry.seq))).first()
    done = {one.period for one in await archived(ledger)}
    return [] if first is None else [one for one in _months(first, now()) if one not in done]


def _months(first: datetime, until: datetime) -> Iterator[str]:
    month, present = beijing(first).date().replace(day=1), beijing(until).date().replace(day=1)
    while month < present:
        yield f"{month:%Y-%m}"
        month = date(month.year + month.month // 12, month.month % 12 + 1, 1)


async def _make(ledger: Ledger, home: Path, period: str) -> bool:
    place, number, digest = file_of(home, period), 0, ""
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = place.with_suffix(f".{os.getpid()}.part")
    try:
        with part.open("w+b") as file:
            number = await write_archive(ledger, period, span_of(period), file)
            file.seek(0)
            digest = (await asyncio.to_thread(hashlib.file_digest, file, "sha256")).hexdigest()
        size = part.stat().st_size
        return await _sign(ledger, Archived(period, digest, size, number, 0), part, place)
    except Refused:  # nothing ran in that month: it has no entry
        return await _sign(ledger, Archived(period, "", 0, 0, 0), part, place)
    finally:
        part.unlink(missing_ok=True)


async def _sign(ledger: Ledger, one: Archived, part: Path, place: Path) -> bool:
    async with ledger.transaction() as tx:
        # Asked again with the lock in hand: another process may have made it meanwhile.
        if any(known.period == one.period for known in await archived(ledger)):
            return False
        if one.digest:
            os.replace(part, place)
        body = {
            "period": one.period,
            "sha256": one.digest,
            "size": one.size,
            "publications": one.publications,
        }
        await tx.append(MADE, subject=_SUBJECT, actor="system", body=body)
    return True


def file_of(home: Path, period: str) -> Path:
    """Where the package of a month lies."""
    return home / "archives" / f"shenfa-{period}.zip"


async def archive_file(ledger: Ledger, home: Path, period: str) -> Path:
    """The package of a month as it was signed; Refused 404 for none, 409 for another file."""
    signed = {one.period: one for one in await archived(ledger)}.get(period)
    if signed is None or not signed.digest:
        raise Refused(404, [Reason("missing", "没有这个月的归档包")])
    place = file_of(home, period)
    if not place.is_file():
        words = (
            f"归档包不在这台机器上：请到做它的那台机器取 {place.name}；找不到时用 "
            f"shenfa report archive {period} 另做一份，内容一样可以核验，摘要不同"
        )
        raise Refused(409, [Reason("away", words)])
    if await asyncio.to_thread(_digest, place) != signed.digest:
        words = f"{place.name} 与台账第 {signed.entry} 条的摘要不同，被改动过，没有给出"
        raise Refused(409, [Reason("changed", words)])
    return place


def _digest(place: Path) -> str:
    with place.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def size_words(rows: Sequence[Archived]) -> dict[str, str]:
    """How large each is, for a page."""
    return {one.period: f"{one.size / 1_000_000:.1f} MB" for one in rows}
