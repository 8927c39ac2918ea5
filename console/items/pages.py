"""稿件: the list, one item with its decision panel, drafting, scheduling, recall."""

from aiohttp import web

from console.items import (
    beside,
    drafting,
    editions,
    exporting,
    filing,
    importing,
    limiting,
    listing,
    mending,
    reviewing,
    sheet,
    takedowns,
)
from console.items.deciding import claim, decide, signing_options, submit
from console.items.publishing import correct, recall, schedule, schedule_form
from console.items.view import note, show_item
from console.web.deps import DEPS, visitor
from console.web.permissions import download, needs
from review_queue.scope import file_visible
from storage.media import load

_IMAGES = {"image/png", "image/jpeg", "image/gif", "image/webp"}


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
    *editions.ROUTES,
    *drafting.ROUTES,  # /items/new before /items/{item}, which takes any name
    *listing.ROUTES,
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
    *takedowns.ROUTES,
]
