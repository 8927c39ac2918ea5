"""Editions in the JSON API: what may stand in one, a new one, and another order."""

from aiohttp import web
from pydantic import Field

from console.items.words import BRIEF, item_json
from console.web.deps import DEPS, acting, visitor
from console.web.interface import Strict, as_json, filtered_by, read, takes
from console.web.permissions import needs
from review_queue.editions import Chosen, arrange, make_edition, offered


class EditionBody(Strict):
    """A new edition: the account, and ids of approved items in their order."""

    account: str
    items: list[str] = Field(max_length=100)
    title: str = Field(default="", max_length=300)
    """For colleagues alone; empty: made of the first article's."""


class OrderBody(Strict):
    """The items of an edition as they shall stand; `version` is the one that was read."""

    version: int
    items: list[str] = Field(max_length=100)
    title: str = Field(default="", max_length=300)


@needs("items.read")
@filtered_by("account")
async def free_items(request: web.Request) -> web.StreamResponse:
    """Approved items that may still stand in an edition of an account (`account`)."""
    async with request.config_dict[DEPS].db.session() as session:
        rows = await offered(session, request.query.get("account", ""))
    return as_json({"items": [item_json(row, ("title", "kind", *BRIEF)) for row in rows]})


@needs("items.write")
@takes(EditionBody)
async def make(request: web.Request) -> web.StreamResponse:
    """A new edition of approved items, as a draft."""
    body = await read(request, EditionBody)
    queue, me = request.config_dict[DEPS].queue, visitor(request).staff_id
    row = await make_edition(queue, me, Chosen(body.account, body.items, body.title))
    return as_json(item_json(row), 201)


@needs("items.write")
@takes(OrderBody)
async def order(request: web.Request) -> web.StreamResponse:
    """Other items or another order; a change voids every approval of the edition."""
    body = await read(request, OrderBody)
    row = await arrange(*acting(request), body.version, Chosen("", body.items, body.title))
    return as_json(item_json(row))


ROUTES = [
    web.get("/editions/items", free_items),
    web.post("/editions", make),
    web.post("/editions/{item}/order", order),
]
