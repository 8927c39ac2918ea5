"""政策库: what is in force, with its clauses; a change that waits for a second person."""

from aiohttp import web
from sqlalchemy import func, select

from config.clock import beijing, now
from console.policies.words import validity_words
from console.web.deps import DEPS, found, visitor
from console.web.pages import form, page, see
from console.web.permissions import needs
from knowledge.library import PolicyLibrary
from knowledge.models import Clause, Policy, PolicyChange
from staff.people import names

_PAGE = 100


def _today() -> str:
    return f"{beijing(now()):%Y-%m-%d}"


@needs("policies.read")
async def policies(request: web.Request) -> web.StreamResponse:
    """The library: title, number, validity in colour and words."""
    words = request.query.get("q", "").strip()[:60]
    async with request.config_dict[DEPS].db.session() as session:
        query = select(Policy).where(Policy.state != "rejected")
        if words:
            query = query.where(
                Policy.title.contains(words, autoescape=True)
                | Policy.doc_number.contains(words, autoescape=True)
            )
        rows = (await session.scalars(query.order_by(Policy.issued_on.desc()).limit(_PAGE))).all()
        waiting = select(PolicyChange).where(PolicyChange.state == "proposed")
        counted = select(Clause.policy_id, func.count()).group_by(Clause.policy_id)
        context = {
            "place": "policies",
            "rows": [(row, *validity_words(row)) for row in rows],
            "clauses": {row[0]: row[1] for row in (await session.execute(counted)).all()},
            "waiting": (await session.scalars(waiting)).all(),
            "words": words,
        }
    return page(request, "policies/page.html", context)


@needs("policies.read")
async def policy(request: web.Request) -> web.StreamResponse:
    """One policy with its clauses."""
    deps = request.config_dict[DEPS]
    async with deps.db.session() as session:
        row = found(await session.get(Policy, request.match_info["policy"]), "项政策")
        clauses = select(Clause).where(Clause.policy_id == row.id).order_by(Clause.number)
        changes = select(PolicyChange).where(PolicyChange.policy_id == row.id)
        context = {
            "place": "policies",
            "row": row,
            "validity": validity_words(row),
            "clauses": (await session.scalars(clauses)).all(),
            "changes": (await session.scalars(changes)).all(),
            "successor": await session.get(Policy, row.successor_id) if row.successor_id else None,
            "people": await names(session, {row.proposed_by, row.approved_by or "system"}),
            "today": _today(),
            "facets": deps.facets,
        }
    return page(request, "policies/policy.html", context)


@needs("policies.approve")
async def settle_policy(request: web.Request) -> web.StreamResponse:
    """Approve somebody else's change of the library, or turn it down with a reason."""
    library, me = PolicyLibrary(request.config_dict[DEPS].ledger), visitor(request)
    change_id, fields = request.match_info["change"], await form(request)
    if fields.get("verdict") == "reject":
        await library.reject(change_id, me.staff_id, fields.get("reason", ""))
        return see("/console/policies", "policy_rejected")
    await library.approve(change_id, me.staff_id)
    return see(f"/console/policies/{request.match_info['policy']}", "policy_approved")


ROUTES = [
    web.get("/policies", policies),
    web.get("/policies/{policy}", policy),
    web.post("/policies/{policy}/changes/{change}", settle_policy),
]
