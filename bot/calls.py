"""One call at a door of ours: read with a limit, or refused."""

from functools import partial

import structlog
from aiohttp import web

from bot.channel import Call
from bot.contract import Forged, Unreadable

LARGEST_BODY = 256 * 1024  # a message is a few kilobytes: whoever sends more is not a citizen
_log = structlog.get_logger("bot.callbacks")


def call_of(request: web.Request) -> Call:
    """The call as channels take it; its body is read when they ask for it."""
    return Call(request.query, request.headers, partial(_body, request))


async def _body(request: web.Request) -> bytes:
    if (request.content_length or 0) > LARGEST_BODY:
        raise Unreadable(f"回调内容超过 {LARGEST_BODY // 1024} KB")
    # A body without a length is counted while it comes; the header alone may lie.
    body = await request.content.read(LARGEST_BODY + 1)
    while not request.content.at_eof() and len(body) <= LARGEST_BODY:
        body += await request.content.read(LARGEST_BODY + 1)
    if len(body) > LARGEST_BODY:
        raise Unreadable(f"回调内容超过 {LARGEST_BODY // 1024} KB")
    return body


def forbidden(request: web.Request, forged: Forged) -> web.Response:
    """403, and in the log who it was."""
    _log.warning(
        "callback_refused",
        account=request.match_info["slug"],
        reason=str(forged),
        remote=request.remote,
    )
    return web.Response(status=403, text="forbidden")
