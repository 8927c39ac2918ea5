"""Attachments and accepted suggestions of a draft: the buttons and their API twins."""

import asyncio
from typing import Any

from aiohttp import web
from aiohttp.web_request import FileField
from pydantic import Field

from console.web.deps import DEPS, visitor
from console.web.interface import Strict, as_json, read, takes
from console.web.pages import form, see
from console.web.permissions import needs
from gates.redaction import profiles
from review_queue.models import Item
from review_queue.suggestions import Choice, accept
from review_queue.uploads import Upload, attach, detach
from staff.refusal import Reason, Refused


class AcceptBody(Strict):
    """One finding by rule, field and start, or all personal data at once."""

    version: int
    rule: str = ""
    field: str = "text"
    start: int = Field(default=0, ge=0)
    replacement: str = ""
    personal: bool = False
    profile: str = ""


def _number(text: str) -> int:
    return int(text) if text.isdigit() and len(text) < 10 else -1


async def _upload(request: web.Request) -> tuple[int, Upload]:
    """The multipart form: file, version, origin, licence."""
    data = await request.post()
    file = data.get("file")
    if not isinstance(file, FileField) or not file.filename:
        raise Refused(422, [Reason("file", "请选择要上传的文件（字段 file）")])
    fields = {name: value for name, value in data.items() if isinstance(value, str)}
    content = await asyncio.to_thread(file.file.read)
    upload = Upload(file.filename, content, fields.get("origin", ""), fields.get("licence", ""))
    return _number(fields.get("version", "")), upload


def _told(row: Item) -> dict[str, Any]:
    return {"id": row.id, "state": row.state, "revision": row.revision, "version": row.version}


async def _attached(request: web.Request) -> Item:
    version, upload = await _upload(request)
    queue, staff = request.config_dict[DEPS].queue, visitor(request).staff_id
    return await attach(queue, request.match_info["item"], staff, version, upload)


@needs("items.write")
async def add_file(request: web.Request) -> web.StreamResponse:
    """Add or replace an attachment."""
    row = await _attached(request)
    return see(f"/console/items/{row.id}/edit", "saved", "#attachments")


@needs("items.write")
async def drop_file(request: web.Request) -> web.StreamResponse:
    """Take an attachment off."""
    fields, deps = await form(request), request.config_dict[DEPS]
    name, version = fields.get("name", ""), _number(fields.get("version", ""))
    item_id = request.match_info["item"]
    await detach(deps.queue, item_id, visitor(request).staff_id, version, name)
    return see(f"/console/items/{item_id}/edit", "saved", "#attachments")


@needs("items.write")
async def accept_suggestion(request: web.Request) -> web.StreamResponse:
    """Accept one suggestion, or mask all personal data."""
    fields, deps = await form(request), request.config_dict[DEPS]
    item_id = request.match_info["item"]
    choice = Choice(
        rule="" if fields.get("personal") else fields.get("rule", ""),
        field=fields.get("field", "text"),
        start=_number(fields.get("start", "")),
        replacement=fields.get("replacement", ""),
        profile=fields.get("profile", ""),
    )
    if not choice.rule and not fields.get("personal"):
        raise Refused(422, [Reason("finding", "请指明要采纳的提示")])
    version = _number(fields.get("version", ""))
    await accept(deps.queue, item_id, visitor(request).staff_id, version, choice)
    return see(f"/console/items/{item_id}/edit", "saved")


ROUTES = [
    web.post("/items/{item}/attachments", add_file),
    web.post("/items/{item}/attachments/drop", drop_file),
    web.post("/items/{item}/accept", accept_suggestion),
]


@needs("items.write")
async def upload_attachment(request: web.Request) -> web.StreamResponse:
    """Add or replace an attachment (multipart/form-data: file, version, origin, licence)."""
    return as_json(_told(await _attached(request)), 201)


@needs("items.write")
async def delete_attachment(request: web.Request) -> web.StreamResponse:
    """Take an attachment off; `version` is a query parameter."""
    row = await detach(
        request.config_dict[DEPS].queue,
        request.match_info["item"],
        visitor(request).staff_id,
        _number(request.query.get("version", "")),
        request.match_info["name"],
    )
    return as_json(_told(row))


@needs("items.write")
@takes(AcceptBody)
async def accept_finding(request: web.Request) -> web.StreamResponse:
    """Accept one suggestion, or mask all personal data, as a new revision."""
    body = await read(request, AcceptBody)
    if bool(body.rule) == body.personal:
        reason = Reason("field", "字段 rule 和 personal 要写且只写一个")
        raise Refused(422, [reason])
    choice = Choice(body.rule, body.field, body.start, body.replacement, body.profile)
    row = await accept(
        request.config_dict[DEPS].queue,
        request.match_info["item"],
        visitor(request).staff_id,
        body.version,
        choice,
    )
    return as_json(_told(row))


@needs("items.read")
async def redaction_profiles(_request: web.Request) -> web.StreamResponse:
    """How personal data may be masked; the profile in use first."""
    rows = [{"key": one.key, "label": one.label, "basis": one.basis} for one in profiles().values()]
    return as_json({"profiles": rows})


API_ROUTES = [
    web.post("/items/{item}/attachments", upload_attachment),
    web.delete("/items/{item}/attachments/{name}", delete_attachment),
    web.post("/items/{item}/accept", accept_finding),
    web.get("/redaction", redaction_profiles),
]
