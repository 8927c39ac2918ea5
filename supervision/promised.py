"""What was promised and kept of the last days: from signed counts, today's from its rows."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.models import InboundMessage
from config.clock import beijing, now
from ledger.append import Ledger
from ledger.verify import Entry
from review_queue.models import Emergency
from supervision.figures import COUNTED, Span
from supervision.promises import (
    Act,
    Handed,
    Kept,
    UrgentClock,
    as_figures,
    from_signed,
    kept_of,
    root_of,
    share,
)

DAYS = 30
MOST_URGENT = 200
Accounts = Collection[str] | None
"""Ids of the accounts that are looked at; None is all of them."""


@dataclass(frozen=True)
class Day:
    """One Beijing day; `seq` of the entry that signs its counts, None where rows are counted."""

    day: date
    kept: Kept
    seq: int | None = None

    def as_json(self) -> dict[str, Any]:
        """The numbers of the day, and the entry that signs them."""
        return {"day": self.day.isoformat(), "entry": self.seq, **as_figures(self.kept)}


@dataclass(frozen=True)
class Line:
    """One act as a page lists it."""

    act: Act
    account: str
    at: datetime


async def lines_of(
    session: AsyncSession, first: date, end: date, accounts: Accounts = None
) -> list[Line]:
    """Every act from `first` to before `end` that something was said to, by their ids."""
    moments = Span(first, end).moments
    row = InboundMessage
    query = select(row.id, row.contact_id, row.met, row.took, row.at, row.account_id).where(
        row.at >= moments[0], row.at < moments[1], row.met > ""
    )
    if accounts is not None:
        query = query.where(row.account_id.in_(accounts))
    found = await session.execute(query.order_by(row.id))
    return [
        Line(Act(key, who or key, met, took, beijing(at).hour), account, at)
        for key, who, met, took, at, account in found.all()
    ]


async def acts_of(session: AsyncSession, day: date) -> list[Act]:
    """The acts of one day, of the whole office."""
    return [one.act for one in await lines_of(session, day, day + timedelta(days=1))]


async def days_kept(ledger: Ledger, accounts: Accounts = None) -> list[Day]:
    """The last days, the newest first. Raises Broken.

    Signed counts are of the whole office: for some of its accounts rows are counted.
    """
    today = beijing(now()).date()
    told = {one.body["day"]: one for one in await ledger.facts("counts") if one.kind == COUNTED}
    days = [today - timedelta(days=back) for back in range(DAYS)]
    unsigned = [one for one in days if accounts is not None or one.isoformat() not in told]
    acts: dict[date, list[Act]] = {one: [] for one in unsigned}
    async with ledger.db.session() as session:
        end = today + timedelta(days=1)
        for line in await lines_of(session, unsigned[-1], end, accounts):
            acts.setdefault(beijing(line.at).date(), []).append(line.act)
    found = []
    for day in days:
        if day in unsigned:
            found.append(Day(day, kept_of(acts[day])))
        else:
            entry = told[day.isoformat()]
            found.append(Day(day, from_signed(entry.body), entry.seq))
    return found


def agrees(entry: Entry, acts: Sequence[Act]) -> bool:
    """Whether the rows still say what was signed of them; erasing a person changes none of it."""
    said = entry.body.get("promises")
    return isinstance(said, dict) and said["root"] == root_of(acts)


async def signed_day(ledger: Ledger, day: date) -> Entry | None:
    """The entry that signs the counts of a day. Raises Broken."""
    told = [one for one in await ledger.facts("counts") if one.kind == COUNTED]
    return next((one for one in told if one.body["day"] == day.isoformat()), None)


async def urgent_since(ledger: Ledger, begin: datetime, accounts: Accounts = None) -> list[Handed]:
    """Urgent texts that platforms were given since then, the newest first. Raises Broken."""
    query = select(Emergency.item_id).where(Emergency.released_at >= begin)
    async with ledger.db.session() as session:
        items = (await session.scalars(query.order_by(Emergency.id.desc()))).all()
    subjects = [f"item:{one}" for one in dict.fromkeys(items)][:MOST_URGENT]
    told = await ledger.facts_of(subjects) if subjects else {}
    found = []
    for entries in told.values():
        clock = UrgentClock()
        found += [one for entry in entries if (one := clock.take(entry)) is not None]
    mine = [one for one in found if accounts is None or one.account in accounts]
    return sorted((one for one in mine if one.at >= begin), key=lambda one: -one.seq)


def together(days: Sequence[Day]) -> Kept:
    """The counts of all of them."""
    total = Kept()
    for one in days:
        total.add(one.kept)
    return total


def urgent_figures(urgent: list[Handed]) -> dict[str, Any]:
    """How many urgent texts were handed over, how many in time, and each with its entry."""
    good = sum(one.in_time for one in urgent)
    rows = [
        {
            "seq": one.seq,
            "item": one.item,
            "account": one.account,
            "at": one.at.isoformat(),
            "seconds": one.seconds,
        }
        for one in urgent
    ]
    percent = share(good, len(urgent))
    return {"handed": len(urgent), "in_time": good, "in_time_percent": percent, "rows": rows}


async def promise_lines(ledger: Ledger) -> list[dict[str, Any]]:
    """Each of the last days, the newest first, and then what was urgent."""
    days = await days_kept(ledger)
    urgent = urgent_figures(await urgent_since(ledger, now() - timedelta(days=DAYS)))
    return [*(one.as_json() for one in days), {"urgent": urgent}]
