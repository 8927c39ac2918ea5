"""What every page of the settings shares: tabs, names, and the two steps of proposing a change."""

from collections.abc import Mapping
from typing import Any

from aiohttp import web
from sqlalchemy import select

from console.settings.forms import Form, text
from console.web.deps import DEPS, Deps, visitor
from console.web.pages import page, see
from ledger.append import signed_facts
from staff.models import Staff
from staff.people import names
from staff.refusal import Refused
from staff.standing import FRESH, standing_in
from staff.waiting import count_open

TABS = (
    ("levels", "/console/settings/levels", "审核级次", "levels.read"),
    ("rules", "/console/settings/rules", "规则", "rules.read"),
    ("staff", "/console/settings/staff", "人员", "staff.read"),
    ("accounts", "/console/settings/accounts", "账号", "settings.read"),
    ("organisations", "/console/settings/organisations", "单位", "settings.read"),
    ("duty", "/console/settings/duty", "值班安排", "duty.read"),
    ("texts", "/console/settings/texts", "运行设置", "texts.read"),
    ("templates", "/console/settings/templates", "回复模板", "templates.read"),
    ("proposals", "/console/settings/proposals", "待批准", "proposals.read"),
    ("settings", "/console/settings", "开关与账号", "settings.read"),
)


async def settings_page(
    request: web.Request,
    template: str,
    context: Mapping[str, Any],
    refused: Refused | None = None,
) -> web.Response:
    """A settings page: tabs, how many changes wait, the effect of a change when there is one."""
    waiting = await count_open(request.config_dict[DEPS].governance.proposals)
    whole = {
        "place": "settings",
        "tabs": TABS,
        "waiting": waiting,
        "effect": None,
        "typed": {},
        "reasons": refused.reasons if refused else (),
    }
    return page(request, template, whole | dict(context), refused.status if refused else 200)


async def people_of(deps: Deps, ids: set[str]) -> dict[str, str]:
    """Names by staff id; what was there from the start was set by nobody."""
    async with deps.db.session() as session:
        return {"init": "初始设置"} | await names(session, ids)


async def waiting_people(deps: Deps) -> list[Staff]:
    """Who got a login from somebody else and has not been confirmed in person yet."""
    async with deps.db.session() as session:
        rows = (await session.scalars(select(Staff).order_by(Staff.login))).all()
        told = await signed_facts(session, [f"staff:{row.id}" for row in rows], age=FRESH)
    return [row for row in rows if standing_in(told[f"staff:{row.id}"]).waiting]


async def look_or_propose(
    request: web.Request, kind: str, payload: Mapping[str, Any], form: Form
) -> tuple[dict[str, object] | None, web.Response | None]:
    """The effect to show (先看影响), or the answer after proposing (提出)."""
    made = request.config_dict[DEPS].governance.proposals
    # Two buttons on one form: nobody proposes without having been able to see the effect.
    if text(form, "step") != "propose":
        return (await made.draft(kind, payload, visitor(request).staff_id))[1], None
    row = await made.propose(kind, payload, visitor(request).staff_id, text(form, "why"))
    return None, see(f"/console/settings/proposals/{row.id}", "proposed")
