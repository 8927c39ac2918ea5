"""What may be republished though its source is not determined; where a picture comes from."""

from aiohttp import web
from sqlalchemy import select

from console.web.deps import DEPS, visitor
from console.web.pages import form, page, see
from console.web.permissions import needs
from content_sources import exceptions as made
from content_sources.exceptions import ask_exception as ask
from content_sources.exceptions import decide_exception as decide
from content_sources.pictures import Declared, declare_picture
from review_queue.models import Item
from staff.people import names
from staff.refusal import Refused


async def _exceptions_page(request: web.Request, refused: Refused | None = None) -> web.Response:
    async with request.config_dict[DEPS].db.session() as session:
        rows = await made.exceptions(session)
        query = select(Item.id, Item.title).where(Item.id.in_({row.item_id for row in rows}))
        titles = {row[0]: row[1] for row in (await session.execute(query)).all()}
        ids = {row.asked_by for row in rows} | {row.decided_by or "system" for row in rows}
        context = {
            "place": "sources",
            "rows": rows,
            "titles": titles,
            "people": await names(session, ids),
            "reasons": refused.reasons if refused else (),
        }
    return page(request, "sources/exceptions.html", context, refused.status if refused else 200)


@needs("sources.read")
async def exceptions(request: web.Request) -> web.StreamResponse:
    """Every exception: item, host, reason, who asked and who signed."""
    return await _exceptions_page(request)


@needs("exceptions.ask")
async def ask_exception(request: web.Request) -> web.StreamResponse:
    """Ask that one item may be republished from a place that is not on the list."""
    fields, me = await form(request), visitor(request)
    ledger, item_id = request.config_dict[DEPS].ledger, request.match_info["item"]
    try:
        await ask(ledger, item_id, me.staff_id, fields.get("reason", ""))
    except Refused as refused:
        if refused.status == 404:
            raise
        return await _exceptions_page(request, refused)
    return see("/console/sources/exceptions", "exception_asked")


@needs("exceptions.decide")
async def decide_exception(request: web.Request) -> web.StreamResponse:
    """Sign an exception, or refuse it."""
    fields, me = await form(request), visitor(request)
    ledger, key = request.config_dict[DEPS].ledger, request.match_info["exception"]
    verdict, note = fields.get("verdict", ""), fields.get("note", "")
    try:
        row = await decide(ledger, key, me.staff_id, verdict, note)
    except Refused as refused:
        if refused.status == 404:
            raise
        return await _exceptions_page(request, refused)
    return see("/console/sources/exceptions", f"exception_{row.state}")


@needs("pictures.set")
async def set_picture(request: web.Request) -> web.StreamResponse:
    """Record where a picture comes from and by what licence it is shown."""
    fields, item_id = await form(request), request.match_info["item"]
    said = Declared(fields.get("media", ""), fields.get("origin", ""), fields.get("licence", ""))
    ledger = request.config_dict[DEPS].ledger
    await declare_picture(ledger, item_id, visitor(request).staff_id, said)
    return see(f"/console/items/{item_id}", "picture_set")


ROUTES = [
    web.get("/sources/exceptions", exceptions),
    web.post("/sources/exceptions/{exception}", decide_exception),
    web.post("/items/{item}/exception", ask_exception),
    web.post("/items/{item}/pictures", set_picture),
]
