"""审核级次: the approved levels of each class, and other levels proposed."""

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from console.settings.forms import level_slots, posted, read_levels, text
from console.settings.frame import look_or_propose, people_of, settings_page
from console.web.deps import DEPS
from console.web.permissions import needs
from review_queue.canonical import KINDS
from staff.refusal import Refused


@needs("levels.read")
async def levels(request: web.Request) -> web.StreamResponse:
    """The approved levels of each class, and which the present staff cannot fill."""
    flows = request.config_dict[DEPS].governance.levels
    await flows.refresh()
    context = {
        "tab": "levels",
        "flows": [flow.to_json() for flow in flows.values()],
        "unfilled": await flows.unfilled(),
    }
    return await settings_page(request, "settings/levels.html", context)


@needs("levels.propose")
async def level_form(request: web.Request) -> web.StreamResponse:
    """Propose other levels for one class, or for one kind of item in it."""
    return await _level_form(request)


async def _level_form(
    request: web.Request,
    refused: Refused | None = None,
    wanted: Mapping[str, Any] | None = None,
    effect: Mapping[str, Any] | None = None,
) -> web.Response:
    flows, klass = request.config_dict[DEPS].governance.levels, request.match_info["klass"]
    await flows.refresh()
    form = await posted(request)
    kind = text(form, "group") or request.query.get("group", "")
    flow = flows.get(klass)
    shown = wanted or (flow.to_json() if flow else {})
    group = shown.get("kinds", {}).get(kind, {}) if kind else shown
    history = await flows.history(klass)
    people = {row.approved_by for row in history} | {row.proposed_by for row in history}
    context = {
        "tab": "levels",
        "klass": klass,
        "group": kind,
        "kinds": KINDS,
        "slots": level_slots(group.get("levels", ())),
        "history": history,
        "people": await people_of(request.config_dict[DEPS], people),
        "effect": effect,
        "typed": {"why": text(form, "why")},
    }
    return await settings_page(request, "settings/level_form.html", context, refused)


@needs("levels.propose")
async def propose_levels(request: web.Request) -> web.StreamResponse:
    """Show what other levels would change, or propose them."""
    flows, klass = request.config_dict[DEPS].governance.levels, request.match_info["klass"]
    await flows.refresh()
    form, flow = await posted(request), flows.get(klass)
    wanted = None
    try:
        wanted = read_levels(form, flow.to_json() if flow else None, klass)
        effect, answer = await look_or_propose(request, "workflow", wanted, form)
    except Refused as refused:
        return await _level_form(request, refused, wanted)
    return answer or await _level_form(request, None, wanted, effect)
