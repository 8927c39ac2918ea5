"""审核表: one item's review on paper: who, when, gates, findings, digest, proof by QR code."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from sqlalchemy import select

from bot.contract import State
from bot.models import Account, Organisation, Publication
from bot.picture_message import is_picture_message, pictures_of
from config.clock import now
from console.items.facts import ItemFacts, facts_of
from console.web.deps import DEPS, Deps
from console.web.pages import page
from console.web.permissions import needs
from console.web.qr import qr_code
from review_queue.models import Decision
from review_queue.workflow import GATES

_NO_NAME = "（未填写单位名称）"


@dataclass(frozen=True)
class Row:
    """One level of the present run, with the decisions made there."""

    name: str
    decisions: Sequence[Decision]
    gates: frozenset[str]


def run_of(facts: ItemFacts) -> list[Decision]:
    """The decisions after the last submission, in their order."""
    begun = max((entry.seq for entry in facts.entries if entry.kind == "item.submitted"), default=0)
    return [row for row in facts.decisions if row.ledger_seq > begun]


def _rows(facts: ItemFacts) -> list[Row]:
    made = run_of(facts)
    levels: list[Mapping[str, Any]] = (facts.item.workflow or {"levels": []})["levels"]
    rows = [
        Row(
            level["name"],
            [one for one in made if one.level_name == level["name"]],
            frozenset(level["gates"]),
        )
        for level in levels
    ]
    known = {row.name for row in rows}
    return rows + [
        Row(one.level_name, [one], frozenset(GATES)) for one in made if one.level_name not in known
    ]


async def _published(deps: Deps, item_id: str) -> Publication | None:
    """The first publication that is out, else the first that is planned."""
    async with deps.db.session() as session:
        query = select(Publication).where(Publication.item_id == item_id)
        rows = (await session.scalars(query.order_by(Publication.due_at))).all()
    # The code on paper should lead to what citizens can see, if anything is out.
    out = [row for row in rows if row.state == State.PUBLISHED]
    return next(iter([*out, *rows]), None)


async def _organisation(deps: Deps, accounts: Sequence[Account]) -> str:
    ids = [account.organisation_id for account in accounts]
    async with deps.db.session() as session:
        query = select(Organisation.name).where(Organisation.id.in_(ids))
        names = (await session.scalars(query)).all()
        if not names:
            names = (await session.scalars(select(Organisation.name).limit(1))).all()
    return "、".join(dict.fromkeys(names)) or _NO_NAME


@needs("items.read")
async def review_form(request: web.Request) -> web.StreamResponse:
    """The review form of one item, for paper or PDF."""
    deps = request.config_dict[DEPS]
    facts = await facts_of(deps, request.match_info["item"])
    publication = await _published(deps, facts.item.id)
    address = f"{deps.settings.public_url}/verify/{publication.id}" if publication else ""
    digest = facts.revision.digest
    seqs = [entry.seq for entry in facts.entries]
    context = {
        "place": "items",
        "f": facts,
        "item": facts.item,
        "draft": facts.draft,
        "organisation": await _organisation(
            deps, [facts.accounts[key] for key in facts.draft.accounts if key in facts.accounts]
        ),
        "rows": _rows(facts),
        "run": run_of(facts),
        "publication": publication,
        "address": address,
        "qr": qr_code(address) if address else "",
        "digest_rows": [digest[at : at + 32] for at in (0, 32)],
        "seqs": f"{min(seqs)}–{max(seqs)}" if seqs else "—",
        "placed": pictures_of(facts.draft.blocks)
        if facts.draft.blocks is not None and is_picture_message(facts.draft.content)
        else (),
        "media": json.loads(facts.revision.canonical)["media"],
        "facets": deps.facets,
        "now": now(),
    }
    return page(request, "items/sheet.html", context)


ROUTES = [web.get("/items/{item}/form", review_form)]
