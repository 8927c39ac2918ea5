"""回复模板: every sentence the bot says, where it stands, a new text started, one taken back."""

from aiohttp import web

from console.settings.forms import posted, text
from console.settings.frame import settings_page
from console.web.deps import DEPS, visitor
from console.web.pages import see
from console.web.permissions import needs
from review_queue import shelving
from staff.refusal import Refused

KIND = "回复模板"
STATES = {
    "in_use": ("使用中", "good"),
    "withdrawn": ("已停用", "stop"),
    "expired": ("已过使用期", "warn"),
    "changed": ("不能确认，已停用", "stop"),
}
"""What people call the states of review_queue.shelf.ShelfEntry, and the tone of each."""


@needs("templates.read")
async def templates(request: web.Request) -> web.StreamResponse:
    """Every template with its text in use."""
    return await _templates(request)


async def _templates(request: web.Request, refused: Refused | None = None) -> web.Response:
    shelf = request.config_dict[DEPS].queue.library.get(KIND)
    entries = await shelf.entries() if shelf else []
    context = {"tab": "templates", "entries": entries, "shelf_states": STATES}
    return await settings_page(request, "settings/templates.html", context, refused)


@needs("items.write")
async def draft_template(request: web.Request) -> web.StreamResponse:
    """Start a new text for a template, as an item that goes through review."""
    queue, key = request.config_dict[DEPS].queue, request.match_info["key"]
    item = await shelving.draft_for(queue, KIND, key, visitor(request).staff_id)
    return see(f"/console/items/{item.id}/edit", "created")


@needs("items.recall")
async def withdraw_template(request: web.Request) -> web.StreamResponse:
    """Stop using a template at once; the reason is required."""
    queue, key = request.config_dict[DEPS].queue, request.match_info["key"]
    reason = text(await posted(request), "reason")
    try:
        await shelving.withdraw(queue, KIND, key, visitor(request).staff_id, reason)
    except Refused as refused:
        if refused.status == 404:
            raise
        return await _templates(request, refused)
    return see("/console/settings/templates", "template_withdrawn")
