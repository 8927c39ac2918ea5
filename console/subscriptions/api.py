"""How many people an audience reaches, in the JSON API."""

from aiohttp import web

from console.web.deps import DEPS
from console.web.interface import Strict, as_json, read, takes
from console.web.permissions import by_service, needs


class AudienceBody(Strict):
    """Facets a subscription must match, and the accounts that would push."""

    audience: dict[str, list[str]]
    accounts: list[str]


@by_service
@needs("subscriptions.read")
@takes(AudienceBody)
async def count_subscribers(request: web.Request) -> web.StreamResponse:
    """How many people an audience reaches on some accounts."""
    body, deps = await read(request, AudienceBody), request.config_dict[DEPS]
    matching = deps.matching
    async with deps.db.session() as session:
        number = await matching.count(session, body.audience, body.accounts)
    return as_json({"count": number})


ROUTES = [web.post("/subscribers/count", count_subscribers)]
