"""知悉范围 of one item: who may see it, who asked for whom, who looked; and the acts."""

from collections.abc import Sequence

from aiohttp import web
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from console.web.deps import DEPS, acting, found
from console.web.pages import form, many, page, see
from console.web.permissions import needs
from review_queue import scope
from review_queue.models import Item
from review_queue.states import ItemState
from staff.models import Staff
from staff.people import names
from staff.refusal import Refused


async def active_people(session: AsyncSession) -> Sequence[Staff]:
    """Everybody who works here, for a choice of names."""
    query = select(Staff).where(Staff.active.is_(True)).order_by(Staff.name, Staff.login)
    return [row for row in (await session.scalars(query)).all() if row.roles]


async def _page(request: web.Request, refused: Refused | None = None) -> web.Response:
    item_id = request.match_info["item"]
    async with request.config_dict[DEPS].db.session() as session:
        item = found(await session.get(Item, item_id), "篇稿件")
        asks = await scope.asks_of(session, item_id)
        looks = await scope.looks_of(session, item_id)
        ids = {*scope.people_of(item)} | {row.staff_id for row in asks}
        ids |= {row.staff_id for row in looks}
        context = {
            "place": "items",
            "item": item,
            "inside": scope.people_of(item),
            "makers": {item.author_id, item.last_editor_id},
            "staff": await active_people(session),
            "asks": asks,
            "looks": looks,
            "people": await names(session, ids | {row.asked_by for row in asks}),
            "open": item.state in {ItemState(one) for one in scope.UNRELEASED},
            "typed": await form(request) if refused else {},
            "reasons": refused.reasons if refused else (),
        }
    return page(request, "items/scope.html", context, refused.status if refused else 200)


@needs("items.read")
async def scope_page(request: web.Request) -> web.StreamResponse:
    """Who may see this item, and who did."""
    return await _page(request)


@needs("items.limit")
async def confine(request: web.Request) -> web.StreamResponse:
    """Limit the item to the chosen people."""
    try:
        await scope.confine(*acting(request), await many(request, "people"))
    except Refused as refused:
        if refused.status == 404:
            raise
        return await _page(request, refused)
    return see(f"/console/items/{request.match_info['item']}/scope", "confined")


@needs("items.limit")
async def ask(request: web.Request) -> web.StreamResponse:
    """Ask for one more person."""
    fields = await form(request)
    try:
        await scope.ask(*acting(request), fields.get("person", ""), fields.get("reason", ""))
    except Refused as refused:
        if refused.status == 404:
            raise
        return await _page(request, refused)
    return see(f"/console/items/{request.match_info['item']}/scope", "scope_asked")


@needs("items.limit")
async def answer(request: web.Request) -> web.StreamResponse:
    """Agree to one more person, or not."""
    fields = await form(request)
    verdict = fields.get("verdict", "")
    try:
        await scope.answer(*acting(request), request.match_info["ask"], verdict)
    except Refused as refused:
        if refused.status == 404:
            raise
        return await _page(request, refused)
    return see(f"/console/items/{request.match_info['item']}/scope", f"scope_{verdict}")


ROUTES = [
    web.get("/items/{item}/scope", scope_page),
    web.post("/items/{item}/scope", confine),
    web.post("/items/{item}/scope/ask", ask),
    web.post("/items/{item}/scope/{ask}", answer),
]
