"""Telegram: python-telegram-bot over our own aiohttp transport; every error becomes an Outcome.

An explicit 5xx answer of Telegram itself ({"ok": false}) says the call was not accepted: RETRYING.
A refused connection too. Anything else without a readable answer may have been accepted: UNKNOWN.
"""

import json
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import aiohttp
from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup, LinkPreviewOptions
from telegram import MessageEntity as Entity
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Forbidden,
    InvalidToken,
    RetryAfter,
    TelegramError,
)
from telegram.request import BaseRequest, RequestData

from bot.contract import AccountView, Content, Inbound, LoadMedia, Outcome, Reply, State
from bot.http import TIMEOUT, Blocked, open_session
from bot.pace import PER_SECOND, Pace
from bot.render import (
    TELEGRAM_CAPTION,
    fill_reason,
    problems_telegram,
    render_telegram,
    split_telegram,
    units,
)
from storage.cache import Cache

os.environ.setdefault("PTB_TIMEDELTA", "1")  # else a 429 raises a deprecation warning

Call = Callable[[Bot], Awaitable[Any]]
_DEFAULT = BaseRequest.DEFAULT_NONE
_GONE = ("chat not found", "user not found", "peer_id_invalid", "user is deactivated")


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
        try:
            async with self._session().request(
                method, url, data=_form(request_data), allow_redirects=False
            ) as response:
                status, body = response.status, await response.read()
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, Blocked) as error:
            raise NotSent("没有连上 Telegram 接口") from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise NoAnswer("Telegram 接口没有应答") from error
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


def outcome_of(error: TelegramError) -> Outcome:
    """What an error means for one message to one chat."""
    if isinstance(error, RetryAfter):
        wait = error.retry_after
        seconds = wait if isinstance(wait, int | float) else wait.total_seconds()
        return Outcome(State.RETRYING, "", "平台限速，稍后再发", "429", float(seconds))
    if isinstance(error, NotSent):
        return Outcome(State.RETRYING, reason=error.message, code="not_sent")
    if isinstance(error, Forbidden):
        return Outcome(State.ENDED, reason="对方已停用或屏蔽本账号", code="403")
    if isinstance(error, ChatMigrated):
        return Outcome(State.ENDED, reason="群已升级，原群号失效", code="migrated")
    if isinstance(error, InvalidToken):
        return Outcome(
            State.HELD,
            reason="账号凭证失效：请管理员更换 Telegram 凭证",
            code="401",
            detail={"scope": "account"},
        )
    if isinstance(error, BadRequest):
        if any(words in error.message.lower() for words in _GONE):
            return Outcome(State.ENDED, reason="找不到对方，无法送达", code="400")
        return Outcome(State.FAILED, reason=f"平台拒收：{error.message}", code="400")
    return Outcome(State.UNKNOWN, reason="平台没有应答，不能确定是否送达", code="no_answer")


