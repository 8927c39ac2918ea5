"""稿件: the list, one item with its decision panel, drafting, scheduling, recall."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from aiohttp import web
from sqlalchemy import select
from sqlalchemy.sql import Select

from bot.models import Publication
from config.clock import now
from console.bench import Bench, Returned, bench, names_of_deciders, open_lane, returned
from console.deps import DEPS, Deps, visitor
from console.drafts import (
    Dossier,
    dossier,
)
from console.interface import as_json
from console.looks import add_note, changes, last_look, record_look
from console.marks import Marked, Passage, find_span, mark, paragraphs
from console.pages import form, page, see
from console.passkey_pages import place_of, refusal
from console.permissions import may, needs
from console.timeline import records_of, steps
from console.words import read_field_time
from content_sources.models import Article, Source
from review_queue import claims, deciding, publishing, recalling, submitting
from review_queue.canonical import Draft
from review_queue.experts import links_of, state_of
from review_queue.forms import ReviewForm
from review_queue.models import Item, Revision
from review_queue.states import STATES
from review_queue.workflow import GATE_NAMES, GATES, OVERDUE
from staff.models import Staff
from staff.passkeys import Passkeys, read_credential, shown_assertion
from staff.people import names
from staff.refusal import Reason, Refused
from storage.media import load

PAGE_SIZE = 50
_IMAGES = {"image/png", "image/jpeg", "image/gif", "image/webp"}


def _filtered(request: web.Request) -> Select[Item]:
    query = select(Item)
    wanted = request.query
    if wanted.get("state") in STATES:
        query = query.where(Item.state == wanted["state"])
    if wanted.get("klass"):
        query = query.where(Item.klass == wanted["klass"])
    if wanted.get("owner"):
        query = query.where(Item.last_editor_id == wanted["owner"])
    if wanted.get("holder"):
        query = query.where(Item.claimed_by == wanted["holder"], Item.claimed_until > now())
    if wanted.get("source"):
        chosen = select(Article.id).where(Article.source_id == wanted["source"])
        query = query.where(Item.article_id.in_(chosen))
    if text := wanted.get("q", "").strip():
        query = query.where(Item.title.contains(text[:60], autoescape=True))
    return query.order_by(Item.updated_at.desc())


@needs("items.read")
async def items(request: web.Request) -> web.StreamResponse:
    """Every item, filtered by state, class, source, owner and words of the title."""
    deps = request.config_dict[DEPS]
    number = int(request.query.get("page", "1")) if request.query.get("page", "1").isdigit() else 1
    async with deps.db.session() as session:
        query = _filtered(request).limit(PAGE_SIZE + 1).offset(PAGE_SIZE * (max(number, 1) - 1))
        rows = (await session.scalars(query)).all()
        ids = {row.last_editor_id for row in rows} | {row.claimed_by or "system" for row in rows}
        context = {
            "place": "items",
            "rows": rows[:PAGE_SIZE],
            "more": len(rows) > PAGE_SIZE,
            "number": number,
            "people": await names(session, ids),
            "editors": (await session.scalars(select(Staff).order_by(Staff.name))).all(),
            "sources": (await session.scalars(select(Source))).all(),
            "classes": list(deps.queue.levels),
            "chosen": {name: request.query.get(name, "") for name in _FILTERS},
            "now": now(),
        }
    return page(request, "items.html", context)


_FILTERS = ("state", "klass", "owner", "source", "q")


_TYPED = (("mark_text", "标出的文字"), ("department", "转请部门"))


@dataclass(frozen=True)
class Typed:
    """A refused form: its reasons and what was typed, to be shown again.

    `stale` is the digest the form was filled for, when the item has another one by now.
    """

    reasons: Sequence[Reason] = ()
    gates: Mapping[str, Any] = field(default_factory=dict)
    note: str = ""
    status: int = 200
    stale: str = ""
    remark: str = ""
    proof: bool = False
    attachments: Mapping[str, bool] = field(default_factory=dict)
    fields: Mapping[str, str] = field(default_factory=dict)

    @property
    def words(self) -> list[tuple[str, str]]:
        """Everything that was written, by the name of its field."""
        written = [(GATE_NAMES[gate], answer["note"]) for gate, answer in self.gates.items()]
        written += [(label, self.fields.get(name, "")) for name, label in _TYPED]
        return [(name, text) for name, text in [*written, ("意见", self.note)] if text]


async def _read(
    deps: Deps, request: web.Request, item_id: str
) -> tuple[Dossier, Bench, list[Reason]]:
    """The item, where this person would decide, and the findings that stand against approval."""
    me = visitor(request)
    if may(me.roles, "items.review"):
        round_, seat, reasons = await deciding.outlook(deps.queue, item_id, me.staff_id)
        facts = await dossier(deps, item_id, checked=True)
        blockers = [row for row in reasons if row.rule == "finding"]
        return facts, bench(facts.item, round_, seat), blockers
    round_, seat = await deciding.seat(deps.queue, item_id, me.staff_id)
    facts = await dossier(deps, item_id)
    return facts, bench(facts.item, round_, seat), []


def _marked(facts: Dossier, back: Returned | None) -> list[Marked]:
    """The findings, and behind them the passage that was marked when this text was returned."""
    if back is None or back.here is None:
        return list(facts.findings)
    gate = back.decision.gate or "wording"
    here = back.here
    passage = Passage(here["field"], here["start"], here["end"], gate)
    return [*facts.findings, passage]


async def show_item(request: web.Request, item_id: str, again: Typed | None = None) -> web.Response:
    """The page of one item; `again` is a refused form, shown with what was typed."""
    deps, again = request.config_dict[DEPS], again or Typed()
    me = visitor(request)
    facts, seat, blockers = await _read(deps, request, item_id)
    async with deps.db.session() as session:
        query = select(Publication).where(Publication.item_id == item_id)
        publications = (await session.scalars(query.order_by(Publication.due_at))).all()
        look = await last_look(session, facts, me.staff_id)
        records = await records_of(session, item_id)
        asked = await links_of(session, item_id)
        watching = seat.level and (seat.faults or not may(me.roles, "items.review"))
        deciders = await names_of_deciders(deps, session, facts.item) if watching else ""
    back = returned(facts, {row.digest: _texts(row) for row in facts.revisions})
    marks = _marked(facts, back)
    held = facts.item.claimed_until is not None and facts.item.claimed_until > now()
    context = {
        "place": "items",
        "f": facts,
        "item": facts.item,
        "draft": facts.draft,
        "title_pieces": mark(facts.draft.title, marks, "title"),
        "paragraphs": paragraphs(facts.draft.body, marks),
        "marks": marks,
        "seat": seat,
        "place_name": await _place_name(deps, seat.place),
        "back": back,
        "fast": open_lane(records.emergencies),
        "referral": records.referral,
        "opinions": [(one, state_of(one, facts.revision.digest)) for one in asked],
        "changes": changes(deps, facts, look, {**request.query, "stale": again.stale}),
        "look": look,
        "asked": "since" in request.query or bool(again.stale),
        "steps": steps(facts, publications, records.words),
        "deciders": deciders,
        "blockers": blockers,
        "again": again,
        "reasons": again.reasons,
        "publications": publications,
        "held": held,
        "mine": held and facts.item.claimed_by == me.staff_id,
        "facets": deps.facets,
        "can_recall": may(me.roles, "items.recall")
        and facts.item.state not in ("draft", "recalled"),
        "now": now(),
    }
    response = page(request, "item.html", context, again.status)
    await record_look(deps.db, item_id, me.staff_id, facts.revision.digest)
    return response


def _texts(row: Revision) -> tuple[str, str]:
    draft = Draft.from_canonical(row.canonical)
    return draft.title, draft.body


async def _place_name(deps: Deps, place: str) -> str:
    """In whose place somebody would decide, in words."""
    if place == OVERDUE:
        return "已超时，由您接着审"
    if not place:
        return ""
    async with deps.db.session() as session:
        people = await names(session, {place})
    return f"代{people.get(place, '外出的同事')}审核"


@needs("items.read")
async def item(request: web.Request) -> web.StreamResponse:
    """One item: text, source, findings, decision, history."""
    return await show_item(request, request.match_info["item"])


@needs("items.note")
async def note(request: web.Request) -> web.StreamResponse:
    """A remark for colleagues; it changes nothing about the item."""
    deps, item_id = request.config_dict[DEPS], request.match_info["item"]
    text = (await form(request)).get("text", "")
    try:
        await add_note(deps.db, item_id, visitor(request).staff_id, text)
    except Refused as refused:
        if refused.status == 404:
            raise
        again = Typed(refused.reasons, status=refused.status, remark=text)
        return await show_item(request, item_id, again)
    return see(f"/console/items/{item_id}", "noted", "#history")


def _answers(fields: Mapping[str, str]) -> dict[str, dict[str, Any]]:
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


async def _returning(deps: Deps, item_id: str, fields: Mapping[str, str]) -> dict[str, Any]:
    """The gate and the marked passage of a return; Refused (422) when the passage is not there."""
    words, near = fields.get("mark_text", ""), fields.get("mark_at", "")
    failed = [gate for gate in GATES if fields.get(f"gate_{gate}") == "problem"]
    gate = fields.get("mark_gate") or next(iter(failed), "")
    if not words:
        return {"gate": gate}
    facts = await dossier(deps, item_id)
    place = int(near) if near.isdigit() and len(near) < 8 else 0
    span = find_span(facts.draft.title, facts.draft.body, words, place)
    if span is None:
        why = "标题和正文里找不到您标出的这段文字，请照原文粘贴，或用“用选中的文字”"
        raise Refused(422, [Reason("span", why)])
    return {"gate": gate, "span": span}


async def _answer(deps: Deps, item_id: str, fields: Mapping[str, str]) -> ReviewForm:
    """The decision form as an ReviewForm; Refused (422) names a field that cannot be read."""
    version, verdict = fields.get("version", ""), fields.get("verdict", "approve")
    more: dict[str, Any] = {}
    signed = fields.get("passkey", "") if verdict == "approve" else ""
    if verdict == "return":
        more = await _returning(deps, item_id, fields)
    if verdict == "refer":
        more = {"department": fields.get("department", "")}
        if due := fields.get("due_at"):
            more["due_at"] = read_field_time(due, "答复期限")
    return ReviewForm(
        verdict=verdict,
        digest=fields.get("digest", ""),
        version=int(version) if version.isdigit() else -1,
        gates=_answers(fields),
        note=fields.get("note", ""),
        proof=bool(fields.get("proof")),
        attachments=_attachments(fields),
        passkey=shown_assertion(read_credential(signed)) if signed else None,
        **more,
    )


@needs("items.review")
async def signing_options(request: web.Request) -> web.StreamResponse:
    """What the reviewer's device is asked to sign: exactly what stands in the form."""
    deps, item_id = request.config_dict[DEPS], request.match_info["item"]
    try:
        answer = await _answer(deps, item_id, await form(request))
        said = await deciding.statement(deps.queue, item_id, visitor(request).staff_id, answer)
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
        row = await deciding.decide(deps.queue, item_id, visitor(request).staff_id, answer)
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
    done = {"draft": "returned", "approved": "final", "referred": "referred"}
    name = done.get(row.state, "returned" if answer.verdict == "return" else "approved")
    return see(f"/console/items/{item_id}", name, "#main")  # else the sheet's own # would stay


