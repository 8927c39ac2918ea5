"""Files brought in as drafts, and what is pasted into the editor turned into blocks."""

import asyncio

from aiohttp import web
from aiohttp.web_request import FileField

from blocks.editor import to_editor
from console.items.turns import in_turn
from console.web.deps import DEPS, visitor
from console.web.interface import as_json
from console.web.pages import page
from console.web.permissions import needs
from review_queue.importing import import_files, pasted
from staff.refusal import Reason, Refused


@needs("items.write")
@in_turn
async def import_form(request: web.Request) -> web.StreamResponse:
    """A draft from each posted file (multipart: file, several), and what each left out."""
    data = await request.post()
    files = [
        (one.filename, await asyncio.to_thread(one.file.read))
        for one in data.getall("file", [])
        if isinstance(one, FileField) and one.filename
    ]
    done = await import_files(request.config_dict[DEPS].queue, visitor(request).staff_id, files)
    status = 200 if any(one.item for one in done) else 422
    return page(request, "items/imported.html", {"place": "items", "done_files": done}, status)


@needs("items.write")
@in_turn
async def paste(request: web.Request) -> web.StreamResponse:
    """The HTML of a clipboard (JSON: html) as blocks, with what was left out.

    `tree` is the same for the browser's editor.
    """
    try:
        body = await request.json()
    except (ValueError, RecursionError) as error:
        raise Refused(422, [Reason("html", "粘贴的内容读不了，请再粘贴一次")]) from error
    html = body.get("html") if isinstance(body, dict) else None
    if not isinstance(html, str):
        raise Refused(422, [Reason("html", "粘贴的内容读不了，请再粘贴一次")])
    taken = await pasted(request.config_dict[DEPS].queue, html)
    tree = to_editor(taken.document)["content"] if taken.document.blocks else []
    told = {"blocks": taken.document.data(), "left_out": list(taken.left_out), "tree": tree}
    return as_json(told)


ROUTES = [
    web.post("/items/import", import_form),
    web.post("/items/paste", paste),
]
