"""The control interface under /_control: what tests and the demo drive the platforms with."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import fields
from types import ModuleType
from typing import Any

from aiohttp import web

from sandbox.state import JSON, STATE, Account, Citizen, Fault, Limits, State, iso
from sandbox.telegram import citizens as telegram
from sandbox.telegram.bot import Bot
from sandbox.wechat import back_office, comments, drafts, mass
from sandbox.wechat import citizens as wechat
from sandbox.wechat.account import Official

FAULT_KINDS = (
    "delay", "error500", "drop_answer", "invalidate_token", "refuse", "publish_status",
    "mass_status", "late_callback",
)  # fmt: skip


def refuse(message: str, status: int = 400) -> web.Response:
    """Return a refusal with one clear line."""
    return reply({"error": message}, status)


def reply(content: Any, status: int = 200) -> web.Response:
    """Return JSON with Chinese left readable."""
    return web.Response(
        body=json.dumps(content, ensure_ascii=False).encode(),
        status=status,
        content_type="application/json",
    )


async def given(request: web.Request) -> JSON:
    """Return the request's JSON object; an empty body is an empty object."""
    raw = await request.read()
    if not raw:
        return {}
    try:
        content = json.loads(raw)
    except ValueError:
        raise web.HTTPBadRequest(text='{"error": "请求体不是 JSON"}') from None
    if not isinstance(content, dict):
        raise web.HTTPBadRequest(text='{"error": "请求体应为 JSON 对象"}')
    return content


def wanted_account(state: State, key: Any) -> Account:
    """Find the named account or answer 404."""
    found = state.account(str(key or ""))
    if found is None:
        raise web.HTTPNotFound(text=json.dumps({"error": f"没有账号 {key}"}, ensure_ascii=False))
    return found


def wanted_citizen(account: Account, key: Any) -> Citizen:
    """Find the named citizen (id, @username or name) or answer 404."""
    wanted = str(key or "")
    found = account.citizens.get(wanted)
    if found is None:
        people = account.citizens.values()
        # Names serve people who type by hand; an id always wins.
        found = next((c for c in people if wanted and wanted in (c.name, f"@{c.username}")), None)
    if found is None:
        raise web.HTTPNotFound(text=json.dumps({"error": f"没有市民 {key}"}, ensure_ascii=False))
    return found


# --- accounts, citizens ---------------------------------------------------------------------


def account_card(account: Account) -> JSON:
    """Return what the control interface says of an account."""
    card: JSON = {
        "account": account.id,
        "platform": account.platform,
        "name": account.name,
        "citizens": len(account.citizens),
        "callback_url": getattr(account, "webhook", ""),
        "examples": account.examples,
    }
    card.update(PLATFORMS[account.platform].card(account))
    return card


async def post_accounts(request: web.Request) -> web.Response:
    """Register an account, or change the settings of a registered one."""
    state, content = request.app[STATE], await given(request)
    platform = PLATFORMS.get(str(content.get("platform")))
    if platform is None:
        return refuse("platform 应为 wechat 或 telegram")
    try:
        account = platform.register(state, content)
    except (KeyError, ValueError) as problem:
        return refuse(f"账号字段 {problem} 缺少或不合规定")
    account.examples = [str(one) for one in content.get("examples", account.examples)]
    return reply(account_card(account) | {"api_base": f"{base(request)}/{account.platform}"})


async def get_accounts(request: web.Request) -> web.Response:
    """List the registered accounts."""
    accounts = request.app[STATE].accounts.values()
    return reply({"accounts": [account_card(account) for account in accounts]})


def base(request: web.Request) -> str:
    """Return the address under which this sandbox was reached."""
    return request.app[STATE].public_base or str(request.url.origin())


