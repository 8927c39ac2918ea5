"""来源: whom we may republish, by what document, until when; one source and its changes."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from aiohttp import web
from sqlalchemy import select

from console.sources.forms import read_source_form
from console.sources.words import column_tone, validity_tone
from console.web.deps import DEPS, visitor
from console.web.pages import form, page, see
from console.web.permissions import needs
from content_sources.changes import (
    ACTIONS,
    WantedChange,
    all_sources,
    approve,
    open_change,
    open_changes,
    propose,
    reject,
    revoke,
    source_of,
    warnings_of,
)
from content_sources.models import Article, Column, Source
from content_sources.official_list import imports
from content_sources.preview import Preview
from content_sources.source_fields import difference, fields_of, read_fields
from ledger.models import LedgerEntry
from review_queue.models import Item
from staff.models import Proposal
from staff.people import names
from staff.refusal import Refused

MOST = 200  # sources on one page; the search finds the others


async def _sources_page(
    request: web.Request, refused: Refused | None = None, typed: dict[str, str] | None = None
) -> web.Response:
    deps, words = request.config_dict[DEPS], request.query.get("q", "").strip()[:60]
    async with deps.db.session() as session:
        rows = await all_sources(session)
        columns: dict[str, list[Column]] = defaultdict(list)
        for column in (await session.scalars(select(Column).order_by(Column.name))).all():
            columns[column.source_id].append(column)
        refused_pages = select(Article).where(Article.state == "refused")
        changes = await open_changes(session)
        context = {
            "place": "sources",
            "rows": _ordered(_shown(rows, words))[:MOST],
            "total": len(rows),
            "words": words,
            "columns": columns,
            "waiting": {change.source_id: change for change in changes},
            "imports": await imports(session),
            "refused": (
                await session.scalars(refused_pages.order_by(Article.fetched_at.desc()).limit(20))
            ).all(),
            "people": await names(session, {change.proposed_by for change in changes}),
            "typed": typed or {},
            "topics": deps.facets.get("topics", {}),
            "reasons": refused.reasons if refused else (),
            "validity_tone": validity_tone,
            "column_tone": column_tone,
        }
    return page(request, "sources/list.html", context, refused.status if refused else 200)


def _shown(rows: Sequence[Source], words: str) -> list[Source]:
    """What matches the words."""
    return [
        row
        for row in rows
        if not words or words in row.organisation or any(words in host for host in row.hosts)
    ]


def _ordered(rows: Sequence[Source]) -> list[Source]:
    """What needs a hand first: waiting, expired, expiring; then the rest; revoked ones last."""
    order = {"proposed": 0, "active": 2, "revoked": 4, "rejected": 5}

    def rank(row: Source) -> tuple[int, str]:
        return (1 if validity_tone(row) else order.get(row.state, 3)), row.organisation

    return sorted(rows, key=rank)


@needs("sources.read")
async def sources(request: web.Request) -> web.StreamResponse:
    """Every determined source with its validity, last fetch and health."""
    return await _sources_page(request)


@needs("sources.propose")
async def propose_source(request: web.Request) -> web.StreamResponse:
    """Propose a new source; another person approves it."""
    deps, fields = request.config_dict[DEPS], await form(request)
    try:
        fields = await read_source_form(request)
        wanted = read_fields(fields, deps.facets.get("topics", {}))
        await propose(deps.ledger, visitor(request).staff_id, WantedChange("add", wanted))
    except Refused as refused:
        return await _sources_page(request, refused, fields)
    return see("/console/sources", "proposed")


# --- one source -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Trial:
    """A column form, and what the column would bring; `shown` None before it was read."""

    fields: Mapping[str, str] = field(default_factory=dict)
    shown: Preview | None = None


async def source_page(
    request: web.Request,
    refused: Refused | None = None,
    typed: dict[str, str] | None = None,
    trial: Trial | None = None,
) -> web.Response:
    """The page of one source; a refused form comes back with what was typed."""
    deps, source_id = request.config_dict[DEPS], request.match_info["source"]
    async with deps.db.session() as session:
        row = await source_of(session, source_id)
        columns = select(Column).where(Column.source_id == source_id).order_by(Column.name)
        made = select(Proposal.id).where(Proposal.subject == f"source:{source_id}")
        subjects = [f"proposal:{key}" for key in (await session.scalars(made)).all()]
        about = LedgerEntry.subject.in_([f"source:{source_id}", *subjects])
        entries = select(LedgerEntry).where(about)
        history = (await session.scalars(entries.order_by(LedgerEntry.seq.desc()).limit(50))).all()
        waiting = await open_change(session, source_id)
        items = (
            select(Item.state)
            .join(Article, Article.id == Item.article_id)
            .where(Article.source_id == source_id)
        )
        states = (await session.scalars(items)).all()
        ids = {entry.actor for entry in history} | {row.proposed_by, row.approved_by or "system"}
        ids |= {waiting.proposed_by} if waiting else set()
        context = {
            "place": "sources",
            "row": row,
            "columns": (await session.scalars(columns)).all(),
            "waiting": waiting,
            "difference": difference(waiting.before, waiting.fields) if waiting else [],
            "warnings": await warnings_of(session, source_id, waiting.fields) if waiting else [],
            "history": history,
            "trial": trial or Trial(),
            "counts": {state: states.count(state) for state in sorted(set(states))},
            "people": await names(session, ids),
            "typed": typed or {},
            "topics": deps.facets.get("topics", {}),
            "own_topics": deps.taxonomy.keys_now("topics", row.topics) if row.topics else (),
            "reasons": refused.reasons if refused else (),
            "validity_tone": validity_tone,
            "column_tone": column_tone,
            "actions": ACTIONS,
        }
    return page(request, "sources/page.html", context, refused.status if refused else 200)


@needs("sources.read")
async def source(request: web.Request) -> web.StreamResponse:
    """One source: proof, validity, columns, the waiting change, its history in the ledger."""
    return await source_page(request)


@needs("sources.propose")
async def change_source(request: web.Request) -> web.StreamResponse:
    """Propose an edit, a renewal or the return of a source."""
    deps, fields = request.config_dict[DEPS], await form(request)
    source_id = request.match_info["source"]
    try:
        fields = await read_source_form(request)
        async with deps.db.session() as session:
            row = await source_of(session, source_id)
        before = fields_of(row)
        # An edit that says nothing about the beginning keeps it.
        fields["valid_from"] = fields["valid_from"] or before.valid_from.isoformat()
        wanted = read_fields(fields, deps.facets.get("topics", {}))
        action = "restore" if row.state == "revoked" else fields.get("action", "edit")
        proposal = WantedChange(action, wanted, source_id)
        await propose(deps.ledger, visitor(request).staff_id, proposal)
    except Refused as refused:
        if refused.status == 404:
            raise
        return await source_page(request, refused, fields)
    return see(f"/console/sources/{source_id}", "proposed")


@needs("sources.approve")
async def settle_source(request: web.Request) -> web.StreamResponse:
    """Approve or reject the waiting change, or revoke the source."""
    ledger, me = request.config_dict[DEPS].ledger, visitor(request)
    source_id, fields = request.match_info["source"], await form(request)
    verdict = fields.get("verdict", "")
    try:
        if verdict == "approve":
            await approve(ledger, me.staff_id, source_id)
        elif verdict == "reject":
            await reject(ledger, me.staff_id, source_id, fields.get("reason", ""))
        else:
            await revoke(ledger, me.staff_id, source_id)
    except Refused as refused:
        if refused.status == 404:
            raise
        return await source_page(request, refused)
    done = {"approve": "source_approved", "reject": "source_rejected"}
    return see(f"/console/sources/{source_id}", done.get(verdict, "source_revoked"))


ROUTES = [
    web.get("/sources", sources),
    web.post("/sources", propose_source),
    web.get("/sources/{source}", source),
    web.post("/sources/{source}", settle_source),
    web.post("/sources/{source}/change", change_source),
]
