"""The JSON API: the same functions as the pages, described by openapi.json."""

import json
from datetime import datetime
from functools import partial
from typing import Any, Literal

from aiohttp import web
from pydantic import Field
from sqlalchemy import select

from bot.contract import Content
from bot.delivery.settling import settle_publication
from bot.models import Publication
from bot.switching import turn_switch
from config.clock import now
from console import (
    api_columns,
    api_govern,
    api_review,
    api_sources,
    expert_pages,
    mending_pages,
)
from console.api_decisions import ROUTES as DECISIONS
from console.deps import DEPS, found, visitor
from console.interface import Strict, as_json, aware, read, takes
from console.library_pages import validity_words
from console.permissions import ACTIONS, PUBLIC, action_of, needs
from console.record_pages import verification
from console.words import clock_words, state_words
from escalations import replying, tickets
from knowledge.models import Policy
from ledger.models import Incident, LedgerEntry
from review_queue import claims, deciding, drafting, publishing, recalling, submitting
from review_queue.canonical import Draft
from review_queue.drafting import Origin
from review_queue.findings import findings_now, to_json
from review_queue.forms import ReviewForm
from review_queue.models import Item, Revision
from review_queue.workflow import GATES
from staff.passkeys import shown_assertion
from staff.refusal import Reason, Refused
from storage.switches import Switch
from subscriptions.matching import Matching

_PAGE = 100


class ItemBody(Strict):
    """A new item."""

    kind: str
    klass: str = "日常"
    title: str = Field(min_length=1, max_length=300)
    body: str = Field(min_length=1)
    attribution: dict[str, str] = Field(default_factory=dict)
    audience: dict[str, list[str]] | None = None
    accounts: list[str] | None = None


class RevisionBody(Strict):
    """Changed fields of a draft; `version` is the one that was read."""

    version: int
    title: str | None = None
    body: str | None = None
    kind: str | None = None
    klass: str | None = None
    accounts: list[str] | None = None
    audience: dict[str, list[str]] | None = None
    attribution: dict[str, str] | None = None
    not_before: datetime | None = None
    not_after: datetime | None = None


class VersionBody(Strict):
    """The version that was read."""

    version: int


class GateBody(Strict):
    """One gate's answer."""

    ok: bool
    note: str = ""


class SpanBody(Strict):
    """A marked place; field is title or text, offsets count code points."""

    field: Literal["title", "text"]
    start: int
    end: int
    text: str


class DecisionBody(Strict):
    """One verdict on the digest that was read.

    `attachments` answers secrecy by sha256 marker, `proof` is the proof-reading round; a return may
    carry `gate` and `span`; a referral `department`, the question as `note`, and `due_at`.
    """

    verdict: Literal["approve", "return", "refer"]
    digest: str = Field(pattern="^[0-9a-f]{64}$")
    version: int
    gates: dict[Literal["politics", "law", "policy", "secrecy", "wording"], GateBody] = Field(
        default_factory=dict
    )
    note: str = ""
    attachments: dict[str, bool] = Field(default_factory=dict)
    proof: bool = False
    gate: Literal["", "politics", "law", "policy", "secrecy", "wording"] = ""
    span: SpanBody | None = None
    department: str = ""
    due_at: datetime | None = None
    level: int | None = None
    passkey: dict[str, Any] | None = None


class ScheduleBody(Strict):
    """The moment inside the window; null is now."""

    at: datetime | None = None


class ReasonBody(Strict):
    """Why."""

    reason: str = Field(min_length=1)


class CorrectionBody(Strict):
    """The correction's own text; it goes through review like every item."""

    title: str = Field(min_length=1, max_length=300)
    body: str = Field(min_length=1)


class SettleBody(Strict):
    """Whether a person saw the publication on the platform."""

    sent: bool


class AudienceBody(Strict):
    """Facets a subscription must match, and the accounts that would push."""

    audience: dict[str, list[str]]
    accounts: list[str]