async def post_citizens(request: web.Request) -> web.Response:
    """Create citizens: {account, count, prefix, follow, notify, kind, username}."""
    state, content = request.app[STATE], await given(request)
    account = wanted_account(state, content.get("account"))
    prefix, count = str(content.get("prefix") or "市民"), int(content.get("count", 1))
    made: list[Citizen] = []
    kind, start = str(content.get("kind") or "private"), len(account.citizens)
    # Numbers in names count people and groups apart, so that the first citizen is "市民1".
    others = sum(citizen.kind != kind for citizen in account.citizens.values())
    platform = PLATFORMS[account.platform]
    at = state.clock.now()
    for number in range(start + 1, start + count + 1):
        name = f"{prefix}{number - others}" if count > 1 else str(content.get("name") or prefix)
        citizen = Citizen(platform.citizen_id(account, number, content), name, since=at)
        citizen.kind = kind
        citizen.username = str(content.get("username") or "") if count == 1 else ""
        citizen.following = bool(content.get("follow", True))
        citizen.posting = bool(content.get("posting", True))
        account.citizens[citizen.id] = citizen
        made.append(citizen)
    if content.get("notify") and content.get("follow", True):
        for citizen in made:
            await platform.event(state, account, citizen, "follow")
    return reply({"created": len(made), "citizens": [citizen.id for citizen in made]})


async def get_citizens(request: web.Request) -> web.Response:
    """List an account's citizens with how many messages each has."""
    account = wanted_account(request.app[STATE], request.query.get("account"))
    cards = [citizen.card() for citizen in account.citizens.values()]
    return reply({"total": len(cards), "citizens": cards})


async def get_messages(request: web.Request) -> web.Response:
    """Return what a citizen received (with all=1 also what the citizen said)."""
    account = wanted_account(request.app[STATE], request.query.get("account"))
    if "citizen" not in request.query:
        everything = {c.id: c.received for c in account.citizens.values() if c.received}
        return reply({"messages": everything})
    citizen = wanted_citizen(account, request.query["citizen"])
    answer: JSON = {"messages": citizen.received}
    if request.query.get("all"):
        answer["said"] = citizen.said
    return reply(answer)


# --- requests, faults, clock, limits --------------------------------------------------------


def selected(entries: Iterable[JSON], query: Any) -> list[JSON]:
    """Filter the log by platform, account, method, and `since` (a seq already seen)."""
    since = int(query.get("since", 0))
    names = [name for name in ("platform", "account", "method", "outcome") if query.get(name)]
    return [
        entry
        for entry in entries
        if entry["seq"] > since and all(entry.get(name) == query[name] for name in names)
    ]


async def get_requests(request: web.Request) -> web.Response:
    """Return the received calls, exact bodies included; count=1 gives only the number."""
    found = selected(request.app[STATE].requests, request.query)
    if request.query.get("count"):
        return reply({"count": len(found)})
    return reply({"count": len(found), "requests": found})


async def delete_requests(request: web.Request) -> web.Response:
    """Forget the log of received calls."""
    request.app[STATE].requests.clear()
    return reply({"ok": True})


async def post_faults(request: web.Request) -> web.Response:
    """Plan one fault; an empty body clears all."""
    state, content = request.app[STATE], await given(request)
    if not content:
        state.clear_faults()
        return reply({"faults": []})
    if content.get("kind") not in FAULT_KINDS:
        return refuse("kind 应为 " + "、".join(FAULT_KINDS))
    known = {f.name for f in fields(Fault)} - {"id"}
    # A misspelt field would silently plan another fault than the test meant.
    extra = set(content) - known
    if extra:
        return refuse(f"没有字段 {'、'.join(sorted(extra))}")
    content.setdefault("platform", "*")
    content["status"] = str(content.get("status", ""))
    state.faults.append(Fault(id=next(state.numbers), **content))
    return await get_faults(request)


async def get_faults(request: web.Request) -> web.Response:
    """List the faults still planned."""
    state = request.app[STATE]
    shown = [{f.name: getattr(x, f.name) for f in fields(Fault)} for x in state.faults]
    return reply({"faults": shown})


async def delete_faults(request: web.Request) -> web.Response:
    """Clear all planned faults."""
    request.app[STATE].clear_faults()
    return reply({"faults": []})


