"""A report of a year, a quarter or a month: made in an office, recomputed from an export."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from sqlalchemy import Executable, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from config.clock import beijing, now
from ledger.append import Ledger
from ledger.models import LedgerEntry
from ledger.verify import Entry
from staff import people as staff_people
from staff.refusal import Reason, Refused
from staff.rights import entitled
from supervision.annual import TEXTS, faults, labels, written_faults
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
        remedy = "请先看两边有哪些不同；再交一次，就以最后交的为准"
        super().__init__(409, [Reason("after", f"{words}。{remedy}")])


async def _nothing_since(session: AsyncSession, year: str, after: int) -> None:
    query = select(LedgerEntry.seq, LedgerEntry.actor).where(
        LedgerEntry.kind == GIVEN, LedgerEntry.subject == f"report:{year}"
    )
    newest = (await session.execute(query.order_by(LedgerEntry.seq.desc()).limit(1))).first()
    if newest is not None and newest.seq > after:
        known = await staff_people.names(session, {newest.actor})
        raise Given(newest.seq, known.get(newest.actor, newest.actor))


@dataclass(frozen=True)
class Differs:
    """One field that two people gave otherwise."""

    name: str
    label: str
    theirs: str
    mine: str
    untouched: bool = False
    """Whether it is still as it was before either: only the other one changed it."""


def differing(standing: Counting, mine: Filled, base: Filled) -> list[Differs]:
    """Every field that stands otherwise than in `mine`, which began from `base`; in their order."""
    said = labels()
    theirs, my, began = (
        {name: _said(one, name) for name in said}
        for one in (Filled(standing.given, standing.texts), mine, base)
    )
    return [
        Differs(name, said[name], theirs[name], my[name], began[name] == my[name])
        for name in said
        if theirs[name] != my[name]
    ]


def _said(filled: Filled, name: str) -> str:
    if name in TEXTS:
        return str(filled.texts.get(name, ""))
    return str(filled.cells.get(name, 0))


async def given_at(ledger: Ledger, year: str, seq: int) -> Filled:
    """What stood by one entry of a year; nothing where there is none. Raises Broken."""
    for entry in await ledger.facts(f"report:{year}"):
        if (entry.kind, entry.seq) == (GIVEN, seq):
            return Filled(entry.body["cells"], entry.body.get("texts", {}))
    return Filled({})


async def people_of(ledger: Ledger, counting: Counting) -> list[tuple[str, str, dict[str, int]]]:
    """Who decided: id, name, how often each verdict."""
    async with ledger.db.session() as session:
        known = await staff_people.names(session, counting.people)
    return sorted(
        (key, known.get(key, key), {name: len(rows) for name, rows in of.items()})
        for key, of in counting.people.items()
    )


def counted_words(counting: Counting) -> str:
    """Until when the figures are counted that a day adds to later; "" when the span is over."""
    today = beijing(now()).date()
    if not counting.span.first <= today < counting.span.end:
        return ""
    if counting.counted_to is None or counting.counted_to < counting.span.first:
        return "这段时间还没有统计过一天：标“次日计入”的数，每天过完才计入"
    day = counting.counted_to
    return f"标“次日计入”的数统计到 {day.month}月{day.day}日，当天的数次日计入"


def groups(counting: Counting) -> list[tuple[str, list[tuple[str, str, int]]]]:
    """The figures by their group: name, label, value; zero is written."""
    found: dict[str, list[tuple[str, str, int]]] = {}
    for name, group, label, _, _ in LINES:
        found.setdefault(group, []).append((name, label, counting.figures[name].value))
    return list(found.items())