class ReplyBody(Strict):
    """A staff answer."""

    text: str = Field(min_length=1)


class SwitchBody(Strict):
    """Stop or resume."""

    name: str
    stopped: bool
    reason: str = Field(min_length=1)


def _item(row: Item) -> dict[str, Any]:
    return {
        "id": row.id,
        "kind": row.kind,
        "klass": row.klass,
        "state": row.state,
        "words": state_words(row),
        "title": row.title,
        "revision": row.revision,
        "version": row.version,
        "level": row.level,
        "due_at": row.level_due_at,
        "scheduled_at": row.scheduled_at,
        "retrospective": row.retrospective,
        "release": row.release_id,
        "updated_at": row.updated_at,
    }


@needs("items.read")
async def items(request: web.Request) -> web.StreamResponse:
    """Items, last changed first; `state` filters."""
    async with request.config_dict[DEPS].db.session() as session:
        query = select(Item).order_by(Item.updated_at.desc()).limit(_PAGE)
        if state := request.query.get("state"):
            query = query.where(Item.state == state)
        return as_json({"items": [_item(row) for row in (await session.scalars(query)).all()]})


@needs("items.write")
@takes(ItemBody)
async def create_item(request: web.Request) -> web.StreamResponse:
    """A new draft."""
    body = await read(request, ItemBody)
    origin = Origin(
        editor_id=visitor(request).staff_id,
        klass=body.klass,
        audience=body.audience,
        accounts=tuple(body.accounts) if body.accounts is not None else None,
    )
    content = Content(
        kind=body.kind, title=body.title, body=body.body, attribution=body.attribution
    )
    return as_json(
        _item(await drafting.create_item(request.config_dict[DEPS].queue, content, origin)), 201
    )


@needs("items.read")
async def item(request: web.Request) -> web.StreamResponse:
    """One item with its latest revision and the findings of now."""
    deps, item_id = request.config_dict[DEPS], request.match_info["item"]
    digest, findings = await findings_now(deps.queue, item_id)
    async with deps.db.session() as session:
        row = found(await session.get(Item, item_id), "篇稿件")
        query = select(Revision).where(Revision.item_id == item_id, Revision.digest == digest)
        revision = (await session.scalars(query)).one()
    content = json.loads(revision.canonical)
    return as_json(
        _item(row)
        | {"digest": digest, "content": content, "findings": [to_json(one) for one in findings]}
    )


@needs("items.read")
async def revisions(request: web.Request) -> web.StreamResponse:
    """Every revision of an item."""
    async with request.config_dict[DEPS].db.session() as session:
        query = select(Revision).where(Revision.item_id == request.match_info["item"])
        rows = (await session.scalars(query.order_by(Revision.number))).all()
    found(rows or None, "篇稿件")
    shown = [
        {"number": row.number, "digest": row.digest, "at": row.created_at, "editor": row.editor_id}
        for row in rows
    ]
    return as_json({"revisions": shown})


@needs("items.write")
@takes(RevisionBody)
async def revise(request: web.Request) -> web.StreamResponse:
    """Change a draft; a change voids every approval."""
    body = await read(request, RevisionBody)
    changes = body.model_dump(exclude_unset=True, exclude={"version"})
    if "accounts" in changes:
        changes["accounts"] = tuple(changes["accounts"] or ())
    for name in ("not_before", "not_after"):
        aware(changes.get(name), name)
    row = await drafting.edit(
        request.config_dict[DEPS].queue,
        request.match_info["item"],
        visitor(request).staff_id,
        body.version,
        changes,
    )
    return as_json(_item(row))


@needs("items.write")
@takes(VersionBody)
async def submit(request: web.Request) -> web.StreamResponse:
    """Send a draft to its first level."""
    body = await read(request, VersionBody)
    row = await submitting.submit(
        request.config_dict[DEPS].queue,
        request.match_info["item"],
        visitor(request).staff_id,
        body.version,
    )
    return as_json(_item(row))


