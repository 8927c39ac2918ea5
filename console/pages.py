"""Rendering: one page with a status, a redirect after a form, a refusal as a page."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import aiohttp_jinja2
from aiohttp import web

from console.deps import DEPS, VISITOR
from console.permissions import may
from staff.refusal import Refused

NAVIGATION = (
    ("home", "/console/", "今日", "home"),
    ("items", "/console/items", "稿件", "items.read"),
    ("publications", "/console/publications", "发布", "publications.read"),
    ("tickets", "/console/tickets", "值班", "tickets.read"),
    ("sources", "/console/sources", "来源", "sources.read"),
    ("tasks", "/console/tasks", "任务", "tasks.read"),
    ("policies", "/console/policies", "政策库", "policies.read"),
    ("subscriptions", "/console/subscriptions", "订阅", "subscriptions.read"),
    ("incidents", "/console/incidents", "事件", "incidents.read"),
    ("ledger", "/console/ledger", "台账", "ledger.read"),
    ("settings", "/console/settings", "设置", "settings.read"),
)


def _layout(request: web.Request) -> dict[str, Any]:
    """What every page needs: the person, their places, the form token, the banner."""
    person = request.get(VISITOR)
    roles = person.roles if person else frozenset()
    return {
        "person": person,
        "csrf": person.csrf if person else "",
        "nav": [row for row in NAVIGATION if person and may(roles, row[3])],
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


DONE = {
    "saved": "已保存。修改过的稿件要重新审核。",
    "same": "没有改动，原来的审核结论仍然有效。",
    "created": "已建立新稿。检查提示后提交审核。",
    "submitted": "已提交审核，等待第一级审核。",
    "claimed": "已领取，20 分钟内其他人不能审核这一稿。",
    "taken_over": "已由您接手，原来的领取作废，理由已写入经过。",
    "waived": "已放行这条提示，理由已记入台账，后面各级都会看到。",
    "referred": "已转请有关部门，收到答复后记在这里，原来这一级接着审。",
    "referral_answered": "已记下有关部门的答复，这一级重新等待审核。",
    "emergency": "已应急提交，两级审核同时开始。",
    "class_lowered": "类别已改，理由已记入台账。",
    "away": "已登记，期间由代理人审核。",
    "noted": "备注已写入经过，同事打开这篇稿件就能看到。",
    "unclaimed": "已放开，其他人可以审核。",
    "approved": "已记录您的批准。",
    "final": "已通过全部审核，可以安排发布。",
    "returned": "已退回编辑，理由已记录。",
    "scheduled": "已安排发布，到时间自动发出。",
    "recalled": "已撤回，尚未发出的全部停止。",
    "settled": "已记录您的确认。",
    "proposed": "已提出，等待另一位管理员批准。",
    "source_approved": "已批准，可以转载这家稿源。",
    "source_revoked": "已撤销，从现在起不再抓取和转载；已发布的稿件列入任务，等人决定。",
    "source_rejected": "已记录不批准，登记没有变更。",
    "column_added": "栏目已启用，到时间自动抓取；抓到的都是草稿。",
    "column_switched": "栏目设置已改变。",
    "imported": "已导入，等另一位管理员批准。",
    "import_approved": "名单已批准，从现在起生效。",
    "import_rejected": "已记录不批准，名单没有变更。",
    "exception_asked": "已申请例外，等终审或监督签字。",
    "exception_granted": "已签字，这一稿可以例外转载，照常逐级审核。",
    "exception_refused": "已记录不同意。",
    "picture_set": "已登记图片来历和许可。",
    "task_made": "任务已下达。",
    "task_settled": "任务已处理，理由已记录。",
    "policy_approved": "已批准，政策变更已生效。",
    "policy_rejected": "已记录不批准，政策没有变更。",
    "ticket_claimed": "已接手，请在时限内答复。",
    "ticket_closed": "已结束这个问题。",
    "ticket_promoted": "已存为问答草稿，由编辑修改后提交审核。",
    "ticket_sent": "答复已交发送。",
    "ticket_stopped": "答复有必须改的问题，需要第二人确认后才能发出。",
    "passkey_made": "已登记，等另一位管理员确认后就能使用。",
    "passkey_confirmed": "已确认，这台设备可以用来签名了。",
    "passkey_revoked": "已停用，以前的签名仍然有效。",
    "expert_withdrawn": "已收回链接，对方不能再答复。",
    "change_approved": "已批准，变更已生效并记入台账。",
    "change_rejected": "已记录不批准，什么都没有改变。",
    "change_withdrawn": "已收回，什么都没有改变。",
    "deactivated": "已停用，这个人的登录和令牌都已失效。",
    "false_alarm": "已记下这是误报，规则页能看到次数。",
    "closed": "事件已处理。",
    "switched": "开关已改变，并记入台账。",
    "sessions": "其他登录都已退出，在那里领取的稿件也已放开。",
    "tokens": "接口令牌都已作废。",
    "password": "密码已改，其他登录和接口令牌都已失效。",
}


def done_words(request: web.Request) -> str:
    """What just happened, from the closed list above (never text from the address itself)."""
    return DONE.get(request.query.get("done", ""), "")


def see(path: str, done: str = "", place: str = "") -> web.Response:
    """Go to a page after a form (303), saying what happened; `place` is a fragment with its #."""
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
    if refused.status == 401 and request.path != "/console/signin":
        back = request.rel_url.path_qs if request.method == "GET" else "/console/"
        return see(f"/console/signin?next={quote(back, safe='/')}")
    title = _TITLES.get(refused.status, "没有完成")
    return page(
        request, "problem.html", {"title": title, "reasons": refused.reasons}, refused.status
    )


async def form(request: web.Request) -> dict[str, str]:
    """The text fields of a form, trimmed."""
    data = await request.post()
    return {name: value.strip() for name, value in data.items() if isinstance(value, str)}


async def many(request: web.Request, name: str) -> list[str]:
    """Every value of a repeated field (checkboxes)."""
    return [value for value in (await request.post()).getall(name, []) if isinstance(value, str)]
