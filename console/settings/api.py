"""Levels, rules, people and the proposals that change them, as JSON."""

import json
from dataclasses import asdict
from typing import Any

from aiohttp import web
from pydantic import Field
from sqlalchemy import select

from console.settings.organisations import organisations_json
from console.settings.staff import id_of
from console.web.care import must_care
from console.web.deps import DEPS, found, visitor
from console.web.interface import Strict, as_json, picked, read, takes
from console.web.permissions import needs
from review_queue.governance.handovers import ask_reset
from review_queue.governance.models import RuleSetRow
from review_queue.governance.rulesets import feedback_counts, report_false_alarm
from review_queue.governance.staff_changes import deactivate_now
from staff.handover import confirm_person
from staff.models import Proposal, Staff
from staff.proposals import STATES
from staff.refusal import Reason, Refused


class PayloadBody(Strict):
    """What would change; see docs/governance.md for the payload of each kind."""

    kind: str
    payload: dict[str, Any]


class ProposalBody(PayloadBody):
    """A change put in front of a second person."""

    reason: str = Field(min_length=1)


class RejectBody(Strict):
    """Why not."""

    reason: str = Field(min_length=1)


class FeedbackBody(Strict):
    """A finding on an item that was a false alarm."""

    item: str
    text: str = ""


@needs("levels.read")
async def levels(request: web.Request) -> web.StreamResponse:
    """The approved levels of each class, as they would be frozen into a run now."""
    flows = request.config_dict[DEPS].governance.levels
    await flows.refresh()
    return as_json(
        {
            "levels": {klass: flow.to_json() for klass, flow in flows.items()},
            "unfillable": await flows.unfilled(),
        }
    )


@needs("rules.read")
async def rules(request: web.Request) -> web.StreamResponse:
    """The rule set in force: version, digest, rows, and false alarms reported per rule."""
    governance = request.config_dict[DEPS].governance
    active = await governance.rules.active()
    return as_json(
        {
            "version": active.version,
            "digest": active.digest,
            "rules": list(active.rows),
            "false_alarms": await feedback_counts(governance.rules.ledger),
        }
    )


def _version(row: RuleSetRow) -> dict[str, object]:
    names = ("version", "digest", "summary", "proposed_by", "approved_by", "approved_at")
    return picked(row, names)


@needs("rules.read")
async def rule_versions(request: web.Request) -> web.StreamResponse:
    """Every version of the rule set, newest first."""
    rows = await request.config_dict[DEPS].governance.rules.history()
    return as_json({"versions": [_version(row) for row in rows]})


@needs("rules.read")
async def rule(request: web.Request) -> web.StreamResponse:
    """One rule as it is now, and the versions in which it changed."""
    sets, rule_id = request.config_dict[DEPS].governance.rules, request.match_info["rule"]
    history = await sets.rule_history(rule_id)
    found(history or None, "条规则")
    return as_json(
        {
            "rule": (await sets.active()).row(rule_id),
            "history": [_version(version) | {"row": row} for version, row in history],
        }
    )


@needs("rules.feedback")
@takes(FeedbackBody)
async def rule_feedback(request: web.Request) -> web.StreamResponse:
    """Report a false alarm."""
    body, ledger = await read(request, FeedbackBody), request.config_dict[DEPS].ledger
    rule_id = request.match_info["rule"]
    await report_false_alarm(ledger, rule_id, body.item, visitor(request).staff_id, body.text)
    counts = await feedback_counts(ledger)
    return as_json({"rule": rule_id, "false_alarms": counts.get(rule_id, 0)})


@needs("staff.read")
async def staff(request: web.Request) -> web.StreamResponse:
    """People and their roles."""
    async with request.config_dict[DEPS].db.session() as session:
        rows = (await session.scalars(select(Staff).order_by(Staff.login))).all()
    names = ("id", "login", "name", "roles", "active")
    return as_json({"staff": [picked(row, names) for row in rows]})


@needs("staff.manage")
async def deactivate_person(request: web.Request) -> web.StreamResponse:
    """Take every right from a person at once."""
    login = request.match_info["login"]
    await deactivate_now(request.config_dict[DEPS].ledger, login, visitor(request).staff_id)
    return as_json({"login": login, "active": False})


class ResetBody(Strict):
    """Why somebody needs a new login."""

    reason: str


@needs("staff.reset")
@takes(ResetBody)
async def reset_person(request: web.Request) -> web.StreamResponse:
    """Propose a one-time code for somebody who cannot sign in; your half of it is shown once."""
    body, login = await read(request, ResetBody), request.match_info["login"]
    made = request.config_dict[DEPS].governance.proposals
    row, half = await ask_reset(made, login, visitor(request).staff_id, body.reason)
    return as_json(proposal_json(row) | {"half": half.shown}, 201)


@needs("staff.confirm")
async def confirm_login(request: web.Request) -> web.StreamResponse:
    """Say that somebody who got a new login stood here and set a password of their own."""
    deps, login = request.config_dict[DEPS], request.match_info["login"]
    await confirm_person(deps.ledger, await id_of(deps.db, login), visitor(request).staff_id)
    return as_json({"login": login, "confirmed": True})


