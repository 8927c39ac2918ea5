"""运行设置: the signed texts an office goes by, and another text proposed."""

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from console.settings.duty import CALENDAR, years
from console.settings.forms import posted, text
from console.settings.frame import look_or_propose, people_of, settings_page
from console.web.deps import DEPS, found
from console.web.permissions import needs
from staff.refusal import Refused


@needs("texts.read")
async def texts(request: web.Request) -> web.StreamResponse:
    """Every setting with the version in force and who approved it."""
    deps = request.config_dict[DEPS]
    signed = deps.governance.settings
    await signed.refresh()
    rows, people = [], set()
    for part in signed.parts.values():
        newest = next(iter(await signed.history(part.name)), None)
        rows.append((part, signed.proved(part.name), newest))
        people |= {newest.proposed_by, newest.approved_by} if newest else set()
    context = {"tab": "texts", "rows": rows, "people": await people_of(deps, people)}
    return await settings_page(request, "settings/texts.html", context)


@needs("texts.read")
async def text_page(request: web.Request) -> web.StreamResponse:
    """The whole text of one setting, its versions, and the form to propose another."""
    return await _text(request)


async def _text(
    request: web.Request, refused: Refused | None = None, effect: Mapping[str, Any] | None = None
) -> web.Response:
    deps, form = request.config_dict[DEPS], await posted(request)
    signed, name = deps.governance.settings, request.match_info["name"]
    part = found(signed.parts.get(name), "项设置")
    await signed.refresh()
    history, held = await signed.history(name), signed.proved(name)
    people = {row.approved_by for row in history} | {row.proposed_by for row in history}
    context = {
        "tab": "texts",
        "part": part,
        "held": held,
        "history": history,
        "people": await people_of(deps, people),
        "effect": effect,
        "typed": {
            "text": "\n".join(form["text"][0].splitlines()) if "text" in form else "",
            "why": text(form, "why"),
        },
    }
    if name == CALENDAR:
        context["years"] = years(held.text if held else "")
    return await settings_page(request, "settings/text.html", context, refused)


@needs("texts.propose")
async def propose_text(request: web.Request) -> web.StreamResponse:
    """Show what another text would change, or propose it."""
    form, name = await posted(request), request.match_info["name"]
    found(request.config_dict[DEPS].governance.settings.parts.get(name), "项设置")
    payload = {"name": name, "text": next(iter(form.get("text", ())), "")}
    try:
        effect, answer = await look_or_propose(request, "setting", payload, form)
    except Refused as refused:
        return await _text(request, refused)
    return answer or await _text(request, None, effect)
