"""An item's way out: its moment inside the approved window, and the recall."""

from datetime import timedelta

from aiohttp import web

from config.clock import now
from console.items.facts import facts_of
from console.items.view import Typed, show_item
from console.web.deps import DEPS, acting, visitor
from console.web.pages import form, page, see
from console.web.permissions import needs
from console.web.words import read_field_time
from review_queue import correcting, publishing, recalling
from review_queue.neighbours import collisions_of
from staff.refusal import Refused


@needs("items.schedule")
async def schedule_form(request: web.Request) -> web.StreamResponse:
    """安排发布: choose the moment inside the approved window."""
    return await _schedule_page(request, None)


async def _schedule_page(
    request: web.Request, refused: Refused | None, typed: str = ""
) -> web.Response:
    facts = await facts_of(request.config_dict[DEPS], request.match_info["item"])
    blocked = await publishing.why_not_publish(
        request.config_dict[DEPS].queue, facts.item.id, max(now(), facts.draft.not_before)
    )
    suggestion = facts.item.scheduled_at or max(
        now() + timedelta(minutes=10), facts.draft.not_before
    )
    deps, me = request.config_dict[DEPS], visitor(request)
    context = {
        "place": "items",
        "f": facts,
        "item": facts.item,
        "draft": facts.draft,
        "suggestion": suggestion,
        "typed": typed,
        "collisions": await collisions_of(
            deps.db, facts.item.id, me.staff_id, suggestion, deps.queue.quiet
        ),
        "blocked": [] if refused else blocked,
        "facets": request.config_dict[DEPS].facets,
        "reasons": refused.reasons if refused else (),
    }
    return page(request, "items/schedule.html", context, refused.status if refused else 200)


@needs("items.schedule")
async def schedule(request: web.Request) -> web.StreamResponse:
    """Set the moment, or now."""
    fields, item_id = await form(request), request.match_info["item"]
    try:
        at = None if fields.get("now") else read_field_time(fields.get("at", ""), "发布时间")
        await publishing.schedule(*acting(request), at)
    except Refused as refused:
        return await _schedule_page(request, refused, fields.get("at", ""))
    return see(f"/console/items/{item_id}", "scheduled")


@needs("items.write")
async def correct(request: web.Request) -> web.StreamResponse:
    """更正: a draft that names what it corrects, begun with a copy of it."""
    item_id = request.match_info["item"]
    try:
        made = await correcting.correct(*acting(request))
    except Refused as refused:
        return await show_item(request, item_id, Typed(refused.reasons, status=refused.status))
    return see(f"/console/items/{made.id}/edit", "correcting")


@needs("items.recall")
async def recall(request: web.Request) -> web.StreamResponse:
    """Stop an item at once; the reason is required."""
    item_id = request.match_info["item"]
    fields = await form(request)
    try:
        await recalling.recall(
            *acting(request), fields.get("reason", ""), fields.get("why", "error")
        )
    except Refused as refused:
        again = Typed(refused.reasons, status=refused.status, box={**fields, "name": "recall"})
        return await show_item(request, item_id, again)
    return see(f"/console/items/{item_id}", "recalled")
