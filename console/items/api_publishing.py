"""An item's way out in the JSON API: what holds it, its moment, its recall, its correction."""

from datetime import datetime
from typing import Literal

from aiohttp import web
from pydantic import Field

from console.items import takedowns
from console.items.words import item_json
from console.web.deps import acting
from console.web.interface import ReasonBody, Strict, as_json, aware, read, takes
from console.web.permissions import needs
from review_queue import correcting, deciding, publishing, recalling
from staff.refusal import Reason, Refused


class ScheduleBody(Strict):
    """The moment inside the window; null is now."""

    at: datetime | None = None


class RecallBody(ReasonBody):
    """Why, and as which class: error, merged or outdated."""

    why: Literal["error", "merged", "outdated"] = "error"


class CorrectionBody(Strict):
    """The correction's own text, or neither field: a copy of the old one to be changed."""

    title: str = Field(default="", max_length=300)
    body: str = ""


@needs("items.read")
async def why_not(request: web.Request) -> web.StreamResponse:
    """Every reason why this person cannot approve now; the same list as the page."""
    reasons = await deciding.why_not(*acting(request))
    return as_json({"reasons": [{"rule": row.rule, "message": row.message} for row in reasons]})


@needs("items.schedule")
@takes(ScheduleBody)
async def schedule(request: web.Request) -> web.StreamResponse:
    """Set the moment of publication inside the approved window."""
    body = await read(request, ScheduleBody)
    row = await publishing.schedule(*acting(request), aware(body.at, "at"))
    return as_json(item_json(row))


@needs("items.recall")
@takes(RecallBody)
async def recall(request: web.Request) -> web.StreamResponse:
    """Stop an item at once, and take what is out of it off its platforms."""
    body = await read(request, RecallBody)
    row = await recalling.recall(*acting(request), body.reason, body.why)
    return as_json(item_json(row))


@needs("items.write")
@takes(CorrectionBody)
async def correct(request: web.Request) -> web.StreamResponse:
    """A correction of a published item, as a new item to the same accounts and audience."""
    body = await read(request, CorrectionBody)
    words = correcting.Correction(body.title, body.body) if body.title or body.body else None
    if words is not None and not (words.title.strip() and words.body.strip()):
        name, label = ("title", "标题") if not words.title.strip() else ("body", "正文")
        why = f"{label}不能为空；标题和正文都不写，就从原稿的副本开始"
        raise Refused(422, [Reason(name, why)])
    return as_json(item_json(await correcting.correct(*acting(request), words)), 201)


ROUTES = [
    web.get("/items/{item}/why-not", why_not),
    web.post("/items/{item}/schedule", schedule),
    web.post("/items/{item}/recall", recall),
    web.post("/items/{item}/correct", correct),
    *takedowns.API_ROUTES,
]