async def clock(request: web.Request) -> web.Response:
    """Read or move the clock: {offset_seconds} sets, {advance} adds seconds."""
    state, content = request.app[STATE], await given(request)
    if "offset_seconds" in content:
        state.clock.offset = float(content["offset_seconds"])
    state.clock.offset += float(content.get("advance", 0))
    return reply({"now": iso(state.clock.now()), "offset_seconds": state.clock.offset})


async def limits(request: web.Request) -> web.Response:
    """Read or change rates, delays and time-outs; {"telegram": false} lifts its rates."""
    state, content = request.app[STATE], await given(request)
    names = {f.name for f in fields(Limits)}
    # A misspelt limit would silently stay in force.
    extra = set(content) - names
    if extra:
        return refuse(f"没有字段 {'、'.join(sorted(extra))}")
    for name, value in content.items():
        # Turned into the type it has: JSON of a hand-typed call may hold "5" for 5.
        setattr(state.limits, name, type(getattr(state.limits, name))(value))
    return reply({name: getattr(state.limits, name) for name in sorted(names)})


# --- acting as a citizen --------------------------------------------------------------------


async def say(request: web.Request) -> web.Response:
    """Type a text as a citizen and return the callback's answer."""
    state, content = request.app[STATE], await given(request)
    account = wanted_account(state, content.get("account"))
    citizen = wanted_citizen(account, content.get("citizen"))
    text = str(content.get("text") or "")
    if not text:
        return refuse("text 不能为空")
    return reply(await PLATFORMS[account.platform].say(state, account, citizen, text))


async def send(request: web.Request) -> web.Response:
    """Send what is no typed text: other kinds, edited and repeated ones, the platform's own."""
    state, content = request.app[STATE], await given(request)
    account = wanted_account(state, content.get("account"))
    who = content.get("citizen")
    citizen = wanted_citizen(account, who) if who else None
    try:
        answer = await PLATFORMS[account.platform].send(state, account, citizen, content)
    except (KeyError, TypeError) as problem:
        return refuse(f"字段 {problem} 缺少或不合规定")
    return reply(answer)


async def upgrade(request: web.Request) -> web.Response:
    """Turn a Telegram group into a supergroup; the old number is refused from then on."""
    state, content = request.app[STATE], await given(request)
    account = wanted_account(state, content.get("account"))
    if not isinstance(account, Bot):
        return refuse("只有 Telegram 有群升级")
    group = wanted_citizen(account, content.get("citizen"))
    return reply(await telegram.upgrade(state, account, group))


async def tap(request: web.Request) -> web.Response:
    """Press a menu key, an inline button or an event as a citizen."""
    state, content = request.app[STATE], await given(request)
    account = wanted_account(state, content.get("account"))
    citizen = wanted_citizen(account, content.get("citizen"))
    platform = PLATFORMS[account.platform]
    if content.get("event"):
        answer = await platform.event(state, account, citizen, str(content["event"]), content)
    elif content.get("data") is not None or content.get("key") is not None:
        answer = await platform.press(state, account, citizen, content)
    else:
        return refuse("请给出 key、data 或 event 之一")
    # An error without a status was never sent out: the button or menu entry does not exist.
    return reply(answer, 404 if "error" in answer and "status" not in answer else 200)


async def verify(request: web.Request) -> web.Response:
    """Have WeChat check the callback address with an echostr."""
    state, content = request.app[STATE], await given(request)
    return reply(await wechat.verify(state, wanted_account(state, content.get("account"))))


async def save_again(request: web.Request) -> web.Response:
    """Have somebody save every draft of an account in the back office; what is left of them."""
    state, content = request.app[STATE], await given(request)
    account = wanted_account(state, content.get("account"))
    if not isinstance(account, Official):
        return refuse("只有公众号有草稿")
    return reply({"articles": drafts.save_again(account)})


