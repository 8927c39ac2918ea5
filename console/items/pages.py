"""稿件: the list, one item with its decision panel, drafting, scheduling, recall."""

from aiohttp import web
from sqlalchemy import select
from sqlalchemy.sql import Select

from config.clock import now
from console.items import (
    beside,
    drafting,
    exporting,
    filing,
    importing,
    limiting,
    mending,
    reviewing,
    sheet,
)
from console.items.deciding import claim, decide, signing_options, submit
from console.items.publishing import correct, recall, schedule, schedule_form
from console.items.view import note, show_item
from console.web.deps import DEPS, visitor
from console.web.pages import page
from console.web.permissions import download, needs
from content_sources.models import Article, Source
from review_queue.models import Item
from review_queue.scope import file_visible
from review_queue.states import STATES
from staff.models import Staff
from staff.people import names
from storage.media import load

PAGE_SIZE = 50
_IMAGES = {"image/png", "image/jpeg", "image/gif", "image/webp"}


def _filtered(request: web.Request) -> Select[Item]:
    query = select(Item)
    wanted = request.query
    if wanted.get("state") in STATES:
        query = query.where(Item.state == wanted["state"])
    if wanted.get("klass"):
        query = query.where(Item.klass == wanted["klass"])
    if wanted.get("owner"):
        query = query.where(Item.last_editor_id == wanted["owner"])
    if wanted.get("holder"):
        query = query.where(Item.claimed_by == wanted["holder"], Item.claimed_until > now())
    if wanted.get("source"):
        chosen = select(Article.id).where(Article.source_id == wanted["source"])
        query = query.where(Item.article_id.in_(chosen))
    if text := wanted.get("q", "").strip():
        query = query.where(Item.title.contains(text[:60], autoescape=True))
    return query.order_by(Item.updated_at.desc())


@needs("items.read")
async def items(request: web.Request) -> web.StreamResponse:
    """Every item, filtered by state, class, source, owner and words of the title."""
    deps = request.config_dict[DEPS]
    number = int(request.query.get("page", "1")) if request.query.get("page", "1").isdigit() else 1
    async with deps.db.session() as session:
        # One row more than shown says whether there is a next page, without counting them all.
        query = _filtered(request).limit(PAGE_SIZE + 1).offset(PAGE_SIZE * (max(number, 1) - 1))
        rows = (await session.scalars(query)).all()
        ids = {row.last_editor_id for row in rows} | {row.claimed_by or "system" for row in rows}
        context = {
            "place": "items",
            "rows": rows[:PAGE_SIZE],
            "more": len(rows) > PAGE_SIZE,
            "number": number,
            "people": await names(session, ids),
            "editors": (await session.scalars(select(Staff).order_by(Staff.name))).all(),
            "sources": (await session.scalars(select(Source))).all(),
            "classes": list(deps.queue.levels),
            "chosen": {name: request.query.get(name, "") for name in _FILTERS},
            "now": now(),
        }
    return page(request, "items/list.html", context)


_FILTERS = ("state", "klass", "owner", "source", "q")


@needs("items.read")
async def item(request: web.Request) -> web.StreamResponse:
    """One item: text, source, findings, decision, history."""
    return await show_item(request, request.match_info["item"])


@download
@needs("items.read")
async def media(request: web.Request) -> web.StreamResponse:
    """A picture of an item; anything that is not a picture is offered as a download."""
    db, name = request.config_dict[DEPS].db, "sha256:" + request.match_info["sha256"]
    if not await file_visible(db, name, visitor(request).staff_id):
        raise web.HTTPNotFound
    async with db.session() as session:
        stored = await load(session, name)
    if stored is None:
        raise web.HTTPNotFound
    content, mime = stored
    # Files come from elsewhere: opened by themselves they may run nothing.
    headers = {"Content-Security-Policy": "default-src 'none'; sandbox"}
    headers["Cache-Control"] = "private, max-age=86400, immutable"
    # An SVG is no picture here: it can hold scripts.
    if mime not in _IMAGES:
        mime, headers["Content-Disposition"] = "application/octet-stream", "attachment"
    return web.Response(body=content, content_type=mime, headers=headers)


ROUTES = [
    *exporting.ROUTES,
    *importing.ROUTES,
    *beside.ROUTES,
    *drafting.ROUTES,  # /items/new before /items/{item}, which takes any name
    web.get("/items", items),
    web.get("/items/{item}", item),
    web.post("/items/{item}/decide", decide),
    web.post("/items/{item}/decide/options", signing_options),
    web.post("/items/{item}/claim", claim),
    web.post("/items/{item}/notes", note),
    web.post("/items/{item}/submit", submit),
    web.get("/items/{item}/schedule", schedule_form),
    web.post("/items/{item}/schedule", schedule),
    web.post("/items/{item}/recall", recall),
    web.post("/items/{item}/correct", correct),
    web.get("/media/{sha256:[0-9a-f]{64}}", media),
    *reviewing.ROUTES,
    *mending.ROUTES,
    *filing.ROUTES,
    *limiting.ROUTES,
    *sheet.ROUTES,
]
