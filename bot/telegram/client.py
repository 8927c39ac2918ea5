"""Telegram's wire: python-telegram-bot over the house's guarded aiohttp session."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
from telegram import Bot
from telegram.error import TelegramError
from telegram.request import BaseRequest, RequestData

from bot.calling import begin
from bot.http import TIMEOUT, Blocked

BotCall = Callable[[Bot], Awaitable[Any]]
_DEFAULT = BaseRequest.DEFAULT_NONE


class NotSent(TelegramError):
    """Surely not accepted: no connection was made, or Telegram said 5xx in its own words."""


class NoAnswer(TelegramError):
    """The request may have arrived; nobody can tell."""


class AiohttpRequest(BaseRequest):
    """python-telegram-bot's transport on the guarded aiohttp session (11 times HTTPX here)."""

    def __init__(self, session: Callable[[], aiohttp.ClientSession]) -> None:
        """`session` gives the shared session, opened when first asked for."""
        self._session = session

    @property
    def read_timeout(self) -> float:
        """Seconds one call may take."""
        return TIMEOUT

    async def initialize(self) -> None:
        """The session opens by itself."""

    async def shutdown(self) -> None:
        """The channel closes the shared session."""

    async def do_request(  # noqa: PLR0913  python-telegram-bot's own signature
        self,
        url: str,
        method: str,
        request_data: RequestData | None = None,
        read_timeout: Any = _DEFAULT,
        write_timeout: Any = _DEFAULT,
        connect_timeout: Any = _DEFAULT,
        pool_timeout: Any = _DEFAULT,
    ) -> tuple[int, bytes]:
        """One call; NotSent or NoAnswer when there is no answer of Telegram's own."""
        begin()
        try:
            async with self._session().request(
                method, url, data=_form(request_data), allow_redirects=False
            ) as response:
                status, body = response.status, await response.read()
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, Blocked) as error:
            raise NotSent("没有连上 Telegram 接口") from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise NoAnswer("Telegram 接口没有应答") from error
        # Telegram's own 5xx says "not taken"; a proxy's says nothing of what is behind it.
        if status >= 500:
            raise (
                NotSent(f"Telegram 服务出错（{status}）")
                if _own_words(body)
                else NoAnswer(f"Telegram 接口应答无法识别（{status}）")
            )
        return status, body


def _form(data: RequestData | None) -> Any:
    if data is None:
        return None
    if not data.multipart_data:
        return data.json_parameters
    form = aiohttp.FormData()
    for name, value in data.json_parameters.items():
        form.add_field(name, value)
    for name, (filename, content, mime) in data.multipart_data.items():
        form.add_field(name, content, filename=filename, content_type=mime)
    return form


def _own_words(body: bytes) -> bool:
    """Whether an error answer is Telegram's own and not a proxy's."""
    try:
        answer = json.loads(body)
    except ValueError:
        return False
    return isinstance(answer, dict) and answer.get("ok") is False
