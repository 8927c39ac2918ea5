"""Rendering: one page with a status, a redirect after a form, a refusal as a page."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import aiohttp_jinja2
from aiohttp import web

from console.web.deps import DEPS, VISITOR
from console.web.permissions import SET_UP, kept_by, may
from staff.refusal import Refused

NAVIGATION = (
    ("home", "/console/", "今日", "home"),
    ("items", "/console/items", "稿件", "items.read"),
    ("cockpit", "/console/cockpit", "总览", "cockpit.read"),
    ("publications", "/console/publications", "发布", "publications.read"),
    ("plan", "/console/plan", "排期", "publications.read"),
    ("tickets", "/console/tickets", "值班", "tickets.read"),
    ("sources", "/console/sources", "来源", "sources.read"),
    ("tasks", "/console/tasks", "任务", "tasks.read"),
    ("policies", "/console/policies", "政策库", "policies.read"),
    ("subscriptions", "/console/subscriptions", "订阅", "subscriptions.read"),
    ("incidents", "/console/incidents", "事件", "incidents.read"),
    ("reports", "/console/reports", "报表", "reports.read"),
    ("ledger", "/console/ledger", "台账", "ledger.read"),
    ("audit", "/console/audit", "审计", "audit.read"),
    ("settings", "/console/settings", "设置", "settings.read"),
)


DONE = web.AppKey("done", Mapping[str, str])
"""What a page says after a form, by the key its address carries: every feature's lines."""


def _layout(request: web.Request) -> dict[str, object]:
    """What every page needs: the person, their places, the form token, the banner."""
    person = request.get(VISITOR)
    roles = person.roles if person else frozenset()
    return {
        "person": person,
        "csrf": person.csrf if person else "",
        # Who has to set up a second step first can go nowhere else.
        "nav": [
            row for row in NAVIGATION if person and not person.must_set_up and may(roles, row[3])
        ],
        "may": lambda action: may(roles, action),
        "dev": request.config_dict[DEPS].settings.dev,
        "place": "",
        "reasons": (),
        "done": done_words(request),
    }


def page(
    request: web.Request, template: str, context: Mapping[str, Any], status: int = 200
) -> web.Response:
    """Render a template. Forms that were refused come back with their reasons and status."""
    whole = _layout(request) | dict(context)
    return aiohttp_jinja2.render_template(template, request, whole, status=status)


def fragment(request: web.Request, template: str, context: Mapping[str, Any]) -> str:
    """A part of a page, for the script that puts it there."""
    return aiohttp_jinja2.render_string(template, request, _layout(request) | dict(context))


def done_words(request: web.Request) -> str:
    """What just happened, from the closed list of every feature (never text from the address)."""
    return request.config_dict[DONE].get(request.query.get("done", ""), "")


def see(path: str, done: str = "", place: str = "") -> web.Response:
    """Go to a page after a form (303), saying what happened; `place` is a fragment with its #."""
    # 303 makes the browser ask for the page anew: a reload cannot post the form twice.
    target = f"{path}{'&' if '?' in path else '?'}done={done}" if done else path
    return web.Response(status=303, headers={"Location": target + place})


_TITLES = {
    401: "请先登录",
    403: "不能这样做",
    404: "没有找到",
    409: "内容已有变化",
    410: "链接不能再用",
    422: "请检查填写的内容",
    429: "请稍后再试",
    500: "系统出错",
}


def problem_page(request: web.Request, refused: Refused) -> web.Response:
    """A refusal as a page; without a session, the way to sign in and back."""
    if any(reason.rule == SET_UP for reason in refused.reasons):
        return see("/console/me/second")
    if refused.status == 401 and request.path != "/console/signin":
        # Only a page that was asked for is shown again after signing in; a form is never repeated,
        # but its page offers the words where they were kept.
        again = request.method == "GET" or kept_by(request.match_info.handler) is not None
        back = request.rel_url.path_qs if again else "/console/"
        return see(f"/console/signin?next={quote(back, safe='/')}")
    title = _TITLES.get(refused.status, "没有完成")
    return page(
        request, "web/problem.html", {"title": title, "reasons": refused.reasons}, refused.status
    )


async def form(request: web.Request) -> dict[str, str]:
    """The text fields of a form, trimmed."""
    data = await request.post()
    return {name: value.strip() for name, value in data.items() if isinstance(value, str)}


async def many(request: web.Request, name: str) -> list[str]:
    """Every value of a repeated field (checkboxes)."""
    return [value for value in (await request.post()).getall(name, []) if isinstance(value, str)]
