"""承诺: answers in time, urgent texts handed over in time, questions answered; each to its rows."""

from dataclasses import asdict
from datetime import date, timedelta
from typing import Any

from aiohttp import web
from sqlalchemy import select

from bot.models import Account
from config.clock import now
from console.web.care import accounts_in_care
from console.web.deps import DEPS, Deps, visitor
from console.web.interface import as_json
from console.web.pages import page
from console.web.permissions import needs
from ledger.verify import Broken
from review_queue.models import Item
from staff.refusal import Reason, Refused, missing
from supervision.figures import read_day
from supervision.promised import (
    DAYS,
    Day,
    agrees,
    days_kept,
    lines_of,
    signed_day,
    together,
    urgent_figures,
    urgent_since,
)
from supervision.promises import Handed, as_figures, kept_of, share

_A_PAGE = 200


async def _of(request: web.Request) -> frozenset[str] | None:
    async with request.config_dict[DEPS].db.session() as session:
        return await accounts_in_care(session, visitor(request))


async def _whole(deps: Deps, mine: frozenset[str] | None) -> tuple[list[Day], list[Handed]]:
    """The last days and what was urgent in them; Refused (409) while the ledger does not hold."""
    try:
        days = await days_kept(deps.ledger, mine)
        return days, await urgent_since(deps.ledger, now() - timedelta(days=DAYS), mine)
    except Broken as broken:
        words = f"台账核验不通过，算不出这些数：{broken}"
        raise Refused(409, [Reason("ledger", words)]) from broken


@needs("cockpit.read")
async def promises(request: web.Request) -> web.StreamResponse:
    """The three shares of the last thirty days, day by day, and each urgent text."""
    deps, mine = request.config_dict[DEPS], await _of(request)
    days, urgent = await _whole(deps, mine)
    async with deps.db.session() as session:
        accounts = await _account_names(session)
        # A text of a limited circle keeps its title; it is released, so that there is none.
        keys = [one.item for one in urgent]
        found = await session.execute(select(Item.id, Item.title).where(Item.id.in_(keys)))
        titles = {row.id: row.title for row in found}
    context = {
        "place": "cockpit",
        "days": days,
        "bars": [share(one.kept.in_time, one.kept.replies) for one in reversed(days)],
        "total": together(days),
        "urgent": urgent,
        "handed": sum(one.in_time for one in urgent),
        "accounts": accounts,
        "titles": titles,
    }
    return page(request, "cockpit/promises.html", context)


@needs("cockpit.read")
async def promises_day(request: web.Request) -> web.StreamResponse:
    """The hours of one day, whether rows still agree with what was signed, and the acts."""
    deps, mine, day = request.config_dict[DEPS], await _of(request), _day(request)
    entry = None if mine is not None else await _signed(deps, day)
    async with deps.db.session() as session:
        lines = await lines_of(session, day, day + timedelta(days=1), mine)
        accounts = await _account_names(session)
    hour, after = request.query.get("hour", ""), request.query.get("after", "")
    slow = request.query.get("slow") == "1"
    shown = [
        one
        for one in lines
        if one.act.id > after
        and (not hour.isdecimal() or one.act.hour == int(hour))
        and not (slow and one.act.in_time)
    ]
    acts = [one.act for one in lines]
    kept = kept_of(acts)
    context = {
        "place": "cockpit",
        "day": day,
        "kept": kept,
        "bars": [share(good, replies) for replies, good in kept.hours],
        "entry": entry,
        "agrees": entry is not None and agrees(entry, acts),
        "lines": shown[:_A_PAGE],
        "more": shown[_A_PAGE - 1].act.id if len(shown) > _A_PAGE else "",
        "hour": int(hour) if hour.isdecimal() else None,
        "slow": slow,
        "kept_query": f"{f'hour={hour}&' if hour.isdecimal() else ''}{'slow=1&' if slow else ''}",
        "accounts": accounts,
    }
    return page(request, "cockpit/promises_day.html", context)


async def _signed(deps: Deps, day: date) -> Any:
    try:
        return await signed_day(deps.ledger, day)
    except Broken as broken:
        raise Refused(409, [Reason("ledger", f"台账核验不通过：{broken}")]) from broken


async def _account_names(session: Any) -> dict[str, str]:
    found = await session.execute(select(Account.id, Account.name))
    return {row.id: row.name for row in found}


def _day(request: web.Request) -> date:
    try:
        return read_day(request.match_info["day"])
    except ValueError as error:
        raise missing("一天") from error


@needs("cockpit.read")
async def promises_json(request: web.Request) -> web.StreamResponse:
    """Promises of the last thirty days, the newest first; `entry` signs the counts of a day."""
    days, urgent = await _whole(request.config_dict[DEPS], await _of(request))
    told = {"days": [one.as_json() for one in days], "urgent": urgent_figures(urgent)}
    return as_json({"total": as_figures(together(days)), **told})


@needs("cockpit.read")
async def promises_day_json(request: web.Request) -> web.StreamResponse:
    """Promises of one day by hour, counted from rows, beside what was signed of them."""
    deps, mine, day = request.config_dict[DEPS], await _of(request), _day(request)
    entry = None if mine is not None else await _signed(deps, day)
    async with deps.db.session() as session:
        lines = await lines_of(session, day, day + timedelta(days=1), mine)
    acts = [one.act for one in lines]
    kept = kept_of(acts)
    told = {
        "day": day.isoformat(),
        **as_figures(kept),
        "hours": kept.hours,
        "entry": entry.seq if entry else None,
        "agrees": agrees(entry, acts) if entry else None,
        "rows": [asdict(one) | {"in_time": one.in_time} for one in acts],
    }
    for one in told["rows"]:
        del one["contact"]  # nobody needs to know whose it was
    return as_json(told)


ROUTES = [
    web.get("/promises", promises),
    web.get("/promises/{day}", promises_day),
]
API = [
    web.get("/promises", promises_json),
    web.get("/promises/{day}", promises_day_json),
]
