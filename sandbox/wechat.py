"""The WeChat platform as an honest peer: tokens, quotas, dispatch, and acting as a citizen."""

from __future__ import annotations

import asyncio
import html
import json
import secrets
import string

import aiohttp
from aiohttp import web

from sandbox.state import JSON, STATE, Account, Citizen, Fault, State, parse_body, readable
from sandbox.wechat_calls import METHODS
from sandbox.wechat_core import Call, Official, Token, WeChatError, callback, day, signed

LIFETIME, OVERLAP = 7200, 300
FORCED_A_DAY, FORCED_APART = 20, 30
DAILY = {
    "token": 2000, "stable_token": 500_000, "menu/create": 1000, "menu/get": 10_000,
    "media/uploadimg": 100_000, "material/add_material": 100_000, "media/upload": 100_000,
    "draft/add": 1000, "draft/update": 1000, "draft/delete": 1000, "draft/count": 1000,
    "draft/batchget": 1000, "draft/get": 500, "freepublish/submit": 100, "freepublish/get": 100,
    "freepublish/batchget": 100, "freepublish/delete": 10, "message/mass/sendall": 100,
    "message/mass/send": 100, "message/mass/delete": 10, "message/mass/preview": 100,
    "message/custom/send": 500_000, "user/get": 500, "user/info": 5_000_000,
}  # fmt: skip
MASS_A_MINUTE = 60
ALPHABET = string.ascii_letters + string.digits + "-_"


# --- tokens ---------------------------------------------------------------------------------


def _new_token(account: Official, at: float) -> Token:
    value = "".join(secrets.choice(ALPHABET) for _ in range(136))
    token = Token(value, at + LIFETIME, at + LIFETIME)
    account.tokens[value] = token
    return token


def _count(account: Official, at: float, method: str) -> int:
    key = (day(at), method)
    account.used[key] = account.used.get(key, 0) + 1
    return account.used[key]


def plain_token(state: State, account: Official) -> JSON:
    """/token: always a new one; the one before ends after five minutes."""
    at = state.clock.now()
    before = account.tokens.get(account.latest)
    if before:
        before.ends = min(before.ends, at + OVERLAP)
    token = _new_token(account, at)
    account.latest = token.value
    account.issued["token"] = account.issued.get("token", 0) + 1
    return {"access_token": token.value, "expires_in": LIFETIME}


def stable_token(state: State, account: Official, *, force: bool) -> JSON:
    """/stable_token: the same until five minutes before its end, unless forced."""
    at = state.clock.now()
    current = account.tokens.get(account.stable)
    if force:
        if at - account.forced_at < FORCED_APART:
            raise WeChatError(45011)
        if _count(account, at, "force_refresh") > FORCED_A_DAY:
            raise WeChatError(45009)
        account.forced_at = at
        if current:
            current.ends = at
    if force or current is None or current.expires - at <= OVERLAP:
        current = _new_token(account, at)
        account.stable = current.value
        account.issued["stable_token"] = account.issued.get("stable_token", 0) + 1
    return {"access_token": current.value, "expires_in": int(current.expires - at)}


def invalidate(account: Official) -> None:
    """End all tokens of an account at once, as the platform may."""
    account.ended.update(account.tokens)
    account.tokens.clear()
    account.latest = account.stable = ""


def _credentials(state: State, given: JSON) -> Official:
    if given.get("grant_type") != "client_credential":
        raise WeChatError(40002, "invalid grant_type")
    account = state.accounts.get(str(given.get("appid") or ""))
    if not isinstance(account, Official):
        raise WeChatError(40013)
    if given.get("secret") != account.secret:
        raise WeChatError(40125)
    return account


def _holder(state: State, value: str) -> Official:
    """Return the account a token speaks for; 40001, 40014, 41001 or 42001 otherwise."""
    if not value:
        raise WeChatError(41001)
    at = state.clock.now()
    for account in state.accounts.values():
        if not isinstance(account, Official):
            continue
        token = account.tokens.get(value)
        if token and at >= token.expires:
            raise WeChatError(42001)
        if token and at < token.ends:
            return account
        if token or value in account.ended:
            raise WeChatError(40001)
    raise WeChatError(40014)