@needs("items.review")
async def claim(request: web.Request) -> web.StreamResponse:
    """Take an item for twenty minutes, or give it back."""
    deps, item_id = request.config_dict[DEPS], request.match_info["item"]
    me = visitor(request)
    if (await form(request)).get("release"):
        await claims.unclaim(deps.queue, item_id, me.staff_id)
        return see(f"/console/items/{item_id}", "unclaimed")
    try:
        await claims.claim(deps.queue, item_id, me.staff_id)
    except Refused as refused:
        return await show_item(request, item_id, Typed(refused.reasons, status=refused.status))
    return see(f"/console/items/{item_id}", "claimed")


@needs("items.write")
async def submit(request: web.Request) -> web.StreamResponse:
    """Send the saved text to its first level."""
    deps, item_id = request.config_dict[DEPS], request.match_info["item"]
    version = (await form(request)).get("version", "")
    try:
        await submitting.submit(
            deps.queue,
            item_id,
            visitor(request).staff_id,
            int(version) if version.isdigit() else -1,
        )
    except Refused as refused:
        return await show_item(request, item_id, Typed(refused.reasons, status=refused.status))
    return see(f"/console/items/{item_id}", "submitted")


# --- going out ------------------------------------------------------------------------------


@needs("items.schedule")
async def schedule_form(request: web.Request) -> web.StreamResponse:
    """安排发布: choose the moment inside the approved window."""
    return await _schedule_page(request, None)


