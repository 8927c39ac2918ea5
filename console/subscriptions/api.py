"""How many people an audience reaches, in the JSON API."""

from aiohttp import web

from console.web.deps import DEPS
from console.web.interface import Strict, as_json, read, takes
from console.web.permissions import by_service, needs
from console.web.reaching import reach_json
from facets.criteria import audience_faults
from staff.refusal import Reason, refuse


class AudienceBody(Strict):
    """Facets a subscription must match (`all`: each of them), and the accounts that would push."""

    audience: dict[str, list[str]]
    accounts: list[str]


@by_service
@needs("subscriptions.read")
@takes(AudienceBody)
async def count_subscribers(request: web.Request) -> web.StreamResponse:
    """How many people an audience reaches on some accounts, and five of them with reasons."""
    body, deps = await read(request, AudienceBody), request.config_dict[DEPS]
    refuse([Reason("audience", words) for words in audience_faults(body.audience)])
    async with deps.db.session() as session:
        reach = await deps.matching.reach(session, body.audience, body.accounts)
    return as_json(reach_json(reach))


ROUTES = [web.post("/subscribers/count", count_subscribers)]