# --- calls ----------------------------------------------------------------------------------


async def handle(request: web.Request) -> web.StreamResponse:
    """Answer one WeChat call, with the planned faults, and log it."""
    state, method = request.app[STATE], request.match_info["method"]
    raw = await request.read()
    entry: JSON = {
        "platform": "wechat",
        "account": "",
        "method": method,
        "raw": raw.decode("utf-8", "replace"),
        "parsed": {},
        "query": dict(request.query),
        "outcome": "ok",
    }
    status, answer, fault = 200, {}, None
    try:
        call = _opened(request, state, method, raw, entry)
        fault = state.take_fault("wechat", method, call.account.id)
        status = await _before(call.account, fault)
        answer = {} if status >= 500 else _run(call, method)
    except WeChatError as refusal:
        answer = refusal.body
    if answer.get("errcode") or status >= 500:
        entry["outcome"] = "refused"
    if fault:
        entry["fault"] = fault.kind
    entry["status"], entry["response"] = status, answer
    state.record(entry)
    if fault and fault.kind == "drop_answer" and request.transport:
        request.transport.abort()
    return web.Response(
        body=json.dumps(answer, ensure_ascii=False).encode(),
        status=status,
        content_type="application/json",
    )


def _opened(request: web.Request, state: State, method: str, raw: bytes, entry: JSON) -> Call:
    query: JSON = dict(request.query)
    try:
        kind = request.headers.get("Content-Type", "")
        params, files = parse_body(kind if "multipart" in kind else "application/json", raw)
    except ValueError:
        raise WeChatError(47001) from None
    entry["parsed"] = params | readable(files)
    if method in ("token", "stable_token"):
        account = _credentials(state, query | params)
    else:
        account = _holder(state, str(query.get("access_token") or ""))
    entry["account"] = account.id
    base = state.public_base or str(request.url.origin())
    return Call(state, account, params, query, files, base)


async def _before(account: Official, fault: Fault | None) -> int:
    if fault is None:
        return 200
    if fault.kind == "delay":
        await asyncio.sleep(fault.seconds)
    elif fault.kind == "invalidate_token":
        invalidate(account)
        raise WeChatError(40001)
    elif fault.kind == "refuse":
        raise WeChatError(fault.code, fault.description)
    return 500 if fault.kind == "error500" else 200


def _run(call: Call, method: str) -> JSON:
    account, state = call.account, call.state
    _quota(call, method)
    if method == "token":
        return plain_token(state, account)
    if method == "stable_token":
        force = call.params.get("force_refresh", False)
        return stable_token(state, account, force=force in (True, "true", 1))
    handler = METHODS.get(method)
    if handler is None:
        raise WeChatError(40066, "invalid url")
    try:
        return {"errcode": 0, "errmsg": "ok"} | handler(call)
    except (TypeError, ValueError, AttributeError, KeyError):
        raise WeChatError(47001) from None


def _quota(call: Call, method: str) -> None:
    if not call.state.limits.wechat:
        return
    at = call.now
    limit = DAILY.get(method)
    if limit and _count(call.account, at, method) > limit:
        call.account.notice(at, f"45009，{method} 今日已用完 {limit} 次")
        raise WeChatError(45009)
    if method in ("message/mass/sendall", "message/mass/send"):
        call.account.minute = [t for t in call.account.minute if t > at - 60] + [at]
        if len(call.account.minute) > MASS_A_MINUTE:
            raise WeChatError(45011)


# --- control --------------------------------------------------------------------------------


