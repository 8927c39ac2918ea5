"""A report of a year, a quarter or a month: made in an office, recomputed from an export."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from sqlalchemy import Executable, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from ledger.append import Ledger
from ledger.models import LedgerEntry
from ledger.verify import Entry
from staff.people import names
from staff.refusal import Reason, Refused
from staff.rights import entitled
from supervision.annual import faults, written_faults
from supervision.figures import GIVEN, KINDS, LINES, Counting, Span, span_of

_PAGE = 5000


def period_of(text: str) -> Span:
    """The days of a period; Refused (422) for what is none."""
    try:
        return span_of(text)
    except ValueError as error:
        words = "期间写成年 2026、季度 2026Q3 或月 2026-09"
        raise Refused(422, [Reason("period", words)]) from error


async def counted(ledger: Ledger, span: Span) -> Counting:
    """The figures of a span, from the chain as it is stored now; raises Broken.

    The chain is verified first; what an entry says is read from its signed text alone.
    """
    await ledger.refresh()
    counting, seq = Counting(span), 0
    _, end = span.moments
    wanted = select(LedgerEntry.seq, LedgerEntry.preimage, LedgerEntry.hash).where(
        LedgerEntry.kind.in_(KINDS), LedgerEntry.at < end
    )
    while True:
        query = wanted.where(LedgerEntry.seq > seq).order_by(LedgerEntry.seq).limit(_PAGE)
        rows = await ledger.db.read(partial(_all, query=query))
        for seq, preimage, digest in rows:  # noqa: B007  the last one is where the next page begins
            counting.take(_entry(preimage, digest))
        if len(rows) < _PAGE:
            return counting


def _all(session: Session, query: Executable) -> Sequence[Any]:
    return session.execute(query).all()


def _entry(preimage: str, digest: str) -> Entry:
    said = json.loads(preimage)
    who, what = (said["subject"], said["actor"]), (said["at"], said["body"], said["prev"])
    return Entry(said["seq"], said["kind"], *who, *what, digest, None)


def rows_for(counting: Counting, figure: str) -> list[int]:
    """The entries a figure is counted from; `by.<staff>.<verdict>` are one person's decisions."""
    if figure in counting.figures:
        return counting.figures[figure].rows
    head, _, rest = figure.partition(".")
    person, _, verdict = rest.partition(".")
    rows = counting.people.get(person, {}).get(verdict) if head == "by" else None
    if rows is None:
        raise Refused(404, [Reason("figure", "没有这个数字")])
    return rows


@dataclass(frozen=True)
class Filled:
    """What of the annual report only the office knows: numbers by cell, and the written parts.

    The parts are published, and stand in the ledger as they are. `after` is the entry of what stood
    when it was filled in, 0 for nothing; None: whatever stands.
    """

    cells: Mapping[str, object]
    texts: Mapping[str, object] = field(default_factory=dict)
    after: int | None = None


async def give(ledger: Ledger, year: str, filled: Filled, by: str) -> int:
    """Sign it, all of it at once: the last that was given for a year counts.

    Refused with every fault; Given (409) when somebody gave another one since `after`.
    """
    cells = filled.cells
    written = {name: text for name, text in sorted(filled.texts.items()) if text}
    reasons = [Reason("cells", one) for one in (*faults(cells), *written_faults(written))]
    # Numbers given for ２０２６ would be in no report.
    if len(year) != 4 or not (year.isascii() and year.isdigit()):
        reasons.insert(0, Reason("year", "年份写成 2026"))
    async with ledger.transaction() as tx:
        await entitled(tx.session, by, "reports.give")
        if reasons:
            raise Refused(422, reasons)
        if filled.after is not None:
            await _nothing_since(tx.session, year, filled.after)
        body = {"year": year, "cells": {name: cells[name] for name in sorted(cells)}}
        if written:
            body["texts"] = written
        return await tx.append(GIVEN, subject=f"report:{year}", actor=by, body=body)


class Given(Refused):
    """Somebody gave theirs while this one was filled in; `seq` is the entry that stands now."""

    def __init__(self, seq: int, who: str) -> None:
        """Who gave it, by name."""
        self.seq = seq
        words = f"填写期间 {who} 已经交过一次（台账第 {seq} 条），再交就会盖掉"
        remedy = "请另开一页看看交了什么；改好以后再交一次，就以这里填的为准"
        super().__init__(409, [Reason("after", f"{words}。{remedy}")])


async def _nothing_since(session: AsyncSession, year: str, after: int) -> None:
    query = select(LedgerEntry.seq, LedgerEntry.actor).where(
        LedgerEntry.kind == GIVEN, LedgerEntry.subject == f"report:{year}"
    )
    newest = (await session.execute(query.order_by(LedgerEntry.seq.desc()).limit(1))).first()
    if newest is not None and newest.seq > after:
        known = await names(session, {newest.actor})
        raise Given(newest.seq, known.get(newest.actor, newest.actor))


async def people_of(ledger: Ledger, counting: Counting) -> list[tuple[str, str, dict[str, int]]]:
    """Who decided: id, name, how often each verdict."""
    async with ledger.db.session() as session:
        known = await names(session, counting.people)
    return sorted(
        (key, known.get(key, key), {name: len(rows) for name, rows in of.items()})
        for key, of in counting.people.items()
    )


def groups(counting: Counting) -> list[tuple[str, list[tuple[str, str, int]]]]:
    """The figures by their group: name, label, value; zero is written."""
    found: dict[str, list[tuple[str, str, int]]] = {}
    for name, group, label, _, _ in LINES:
        found.setdefault(group, []).append((name, label, counting.figures[name].value))
    return list(found.items())
