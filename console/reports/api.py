"""Reports in the JSON API."""

from aiohttp import web
from pydantic import Field

from console.reports.pages import counting_of
from console.web.deps import DEPS, visitor
from console.web.interface import Strict, as_json, read, takes
from console.web.permissions import needs
from supervision.figures import as_json as report_json
from supervision.report import Filled, give


class GivenBody(Strict):
    """What of a year only the office knows: numbers, left out is 0, and the written parts.

    `after` is `given.seq` of the report this was filled in on, 0 for none: 409 when it is not the
    last any more.
    """

    cells: dict[str, int]
    texts: dict[str, str] = Field(default_factory=dict)
    after: int | None = None


@needs("reports.read")
async def report(request: web.Request) -> web.StreamResponse:
    """The figures of a period (2026, 2026Q3, 2026-09), each with its entries."""
    period = request.match_info["period"]
    return as_json(report_json(period, await counting_of(request, period)))


@needs("reports.give")
@takes(GivenBody)
async def give_numbers(request: web.Request) -> web.StreamResponse:
    """Sign the numbers of the annual report that the ledger does not know."""
    body, year = await read(request, GivenBody), request.match_info["period"]
    ledger, me = request.config_dict[DEPS].ledger, visitor(request).staff_id
    filled = Filled(body.cells, body.texts, body.after)
    return as_json({"entry": await give(ledger, year, filled, me)})


ROUTES = [
    web.get("/reports/{period}", report),
    web.post("/reports/{period}/given", give_numbers),
]
