"""The week of every account, in the JSON API."""

from aiohttp import web

from bot.quota import Left
from console.plan.pages import first_day
from console.plan.week import Entry, week_of
from console.web.deps import DEPS
from console.web.interface import as_json, filtered_by
from console.web.permissions import needs


def _entry(one: Entry) -> dict[str, object]:
    return {
        "item": one.item_id,
        "title": one.title,
        "account": one.account.slug,
        "at": one.at,
        "state": one.state or "approved",
        "publication": one.publication_id,
        "put_off": one.put_off,
        "confirmation": {"who": one.asked.who, "until": one.asked.until} if one.asked else None,
        "not_after": one.until,
    }


def _left(one: Left) -> dict[str, object]:
    limit = one.limit
    return {
        "call": limit.call,
        "label": limit.label,
        "per": limit.per,
        "each_follower": limit.each,
        "most": limit.most,
        "used": one.used,
        "left": one.left,
        "free_at": one.free_at,
    }


@filtered_by("from")
@needs("publications.read")
async def plan(request: web.Request) -> web.StreamResponse:
    """Seven days of every account, and what each has left; `from` names a day of the week."""
    week = await week_of(request.config_dict[DEPS], first_day(request))
    return as_json(
        {
            "from": week.first.isoformat(),
            "days": [
                {
                    "date": day.date.isoformat(),
                    "working": day.works,
                    "silence": [
                        {"from": stop.start, "to": stop.end, "note": stop.note}
                        for stop in day.stops
                    ],
                    "sends": [_entry(one) for one in day.entries],
                }
                for day in week.days
            ],
            "unplanned": [_entry(one) for one in week.loose],
            "accounts": [
                {"account": one.account.slug, "left": [_left(row) for row in one.left]}
                for one in week.accounts
            ],
            "faults": list(week.faults),
        }
    )


ROUTES = [web.get("/plan", plan)]
