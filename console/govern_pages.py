"""审核级次, 规则, 人员, 待批准: what an office decides about itself, by two people."""

from collections.abc import Mapping
from typing import Any

from aiohttp import web
from sqlalchemy import select

from console.api_govern import new_password
from console.govern_forms import (
    Form,
    level_slots,
    matches,
    posted,
    read_levels,
    read_rule,
    rule_fields,
    text,
)
from console.web.deps import DEPS, Deps, found, visitor
from console.web.pages import page, see
from console.web.permissions import needs
from documents.parts import Severity
from review_queue.canonical import KINDS
from review_queue.governance.rulesets import feedback_counts, report_false_alarm
from review_queue.governance.staff_changes import deactivate_now
from review_queue.workflow import GATES
from staff.models import Proposal, Staff
from staff.people import names
from staff.proposals import STATES
from staff.refusal import Reason, Refused

_RULES_A_PAGE = 60
_SEVERITIES: tuple[Severity, ...] = ("block", "warn", "hint")
TABS = (
    ("levels", "/console/settings/levels", "审核级次", "levels.read"),
    ("rules", "/console/settings/rules", "规则", "rules.read"),
    ("staff", "/console/settings/staff", "人员", "staff.read"),
    ("proposals", "/console/settings/proposals", "待批准", "proposals.read"),
    ("settings", "/console/settings", "开关与账号", "settings.read"),
)


async def _page(
    request: web.Request,
    template: str,
    context: Mapping[str, Any],
    refused: Refused | None = None,
) -> web.Response:
    """A settings page: tabs, how many changes wait, the effect of a change when there is one."""
    waiting = await request.config_dict[DEPS].governance.proposals.waiting()
    whole = {
        "place": "settings",
        "tabs": TABS,
        "waiting": waiting,
        "effect": None,
        "typed": {},
        "reasons": refused.reasons if refused else (),
    }
    return page(request, template, whole | dict(context), refused.status if refused else 200)


async def _people(deps: Deps, ids: set[str]) -> dict[str, str]:
    async with deps.db.session() as session:
        return {"init": "初始设置"} | await names(session, ids)


async def _propose(
    request: web.Request, kind: str, payload: Mapping[str, Any], form: Form
) -> tuple[dict[str, Any] | None, web.Response | None]:
    """The effect to show (先看影响), or the answer after proposing (提出)."""
    made = request.config_dict[DEPS].governance.proposals
    if text(form, "step") != "propose":
        return (await made.draft(kind, payload))[1], None
    row = await made.propose(kind, payload, visitor(request).staff_id, text(form, "why"))
    return None, see(f"/console/settings/proposals/{row.id}", "proposed")


# --- 审核级次 --------------------------------------------------------------------------------


@needs("levels.read")
async def levels(request: web.Request) -> web.StreamResponse:
    """The approved levels of each class, and which the present staff cannot fill."""
    flows = request.config_dict[DEPS].governance.levels
    await flows.refresh()
    context = {
        "tab": "levels",
        "flows": [flow.to_json() for flow in flows.values()],
        "unfilled": await flows.unfilled(),
    }
    return await _page(request, "levels.html", context)


@needs("levels.propose")
async def level_form(request: web.Request) -> web.StreamResponse:
    """Propose other levels for one class, or for one kind of item in it."""
    return await _level_form(request)


async def _level_form(
    request: web.Request,
    refused: Refused | None = None,
    wanted: Mapping[str, Any] | None = None,
    effect: Mapping[str, Any] | None = None,
) -> web.Response:
    flows, klass = request.config_dict[DEPS].governance.levels, request.match_info["klass"]
    await flows.refresh()
    form = await posted(request)
    kind = text(form, "group") or request.query.get("group", "")
    flow = flows.get(klass)
    shown = wanted or (flow.to_json() if flow else {})
    group = shown.get("kinds", {}).get(kind, {}) if kind else shown
    history = await flows.history(klass)
    people = {row.approved_by for row in history} | {row.proposed_by for row in history}
    context = {
        "tab": "levels",
        "klass": klass,
        "group": kind,
        "kinds": KINDS,
        "slots": level_slots(group.get("levels", ())),
        "history": history,
        "people": await _people(request.config_dict[DEPS], people),
        "effect": effect,
        "typed": {"why": text(form, "why")},
    }
    return await _page(request, "level_form.html", context, refused)


