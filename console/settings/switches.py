"""开关与账号: stop switches, accounts, and who may do what."""

from aiohttp import web
from sqlalchemy import select

from bot.models import Account
from bot.switching import SWITCHES, turn_switch
from console.settings.frame import TABS
from console.web.deps import DEPS, visitor
from console.web.pages import form, page, see
from console.web.permissions import ACTIONS, needs
from ledger.stops import stopped_now
from staff.people import names
from staff.refusal import Refused
from staff.waiting import count_open
from storage.switches import Switch

ACTION_WORDS = {
    "items.read": "看稿件",
    "items.write": "写稿与提交",
    "items.review": "审核",
    "items.schedule": "安排发布",
    "items.recall": "撤回",
    "publications.settle": "确认发布结果",
    "sources.propose": "提出稿源",
    "sources.approve": "批准与撤销稿源",
    "exceptions.decide": "签字例外转载",
    "tasks.settle": "处理稿源任务",
    "policies.approve": "批准政策变更",
    "tickets.answer": "答复群众",
    "incidents.close": "处理事件",
    "switches.set": "停发与恢复",
    "ledger.read": "看台账",
    "settings.read": "看设置",
}


async def _settings_page(request: web.Request, refused: Refused | None = None) -> web.Response:
    deps = request.config_dict[DEPS]
    async with deps.db.session() as session:
        accounts = (await session.scalars(select(Account).order_by(Account.slug))).all()
        stops = {row.name: row for row in (await session.scalars(select(Switch))).all()}
        labels = SWITCHES | {f"account:{row.id}": f"账号：{row.name}" for row in accounts}
        off = await stopped_now(deps.ledger, *labels)
        context = {
            "place": "settings",
            "tabs": TABS,
            "waiting": await count_open(deps.governance.proposals),
            "accounts": accounts,
            # Whether it is off is said by the newest signed entry; the row has who and why.
            "switches": [
                (name, label, stops.get(name), name in off) for name, label in labels.items()
            ],
            "people": await names(session, {row.changed_by for row in stops.values()}),
            "actions": [(label, ACTIONS[name]) for name, label in ACTION_WORDS.items()],
            "reasons": refused.reasons if refused else (),
        }
    return page(request, "settings/switches.html", context, refused.status if refused else 200)


@needs("settings.read")
async def settings(request: web.Request) -> web.StreamResponse:
    """Stop switches, accounts, and who may do what."""
    return await _settings_page(request)


@needs("switches.set")
async def switch(request: web.Request) -> web.StreamResponse:
    """One stop switch, on or off."""
    fields = await form(request)
    try:
        await turn_switch(
            request.config_dict[DEPS].ledger,
            visitor(request).staff_id,
            fields.get("name", ""),
            stopped=fields.get("stopped") == "yes",
            reason=fields.get("reason", ""),
        )
    except Refused as refused:
        if refused.status == 404:
            raise
        return await _settings_page(request, refused)
    return see("/console/settings", "switched")