def register(state: State, given: JSON) -> Official:
    """Make or change an account from control's JSON; raises KeyError or ValueError."""
    appid = str(given["appid"])
    known = state.accounts.get(appid)
    account = known if isinstance(known, Official) else Official("wechat", appid, appid)
    account.secret = str(given["secret"])
    account.token = str(given["token"])
    account.aes_key = str(given["aes_key"])
    if len(account.aes_key) != 43:
        raise ValueError("aes_key")
    account.name = str(given.get("name") or account.name)
    account.kind = str(given.get("kind") or "service")
    if account.kind not in ("service", "subscription"):
        raise ValueError("kind")
    account.verified = bool(given.get("verified", True))
    account.webhook = str(given.get("callback_url") or account.webhook)
    account.templates = list(given.get("templates") or account.templates)
    state.accounts[appid] = account
    return account


def card(account: Official) -> JSON:
    """Return what control adds to the card of a WeChat account."""
    return {
        "kind": account.kind,
        "verified": account.verified,
        "original": account.original,
        "menu": account.menu,
        "tokens_issued": account.issued,
        "drafts": len(account.drafts),
        "templates": account.templates,
        "articles": [
            {"title": item["title"], "url": item["url"], "digest": item["digest"]}
            for job in account.articles.values()
            for item in job["items"]
            if job["listed"]
        ],
    }


def citizen_id(account: Official, number: int, given: JSON) -> str:
    """Return the openid of an account's next citizen."""
    if given.get("id"):
        return str(given["id"])
    return f"o{account.original[3:9]}{number:021d}"


def _opens(state: State, citizen: Citizen, kind: str) -> None:
    """Open the customer-message window that this act of a citizen gives."""
    seconds, count = (48 * 3600, 5) if kind == "text" else (60, 3)
    citizen.windows[kind] = [state.clock.now() + seconds, count]


def _message_id(account: Official) -> int:
    return 24_000_000_000_000_000 + next(account.numbers)


async def say(state: State, account: Official, citizen: Citizen, text: str) -> JSON:
    """A citizen types a text; returns what the callback answered."""
    if not citizen.following:
        return {"error": "未关注的人不能发消息"}
    number = _message_id(account)
    citizen.said.append(_said(state, account, text))
    _opens(state, citizen, "text")
    content = {"MsgType": "text", "Content": text, "MsgId": number}
    return await callback(state, account, citizen, content)


def _said(state: State, account: Official, text: str, kind: str = "text") -> JSON:
    number, at = next(account.numbers), state.clock.now()
    return {"message_id": number, "at": at, "kind": kind, "text": text}


def _menu_entry(account: Official, key: str) -> JSON | None:
    for entry in account.menu.get("button", []):
        for one in entry.get("sub_button") or [entry]:
            if one.get("key") == key or one.get("url") == key:
                return dict(one)
    return None


async def press(state: State, account: Official, citizen: Citizen, tap: JSON) -> JSON:
    """A citizen presses a menu entry by its key (CLICK) or address (VIEW)."""
    key = str(tap.get("key") or tap.get("data"))
    entry = _menu_entry(account, key)
    if entry is None:
        return {"error": "菜单里没有这一项"}
    if not citizen.following:
        return {"error": "未关注的人没有菜单"}
    citizen.said.append(_said(state, account, str(entry["name"]), "menu"))
    if entry["type"] == "view":
        return await event(state, account, citizen, "view", {"url": entry["url"]})
    _opens(state, citizen, "click")
    content = {"MsgType": "event", "Event": "CLICK", "EventKey": key}
    return await callback(state, account, citizen, content)


async def event(
    state: State, account: Official, citizen: Citizen, name: str, given: JSON | None = None
) -> JSON:
    """follow, unfollow, view or a subscription consent, with the event the platform sends."""
    more = given or {}
    if name in ("follow", "start", "unblock"):
        citizen.following, citizen.blocked = True, False
        citizen.since = state.clock.now()
        _opens(state, citizen, "follow")
        content: JSON = {"Event": "subscribe", "EventKey": ""}
    elif name in ("unfollow", "block"):
        citizen.following = False
        citizen.windows.clear()
        citizen.tags.clear()
        content = {"Event": "unsubscribe", "EventKey": ""}
    elif name == "view":
        content = {"Event": "VIEW", "EventKey": str(more.get("url") or "")}
    elif name in ("subscribe_msg_popup", "subscribe_msg_change"):
        content = _consent(citizen, name, more)
    else:
        return {"error": f"没有事件 {name}"}
    return await callback(state, account, citizen, {"MsgType": "event", **content})


