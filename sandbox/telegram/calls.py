"""The door of the Bot API: one call in, its planned fault, its answer, its line in the log."""

from __future__ import annotations

import json

from aiohttp import web

from sandbox.state import JSON, STATE, Fault, State, Upload, parse_body, readable
from sandbox.telegram.bot import Bot, Call, TelegramError, bad
from sandbox.telegram.updates import METHODS, run


async def handle(request: web.Request) -> web.StreamResponse:
    """Answer one Bot API call, with the planned faults, and log it."""
    state = request.app[STATE]
    token, method = request.match_info["token"], request.match_info["method"]
    raw = await request.read()
    bot = state.by_token.get(token)
    # An unknown token is 401 before anything is read of the call.
    if not isinstance(bot, Bot):
        refusal = TelegramError(401, "Unauthorized")
        return web.json_response(refusal.body(), status=401)
    entry: JSON = {
        "platform": "telegram",
        "account": bot.id,
        "method": METHODS[method.lower()][0] if method.lower() in METHODS else method,
        "raw": raw.decode("utf-8", "replace"),
        "parsed": {},
    }
    fault = state.take_fault("telegram", method, bot.id)
    status, answer = 200, {}
    try:
        if fault:
            await _before(state, fault)
        params, files = _body(request, raw)
        # Parameters may stand in the address as well as in the body.
        params.update(request.query)
        entry["parsed"] = params | readable(files)
        answer = {"ok": True, "result": await run(Call(state, bot, params, files), method)}
        entry["outcome"] = "ok"
    except TelegramError as refusal:
        status, answer = refusal.code, refusal.body()
        entry["outcome"] = "refused"
    if fault:
        entry["fault"] = fault.kind
    entry["status"], entry["response"] = status, answer
    state.record(entry)
    # After the call was done and recorded: exactly the case in which nobody can know whether it was
    # taken.
    if fault and fault.kind == "drop_answer" and request.transport:
        request.transport.abort()
    return web.Response(
        body=json.dumps(answer, ensure_ascii=False).encode(),
        status=status,
        content_type="application/json",
    )


def _body(request: web.Request, raw: bytes) -> tuple[JSON, dict[str, Upload]]:
    try:
        return parse_body(request.headers.get("Content-Type", ""), raw)
    except ValueError:
        raise bad("can't parse JSON object") from None


async def _before(state: State, fault: Fault) -> None:
    if fault.kind == "delay":
        await state.pause(fault.seconds)
    elif fault.kind == "error500":
        raise TelegramError(500, "Internal Server Error")
    elif fault.kind == "invalidate_token":
        raise TelegramError(401, "Unauthorized")
    elif fault.kind == "refuse":
        wait = max(int(fault.seconds), 1) if fault.code == 429 else 0
        words = {
            403: "Forbidden: bot was blocked by the user",
            429: f"Too Many Requests: retry after {wait}",
        }
        told = fault.description or words.get(fault.code, "Bad Request")
        raise TelegramError(fault.code or 400, told, wait)


def add(app: web.Application) -> None:
    """Mount the Bot API."""
    for base in ("/telegram/bot{token}/{method}", "/bot{token}/{method}"):
        app.router.add_route("*", base, handle)
    app.router.add_get("/telegram/file/bot{token}/{key:.+}", media)


async def media(request: web.Request) -> web.Response:
    """Return an uploaded file."""
    found = request.app[STATE].media.get(request.match_info["key"])
    if found is None:
        raise web.HTTPNotFound
    return web.Response(body=found[1], content_type=found[0].partition(";")[0])
