"""The door of the WeChat API: token, quota, planned fault, answer, and a line in the log."""

from __future__ import annotations

import json

from aiohttp import web

from sandbox.state import JSON, STATE, Fault, State, parse_body, readable
from sandbox.wechat.account import Call, Official, WeChatError
from sandbox.wechat.live_pictures import WIDTH
from sandbox.wechat.methods import METHODS
from sandbox.wechat.pages import article_page, live_media, media
from sandbox.wechat.tokens import (
    count_use,
    credentials,
    holder,
    invalidate,
    plain_token,
    stable_token,
)

DAILY = {
    "token": 2000, "stable_token": 500_000, "menu/create": 1000, "menu/get": 10_000,
    "media/uploadimg": 100_000, "material/add_material": 100_000, "media/upload": 100_000,
    "draft/add": 1000, "draft/update": 1000, "draft/delete": 1000, "draft/count": 1000,
    "draft/batchget": 1000, "draft/get": 500, "freepublish/submit": 100, "freepublish/get": 100,
    "freepublish/batchget": 100, "freepublish/delete": 10, "message/mass/sendall": 100,
    "message/mass/send": 100, "message/mass/delete": 10, "message/mass/preview": 100,
    "message/custom/send": 500_000, "user/get": 500, "user/info": 5_000_000,
    "qrcode/create": 100_000,
}  # fmt: skip
MASS_A_MINUTE = 60


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
        status = await _before(state, call.account, fault)
        # A planned server error comes before the call is run: nothing was taken.
        answer = {} if status >= 500 else _run(call, method)
    except WeChatError as refusal:
        answer = refusal.body
    if answer.get("errcode") or status >= 500:
        entry["outcome"] = "refused"
    if fault:
        entry["fault"] = fault.kind
    entry["status"], entry["response"] = status, answer
    state.record(entry)
    # After the call was done and recorded: nobody on the other side can know whether it was taken.
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
        # The platform reads a body as JSON whatever its content type says; only uploads are forms.
        params, files = parse_body(kind if "multipart" in kind else "application/json", raw)
    except ValueError:
        raise WeChatError(47001) from None
    entry["parsed"] = params | readable(files)
    # The two calls that need no token, since they give one.
    if method in ("token", "stable_token"):
        account = credentials(state, query | params)
    else:
        account = holder(state, str(query.get("access_token") or ""))
    entry["account"] = account.id
    # Links in answers lead to where the sandbox was reached, so that they open in the tester's
    # browser.
    base = state.public_base or str(request.url.origin())
    return Call(state, account, params, query, files, base)


async def _before(state: State, account: Official, fault: Fault | None) -> int:
    if fault is None:
        return 200
    if fault.kind == "delay":
        await state.pause(fault.seconds)
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
        # Clients send it as a flag, a word or a number.
        force = call.params.get("force_refresh", False)
        return stable_token(state, account, force=force in (True, "true", 1))
    handler = METHODS.get(method)
    if handler is None:
        raise WeChatError(40066, "invalid url")
    try:
        return {"errcode": 0, "errmsg": "ok"} | handler(call)
    # A body of another shape is the caller's fault: 47001, and never a broken sandbox.
    except (TypeError, ValueError, AttributeError, KeyError):
        raise WeChatError(47001) from None


def _quota(call: Call, method: str) -> None:
    if not call.state.limits.wechat:
        return
    at = call.now
    limit = DAILY.get(method)
    # Counted before the call is run: one that is then refused has used its quota too (W35).
    if limit and count_use(call.account, at, method) > limit:
        call.account.notice(at, f"45009，{method} 今日已用完 {limit} 次")
        raise WeChatError(45009)
    # 60 mass calls a minute (W10).
    if method in ("message/mass/sendall", "message/mass/send"):
        call.account.minute = [t for t in call.account.minute if t > at - 60] + [at]
        if len(call.account.minute) > MASS_A_MINUTE:
            raise WeChatError(45011)


def add(app: web.Application) -> None:
    """Mount the API, the article pages and uploaded pictures."""
    app.router.add_route("*", "/wechat/cgi-bin/{method:.+}", handle)
    app.router.add_route("*", "/wechat/{method:(wxaapi|datacube)/.+}", handle)
    app.router.add_get(r"/wechat/s/{article}/{index:\d+}", article_page)
    app.router.add_get("/wechat/media/{key}", media)
    app.router.add_get(f"/wechat/media/{{key}}/{WIDTH}", live_media)
