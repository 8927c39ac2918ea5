"""Counts of whole days as open data, from signed entries; nobody can be told from them."""

import json
from datetime import date, datetime, timedelta

from aiohttp import web
from sqlalchemy import and_, func, or_, select

from config.clock import beijing, now
from console.public.opened import (
    PATH,
    Closed,
    Place,
    Spot,
    asked_of,
    given,
    known_of,
    opened,
    page_of,
    too_many,
    unchanged,
)
from console.web.deps import DEPS, Deps
from console.web.interface import answers, filtered_by
from console.web.permissions import PUBLIC, needs
from ledger.models import LedgerEntry
from ledger.verify import Entry
from staff.refusal import Refused
from supervision.figures import COUNTED, LINES, Counting, Span

_NAME = "figures"
_TOLD = (
    "published",
    "recalled",
    "taken_down",
    "pushes",
    "pushed",
    "messages",
    "tickets",
    "answers",
)
"""The lines of the office's reports that are told to everybody."""
_KINDS = sorted({kind for name, _, _, kinds, _ in LINES if name in _TOLD for kind in kinds})
_FIRST, _LATE = date(2020, 1, 1), timedelta(days=8)


class DayData(Closed):
    """One Beijing day that is over: a number for each line."""

    day: str
    published: int
    recalled: int
    taken_down: int
    pushes: int
    pushed: int
    messages: int
    tickets: int
    answers: int


class FiguresData(Closed):
    """A page of days, the oldest first; `labels` say in words what is counted."""

    title: str
    labels: dict[str, str]
    days: list[DayData]
    next_url: str | None
    place: Place


@needs(PUBLIC)
@answers(FiguresData)
@filtered_by("cursor", "limit", "updated_since")
async def open_figures(request: web.Request) -> web.StreamResponse:
    """Counts of every day that is over, the oldest first; today comes tomorrow."""
    try:
        return await _figures(request)
    except Refused as refused:
        return too_many(request, refused)


async def _figures(request: web.Request) -> web.StreamResponse:
    deps = request.config_dict[DEPS]
    await opened(request, _NAME)
    asked = asked_of(request, _NAME)
    page, place = page_of(await _days(deps), asked)
    known = known_of(page, place, daily=False)
    if (same := unchanged(request, known)) is not None:
        return same
    days = await _counted(deps, [date.fromisoformat(one.key) for one in page])
    home = deps.settings.public_url.rstrip("/")
    further = f"{home}{PATH}/{_NAME}?cursor={place.cursor}&limit={asked.limit}"
    labels = {name: words for name, _, words, _, _ in LINES if name in _TOLD}
    body = FiguresData(
        title="每日数字",
        labels=labels,
        days=days,
        next_url=further if place.more else None,
        place=place,
    )
    return given(body, known)


async def _days(deps: Deps) -> list[Spot]:
    """Every whole day since the first entry; a day's number stands where others have an entry's."""
    async with deps.db.session() as session:
        first = await session.scalar(select(func.min(LedgerEntry.at)))
    today = beijing(now()).date()
    begun = beijing(first).date() if first is not None else today
    whole = [begun + timedelta(days=n) for n in range((today - begun).days)]
    return [_spot(day) for day in whole]


def _spot(day: date) -> Spot:
    return Spot(str(day), (day - _FIRST).days, Span(day, day).moments[0] + timedelta(days=1))


async def _counted(deps: Deps, days: list[date]) -> list[DayData]:
    """The lines of each day."""
    if not days:
        return []
    begin, end = Span(days[0], days[-1] + timedelta(days=1)).moments
    mine = and_(LedgerEntry.kind.in_(_KINDS), LedgerEntry.at >= begin, LedgerEntry.at < end)
    # What is no entry of its own is counted the day after, or some days later.
    later = and_(LedgerEntry.kind == COUNTED, LedgerEntry.at >= end, LedgerEntry.at < end + _LATE)
    query = select(LedgerEntry.preimage).where(or_(mine, later)).order_by(LedgerEntry.seq)
    async with deps.db.session() as session:
        entries = [_entry(text) for text in (await session.scalars(query)).all()]
    said = {one.body["day"]: one.body["messages"] for one in entries if one.kind == COUNTED}
    whole = {day: Counting(Span(day, day + timedelta(days=1))) for day in days}
    for entry in entries:
        counting = whole.get(beijing(datetime.fromisoformat(entry.at)).date())
        if counting is not None and entry.kind != COUNTED:
            counting.take(entry)
    return [_day(day, counting, said.get(str(day), 0)) for day, counting in whole.items()]


def _entry(preimage: str) -> Entry:
    said = json.loads(preimage)
    names = ("seq", "kind", "subject", "actor", "at", "body", "prev")
    return Entry(**{name: said[name] for name in names}, hash="", signature=None)


def _day(day: date, counting: Counting, messages: int) -> DayData:
    figures = {name: counting.figures[name].value for name in _TOLD}
    return DayData(day=str(day), **figures | {"messages": messages})


ROUTES = [web.get("/open/figures", open_figures)]
