"""What may be republished though its source is not determined; where a picture comes from."""

from aiohttp import web
from sqlalchemy import select

from config.clock import now
from console.web.deps import DEPS, found, visitor
from console.web.pages import form, page, see
from console.web.permissions import needs
from content_sources.list_models import PictureRight, SourceException
from content_sources.reposts import Reposts
from review_queue.models import Item
from staff.people import names
from staff.refusal import Reason, Refused


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
    fields, me = await form(request), visitor(request)
    item_id, media = request.match_info["item"], fields.get("media", "")
    origin, licence = fields.get("origin", ""), fields.get("licence", "")
    faults = []
    if not media.startswith("sha256:") or len(media) != 71:
        faults.append(Reason("media", "请选择稿件里的图片"))
    if len(origin) < 2 or len(licence) < 2:
        faults.append(Reason("origin", "请写明图片的出处和许可，例如“本单位拍摄”“作者书面授权”"))
    if faults:
        raise Refused(422, faults)
    async with request.config_dict[DEPS].ledger.transaction() as tx:
        found(await tx.session.get(Item, item_id), "篇稿件")
        row = await tx.session.get(PictureRight, media)
        if row is None:
            row = PictureRight(media=media)
            tx.session.add(row)
        row.origin, row.licence = origin[:500], licence[:300]
        row.set_by, row.set_at = me.staff_id, now()
        await tx.append(
            "picture.declared",
            subject=f"item:{item_id}",
            actor=me.staff_id,
            body={"media": media},
        )
    return see(f"/console/items/{item_id}", "picture_set")


ROUTES = [
    web.get("/sources/exceptions", exceptions),
    web.post("/sources/exceptions/{exception}", decide_exception),
    web.post("/items/{item}/exception", ask_exception),
    web.post("/items/{item}/pictures", set_picture),
]