@needs("items.review")
async def claim(request: web.Request) -> web.StreamResponse:
    """Take an item for review for a while."""
    row = await claims.claim(
        request.config_dict[DEPS].queue, request.match_info["item"], visitor(request).staff_id
    )
    return as_json(_item(row))


@needs("items.review")
@takes(DecisionBody)
async def decide(request: web.Request) -> web.StreamResponse:
    """Approve, return or refer one item at its waiting level."""
    body = await read(request, DecisionBody)
    answer = ReviewForm(
        verdict=body.verdict,
        digest=body.digest,
        version=body.version,
        gates={gate: body.gates[gate].model_dump() for gate in GATES if gate in body.gates},
        note=body.note,
        attachments=body.attachments,
        proof=body.proof,
        gate=body.gate,
        span=body.span.model_dump() if body.span else None,
        department=body.department,
        due_at=aware(body.due_at, "due_at"),
        level=body.level,
        passkey=shown_assertion(body.passkey) if body.passkey else None,
    )
    row = await deciding.decide(
        request.config_dict[DEPS].queue,
        request.match_info["item"],
        visitor(request).staff_id,
        answer,
    )
    return as_json(_item(row))


@needs("items.read")
async def why_not(request: web.Request) -> web.StreamResponse:
    """Every reason why this person cannot approve now; the same list as the page."""
    reasons = await deciding.why_not(
        request.config_dict[DEPS].queue, request.match_info["item"], visitor(request).staff_id
    )
    return as_json({"reasons": [{"rule": row.rule, "message": row.message} for row in reasons]})


@needs("items.schedule")
@takes(ScheduleBody)
async def schedule(request: web.Request) -> web.StreamResponse:
    """Set the moment of publication inside the approved window."""
    body = await read(request, ScheduleBody)
    row = await publishing.schedule(
        request.config_dict[DEPS].queue,
        request.match_info["item"],
        visitor(request).staff_id,
        aware(body.at, "at"),
    )
    return as_json(_item(row))


@needs("items.recall")
@takes(ReasonBody)
async def recall(request: web.Request) -> web.StreamResponse:
    """Stop an item at once."""
    body = await read(request, ReasonBody)
    row = await recalling.recall(
        request.config_dict[DEPS].queue,
        request.match_info["item"],
        visitor(request).staff_id,
        body.reason,
    )
    return as_json(_item(row))


@needs("items.write")
@takes(CorrectionBody)
async def correct(request: web.Request) -> web.StreamResponse:
    """A correction of a published item, as a new item to the same accounts and audience."""
    deps, item_id = request.config_dict[DEPS], request.match_info["item"]
    body = await read(request, CorrectionBody)
    async with deps.db.session() as session:
        old = found(await session.get(Item, item_id), "篇稿件")
        query = select(Revision.canonical).where(Revision.item_id == item_id)
        text = (await session.scalars(query.order_by(Revision.number.desc()).limit(1))).one()
    if old.state not in ("published", "recalled", "scheduled"):
        raise Refused(409, [Reason("state", "只有安排过发布的稿件才需要更正，草稿请直接修改")])
    draft = Draft.from_canonical(text)
    content = Content(kind="更正", title=body.title, body=body.body, attribution=draft.attribution)
    origin = Origin(
        editor_id=visitor(request).staff_id,
        klass=old.klass,
        audience=draft.audience,
        accounts=draft.accounts,
    )
    return as_json(_item(await drafting.create_item(deps.queue, content, origin)), 201)


@needs("publications.read")
async def publication(request: web.Request) -> web.StreamResponse:
    """One publication and its outcome."""
    async with request.config_dict[DEPS].db.session() as session:
        row = found(await session.get(Publication, request.match_info["publication"]), "次发布")
    names = ("id", "item_id", "account_id", "digest", "state", "ref", "url", "reason")
    return as_json(
        {name: getattr(row, name) for name in names}
        | {"due_at": row.due_at, "published_at": row.published_at}
    )


