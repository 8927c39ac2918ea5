"""知悉范围 in the JSON API."""

from typing import Literal

from aiohttp import web
from pydantic import Field

from console.items.words import BRIEF, item_json
from console.web.deps import DEPS, acting, found
from console.web.interface import Strict, as_json, read, takes
from console.web.permissions import needs
from review_queue import scope
from review_queue.models import Item


class ScopeBody(Strict):
    """Staff ids to whom the item is limited; who acts and who made it are added."""

    people: list[str]


class ScopeAskBody(Strict):
    """One more person, and why."""

    person: str
    reason: str = Field(min_length=1)


class ScopeAnswerBody(Strict):
    """What a second person says."""

    verdict: Literal["added", "refused"]


@needs("items.read")
async def item_scope(request: web.Request) -> web.StreamResponse:
    """Whom the item is limited to, who was asked for, and who looked."""
    item_id = request.match_info["item"]
    async with request.config_dict[DEPS].db.session() as session:
        item = found(await session.get(Item, item_id), "篇稿件")
        asks = await scope.asks_of(session, item_id)
        looks = await scope.looks_of(session, item_id)
    names = ("id", "staff_id", "asked_by", "reason", "at", "state", "decided_by")
    return as_json(
        {
            "confined": item.confined,
            "people": scope.people_of(item),
            "asks": [{name: getattr(row, name) for name in names} for row in asks],
            "looks": [{"staff_id": row.staff_id, "what": row.what, "at": row.at} for row in looks],
        }
    )


@needs("items.limit")
@takes(ScopeBody)
async def confine_item(request: web.Request) -> web.StreamResponse:
    """Limit the item to these people."""
    body = await read(request, ScopeBody)
    return as_json(item_json(await scope.confine(*acting(request), body.people), BRIEF))


@needs("items.limit")
@takes(ScopeAskBody)
async def ask_scope(request: web.Request) -> web.StreamResponse:
    """Ask for one more person; a second one decides."""
    body = await read(request, ScopeAskBody)
    row = await scope.ask(*acting(request), body.person, body.reason)
    return as_json({"id": row.id, "state": row.state}, 201)


@needs("items.limit")
@takes(ScopeAnswerBody)
async def answer_scope(request: web.Request) -> web.StreamResponse:
    """Agree to one more person, or not."""
    body = await read(request, ScopeAnswerBody)
    row = await scope.answer(*acting(request), request.match_info["ask"], body.verdict)
    return as_json({"id": row.id, "state": row.state})


ROUTES = [
    web.get("/items/{item}/scope", item_scope),
    web.post("/items/{item}/scope", confine_item),
    web.post("/items/{item}/scope/asks", ask_scope),
    web.post("/items/{item}/scope/asks/{ask}", answer_scope),
]
