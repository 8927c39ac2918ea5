"""问答统计: answered, asked back and escalated by day, ratings, and the questions for editors."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from aiohttp import web

from config.clock import now
from console.tickets.words import HOW_WORDS
from console.web.deps import DEPS
from console.web.pages import page
from console.web.permissions import needs
from escalations.asked import DAYS, Day, How, asked
from escalations.ratings import LOW, STARS, ratings

_HIGH = 110  # units of the chart's drawing


@dataclass(frozen=True)
class Bar:
    """One part of a day's bar in the drawing."""

    how: str
    x: int
    y: float
    height: float


def bars_of(days: Sequence[Day]) -> list[Bar]:
    """The days as stacked bars, the highest as high as the drawing."""
    most = max((sum(one.counts.values()) for one in days), default=0) or 1
    found = []
    for at, one in enumerate(days):
        y = float(_HIGH)
        for how, count in one.counts.items():
            height = round(count * _HIGH / most, 1)
            y -= height
            if height:
                found.append(Bar(how, at * 20 + 3, round(y, 1), height))
    return found


@needs("questions.read")
async def counts(request: web.Request) -> web.StreamResponse:
    """The last thirty days."""
    deps = request.config_dict[DEPS]
    async with deps.db.session() as session:
        found = await asked(session)
    graded = (await ratings(deps.tickets)).counts(now() - timedelta(days=DAYS))
    context = {
        "place": "tickets",
        "found": found,
        "bars": bars_of(found.days),
        "hows": HOW_WORDS,
        "totals": {how: sum(one.counts[how] for one in found.days) for how in How},
        "graded": graded,
        "stars": STARS,
        "pleased": _share(graded),
    }
    return page(request, "tickets/counts.html", context)


def _share(graded: Mapping[int, int]) -> str:
    total = sum(graded.values())
    good = sum(count for stars, count in graded.items() if stars > LOW)
    return f"{good * 100 / total:.0f} %" if total else "还没有评价"


ROUTES = [web.get("/questions", counts)]