@needs("publications.settle")
@takes(SettleBody)
async def settle(request: web.Request) -> web.StreamResponse:
    """What a person saw on the platform for an unknown outcome."""
    body = await read(request, SettleBody)
    deps = request.config_dict[DEPS]
    await settle_publication(
        deps.ledger,
        request.match_info["publication"],
        visitor(request).staff_id,
        "yes" if body.sent else "no",
        on_publication=partial(publishing.note_publication, deps.queue),
    )
    return await publication(request)


@needs("policies.read")
async def policies(request: web.Request) -> web.StreamResponse:
    """Policies with their validity today."""
    async with request.config_dict[DEPS].db.session() as session:
        query = select(Policy).order_by(Policy.issued_on.desc()).limit(_PAGE)
        rows = (await session.scalars(query)).all()
    names = ("id", "title", "doc_number", "issuer", "url", "issued_on", "state")
    return as_json(
        {
            "policies": [
                {name: getattr(row, name) for name in names} | {"validity": validity_words(row)[0]}
                for row in rows
            ]
        }
    )


@needs("subscriptions.read")
@takes(AudienceBody)
async def count_subscribers(request: web.Request) -> web.StreamResponse:
    """How many people an audience reaches on some accounts."""
    body, deps = await read(request, AudienceBody), request.config_dict[DEPS]
    matching = Matching(deps.taxonomy)
    async with deps.db.session() as session:
        number = await matching.count(session, body.audience, body.accounts)
    return as_json({"count": number})


@needs("tickets.answer")
async def claim_ticket(request: web.Request) -> web.StreamResponse:
    """Take a question."""
    ticket_id = request.match_info["ticket"]
    await tickets.claim(request.config_dict[DEPS].tickets, ticket_id, visitor(request).staff_id)
    return as_json({"id": ticket_id, "state": "claimed"})


@needs("tickets.answer")
@takes(ReplyBody)
async def reply_ticket(request: web.Request) -> web.StreamResponse:
    """Answer a question; `stopped` waits for a second person."""
    body = await read(request, ReplyBody)
    row = await replying.reply(
        request.config_dict[DEPS].tickets,
        request.match_info["ticket"],
        visitor(request).staff_id,
        body.text,
    )
    return as_json({"id": row.id, "state": row.state, "findings": row.findings})


@needs("incidents.read")
async def incidents(request: web.Request) -> web.StreamResponse:
    """Open incidents."""
    async with request.config_dict[DEPS].db.session() as session:
        query = select(Incident).where(Incident.closed_at.is_(None))
        rows = (await session.scalars(query.order_by(Incident.opened_at.desc()))).all()
    names = ("id", "kind", "subject", "message", "opened_at")
    return as_json({"incidents": [{name: getattr(row, name) for name in names} for row in rows]})


@needs("home")
async def switches(request: web.Request) -> web.StreamResponse:
    """Stop switches that were ever set."""
    async with request.config_dict[DEPS].db.session() as session:
        rows = (await session.scalars(select(Switch).order_by(Switch.name))).all()
    names = ("name", "stopped", "reason", "changed_at")
    return as_json({"switches": [{name: getattr(row, name) for name in names} for row in rows]})


@needs("switches.set")
@takes(SwitchBody)
async def set_one_switch(request: web.Request) -> web.StreamResponse:
    """Stop or resume."""
    body = await read(request, SwitchBody)
    await turn_switch(
        request.config_dict[DEPS].ledger,
        visitor(request).staff_id,
        body.name,
        stopped=body.stopped,
        reason=body.reason,
    )
    return as_json({"name": body.name, "stopped": body.stopped})