async def _schedule_page(request: web.Request, refused: Refused | None) -> web.Response:
    facts = await dossier(request.config_dict[DEPS], request.match_info["item"])
    blocked = await publishing.why_not_publish(
        request.config_dict[DEPS].queue, facts.item.id, max(now(), facts.draft.not_before)
    )
    suggestion = max(now() + timedelta(minutes=10), facts.draft.not_before)
    context = {
        "place": "items",
        "f": facts,
        "item": facts.item,
        "draft": facts.draft,
        "suggestion": facts.item.scheduled_at or suggestion,
        "blocked": [] if refused else blocked,
        "facets": request.config_dict[DEPS].facets,
        "reasons": refused.reasons if refused else (),
    }
    return page(request, "schedule.html", context, refused.status if refused else 200)


@needs("items.schedule")
async def schedule(request: web.Request) -> web.StreamResponse:
    """Set the moment, or now."""
    deps, fields = request.config_dict[DEPS], await form(request)
    item_id = request.match_info["item"]
    try:
        at = None if fields.get("now") else read_field_time(fields.get("at", ""), "发布时间")
        await publishing.schedule(deps.queue, item_id, visitor(request).staff_id, at)
    except Refused as refused:
        return await _schedule_page(request, refused)
    return see(f"/console/items/{item_id}", "scheduled")


