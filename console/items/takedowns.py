"""撤下 by hand: what a person says is done, on the page and in the JSON API."""

from aiohttp import web

from bot.delivery.takedowns import settle_takedown
from console.items.taken import downs_of
from console.items.view import Typed, show_item
from console.web.deps import DEPS, visitor
from console.web.interface import as_json
from console.web.pages import see
from console.web.permissions import needs
from review_queue.desk import read_item
from staff.refusal import Refused


async def _known(request: web.Request) -> None:
    """404 for an item that is not there, or not for whoever asks."""
    async with request.config_dict[DEPS].db.session() as session:
        await read_item(session, request.match_info["item"])


async def _settle(request: web.Request) -> None:
    await _known(request)
    ledger = request.config_dict[DEPS].ledger
    place = (request.match_info["item"], request.match_info["takedown"])
    await settle_takedown(ledger, *place, visitor(request).staff_id)


@needs("publications.settle")
async def settle(request: web.Request) -> web.StreamResponse:
    """已处理: somebody took it off in the platform's own pages."""
    item_id = request.match_info["item"]
    try:
        await _settle(request)
    except Refused as refused:
        if refused.status == web.HTTPNotFound.status_code:
            raise
        return await show_item(request, item_id, Typed(refused.reasons, status=refused.status))
    return see(f"/console/items/{item_id}", "taken_down")


@needs("items.read")
async def takedowns(request: web.Request) -> web.StreamResponse:
    """What became of each publication that was recalled or corrected."""
    await _known(request)
    rows = await downs_of(request.config_dict[DEPS], request.match_info["item"])
    return as_json({"takedowns": [row.told() for row in rows]})


@needs("publications.settle")
async def settle_api(request: web.Request) -> web.StreamResponse:
    """The same as the button: it was taken off by hand."""
    await _settle(request)
    return await takedowns(request)


ROUTES = [web.post("/items/{item}/takedowns/{takedown}", settle)]
API_ROUTES = [
    web.get("/items/{item}/takedowns", takedowns),
    web.post("/items/{item}/takedowns/{takedown}", settle_api),
]
