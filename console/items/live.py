"""提示 while somebody types: the gates over a text that is not saved, each at its place in it."""

from typing import Any

from aiohttp import web
from pydantic import Field

from blocks.document import BlockFault, Document
from blocks.editor import from_editor
from blocks.text import Projection, project
from config.clock import now
from console.items.turns import in_turn
from console.items.words import GATE_LETTERS
from console.web.deps import DEPS, visitor
from console.web.interface import Strict, as_json, problem_json, read
from console.web.permissions import needs
from gates.finding import Finding
from review_queue.canonical import KINDS, Draft
from review_queue.scope import hidden_files
from staff.refusal import Reason, Refused, refuse


class LiveBody(Strict):
    """The words of a form as they stand; `blocks` is the tree of the editor."""

    title: str = Field(default="", max_length=5_000)
    kind: str = KINDS[0]
    klass: str = ""
    blocks: dict[str, Any]
    attribution: dict[str, str] = Field(default_factory=dict)


@needs("items.write")
@in_turn
async def live_findings(request: web.Request) -> web.StreamResponse:
    """What the gates say of the words as they stand; nothing is kept."""
    try:
        body = await read(request, LiveBody)
        document = _document(body)
        deps, me = request.config_dict[DEPS], visitor(request).staff_id
        refuse(await hidden_files(deps.db, None, document, "", me))
    except Refused as refused:
        return problem_json(request, refused)
    moment, told = now(), project(document)
    words = Draft(body.kind, body.klass, body.title, told.text, (), moment, moment)
    draft = words.changed({"blocks": document, "attribution": body.attribution})
    _, findings = await deps.queue.check(draft)
    return as_json({"findings": [_told(one, told) for one in findings if _in_words(one)]})


def _document(body: LiveBody) -> Document:
    try:
        return from_editor(body.blocks)
    except BlockFault as fault:
        raise Refused(422, [Reason("body", str(fault))]) from fault


def _in_words(one: Finding) -> bool:
    return one.field in ("title", "text")


def _told(one: Finding, told: Projection) -> dict[str, object]:
    names = ("severity", "field", "text", "reason", "basis", "suggestion", "start", "end")
    row: dict[str, object] = {name: getattr(one, name) for name in names}
    row["letter"] = GATE_LETTERS[one.gate]
    return row | ({"at": _place(one, told)} if one.field == "text" else {})


def _place(one: Finding, told: Projection) -> dict[str, int] | None:
    """Block, part of the block and characters in the part, as the editor counts them.

    What runs over several parts stands at the first of them; a picture is one part.
    """
    block = told.block_at(one.start)
    if block is None:
        return None
    parts = [leaf for leaf in told.leaves if leaf.block == block]
    for number, leaf in enumerate(parts):
        if leaf.start <= one.start < leaf.end:
            last = min(one.end, leaf.end)
            span = {"start": one.start - leaf.start, "end": last - leaf.start}
            return {"block": block, "leaf": number, **span}
    return {"block": block, "leaf": 0, "start": 0, "end": 0}


ROUTES = [web.post("/items/check", live_findings)]
