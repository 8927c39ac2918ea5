"""A report of a year, a quarter or a month: made in an office, recomputed from an export."""

import json
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from sqlalchemy import Executable, select
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


async def give(
    ledger: Ledger,
    year: str,
    cells: Mapping[str, object],
    by: str,
    texts: Mapping[str, object] | None = None,
) -> int:
    """Sign what of the annual report only the office knows; Refused with every fault.

    `texts` are the parts that are written: they are published, and stand in the ledger as they are.
    All of it at once: the last that was given for a year counts.
    """
    written = {name: text for name, text in sorted((texts or {}).items()) if text}
    reasons = [Reason("cells", one) for one in (*faults(cells), *written_faults(written))]
    # Numbers given for ２０２６ would be in no report.
    if len(year) != 4 or not (year.isascii() and year.isdigit()):
        reasons.insert(0, Reason("year", "年份写成 2026"))
    async with ledger.transaction() as tx:
        await entitled(tx.session, by, "reports.give")
        if reasons:
            raise Refused(422, reasons)
        body = {"year": year, "cells": {name: cells[name] for name in sorted(cells)}}
        if written:
            body["texts"] = written
        return await tx.append(GIVEN, subject=f"report:{year}", actor=by, body=body)


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
