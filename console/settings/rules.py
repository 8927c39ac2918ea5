"""规则: what is in force, one rule with its history, changes and exceptions proposed."""

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from console.settings.forms import matches, posted, read_rule, rule_fields, text
from console.settings.frame import look_or_propose, people_of, settings_page
from console.web.deps import DEPS, found, visitor
from console.web.pages import see
from console.web.permissions import needs
from documents.parts import Severity
from review_queue.governance.rulesets import feedback_counts, report_false_alarm
from review_queue.workflow import GATES
from staff.refusal import Reason, Refused

_RULES_A_PAGE = 60
_SEVERITIES: tuple[Severity, ...] = ("block", "warn", "hint")


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
    # What was reported as a false alarm stands first: that is what needs a hand.
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
        "people": await people_of(deps, people),
        "effect": effect,
        "typed": {name: text(form, name) for name in ("version", "why")},
    }
    return await settings_page(request, "settings/rules.html", context, refused)


@needs("rules.read")
async def rule(request: web.Request) -> web.StreamResponse:
    """One rule: what it finds, why, its examples, who changed it when."""
    return await _rule(request)


async def _rule(
    request: web.Request, refused: Refused | None = None, effect: Mapping[str, Any] | None = None
) -> web.Response:
    deps, rule_id = request.config_dict[DEPS], request.match_info["rule"]
    history = await deps.governance.rules.rule_history(rule_id)
    # Rules written in code have no row; their findings still link to this page.
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
        "people": await people_of(deps, people),
        "false_alarms": (await feedback_counts(deps.ledger)).get(rule_id, 0),
        "effect": effect,
        "typed": {name: text(form, name) for name in ("text", "why")},
    }
    return await settings_page(request, "settings/rule.html", context, refused)


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
    return await settings_page(request, "settings/rule_form.html", context, refused)


@needs("rules.propose")
async def propose_rule(request: web.Request) -> web.StreamResponse:
    """Show what a new or changed rule would flag, or propose it."""
    form, rule_id = await posted(request), request.match_info.get("rule", "")
    fields = {name: text(form, name) for name in (*rule_fields(None), "why")}
    try:
        if text(form, "remove"):
            change: dict[str, object] = {"id": rule_id, "now": None}
        else:
            wanted = rule_id or text(form, "id")
            change = {"id": wanted, "now": read_rule(form) | ({"id": wanted} if wanted else {})}
            await _new_id(request, wanted if not rule_id else "")
        effect, answer = await look_or_propose(request, "ruleset", {"changes": [change]}, form)
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
        effect, answer = await look_or_propose(request, "ruleset", {"version": int(number)}, form)
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
        effect, answer = await look_or_propose(request, "exception", payload, form)
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