def proposal_json(row: Proposal) -> dict[str, object]:
    """A proposal for API and command line."""
    names = ("id", "kind", "subject", "digest", "state", "reason", "note", "effect")
    return picked(row, names) | {
        "payload": json.loads(row.payload),
        "proposed_by": row.proposed_by,
        "proposed_at": row.proposed_at,
        "decided_by": row.decided_by,
        "decided_at": row.decided_at,
    }


@needs("proposals.read")
async def proposals(request: web.Request) -> web.StreamResponse:
    """Proposals, newest first; `state` filters."""
    state = request.query.get("state")
    if state is not None and state not in STATES:
        raise Refused(422, [Reason("field", f"state 只能是 {'、'.join(STATES)}")])
    rows = await request.config_dict[DEPS].governance.proposals.rows(state)
    return as_json({"proposals": [proposal_json(row) for row in rows]})


@needs("proposals.read")
async def proposal(request: web.Request) -> web.StreamResponse:
    """One proposal, and why this person cannot approve it."""
    made = request.config_dict[DEPS].governance.proposals
    row = await made.get(request.match_info["proposal"])
    reasons = await made.why_not(row.id, visitor(request).staff_id)
    shown = [{"rule": reason.rule, "message": reason.message} for reason in reasons]
    return as_json(proposal_json(row) | {"why_not": shown})


@needs("proposals.make")
@takes(ProposalBody)
async def make_proposal(request: web.Request) -> web.StreamResponse:
    """Propose a change of levels, rules or people; another admin approves it."""
    body = await read(request, ProposalBody)
    row = await request.config_dict[DEPS].governance.proposals.propose(
        body.kind, body.payload, visitor(request).staff_id, body.reason
    )
    return as_json(proposal_json(row), 201)


@needs("proposals.make")
@takes(PayloadBody)
async def preview_proposal(request: web.Request) -> web.StreamResponse:
    """What a change would do, without proposing it."""
    body = await read(request, PayloadBody)
    payload, effect = await request.config_dict[DEPS].governance.proposals.draft(
        body.kind, body.payload, visitor(request).staff_id
    )
    return as_json({"kind": body.kind, "payload": payload, "effect": effect})


@needs("proposals.decide")
async def approve_proposal(request: web.Request) -> web.StreamResponse:
    """Put somebody else's proposal into effect."""
    governance, proposal_id = request.config_dict[DEPS].governance, request.match_info["proposal"]
    shown = await governance.proposals.approve(proposal_id, visitor(request).staff_id)
    await governance.levels.refresh()
    return as_json({"id": proposal_id, "state": "approved", "result": shown})


@needs("proposals.decide")
@takes(RejectBody)
async def reject_proposal(request: web.Request) -> web.StreamResponse:
    """Turn somebody else's proposal down."""
    body = await read(request, RejectBody)
    made, proposal_id = (
        request.config_dict[DEPS].governance.proposals,
        request.match_info["proposal"],
    )
    await made.reject(proposal_id, visitor(request).staff_id, body.reason)
    return as_json({"id": proposal_id, "state": "rejected"})


@needs("proposals.make")
async def withdraw_proposal(request: web.Request) -> web.StreamResponse:
    """Take one's own proposal back."""
    made, proposal_id = (
        request.config_dict[DEPS].governance.proposals,
        request.match_info["proposal"],
    )
    await made.withdraw(proposal_id, visitor(request).staff_id)
    return as_json({"id": proposal_id, "state": "withdrawn"})


@needs("accounts.test")
async def test_account(request: web.Request) -> web.StreamResponse:
    """Try an account now; a line a part, and a message to whoever asks."""
    deps, slug = request.config_dict[DEPS], request.match_info["slug"]
    async with deps.db.session() as session:
        await must_care(session, slug, visitor(request))
    found = await deps.trials.try_now(slug, visitor(request).staff_id)
    return as_json({"account": slug, "looks": [asdict(one) for one in found]})


ROUTES = [
    web.get("/organisations", organisations_json),
    web.post("/accounts/{slug}/test", test_account),
    web.get("/levels", levels),
    web.get("/rules", rules),
    web.get("/rules/versions", rule_versions),
    web.get("/rules/{rule}", rule),
    web.post("/rules/{rule}/feedback", rule_feedback),
    web.get("/staff", staff),
    web.post("/staff/{login}/deactivate", deactivate_person),
    web.post("/staff/{login}/reset-password", reset_person),
    web.post("/staff/{login}/confirm", confirm_login),
    web.get("/proposals", proposals),
    web.post("/proposals", make_proposal),
    web.post("/proposals/preview", preview_proposal),
    web.get("/proposals/{proposal}", proposal),
    web.post("/proposals/{proposal}/approve", approve_proposal),
    web.post("/proposals/{proposal}/reject", reject_proposal),
    web.post("/proposals/{proposal}/withdraw", withdraw_proposal),
]