def _consent(citizen: Citizen, name: str, given: JSON) -> JSON:
    template = str(given.get("template") or "")
    accepts = bool(given.get("accept", name == "subscribe_msg_popup"))
    if not accepts:
        citizen.consents.pop(template, None)
    elif given.get("long_term"):
        citizen.consents[template] = -1
    else:
        citizen.consents[template] = citizen.consents.get(template, 0) + 1
    detail: JSON = {
        "TemplateId": template,
        "SubscribeStatusString": "accept" if accepts else "reject",
    }
    if name == "subscribe_msg_popup":
        detail["PopupScene"] = "2"
        return {"Event": "subscribe_msg_popup_event", "SubscribeMsgPopupEvent": {"List": detail}}
    return {"Event": "subscribe_msg_change_event", "SubscribeMsgChangeEvent": {"List": detail}}


async def verify(state: State, account: Account) -> JSON:
    """Ask the callback address for its echo, as when an address is saved on the platform."""
    if not isinstance(account, Official) or state.http is None:
        return {"ok": False, "status": 0}
    echo = str(secrets.randbelow(10**18))
    query = signed(account, state.clock.now()) | {"echostr": echo}
    try:
        async with state.http.get(account.webhook, params=query) as response:
            body = await response.text()
            return {"ok": body == echo, "status": response.status, "body": body}
    except (aiohttp.ClientError, TimeoutError) as problem:
        return {"ok": False, "status": 0, "body": str(problem)}


# --- pages ----------------------------------------------------------------------------------


async def article_page(request: web.Request) -> web.Response:
    """Show a published article, or that it has been deleted."""
    state, key = request.app[STATE], request.match_info["article"]
    number = int(request.match_info["index"])
    for account in state.accounts.values():
        found = account.articles.get(key) if isinstance(account, Official) else None
        if found is None or not 1 <= number <= len(found["items"]):
            continue
        item = found["items"][number - 1]
        if item.get("deleted"):
            page = ARTICLE.format(
                title="内容已被发布者删除", name="", date="", content="", source=""
            )
        else:
            source = item.get("content_source_url")
            link = f'<a class="source" href="{html.escape(source)}">阅读原文</a>' if source else ""
            page = ARTICLE.format(
                title=html.escape(item["title"]),
                name=html.escape(f"{item.get('author') or ''}　{account.name}".strip()),
                date=html.escape(found["time"][:16].replace("T", " ")),
                content=item["content"],
                source=link,
            )
        return web.Response(text=page, content_type="text/html")
    raise web.HTTPNotFound


ARTICLE = """<!doctype html><html lang="zh-CN"><meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1"><title>{title}</title>
<link rel="stylesheet" href="/phone/static/article.css">
<main><h1>{title}</h1><p class="by">{name} <time>{date}</time></p>
<article>{content}</article>{source}</main></html>"""


async def media(request: web.Request) -> web.Response:
    """Return an uploaded picture."""
    found = request.app[STATE].media.get(request.match_info["key"])
    if found is None:
        raise web.HTTPNotFound
    return web.Response(body=found[1], content_type=found[0].partition(";")[0])


def add(app: web.Application) -> None:
    """Mount the API, the article pages and uploaded pictures."""
    app.router.add_route("*", "/wechat/cgi-bin/{method:.+}", handle)
    app.router.add_route("*", "/wechat/{method:wxaapi/.+}", handle)
    app.router.add_get(r"/wechat/s/{article}/{index:\d+}", article_page)
    app.router.add_get("/wechat/media/{key}", media)
