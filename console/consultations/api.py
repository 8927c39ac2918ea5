"""Consultations in the JSON API; one is opened by a proposal of the kind `consultation`."""

from typing import Any

from aiohttp import web
from pydantic import Field

from console.web.deps import DEPS, visitor
from console.web.interface import Strict, as_json, read, takes
from console.web.permissions import needs
from escalations.conclusions import draft_summary
from escalations.consultations import all_consultations, consultation_of
from escalations.models import Consultation
from escalations.opinions import Given, counts_of, decide, opinions_of


class VerdictBody(Strict):
    """What becomes of some opinions, and why."""

    opinions: list[str] = Field(max_length=500)
    verdict: str
    reason: str
    topic: str = ""


def _row(row: Consultation) -> dict[str, Any]:
    return {
        "id": row.id,
        "title": row.title,
        "about": row.about,
        "begins_at": row.begins_at,
        "ends_at": row.ends_at,
        "result_by": row.result_by,
        "promise": row.promise,
        "result_item": row.result_item,
        "told_at": row.told_at,
    }


@needs("tasks.read")
async def consultations(request: web.Request) -> web.StreamResponse:
    """Every consultation with its counts, the newest first."""
    async with request.config_dict[DEPS].db.session() as session:
        rows, counts = await all_consultations(session), await counts_of(session)
    found = [(_row(row), counts.get(row.id, (0, 0))) for row in rows]
    items = [{**row, "opinions": count, "waiting": left} for row, (count, left) in found]
    return as_json({"consultations": items})


@needs("tasks.read")
async def consultation(request: web.Request) -> web.StreamResponse:
    """One consultation and what was written to it; nobody is named."""
    ledger = request.config_dict[DEPS].ledger
    row = await consultation_of(ledger, request.match_info["consultation"])
    kept = await opinions_of(ledger, row.id)
    opinions = [
        {
            "id": one.id,
            "text": one.text,
            "at": one.at,
            "topic": one.topic,
            "verdict": one.verdict,
            "reason": one.reason,
        }
        for one in kept.rows
    ]
    return as_json({**_row(row), "opinions": opinions, "missing": kept.missing})


@needs("consultations.answer")
@takes(VerdictBody)
async def decide_opinions(request: web.Request) -> web.StreamResponse:
    """Say of some opinions what becomes of them."""
    body, ledger = await read(request, VerdictBody), request.config_dict[DEPS].ledger
    row = await consultation_of(ledger, request.match_info["consultation"])
    given = Given(body.verdict, body.reason, body.topic)
    return as_json({"decided": await decide(ledger, row, body.opinions, given, _me(request))})


@needs("consultations.answer")
async def draft_result(request: web.Request) -> web.StreamResponse:
    """Draft 征集情况 for the review queue."""
    wanted, queue = request.match_info["consultation"], request.config_dict[DEPS].queue
    return as_json({"item": await draft_summary(queue, wanted, _me(request))}, 201)


def _me(request: web.Request) -> str:
    return visitor(request).staff_id


ROUTES = [
    web.get("/consultations", consultations),
    web.get("/consultations/{consultation}", consultation),
    web.post("/consultations/{consultation}/verdicts", decide_opinions),
    web.post("/consultations/{consultation}/summary", draft_result),
]
