"""排期: the page of one week."""

from datetime import date, timedelta

from aiohttp import web

from bot.quota import day_of
from config.clock import now
from console.plan.week import DAYS, monday, week_of
from console.web.deps import DEPS
from console.web.pages import page
from console.web.permissions import needs
from staff.refusal import Reason, Refused


def first_day(request: web.Request) -> date:
    """The Monday that is asked for; this week's where none is. Refused (422): no date."""
    asked = request.query.get("from", "")
    if not asked:
        return monday(day_of(now()))
    try:
        found = date.fromisoformat(asked)
        # The pages before and after it must be dates too.
        if not date(2000, 1, 1) < found < date(2200, 1, 1):
            raise ValueError(asked)
    except ValueError as error:
        words = "from 应写成 2026-11-30 这样的日期"
        raise Refused(422, [Reason("from", words)]) from error
    return monday(found)


@needs("publications.read")
async def plan(request: web.Request) -> web.StreamResponse:
    """Seven days of every account, windows, what is left, holidays and times of silence."""
    first = first_day(request)
    week, today = await week_of(request.config_dict[DEPS], first), day_of(now())
    context = {
        "place": "plan",
        "week": week,
        "today": today,
        "this_week": monday(today),
        "before": first - timedelta(days=DAYS),
        "after": first + timedelta(days=DAYS),
    }
    return page(request, "plan/page.html", context)


ROUTES = [web.get("/plan", plan)]