async def back_office_act(request: web.Request) -> web.Response:
    """Have somebody act by hand: see sandbox.wechat.back_office."""
    state, content = request.app[STATE], await given(request)
    account = wanted_account(state, content.get("account"))
    if not isinstance(account, Official):
        return refuse("只有公众号有后台")
    return reply(back_office.act(state, account, content))


async def confirm_mass(request: web.Request) -> web.Response:
    """Answer as the administrator whom 群发保护 asks: {account, allowed}; {protected} turns it."""
    state, content = request.app[STATE], await given(request)
    account = wanted_account(state, content.get("account"))
    if not isinstance(account, Official):
        return refuse("只有公众号有群发保护")
    if "protected" in content:
        account.protected = bool(content["protected"])
        return reply({"protected": account.protected})
    return reply({"answered": mass.confirm_mass(account, allowed=bool(content.get("allowed")))})


async def comment(request: web.Request) -> web.Response:
    """A citizen writes under an article: {account, citizen, title, text}, or {withdraw}s."""
    state, content = request.app[STATE], await given(request)
    account = wanted_account(state, content.get("account"))
    if not isinstance(account, Official):
        return refuse("只有公众号有留言")
    if "withdraw" in content:
        return reply({"withdrawn": comments.withdraw(account, content["withdraw"])})
    citizen = wanted_citizen(account, content.get("citizen"))
    answer = comments.write_comment(state, account, citizen, content)
    return reply(answer, 404 if "error" in answer else 200)


async def reset(request: web.Request) -> web.Response:
    """Forget everything: accounts, citizens, logs, faults, clock, limits."""
    request.app[STATE].clear()
    return reply({"ok": True})


async def phone(request: web.Request) -> web.Response:
    """Return one citizen's whole screen: account, menu, both sides' messages, notices."""
    account = wanted_account(request.app[STATE], request.query.get("account"))
    citizen = wanted_citizen(account, request.query.get("citizen"))
    notices = [n for n in account.notices if n["citizen"] in ("", citizen.id)]
    screen = {
        "account": account_card(account),
        "citizen": citizen.card(),
        # The screen asks every second: only what fits on it is sent.
        "received": citizen.received[-80:],
        "said": citizen.said[-80:],
        "typing": account.in_flight.get(citizen.id, 0) > 0,
        "notices": notices[-6:],
        "now": iso(request.app[STATE].clock.now()),
    }
    return reply(screen)


async def deliveries(request: web.Request) -> web.Response:
    """Return what callbacks were sent out and how they were answered."""
    account = request.query.get("account")
    found = [d for d in request.app[STATE].deliveries if account in (None, d["account"])]
    return reply({"count": len(found), "deliveries": found})


PLATFORMS: dict[str, ModuleType] = {"telegram": telegram, "wechat": wechat}

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
ROUTES: tuple[tuple[str, str, Handler], ...] = (
    ("POST", "accounts", post_accounts), ("GET", "accounts", get_accounts),
    ("POST", "citizens", post_citizens), ("GET", "citizens", get_citizens),
    ("GET", "messages", get_messages), ("GET", "requests", get_requests),
    ("DELETE", "requests", delete_requests), ("POST", "faults", post_faults),
    ("GET", "faults", get_faults), ("DELETE", "faults", delete_faults),
    ("GET", "clock", clock), ("POST", "clock", clock), ("GET", "limits", limits),
    ("POST", "limits", limits), ("POST", "say", say), ("POST", "tap", tap),
    ("POST", "send", send), ("POST", "upgrade", upgrade),
    ("POST", "verify", verify), ("POST", "save_again", save_again),
    ("POST", "back_office", back_office_act),
    ("POST", "confirm_mass", confirm_mass), ("POST", "comment", comment),
    ("POST", "reset", reset), ("GET", "phone", phone),
    ("GET", "deliveries", deliveries),
)  # fmt: skip


def add(app: web.Application) -> None:
    """Mount the control interface."""
    for method, name, handler in ROUTES:
        app.router.add_route(method, f"/_control/{name}", handler)