class TelegramChannel:
    """See bot.contract.Channel. Public timeline: the channel or group named by secrets["chat"]."""

    platform = "telegram"
    window_seconds = 0.0
    window_count = 0

    def __init__(self, cache: Cache, allowed_private: frozenset[str] = frozenset()) -> None:
        """`cache` shares the pacing windows; `allowed_private` is for development."""
        self._allowed = allowed_private
        self._pace = Pace(cache)
        self._bots: dict[tuple[str, str], Bot] = {}
        self._http: aiohttp.ClientSession | None = None

    def render(self, content: Content) -> dict[str, Any]:
        """See bot.render."""
        return render_telegram(content)

    def problems(self, rendering: Mapping[str, Any]) -> list[str]:
        """See bot.render."""
        return problems_telegram(rendering)

    async def publish(
        self, account: AccountView, rendering: Mapping[str, Any], media: LoadMedia
    ) -> Outcome:
        """Post every part in order. A post cut off half-way is UNKNOWN: a person looks at it."""
        chat = account.secrets["chat"]
        try:
            calls = await _publication(chat, rendering, media)
        except LookupError:
            return Outcome(State.FAILED, reason="配图文件缺失，无法发布", code="media")
        sent: list[str] = []
        for call in calls:
            outcome = await self._call(account, chat, call)
            if outcome.state is State.ENDED:
                outcome = Outcome(
                    State.FAILED, reason="机器人不在频道中或没有发布权限", code=outcome.code
                )
            if outcome.state is not State.PUBLISHED:
                return _partly(sent, outcome) if sent else outcome
            sent.append(outcome.ref)
        url = f"https://t.me/{chat[1:]}/{sent[0]}" if chat.startswith("@") else ""
        return Outcome(State.PUBLISHED, ref=",".join(sent), detail={"url": url})

    def resumable(self, account: AccountView) -> bool:
        """A second sendMessage is a second message."""
        return False

    def result(self, inbound: Inbound) -> tuple[str, Outcome] | None:
        """Telegram sends no result events."""
        return None

    async def settle(self, account: AccountView, ref: str) -> Outcome:
        """Telegram has no look-up for what it did not answer."""
        return Outcome(State.UNKNOWN, ref=ref, reason="Telegram 无法查询发送结果，请人工核对")

    async def push(
        self, account: AccountView, address: str, rendering: Mapping[str, Any], reason: str
    ) -> Outcome:
        """Send the push form to one chat."""
        form = rendering["push"]
        text = fill_reason(form["text"], reason)
        entities = [Entity(**entity) for entity in form["entities"]]

        async def call(bot: Bot) -> Any:
            return await bot.send_message(address, text, entities=entities)

        return await self._call(account, address, call)

    async def reply(self, account: AccountView, address: str, reply: Reply) -> Outcome:
        """Send a reply with its inline buttons (on the last part when it is long)."""
        texts = split_telegram(reply.text)
        markup = InlineKeyboardMarkup(
            [
                [InlineKeyboardButton(one.label, callback_data=one.data) for one in row]
                for row in reply.buttons
            ]
        )
        sent: list[str] = []
        for number, text in enumerate(texts, 1):
            keyboard = markup if reply.buttons and number == len(texts) else None

            async def call(bot: Bot, text: str = text, keyboard: Any = keyboard) -> Any:
                return await bot.send_message(
                    address,
                    text,
                    reply_markup=keyboard,
                    link_preview_options=LinkPreviewOptions(is_disabled=True),
                )

            outcome = await self._call(account, address, call)
            if outcome.state is not State.PUBLISHED:
                return _partly(sent, outcome) if sent else outcome
            sent.append(outcome.ref)
        return Outcome(State.PUBLISHED, ref=",".join(sent))

    async def equip(
        self, account: AccountView, callback: str, commands: Sequence[tuple[str, str]]
    ) -> None:
        """Point the bot at `callback` and name its commands; raises TelegramError."""
        bot = self._bot(account)
        await bot.set_webhook(callback, secret_token=account.secrets["webhook_secret"])
        await bot.set_my_commands(list(commands))

    async def answer_callback(self, account: AccountView, callback_id: str) -> None:
        """Stop the button's spinner; failing to do so harms nobody."""
        try:
            await self._bot(account).answer_callback_query(callback_id)
        except TelegramError:
            return

    async def close(self) -> None:
        """Give connections back."""
        self._pace.close()
        self._bots.clear()
        if self._http is not None:
            await self._http.close()
            self._http = None

    async def _call(self, account: AccountView, chat: str, call: Call) -> Outcome:
        pace = int(account.settings.get("per_second", PER_SECOND))
        await self._pace.wait(account.id, chat, pace)
        try:
            message = await call(self._bot(account))
        except TelegramError as error:
            return outcome_of(error)
        return Outcome(State.PUBLISHED, ref=str(message.message_id))

    def _bot(self, account: AccountView) -> Bot:
        key = (account.api_base, account.secrets["token"])
        if key not in self._bots:
            request = AiohttpRequest(self._session)
            self._bots[key] = Bot(
                account.secrets["token"],
                base_url=f"{account.api_base}/bot",
                base_file_url=f"{account.api_base}/file/bot",
                request=request,
                get_updates_request=request,
            )
        return self._bots[key]

    def _session(self) -> aiohttp.ClientSession:
        if self._http is None:
            self._http = open_session(self._allowed)
        return self._http


async def _publication(chat: str, rendering: Mapping[str, Any], media: LoadMedia) -> list[Call]:
    """The calls that post a rendering: a photo with caption when it fits, then the texts."""
    parts = list(rendering["parts"])
    calls: list[Call] = []
    if rendering["photo"]:
        content, _ = await media(rendering["photo"])
        captioned = bool(parts) and units(parts[0]["text"]) <= TELEGRAM_CAPTION
        first = parts.pop(0) if captioned else {"text": None, "entities": []}
        calls.append(_photo(chat, content, first))
    return calls + [_text(chat, part) for part in parts]


def _photo(chat: str, content: bytes, part: Mapping[str, Any]) -> Call:
    async def call(bot: Bot) -> Any:
        return await bot.send_photo(
            chat,
            content,
            caption=part["text"],
            caption_entities=[Entity(**entity) for entity in part["entities"]],
            filename="photo.jpg",
        )

    return call


def _text(chat: str, part: Mapping[str, Any]) -> Call:
    async def call(bot: Bot) -> Any:
        return await bot.send_message(
            chat, part["text"], entities=[Entity(**entity) for entity in part["entities"]]
        )

    return call


def _partly(sent: list[str], outcome: Outcome) -> Outcome:
    return Outcome(
        State.UNKNOWN,
        ref=",".join(sent),
        reason=f"已发出前 {len(sent)} 条，其余没有发出（{outcome.reason}），请人工核对",
        code=outcome.code,
    )