@needs("levels.propose")
async def propose_levels(request: web.Request) -> web.StreamResponse:
    """Show what other levels would change, or propose them."""
    flows, klass = request.config_dict[DEPS].governance.levels, request.match_info["klass"]
    await flows.refresh()
    form, flow = await posted(request), flows.get(klass)
    wanted = None
    try:
        wanted = read_levels(form, flow.to_json() if flow else None, klass)
        effect, answer = await _propose(request, "workflow", wanted, form)
    except Refused as refused:
        return await _level_form(request, refused, wanted)
    return answer or await _level_form(request, None, wanted, effect)


# --- 规则 -----------------------------------------------------------------------------------


@needs("rules.read")
async def rules(request: web.Request) -> web.StreamResponse:
    """The rules in force, searched and filtered, with reported false alarms; the versions."""
    return await _rules(request)


async def _rules(
    request: web.Request,
    refused: Refused | None = None,
    effect: Mapping[str, Any] | None = None,
) -> web.Response:
    deps = request.config_dict[DEPS]
    sets, query = deps.governance.rules, request.query
    wanted = {name: query.get(name, "").strip() for name in ("q", "gate", "severity")}
    active, counts = await sets.active(), await feedback_counts(deps.ledger)
    rows = [row for row in active.rows if matches(row, wanted)]
    rows.sort(key=lambda row: (-counts.get(row["id"], 0), row["gate"], row["id"]))
    number = int(query["page"]) if query.get("page", "").isdigit() else 0
    history = await sets.history()
    people = {row.approved_by for row in history} | {row.proposed_by for row in history}
    form = await posted(request)
    context = {
        "tab": "rules",
        "active": active,
        "rows": rows[number * _RULES_A_PAGE : (number + 1) * _RULES_A_PAGE],
        "total": len(rows),
        "number": number,
        "more": len(rows) > (number + 1) * _RULES_A_PAGE,
        "counts": counts,
        "wanted": wanted,
        "history": history,
        "people": await _people(deps, people),
        "effect": effect,
        "typed": {name: text(form, name) for name in ("version", "why")},
    }
    return await _page(request, "rules.html", context, refused)


@needs("rules.read")
async def rule(request: web.Request) -> web.StreamResponse:
    """One rule: what it finds, why, its examples, who changed it when."""
    return await _rule(request)


async def _rule(
    request: web.Request, refused: Refused | None = None, effect: Mapping[str, Any] | None = None
) -> web.Response:
    deps, rule_id = request.config_dict[DEPS], request.match_info["rule"]
    history = await deps.governance.rules.rule_history(rule_id)
    in_code = not history and rule_id.split(".")[0] in GATES
    found(history or in_code or None, "条规则")
    people = {row.approved_by for row, _ in history} | {row.proposed_by for row, _ in history}
    form = await posted(request)
    context = {
        "tab": "rules",
        "row": (await deps.governance.rules.active()).row(rule_id),
        "rule_id": rule_id,
        "in_code": in_code,
        "history": history,
        "people": await _people(deps, people),
        "false_alarms": (await feedback_counts(deps.ledger)).get(rule_id, 0),
        "effect": effect,
        "typed": {name: text(form, name) for name in ("text", "why")},
    }
    return await _page(request, "rule.html", context, refused)


@needs("rules.propose")
async def rule_form(request: web.Request) -> web.StreamResponse:
    """Add a rule, or change the one named in the address."""
    rule_id = request.match_info.get("rule")
    row = None
    if rule_id is not None:
        row = found(
            (await request.config_dict[DEPS].governance.rules.active()).row(rule_id), "条规则"
        )
    return await _rule_form(request, rule_fields(row))


async def _rule_form(
    request: web.Request,
    fields: Mapping[str, str],
    refused: Refused | None = None,
    effect: Mapping[str, Any] | None = None,
) -> web.Response:
    context = {
        "tab": "rules",
        "rule_id": request.match_info.get("rule", ""),
        "typed": fields,
        "severities": _SEVERITIES,
        "effect": effect,
    }
    return await _page(request, "rule_form.html", context, refused)