@needs("items.recall")
async def recall(request: web.Request) -> web.StreamResponse:
    """Stop an item at once; the reason is required."""
    deps, item_id = request.config_dict[DEPS], request.match_info["item"]
    reason = (await form(request)).get("reason", "")
    try:
        await recalling.recall(deps.queue, item_id, visitor(request).staff_id, reason)
    except Refused as refused:
        return await show_item(request, item_id, Typed(refused.reasons, status=refused.status))
    return see(f"/console/items/{item_id}", "recalled")


@needs("items.read")
async def media(request: web.Request) -> web.StreamResponse:
    """A picture of an item; anything that is not a picture is offered as a download."""
    async with request.config_dict[DEPS].db.session() as session:
        stored = await load(session, "sha256:" + request.match_info["sha256"])
    if stored is None:
        raise web.HTTPNotFound
    content, mime = stored
    headers = {"Content-Security-Policy": "default-src 'none'; sandbox"}
    headers["Cache-Control"] = "private, max-age=86400, immutable"
    if mime not in _IMAGES:
        mime, headers["Content-Disposition"] = "application/octet-stream", "attachment"
    return web.Response(body=content, content_type=mime, headers=headers)


ROUTES = [
    web.get("/items", items),
    web.get("/items/{item}", item),
    web.post("/items/{item}/decide", decide),
    web.post("/items/{item}/decide/options", signing_options),
    web.post("/items/{item}/claim", claim),
    web.post("/items/{item}/notes", note),
    web.post("/items/{item}/submit", submit),
    web.get("/items/{item}/schedule", schedule_form),
    web.post("/items/{item}/schedule", schedule),
    web.post("/items/{item}/recall", recall),
    web.get("/media/{sha256:[0-9a-f]{64}}", media),
]
