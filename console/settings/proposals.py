"""待批准: what waits for a second person, and their decision."""

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from console.settings.forms import posted, text
from console.settings.frame import people_of, settings_page, waiting_people
from console.settings.staff import id_of
from console.settings.waiting import headline, labels_of, lines_of, place_of
from console.web.deps import DEPS, visitor
from console.web.mentions import mentions
from console.web.pages import see
from console.web.permissions import needs
from staff.handover import confirm_person
from staff.models import Proposal
from staff.proposals import STATES
from staff.refusal import Reason, Refused
from staff.waiting import decided_rows, open_rows, waiting_for


@needs("proposals.read")
async def proposals(request: web.Request) -> web.StreamResponse:
    """What waits for me, what waits for others, then what was decided."""
    return await _proposals(request)


@needs("staff.confirm")
async def confirm(request: web.Request) -> web.StreamResponse:
    """确认是本人: somebody who did not make the login says so."""
    deps = request.config_dict[DEPS]
    staff_id = await id_of(deps.db, request.match_info["login"])
    try:
        await confirm_person(deps.ledger, staff_id, visitor(request).staff_id)
    except Refused as refused:
        return await _proposals(request, refused)
    return see("/console/settings/proposals", "person_confirmed")


async def _proposals(request: web.Request, refused: Refused | None = None) -> web.Response:
    deps, me = request.config_dict[DEPS], visitor(request)
    made = deps.governance.proposals
    mine = await waiting_for(made, me.staff_id, me.roles)
    known = {row.id for row in mine}
    others = [row for row in await open_rows(made) if row.id not in known]
    context = {
        "tab": "proposals",
        "mine": await lines_of(deps, mine),
        "others": await lines_of(deps, others),
        "decided": await lines_of(deps, await decided_rows(made)),
        "states": STATES,
        "waiting_people": await waiting_people(deps),
    }
    return await settings_page(request, "settings/proposals.html", context, refused)


@needs("proposals.read")
async def proposal(request: web.Request) -> web.StreamResponse:
    """One change: what it would do, who proposed it and why, and the buttons of who may decide."""
    return await _proposal(request)


async def _proposal(
    request: web.Request, refused: Refused | None = None, result: Mapping[str, Any] | None = None
) -> web.Response:
    deps = request.config_dict[DEPS]
    made = deps.governance.proposals
    row: Proposal = await made.get(request.match_info["proposal"])
    context = {
        "tab": "proposals",
        "row": row,
        "label": (label := labels_of(deps).get(row.kind, row.kind)),
        "headline": headline(row, label),
        "place_of": place_of(row),
        "states": STATES,
        "why_not": await made.why_not(row.id, visitor(request).staff_id)
        if row.state == "proposed"
        else [],
        "approvers": await made.approvers(row) if row.state == "proposed" else (),
        "effect": row.effect,
        "mentions": await mentions(deps.db, row.effect, visitor(request).roles),
        "result": result,
        "people": await people_of(deps, {row.proposed_by, row.decided_by or ""}),
    }
    return await settings_page(request, "settings/proposal.html", context, refused)


@needs("proposals.decide")
async def decide(request: web.Request) -> web.StreamResponse:
    """批准 or 不批准, by somebody else than the proposer."""
    deps, me = request.config_dict[DEPS], visitor(request).staff_id
    made, form = deps.governance.proposals, await posted(request)
    key, verdict = request.match_info["proposal"], text(form, "verdict")
    await made.get(key)
    try:
        if verdict == "approve":
            result = await made.approve(key, me, text(form, "note"))
            # The change may have been of levels; the next item submitted must run under them.
            await deps.governance.levels.refresh()
            if {"password", "half"} & set(result):
                return await _proposal(request, None, result)
            return see(f"/console/settings/proposals/{key}", "change_approved")
        if verdict == "reject":
            await made.reject(key, me, text(form, "reason"))
            return see(f"/console/settings/proposals/{key}", "change_rejected")
        raise Refused(422, [Reason("verdict", "请选择批准或不批准")])
    except Refused as refused:
        return await _proposal(request, refused)


@needs("proposals.make")
async def withdraw(request: web.Request) -> web.StreamResponse:
    """收回 one's own proposal."""
    key = request.match_info["proposal"]
    made = request.config_dict[DEPS].governance.proposals
    await made.get(key)
    try:
        await made.withdraw(key, visitor(request).staff_id)
    except Refused as refused:
        return await _proposal(request, refused)
    return see(f"/console/settings/proposals/{key}", "change_withdrawn")