@needs("rules.propose")
async def propose_rule(request: web.Request) -> web.StreamResponse:
    """Show what a new or changed rule would flag, or propose it."""
    form, rule_id = await posted(request), request.match_info.get("rule", "")
    fields = {name: text(form, name) for name in (*rule_fields(None), "why")}
    try:
        if text(form, "remove"):
            change: dict[str, Any] = {"id": rule_id, "now": None}
        else:
            row = read_rule(form) | ({"id": rule_id} if rule_id else {})
            change = {"id": row.get("id", ""), "now": row}
            await _new_id(request, change["id"] if not rule_id else "")
        effect, answer = await _propose(request, "ruleset", {"changes": [change]}, form)
    except Refused as refused:
        return await _rule_form(request, fields, refused)
    return answer or await _rule_form(request, fields, None, effect)


async def _new_id(request: web.Request, rule_id: str) -> None:
    """A rule that is added must not silently replace another."""
    active = await request.config_dict[DEPS].governance.rules.active()
    if rule_id and active.row(rule_id) is not None:
        words = f"编号 {rule_id} 已有规则：请换一个编号，或到那条规则的页面修改"
        raise Refused(422, [Reason("id", words)])


@needs("rules.propose")
async def rollback(request: web.Request) -> web.StreamResponse:
    """Show what going back to a version would do, or propose it."""
    form = await posted(request)
    try:
        number = text(form, "version")
        if not number.isdigit():
            raise Refused(422, [Reason("version", "请选择要恢复的版本")])
        effect, answer = await _propose(request, "ruleset", {"version": int(number)}, form)
    except Refused as refused:
        return await _rules(request, refused)
    return answer or await _rules(request, None, effect)


@needs("rules.feedback")
async def propose_exception(request: web.Request) -> web.StreamResponse:
    """“以后不再标出这段文字”: show what it would spare, or propose it."""
    form, rule_id = await posted(request), request.match_info["rule"]
    found(await request.config_dict[DEPS].governance.rules.rule_history(rule_id) or None, "条规则")
    payload = {"rule": rule_id, "text": text(form, "text")}
    try:
        effect, answer = await _propose(request, "exception", payload, form)
    except Refused as refused:
        return await _rule(request, refused)
    return answer or await _rule(request, None, effect)


@needs("rules.feedback")
async def false_alarm(request: web.Request) -> web.StreamResponse:
    """A finding on an item was a false alarm; back to the item."""
    form, rule_id = await posted(request), request.match_info["rule"]
    item = text(form, "item")
    await report_false_alarm(
        request.config_dict[DEPS].ledger,
        rule_id,
        item,
        visitor(request).staff_id,
        text(form, "text"),
    )
    return see(f"/console/items/{item}", "false_alarm")


# --- 人员 -----------------------------------------------------------------------------------


@needs("staff.read")
async def staff(request: web.Request) -> web.StreamResponse:
    """People and their roles."""
    return await _staff(request)


async def _staff(
    request: web.Request,
    refused: Refused | None = None,
    effect: Mapping[str, Any] | None = None,
    password: tuple[str, str] | None = None,
) -> web.Response:
    deps, form = request.config_dict[DEPS], await posted(request)
    async with deps.db.session() as session:
        rows = (
            await session.scalars(select(Staff).order_by(Staff.active.desc(), Staff.login))
        ).all()
    login = text(form, "login") or request.query.get("login", "")
    chosen = next((row for row in rows if row.login == login), None)
    roles = list(form.get("roles", ()))
    await deps.governance.levels.refresh()
    context = {
        "tab": "staff",
        "rows": rows,
        "chosen": chosen,
        "unfilled": await deps.governance.levels.unfilled(),
        "effect": effect,
        "password": password,
        "typed": {
            "login": login,
            "name": text(form, "name") or (chosen.name if chosen else ""),
            "roles": roles if form else (chosen.roles if chosen else ()),
            "why": text(form, "why"),
        },
    }
    return await _page(request, "staff.html", context, refused)


