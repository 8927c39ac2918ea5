"""Settings and reply templates as JSON; a setting is changed by POST /proposals, kind `setting`."""

from aiohttp import web
from pydantic import Field

from console.settings.templates import KIND
from console.web.deps import DEPS, found, visitor
from console.web.interface import Strict, as_json, picked, read, takes
from console.web.permissions import needs
from review_queue import shelving

_ROW = ("version", "digest", "proposed_by", "approved_by", "approved_at")
_ENTRY = ("key", "label", "state", "version", "text", "fields", "item_id", "not_after")


class WithdrawBody(Strict):
    """Why a template is not used any more."""

    reason: str = Field(min_length=1)


@needs("texts.read")
async def texts(request: web.Request) -> web.StreamResponse:
    """Every setting: its name, what it is called, the proved version, and whether there is one."""
    signed = request.config_dict[DEPS].governance.settings
    await signed.refresh()
    rows = []
    for name, part in signed.parts.items():
        held = signed.proved(name)
        row = {"name": name, "label": part.label, "proved": held is not None}
        rows.append(row | {"version": held.version if held else None})
    return as_json({"settings": rows})


@needs("texts.read")
async def setting(request: web.Request) -> web.StreamResponse:
    """The text of one setting in force, and its versions."""
    signed, name = request.config_dict[DEPS].governance.settings, request.match_info["name"]
    part = found(signed.parts.get(name), "项设置")
    await signed.refresh()
    held = signed.proved(name)
    return as_json(
        {
            "name": name,
            "label": part.label,
            "text": held.text if held else None,
            "history": [picked(row, _ROW) for row in await signed.history(name)],
        }
    )


@needs("templates.read")
async def templates(request: web.Request) -> web.StreamResponse:
    """Every reply template with its text in use."""
    shelf = request.config_dict[DEPS].queue.library.get(KIND)
    entries = await shelf.entries() if shelf else []
    return as_json({"templates": [picked(row, _ENTRY) for row in entries]})


@needs("items.write")
async def draft_template(request: web.Request) -> web.StreamResponse:
    """Start a new text for a template; the item goes through review like any other."""
    queue, key = request.config_dict[DEPS].queue, request.match_info["key"]
    item = await shelving.draft_for(queue, KIND, key, visitor(request).staff_id)
    return as_json({"item": item.id, "version": item.version}, 201)


@needs("items.recall")
@takes(WithdrawBody)
async def withdraw_template(request: web.Request) -> web.StreamResponse:
    """Stop using a template at once."""
    body, key = await read(request, WithdrawBody), request.match_info["key"]
    queue = request.config_dict[DEPS].queue
    await shelving.withdraw(queue, KIND, key, visitor(request).staff_id, body.reason)
    return as_json({"key": key, "state": "withdrawn"})


ROUTES = [
    web.get("/settings", texts),
    web.get("/settings/{name}", setting),
    web.get("/templates", templates),
    web.post("/templates/{key}/draft", draft_template),
    web.post("/templates/{key}/withdraw", withdraw_template),
]
