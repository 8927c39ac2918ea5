"""An item out again, as a .docx or as one page of HTML, with its pictures inside."""

import asyncio
from urllib.parse import quote

from aiohttp import web

from blocks.document import Document, Picture
from blocks.text import from_plain
from blocks.to_html import to_html
from console.items.facts import facts_of
from console.web.deps import DEPS, Deps, visitor
from console.web.permissions import needs
from documents.to_docx import to_docx
from review_queue.scope import file_visible
from review_queue.states import state_name
from staff.refusal import Reason, Refused
from storage.media import load

_DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_UNSAID = str.maketrans(dict.fromkeys('\\/:*?"<>|\n\r\t', "_"))


@needs("items.read")
async def export(request: web.Request) -> web.StreamResponse:
    """The newest text (`as`: docx or html), offered as a download named by title and state."""
    form = request.query.get("as", "docx")
    if form not in ("docx", "html"):
        raise Refused(422, [Reason("as", "只能导出为 docx 或 html")])
    deps = request.config_dict[DEPS]
    facts = await facts_of(deps, request.match_info["item"])
    draft = facts.draft
    document = draft.blocks if draft.blocks is not None else from_plain(draft.body)
    pictures = await _pictures(deps, document, visitor(request).staff_id)
    if form == "html":
        made = to_html(draft.title, document, pictures).encode()
    else:
        content = {media: one[0] for media, one in pictures.items()}
        made = await asyncio.to_thread(to_docx, draft.title, document, content)
    # Whoever finds the file later must see that it may be no released text.
    name = f"{draft.title[:60]}（{state_name(facts.item)}）.{form}".translate(_UNSAID)
    headers = {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name)}",
        "Content-Security-Policy": "default-src 'none'; img-src data:; sandbox",
        "Cache-Control": "no-store",
    }
    mime = "text/html" if form == "html" else _DOCX
    return web.Response(body=made, content_type=mime, headers=headers)


async def _pictures(deps: Deps, document: Document, staff_id: str) -> dict[str, tuple[bytes, str]]:
    """The pictures that this person may see; another's stays out although the text names it."""
    found = {}
    for media in {one.media for one in document.blocks if isinstance(one, Picture)}:
        if not await file_visible(deps.db, media, staff_id):
            continue
        async with deps.db.session() as session:
            stored = await load(session, media)
        if stored is not None:
            found[media] = stored
    return found


ROUTES = [web.get("/items/{item}/export", export)]
