"""老化清单: which clauses to look at first, and 仍然有效 by one click."""

from aiohttp import web

from console.web.deps import DEPS, visitor
from console.web.pages import page, see
from console.web.permissions import needs
from knowledge.ageing import ageing, confirm, people_in
from staff.people import names


@needs("policies.read")
async def ageing_list(request: web.Request) -> web.StreamResponse:
    """Clauses by answers carried and time unconfirmed."""
    deps = request.config_dict[DEPS]
    rows = await ageing(deps.ledger)
    async with deps.db.session() as session:
        people = await names(session, people_in(rows))
    return page(
        request, "policies/ageing.html", {"place": "policies", "rows": rows, "people": people}
    )


@needs("policies.propose")
async def confirm_clause(request: web.Request) -> web.StreamResponse:
    """It was looked at and still holds."""
    ledger, me = request.config_dict[DEPS].ledger, visitor(request).staff_id
    await confirm(ledger, request.match_info["clause"], me)
    return see("/console/policies/ageing", "clause_confirmed")


ROUTES = [
    web.get("/policies/ageing", ageing_list),
    web.post("/policies/ageing/{clause}", confirm_clause),
]
