"""Items in the JSON API: listed, written, submitted, claimed, decided."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any, Literal

from aiohttp import web
from pydantic import Field
from sqlalchemy import select

from blocks.text import from_plain
from bot.contract import Content
from console.items import working
from console.items.article_body import ARTICLE, ArticleBody, article_of
from console.items.facts import facts_of
from console.items.holding import holder_json
from console.items.listing import QUERY, listed_for
from console.items.reach import reach_of
from console.items.words import item_json
from console.web.deps import DEPS, acting, found, visitor
from console.web.interface import PAGE, Strict, as_json, aware, filtered_by, read, takes
from console.web.permissions import by_service, needs
from console.web.reaching import reach_json
from review_queue import claims, deciding, drafting, scope, submitting
from review_queue.canonical import Draft
from review_queue.drafting import Origin
from review_queue.findings import findings_now, to_json
from review_queue.forms import ReviewForm
from review_queue.models import Item, Revision
from review_queue.neighbours import collisions_of
from review_queue.workflow import GATES
from staff.passkeys import shown_assertion
from staff.refusal import Reason, Refused, refuse


class ItemBody(ArticleBody):
    """A new item: `blocks`, or `body` as plain text."""

    kind: str
    klass: str = "日常"
    title: str = Field(min_length=1, max_length=300)
    body: str = ""
    attribution: dict[str, str] = Field(default_factory=dict)
    audience: dict[str, list[str]] | None = None
    accounts: list[str] | None = None
    people: list[str] | None = None
    """知悉范围: staff ids the draft is limited to from its first moment; None for everybody."""


class RevisionBody(ArticleBody):
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


@needs("items.read")
@filtered_by(*QUERY)
async def items(request: web.Request) -> web.StreamResponse:
    """Items, last changed first, filtered as on the page 稿件; how many there are in all."""
    listed = await listed_for(request, PAGE)
    rows = [item_json(row) | holder_json(listed.held[row.id], row) for row in listed.rows]
    told = {"total": listed.total, "page": listed.number, "pages": listed.pages}
    return as_json({"items": rows, **told})


@by_service
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
    said = article_of(body)
    content = Content(
        kind=body.kind,
        title=body.title,
        attribution=body.attribution,
        **{"body": body.body, **said},
    )
    if not content.body.strip():
        raise Refused(422, [Reason("body", "正文不能为空：请写 blocks 或 body")])
    await _no_hidden_files(request, said, content.body)
    queue = request.config_dict[DEPS].queue
    if body.people is None:
        row = await drafting.create_item(queue, content, origin)
    else:
        row = await scope.create_confined(queue, content, origin, body.people)
    return as_json(item_json(row), 201)


async def _no_hidden_files(request: web.Request, said: Mapping[str, Any], body: str) -> None:
    deps, me = request.config_dict[DEPS], visitor(request).staff_id
    blocks, cover = said.get("blocks") or from_plain(body), said.get("cover") or ""
    faults = await scope.hidden_files(deps.db, None, blocks, cover, me)
    if faults and (item_id := request.match_info.get("item")):
        facts = await facts_of(deps, item_id)
        faults = await scope.hidden_files(deps.db, facts.draft, blocks, cover, me)
    refuse(faults)


@needs("items.read")
async def item(request: web.Request) -> web.StreamResponse:
    """One item with its latest revision, the findings of now, collisions, and whom it reaches."""
    deps, item_id = request.config_dict[DEPS], request.match_info["item"]
    digest, findings = await findings_now(deps.queue, item_id)
    async with deps.db.session() as session:
        row = found(await session.get(Item, item_id), "篇稿件")
        query = select(Revision).where(Revision.item_id == item_id, Revision.digest == digest)
        # Two revisions may say the same: a file put on and taken off again.
        newest = query.order_by(Revision.number.desc()).limit(1)
        revision = (await session.scalars(newest)).one()
        reach = await reach_of(deps, session, Draft.from_canonical(revision.canonical))
    content = json.loads(revision.canonical)
    met = await collisions_of(deps.db, item_id, visitor(request).staff_id, quiet=deps.queue.quiet)
    said: dict[str, Any] = {
        "findings": [to_json(one) for one in findings],
        "collisions": list(map(asdict, met)),
        "reach": reach_json(reach) if reach is not None else None,
    }
    return as_json(item_json(row) | {"digest": digest, "content": content, **said})


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


@by_service
@needs("items.write")
@takes(RevisionBody)
async def revise(request: web.Request) -> web.StreamResponse:
    """Change a draft; a change voids every approval."""
    body = await read(request, RevisionBody)
    changes = body.model_dump(exclude_unset=True, exclude={"version", *ARTICLE})
    changes |= article_of(body)
    if "accounts" in changes:
        changes["accounts"] = tuple(changes["accounts"] or ())
    for name in ("not_before", "not_after"):
        aware(changes.get(name), name)
    await _no_hidden_files(request, changes, changes.get("body") or "")
    row = await drafting.edit(*acting(request), body.version, changes)
    return as_json(item_json(row))


@needs("items.write")
@takes(VersionBody)
async def submit(request: web.Request) -> web.StreamResponse:
    """Send a draft to its first level."""
    body = await read(request, VersionBody)
    row = await submitting.submit(*acting(request), body.version)
    await working.drop_mine(request)
    return as_json(item_json(row))


@needs("items.review")
async def claim(request: web.Request) -> web.StreamResponse:
    """Take an item for review for a while."""
    row = await claims.claim(*acting(request))
    return as_json(item_json(row))


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
    row = await deciding.decide(*acting(request), answer)
    return as_json(item_json(row))


ROUTES = [
    web.get("/items", items),
    web.post("/items", create_item),
    web.get("/items/{item}", item),
    web.get("/items/{item}/revisions", revisions),
    web.post("/items/{item}/revisions", revise),
    web.post("/items/{item}/submit", submit),
    web.post("/items/{item}/claim", claim),
    web.post("/items/{item}/decisions", decide),
]
