"""Trying an account as it stands: one line a part, each fine or with what to do about it."""

import asyncio
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from bot.http import open_session

LARGEST_ANSWER = 16 * 1024
SECONDS = 15.0  # what our own address is given: whoever pressed the button waits for it


@dataclass(frozen=True)
class Look:
    """One part of an account: what was looked at, whether it works, and in words what to do."""

    name: str
    ok: bool
    words: str


def fine(name: str, words: str) -> Look:
    """A part that works."""
    return Look(name, ok=True, words=words)


def wrong(name: str, words: str) -> Look:
    """A part that does not; `words` say what to do."""
    return Look(name, ok=False, words=words)


async def ask_own(method: str, callback: str, **call: Any) -> tuple[int, str]:
    """Call our own callback address from outside, as the platform does; status and text.

    Raises OSError, aiohttp.ClientError or TimeoutError. Our own address may be a private one, which
    nothing else of bot/ may reach: it comes from the settings of this process and no row.
    """
    parts = urlsplit(callback)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)
    own = frozenset(f"{row[4][0]}:{port}" for row in found)
    async with (
        asyncio.timeout(SECONDS),
        open_session(own, limit=2) as http,
        http.request(method, callback, allow_redirects=False, **call) as answer,
    ):
        body = await answer.content.read(LARGEST_ANSWER)
        while not answer.content.at_eof() and len(body) < LARGEST_ANSWER:
            body += await answer.content.read(LARGEST_ANSWER - len(body))
        return answer.status, body.decode(errors="replace")


async def look_at_callback(
    method: str, callback: str, expected: str, call: Mapping[str, Any]
) -> Look:
    """Whether our address answers a proved call of the platform with the text it expects."""
    try:
        status, text = await ask_own(method, callback, **call)
    except (OSError, aiohttp.ClientError, TimeoutError) as error:
        why = type(error).__name__
        words = f"{callback} 没有应答（{why}）：请确认审发正在运行"
        remedy = "并核对 SHENFA_PUBLIC_URL、域名解析、防火墙和反向代理"
        return wrong("回调地址", f"{words}，{remedy}")
    if status == 200 and text == expected:
        return fine("回调地址", f"{callback} 认得平台的签名")
    words = f"{callback} 应答了 {status}，不是本系统认签名的应答"
    return wrong("回调地址", f"{words}：请核对反向代理是否把整个地址和参数原样转来")