@needs("staff.propose")
async def propose_staff(request: web.Request) -> web.StreamResponse:
    """Show what a new person or other roles would change, or propose them."""
    form = await posted(request)
    roles = list(form.get("roles", ()))
    payload = {"login": text(form, "login"), "name": text(form, "name"), "roles": roles}
    try:
        effect, answer = await _propose(request, "staff", payload, form)
    except Refused as refused:
        return await _staff(request, refused)
    return answer or await _staff(request, None, effect)


@needs("staff.manage")
async def deactivate_person(request: web.Request) -> web.StreamResponse:
    """停用: one admin, at once."""
    deps, login = request.config_dict[DEPS], request.match_info["login"]
    try:
        await deactivate_now(deps.ledger, login, visitor(request).staff_id)
    except Refused as refused:
        if refused.status == 404:
            raise
        return await _staff(request, refused)
    return see("/console/settings/staff", "deactivated")


@needs("staff.manage")
async def reset_person(request: web.Request) -> web.StreamResponse:
    """重设密码: the new one is shown once."""
    login = request.match_info["login"]
    try:
        password = await new_password(request, login)
    except Refused as refused:
        if refused.status == 404:
            raise
        return await _staff(request, refused)
    return await _staff(request, password=(login, password))


# --- 待批准 ---------------------------------------------------------------------------------


@needs("proposals.read")
async def proposals(request: web.Request) -> web.StreamResponse:
    """What waits for a second person, then what was decided."""
    deps = request.config_dict[DEPS]
    rows = await deps.governance.proposals.rows()
    people = {row.proposed_by for row in rows} | {row.decided_by or "" for row in rows}
    context = {
        "tab": "proposals",
        "open": [row for row in rows if row.state == "proposed"],
        "decided": [row for row in rows if row.state != "proposed"],
        "labels": {name: kind.label for name, kind in deps.governance.proposals.kinds.items()},
        "states": STATES,
        "people": await _people(deps, people),
    }
    return await _page(request, "proposals.html", context)


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
        "label": made.kinds[row.kind].label if row.kind in made.kinds else row.kind,
        "states": STATES,
        "why_not": await made.why_not(row.id, visitor(request).staff_id)
        if row.state == "proposed"
        else [],
        "effect": row.effect,
        "result": result,
        "people": await _people(deps, {row.proposed_by, row.decided_by or ""}),
    }
    return await _page(request, "proposal.html", context, refused)


@needs("proposals.decide")
async def decide(request: web.Request) -> web.StreamResponse:
    """批准 or 不批准, by somebody else than the proposer."""
    deps, me = request.config_dict[DEPS], visitor(request).staff_id
    made, form = deps.governance.proposals, await posted(request)
    key, verdict = request.match_info["proposal"], text(form, "verdict")
    await made.get(key)
    try:
        if verdict == "approve":
            result = await made.approve(key, me)
            await deps.governance.levels.refresh()
            if "password" in result:
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


ROUTES = [
    web.get("/settings/levels", levels),
    web.get("/settings/levels/{klass}", level_form),
    web.post("/settings/levels/{klass}", propose_levels),
    web.get("/settings/rules", rules),
    web.get("/settings/rules/new", rule_form),
    web.post("/settings/rules/new", propose_rule),
    web.post("/settings/rules/rollback", rollback),
    web.get("/settings/rules/{rule}", rule),
    web.get("/settings/rules/{rule}/edit", rule_form),
    web.post("/settings/rules/{rule}/edit", propose_rule),
    web.post("/settings/rules/{rule}/exception", propose_exception),
    web.post("/settings/rules/{rule}/false-alarm", false_alarm),
    web.get("/settings/staff", staff),
    web.post("/settings/staff", propose_staff),
    web.post("/settings/staff/{login}/deactivate", deactivate_person),
    web.post("/settings/staff/{login}/password", reset_person),
    web.get("/settings/proposals", proposals),
    web.get("/settings/proposals/{proposal}", proposal),
    web.post("/settings/proposals/{proposal}", decide),
    web.post("/settings/proposals/{proposal}/withdraw", withdraw),
]
