"""Attachments and accepted suggestions of a draft: the buttons and their API twins."""

import asyncio

from aiohttp import web
from aiohttp.web_request import FileField

from console.items.turns import in_turn
from console.web.deps import DEPS, acting
from console.web.interface import as_json
from console.web.pages import form, see
from console.web.permissions import needs
from review_queue.suggestions import Choice, accept
from review_queue.uploads import Attached, Upload, attach_noted, detach, keep_picture
from staff.refusal import Reason, Refused


def number_of(text: str) -> int:
    """A version or an offset of a form; -1, which matches none, for anything else."""
    return int(text) if text.isdigit() and len(text) < 10 else -1


async def _upload(request: web.Request) -> tuple[int, Upload]:
    """The multipart form: file, version, origin, licence."""
    data = await request.post()
    file = data.get("file")
    if not isinstance(file, FileField) or not file.filename:
        raise Refused(422, [Reason("file", "请选择要上传的文件（字段 file）")])
    fields = {name: value for name, value in data.items() if isinstance(value, str)}
    # A large upload lies in a temporary file: the loop must not wait for the disk.
    content = await asyncio.to_thread(file.file.read)
    upload = Upload(file.filename, content, fields.get("origin", ""), fields.get("licence", ""))
    return number_of(fields.get("version", "")), upload


async def attached(request: web.Request) -> Attached:
    """Put the posted file on the draft."""
    version, upload = await _upload(request)
    return await attach_noted(*acting(request), version, upload)


@needs("items.write")
@in_turn
async def add_file(request: web.Request) -> web.StreamResponse:
    """Add or replace an attachment."""
    done = await attached(request)
    said = "picture_brought" if done.notes else "saved"
    return see(f"/console/items/{done.item.id}/edit", said, "#attachments")


@needs("items.write")
async def drop_file(request: web.Request) -> web.StreamResponse:
    """Take an attachment off."""
    fields = await form(request)
    name, version = fields.get("name", ""), number_of(fields.get("version", ""))
    item_id = request.match_info["item"]
    await detach(*acting(request), version, name)
    return see(f"/console/items/{item_id}/edit", "saved", "#attachments")


@needs("items.write")
async def accept_suggestion(request: web.Request) -> web.StreamResponse:
    """Accept one suggestion, or mask all personal data."""
    fields = await form(request)
    item_id = request.match_info["item"]
    choice = Choice(
        rule="" if fields.get("personal") else fields.get("rule", ""),
        field=fields.get("field", "text"),
        start=number_of(fields.get("start", "")),
        replacement=fields.get("replacement", ""),
        profile=fields.get("profile", ""),
    )
    if not choice.rule and not fields.get("personal"):
        raise Refused(422, [Reason("finding", "请指明要采纳的提示")])
    version = number_of(fields.get("version", ""))
    await accept(*acting(request), version, choice)
    return see(f"/console/items/{item_id}/edit", "saved")


@needs("items.write")
@in_turn
async def add_picture(request: web.Request) -> web.StreamResponse:
    """Keep a picture for the text; the editor puts it where it was dropped."""
    try:
        _, upload = await _upload(request)
        kept = await keep_picture(request.config_dict[DEPS].queue, upload)
    except Refused as refused:
        problem = "；".join(row.message for row in refused.reasons)
        return as_json({"problem": problem}, refused.status)
    return as_json({"media": kept.media, "notes": list(kept.notes)}, 201)


ROUTES = [
    web.post("/items/pictures", add_picture),
    web.post("/items/{item}/attachments", add_file),
    web.post("/items/{item}/attachments/drop", drop_file),
    web.post("/items/{item}/accept", accept_suggestion),
]
