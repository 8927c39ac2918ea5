"""政策库: what is in force, with its clauses; a change that waits for a second person."""

from collections.abc import Mapping, Sequence
from typing import Any

from aiohttp import web
from sqlalchemy import func, select

from config.clock import beijing, now
from console.policies import ageing, altering, entries, fetched, questions
from console.policies.notices import clause_notice
from console.policies.words import proposed_rows, validity_words, waiting_imports
from console.web.deps import DEPS, Deps, found, visitor
from console.web.mentions import mentions
from console.web.pages import form, page, see
from console.web.permissions import may, needs
from knowledge.forms import IMPORT, clauses_of
from knowledge.library import PolicyLibrary
from knowledge.models import Clause, Policy
from knowledge.proof import FIELDS, SignedPolicy, fault_in, signed_policies
from knowledge.told import counts_of
from ledger.verify import Broken
from staff.people import names

_PAGE = 100


def _today() -> str:
    return f"{beijing(now()):%Y-%m-%d}"


async def _signed(deps: Deps) -> Mapping[str, SignedPolicy]:
    """What signed entries say; nothing while the ledger is broken, which its own page tells."""
    try:
        return await signed_policies(deps.ledger)
    except Broken:
        return {}


def _agrees(row: Policy, state: SignedPolicy | None) -> bool:
    """Whether a row says what was signed, as far as a list reads it."""
    return state is not None and all(getattr(row, name) == getattr(state, name) for name in FIELDS)


@needs("policies.read")
async def policies(request: web.Request) -> web.StreamResponse:
    """The library: title, number, validity in colour and words."""
    deps, me = request.config_dict[DEPS], visitor(request)
    words = request.query.get("q", "").strip()[:60]
    waiting = await PolicyLibrary(deps.governance.proposals).changes(state="proposed")
    signed = await _signed(deps)
    async with deps.db.session() as session:
        query = select(Policy).where(Policy.state == "active")
        if words:
            query = query.where(
                Policy.title.contains(words, autoescape=True)
                | Policy.doc_number.contains(words, autoescape=True)
            )
        rows = (await session.scalars(query.order_by(Policy.issued_on.desc()).limit(_PAGE))).all()
        coming = [one for one in waiting_imports(waiting) if words in one.title + one.doc_number]
        counted = select(Clause.policy_id, func.count()).group_by(Clause.policy_id)
        context = {
            "place": "policies",
            "rows": [(row, *validity_words(row)) for row in (*coming, *rows)],
            "changed": {row.id for row in rows if not _agrees(row, signed.get(row.id))},
            "clauses": {row[0]: row[1] for row in (await session.execute(counted)).all()},
            "waiting": [
                (row.subject.removeprefix("policy:"), row.effect["changes"][0]["text"])
                for row in waiting
            ],
            "offered": await fetched.offered(session) if may(me.roles, "policies.propose") else [],
            "words": words,
        }
    return page(request, "policies/page.html", context)


async def _policy(deps: Deps, policy_id: str) -> tuple[Policy, Sequence[Clause], bool]:
    """The rows of a policy and whether they are what was signed; or of one that waits."""
    async with deps.db.session() as session:
        row = await session.get(Policy, policy_id)
        clauses = await clauses_of(session, policy_id)
    if row is not None and row.state == "active":
        state = (await _signed(deps)).get(row.id)
        return row, clauses, state is None or fault_in(state, row, clauses) is not None
    changes = await PolicyLibrary(deps.governance.proposals).changes(policy_id)
    proposed = found(next((one for one in changes if one.kind == IMPORT), None), "项政策")
    row, parts = found(proposed_rows(proposed), "项政策")
    row.state = "proposed" if proposed.state == "proposed" else "rejected"
    return row, parts, False


@needs("policies.read")
async def policy(request: web.Request) -> web.StreamResponse:
    """One policy with its clauses."""
    deps, me = request.config_dict[DEPS], visitor(request)
    row, clauses, changed = await _policy(deps, request.match_info["policy"])
    library = PolicyLibrary(deps.governance.proposals)
    changes = [one for one in await library.changes(row.id) if one.state == "proposed"]
    decides = may(me.roles, "policies.approve")
    why_not = {
        one.id: await library.why_not(one.id, me.staff_id) if decides else () for one in changes
    }
    shown = [(one, await library.effect(one)) for one in changes]
    people = {row.proposed_by, row.approved_by or "system", *(one.proposed_by for one in changes)}
    async with deps.db.session() as session:
        context: dict[str, Any] = {
            "place": "policies",
            "row": row,
            "changed": changed,
            "validity": validity_words(row) if row.state != "rejected" else ("未入库", "stop"),
            "clauses": clauses,
            "topics": _topics(deps, row),
            "told": await counts_of(session, [one.id for one in clauses]),
            "changes": [
                (one, effect, await mentions(deps.db, effect, me.roles)) for one, effect in shown
            ],
            "why_not": why_not,
            "successor": await session.get(Policy, row.successor_id) if row.successor_id else None,
            "people": await names(session, people),
            "today": _today(),
        }
    return page(request, "policies/policy.html", context)


def _topics(deps: Deps, row: Policy) -> list[str]:
    return [deps.taxonomy.label("topics", key) for key in (row.topics or "").split(",") if key]


@needs("policies.approve")
async def settle_policy(request: web.Request) -> web.StreamResponse:
    """Approve somebody else's change of the library, or turn it down with a reason."""
    deps, me = request.config_dict[DEPS], visitor(request)
    library = PolicyLibrary(deps.governance.proposals)
    change_id, fields = request.match_info["change"], await form(request)
    if fields.get("verdict") == "reject":
        await library.reject(change_id, me.staff_id, fields.get("reason", ""))
        return see("/console/policies", "policy_rejected")
    await library.approve(change_id, me.staff_id, fields.get("reason", ""))
    return see(f"/console/policies/{request.match_info['policy']}", "policy_approved")


@needs("items.write")
async def notice(request: web.Request) -> web.StreamResponse:
    """Start a notice of correction for whoever was told a clause."""
    deps, path = request.config_dict[DEPS], request.match_info
    library, me = PolicyLibrary(deps.governance.proposals), visitor(request).staff_id
    item = await clause_notice(deps.queue, library, path["policy"], path["number"], me)
    return see(f"/console/items/{item.id}/edit", "created")


ROUTES = [
    web.get("/policies", policies),
    *ageing.ROUTES,
    *entries.ROUTES,
    *questions.ROUTES,
    *fetched.ROUTES,  # before /policies/{policy}, which takes any name
    *altering.ROUTES,
    web.get("/policies/{policy}", policy),
    web.post("/policies/{policy}/changes/{change}", settle_policy),
    web.post("/policies/{policy}/clauses/{number}/notice", notice),
]
