"""意见征集: the list with its form, and one consultation with what was written to it."""

from collections.abc import Mapping

from aiohttp import web

from config.clock import now
from console.web.deps import DEPS, visitor
from console.web.pages import form, many, page, see
from console.web.permissions import needs
from escalations.conclusions import draft_summary
from escalations.consultations import (
    KIND,
    LEAST_DAYS,
    all_consultations,
    consultation_of,
    may_be_about,
)
from escalations.models import Consultation
from escalations.opinions import VERDICTS, Given, counts_of, decide, opinions_of
from review_queue.told import accounts_in_use
from staff.refusal import Refused


def state_of(row: Consultation) -> tuple[str, str]:
    """Where a consultation stands, in words, and the tone of its mark."""
    moment = now()
    if moment < row.begins_at:
        return "还没有开始", "busy"
    if moment < row.ends_at:
        return "征集中", "good"
    if row.told_at:
        return "结果已告知", "good"
    if row.result_item:
        return "征集情况在审核", "busy"
    return ("结果逾期", "stop") if moment > row.result_by else ("待写结果", "warn")


async def _list(
    request: web.Request, refused: Refused | None = None, typed: Mapping[str, str] | None = None
) -> web.Response:
    deps = request.config_dict[DEPS]
    chosen = await many(request, "accounts") if typed else []
    async with deps.db.session() as session:
        rows, counts = await all_consultations(session), await counts_of(session)
        about = await may_be_about(session)
    context = {
        "place": "tasks",
        "rows": [(row, *state_of(row), *counts.get(row.id, (0, 0))) for row in rows],
        "about": about,
        "accounts": await accounts_in_use(deps.ledger),
        "chosen": chosen,
        "days": LEAST_DAYS,
        "typed": typed or {},
        "reasons": refused.reasons if refused else (),
    }
    status = refused.status if refused else 200
    return page(request, "consultations/page.html", context, status)


@needs("tasks.read")
async def consultations(request: web.Request) -> web.StreamResponse:
    """Every consultation, the newest first."""
    return await _list(request)


@needs("consultations.answer")
async def propose_consultation(request: web.Request) -> web.StreamResponse:
    """Lay a consultation before a second person."""
    fields, deps = await form(request), request.config_dict[DEPS]
    payload = {**fields, "accounts": await many(request, "accounts")}
    me, why = visitor(request).staff_id, fields.get("why", "")
    try:
        row = await deps.governance.proposals.propose(KIND, payload, me, why)
    except Refused as refused:
        return await _list(request, refused, fields)
    return see(f"/console/settings/proposals/{row.id}", "consultation_proposed")


async def _one(
    request: web.Request, refused: Refused | None = None, typed: Mapping[str, str] | None = None
) -> web.Response:
    ledger = request.config_dict[DEPS].ledger
    row = await consultation_of(ledger, request.match_info["consultation"])
    kept = await opinions_of(ledger, row.id)
    chosen = await many(request, "opinions") if typed else []
    context = {
        "place": "tasks",
        "row": row,
        "state": state_of(row),
        "kept": kept,
        "over": now() >= row.ends_at,
        "verdicts": VERDICTS,
        "tones": dict(zip(VERDICTS, ("good", "busy", "warn"), strict=True)),
        "chosen": chosen,
        "typed": typed or {},
        "reasons": refused.reasons if refused else (),
    }
    status = refused.status if refused else 200
    return page(request, "consultations/one.html", context, status)


@needs("tasks.read")
async def consultation(request: web.Request) -> web.StreamResponse:
    """What was written to it, and what becomes of each; nobody is named."""
    return await _one(request)


@needs("consultations.answer")
async def decide_opinions(request: web.Request) -> web.StreamResponse:
    """Say of the chosen ones what becomes of them."""
    fields, ledger = await form(request), request.config_dict[DEPS].ledger
    row = await consultation_of(ledger, request.match_info["consultation"])
    said = [fields.get(name, "") for name in ("verdict", "reason", "topic")]
    ids, me = await many(request, "opinions"), visitor(request).staff_id
    try:
        await decide(ledger, row, ids, Given(*said), me)
    except Refused as refused:
        return await _one(request, refused, fields)
    return see(f"/console/consultations/{row.id}", "opinions_decided")


@needs("consultations.answer")
async def draft_result(request: web.Request) -> web.StreamResponse:
    """Draft 征集情况 and go there."""
    wanted, queue = request.match_info["consultation"], request.config_dict[DEPS].queue
    try:
        item = await draft_summary(queue, wanted, visitor(request).staff_id)
    except Refused as refused:
        if refused.status == 404:
            raise
        return await _one(request, refused)
    return web.HTTPSeeOther(f"/console/items/{item}")


ROUTES = [
    web.get("/consultations", consultations),
    web.post("/consultations", propose_consultation),
    web.get("/consultations/{consultation}", consultation),
    web.post("/consultations/{consultation}/verdicts", decide_opinions),
    web.post("/consultations/{consultation}/summary", draft_result),
]
