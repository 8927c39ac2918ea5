"""Buttons of the item's page that decide: verdict, device signature, claim, submission."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TypedDict

from aiohttp import web

from console.items import working
from console.items.facts import latest_draft
from console.items.marks import Span, find_span
from console.items.view import Typed, show_item
from console.web.deps import DEPS, Deps, acting
from console.web.guard import place_of
from console.web.interface import as_json, refusal
from console.web.pages import form, see
from console.web.permissions import needs
from console.web.words import read_field_time
from review_queue import claims, deciding, submitting
from review_queue.forms import ReviewForm
from review_queue.workflow import GATES
from staff.passkeys import Passkeys, read_credential, shown_assertion
from staff.refusal import Reason, Refused


class GateAnswer(TypedDict):
    """One row of the decision panel."""

    ok: bool
    note: str


def _answers(fields: Mapping[str, str]) -> dict[str, GateAnswer]:
    """The five rows of the decision panel; rows left open stay out."""
    return {
        gate: {"ok": fields[f"gate_{gate}"] == "ok", "note": fields.get(f"note_{gate}", "")}
        for gate in GATES
        if fields.get(f"gate_{gate}") in ("ok", "problem")
    }


def _attachments(fields: Mapping[str, str]) -> dict[str, bool]:
    return {
        name.removeprefix("file_"): value == "ok"
        for name, value in fields.items()
        if name.startswith("file_")
    }


def _failed_gate(fields: Mapping[str, str]) -> str:
    """The gate a return is about: the one named beside the passage, else the first that failed."""
    failed = [gate for gate in GATES if fields.get(f"gate_{gate}") == "problem"]
    return fields.get("mark_gate") or next(iter(failed), "")


async def _marked_span(deps: Deps, item_id: str, fields: Mapping[str, str]) -> Span | None:
    """The passage marked for a return, if any; Refused (422) when it is not in the text."""
    words, near = fields.get("mark_text", ""), fields.get("mark_at", "")
    if not words:
        return None
    async with deps.db.session() as session:
        draft = await latest_draft(session, item_id)
    place = int(near) if near.isdigit() and len(near) < 8 else 0
    span = find_span(draft.title, draft.body, words, place)
    if span is None:
        why = "标题和正文里找不到您标出的这段文字，请照原文粘贴，或先选中再按“用正文里选中的文字”"
        raise Refused(422, [Reason("span", why)])
    return span


async def _answer(deps: Deps, item_id: str, fields: Mapping[str, str]) -> ReviewForm:
    """The decision form as a ReviewForm; Refused (422) names a field that cannot be read."""
    version, verdict = fields.get("version", ""), fields.get("verdict", "approve")
    # Only an approval is signed on the device; a return must stay possible without one.
    signed = fields.get("passkey", "") if verdict == "approve" else ""
    answer = ReviewForm(
        verdict=verdict,
        digest=fields.get("digest", ""),
        version=int(version) if version.isdigit() else -1,
        gates=_answers(fields),
        note=fields.get("note", ""),
        proof=bool(fields.get("proof")),
        attachments=_attachments(fields),
        passkey=shown_assertion(read_credential(signed)) if signed else None,
    )
    if verdict == "return":
        span = await _marked_span(deps, item_id, fields)
        return replace(answer, gate=_failed_gate(fields), span=span)
    if verdict == "refer":
        due = fields.get("due_at")
        return replace(
            answer,
            department=fields.get("department", ""),
            due_at=read_field_time(due, "答复期限") if due else None,
        )
    return answer


@needs("items.review")
async def signing_options(request: web.Request) -> web.StreamResponse:
    """What the reviewer's device is asked to sign: exactly what stands in the form."""
    deps, item_id = request.config_dict[DEPS], request.match_info["item"]
    try:
        answer = await _answer(deps, item_id, await form(request))
        said = await deciding.statement(*acting(request), answer)
        options = await Passkeys(deps.ledger, deps.cache).ask(said, place_of(request))
    except Refused as refused:
        return refusal(refused)
    return as_json(options)


@needs("items.review")
async def decide(request: web.Request) -> web.StreamResponse:
    """Approve, return or refer one item at a waiting level."""
    deps, fields = request.config_dict[DEPS], await form(request)
    item_id = request.match_info["item"]
    try:
        answer = await _answer(deps, item_id, fields)
        row = await deciding.decide(*acting(request), answer)
    except Refused as refused:
        if refused.status == 404:
            raise
        again = Typed(
            refused.reasons,
            _answers(fields),
            fields.get("note", ""),
            refused.status,
            stale=fields.get("digest", "") if refused.status == 409 else "",
            proof=bool(fields.get("proof")),
            attachments=_attachments(fields),
            fields=fields,
        )
        return await show_item(request, item_id, again)
    # Said from what became of the item: the last approval is another sentence than the first.
    done = {"draft": "returned", "approved": "final", "referred": "referred"}
    name = done.get(row.state, "returned" if answer.verdict == "return" else "approved")
    return see(f"/console/items/{item_id}", name, "#main")  # else the sheet's own # would stay


@needs("items.review")
async def claim(request: web.Request) -> web.StreamResponse:
    """Take an item for twenty minutes, or give it back."""
    item_id = request.match_info["item"]
    # Giving back asks for no reason: it only frees.
    if (await form(request)).get("release"):
        await claims.unclaim(*acting(request))
        return see(f"/console/items/{item_id}", "unclaimed")
    try:
        await claims.claim(*acting(request))
    except Refused as refused:
        return await show_item(request, item_id, Typed(refused.reasons, status=refused.status))
    return see(f"/console/items/{item_id}", "claimed")


@needs("items.write")
async def submit(request: web.Request) -> web.StreamResponse:
    """Send the saved text to its first level."""
    item_id = request.match_info["item"]
    version = (await form(request)).get("version", "")
    try:
        await submitting.submit(*acting(request), int(version) if version.isdigit() else -1)
        await working.drop_mine(request)
    except Refused as refused:
        return await show_item(request, item_id, Typed(refused.reasons, status=refused.status))
    return see(f"/console/items/{item_id}", "submitted")
