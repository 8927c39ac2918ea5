"""What may be republished though its source is not determined; where a picture comes from."""

from aiohttp import web
from sqlalchemy import select

from console.web.deps import DEPS, visitor
from console.web.pages import form, page, see
from console.web.permissions import needs
from content_sources.list_models import SourceException
from content_sources.pictures import Declared, declare_picture
from content_sources.reposts import Reposts
from review_queue.models import Item
from staff.people import names
from staff.refusal import Refused


async def _exceptions_page(request: web.Request, refused: Refused | None = None) -> web.Response:
    async with request.config_dict[DEPS].db.session() as session:
        query = select(SourceException, Item).join(Item, Item.id == SourceException.item_id)
        rows = (
            await session.execute(query.order_by(SourceException.asked_at.desc()).limit(200))
        ).all()
        ids = {row.asked_by for row, _ in rows} | {row.decided_by or "system" for row, _ in rows}
        context = {
            "place": "sources",
            "rows": rows,
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
    reposts = Reposts(request.config_dict[DEPS].ledger)
    try:
        await reposts.ask_exception(
            request.match_info["item"], me.staff_id, fields.get("reason", "")
        )
    except Refused as refused:
        if refused.status == 404:
            raise
        return await _exceptions_page(request, refused)
    return see("/console/sources/exceptions", "exception_asked")


@needs("exceptions.decide")
async def decide_exception(request: web.Request) -> web.StreamResponse:
    """Sign an exception, or refuse it."""
    fields, me = await form(request), visitor(request)
    reposts, verdict = Reposts(request.config_dict[DEPS].ledger), fields.get("verdict", "")
    try:
        row = await reposts.decide_exception(
            request.match_info["exception"], me.staff_id, verdict, fields.get("note", "")
        )
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