@needs("ledger.read")
async def ledger(request: web.Request) -> web.StreamResponse:
    """Entries after `after`, and whether the whole chain holds now."""
    deps, after = request.config_dict[DEPS], request.query.get("after", "0")
    if not after.isdigit():
        raise Refused(422, [Reason("field", "字段 after 要写台账序号，例如 100")])
    async with deps.db.session() as session:
        query = select(LedgerEntry).where(LedgerEntry.seq > int(after)).order_by(LedgerEntry.seq)
        rows = (await session.scalars(query.limit(1000))).all()
    holds, words = await verification(deps.ledger)
    names = ("seq", "preimage", "hash", "signature")
    entries = [{name: getattr(row, name) for name in names} for row in rows]
    return as_json(
        {"ok": holds, "words": words, "checked_at": clock_words(now()), "entries": entries}
    )


@needs(PUBLIC)
async def openapi(request: web.Request) -> web.StreamResponse:
    """This API as OpenAPI 3.1."""
    paths: dict[str, dict[str, Any]] = {}
    for route in ROUTES:
        paths.setdefault(f"/api/v1{route.path}", {})[route.method.lower()] = _operation(route)
    return as_json(
        {
            "openapi": "3.1.0",
            "info": {"title": "审发 Shenfa", "version": "1"},
            "paths": paths,
            "components": {
                "securitySchemes": {
                    "token": {"type": "http", "scheme": "bearer"},
                    "session": {"type": "apiKey", "in": "cookie", "name": "shenfa_session"},
                },
                "schemas": {
                    "Error": _ERROR,
                    "GateBody": GateBody.model_json_schema(),
                    "SpanBody": SpanBody.model_json_schema(),
                },
            },
        }
    )


_ERROR = {
    "type": "object",
    "required": ["error", "rule", "message", "reasons"],
    "properties": {
        "error": {"type": "string"},
        "rule": {"type": "string"},
        "message": {"type": "string"},
        "reasons": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"rule": {"type": "string"}, "message": {"type": "string"}},
            },
        },
    },
}


def _operation(route: web.RouteDef) -> dict[str, Any]:
    handler = route.handler
    action = action_of(handler) or PUBLIC
    failure = {
        "description": "{error, rule, message, reasons}",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
    }
    names = [part[1:-1] for part in route.path.split("/") if part.startswith("{")]
    operation: dict[str, Any] = {
        "operationId": handler.__name__,
        "summary": (handler.__doc__ or "").strip().splitlines()[0],
        "parameters": [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
            for name in names
        ],
        "responses": {"2XX": {"description": "done"}, "4XX": failure},
        "security": [] if action == PUBLIC else [{"token": []}, {"session": []}],
        "x-roles": sorted(ACTIONS.get(action, ())),
    }
    model = getattr(handler, "body", None)
    if model is not None:
        schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
        operation["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": schema}},
        }
    return operation


ROUTES: list[web.RouteDef] = [
    web.get("/openapi.json", openapi),
    web.get("/items", items),
    web.post("/items", create_item),
    web.get("/items/{item}", item),
    web.get("/items/{item}/revisions", revisions),
    web.post("/items/{item}/revisions", revise),
    web.post("/items/{item}/submit", submit),
    web.post("/items/{item}/claim", claim),
    web.post("/items/{item}/decisions", decide),
    *DECISIONS,
    web.get("/items/{item}/why-not", why_not),
    web.post("/items/{item}/schedule", schedule),
    web.post("/items/{item}/recall", recall),
    web.post("/items/{item}/correct", correct),
    *expert_pages.API_ROUTES,
    *mending_pages.API_ROUTES,
    web.get("/publications/{publication}", publication),
    web.post("/publications/{publication}/settle", settle),
    *api_sources.ROUTES,
    *api_govern.ROUTES,
    web.get("/policies", policies),
    web.post("/subscribers/count", count_subscribers),
    web.post("/escalations/{ticket}/claim", claim_ticket),
    web.post("/escalations/{ticket}/reply", reply_ticket),
    web.get("/incidents", incidents),
    web.get("/switches", switches),
    web.post("/switches", set_one_switch),
    web.get("/ledger", ledger),
    *api_review.ROUTES,
    *api_columns.ROUTES,
]
