"""Telegram: python-telegram-bot over our own aiohttp transport; every error becomes an Outcome.

An explicit 5xx answer of Telegram itself ({"ok": false}) says the call was not accepted: RETRYING.
A refused connection too. Anything else without a readable answer may have been accepted: UNKNOWN.
"""

import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from secrets import token_urlsafe
from typing import Any

import aiohttp
from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup, LinkPreviewOptions
from telegram import MessageEntity as Entity
from telegram.error import BadRequest, Forbidden, InvalidToken, TelegramError

from bot.channel import Call, Heard, Menu, NotEquipped
from bot.chosen import Chosen
from bot.codes import At, follows
from bot.contract import (
    AccountView,
    Content,
    Forged,
    Inbound,
    LoadMedia,
    Outcome,
    Rendering,
    Reply,
    State,
    Still,
    Withheld,
)
from bot.editions import EDITION
from bot.http import open_session
from bot.pace import PER_SECOND, Pace
from bot.preview import Shown
from bot.probing import Ability
from bot.quota import Limit
from bot.read_back import Asked, ReadBack
from bot.render import fill_reason, units
from bot.takedown import Notice, Standing, Took
from bot.telegram.client import AiohttpRequest, BotCall
from bot.telegram.codes import CODES, NO_THREAD
from bot.telegram.errors import moved_words, outcome_of
from bot.telegram.inbound import ALLOWED_UPDATES, MIGRATED, hear
from bot.telegram.pictures import pictures_calls
from bot.telegram.removing import remove
from bot.telegram.rendering import (
    problems_telegram,
    render_telegram,
    sent_parts,
    shown_telegram,
    split_telegram,
)
from bot.telegram.trial import NOBODY, looks, press
from bot.trial import Look
from storage.cache import Cache

REPLY_ROOM = 4000  # of 4,096 units (T5): a little is kept for what a reply adds at its end
FRESH = 0.5  # seconds for which a look at whether a message may still go holds
os.environ.setdefault("PTB_TIMEDELTA", "1")  # else a 429 raises a deprecation warning

_REFUSALS = (BadRequest, Forbidden, InvalidToken)


class TelegramChannel:
    """See bot.channel.Channel. Public timeline: the channel or group named by secrets["chat"]."""

    platform = "telegram"
    label = "Telegram"
    account_word = "Telegram"
    secrets: tuple[str, ...] = ("token", "webhook_secret", "chat")
    addresses: tuple[str, ...] = ("chat",)
    chosen: tuple[str, ...] = ("webhook_secret",)
    overseas = True  # a third-party platform abroad: export needs its assessment (T15)
    buttons = True
    most_articles = 0  # posts stand one below the other there: nothing is gained by an edition
    window_seconds = 0.0
    window_count = 0
    act_seconds = 0.0
    act_count = 0
    take_down = "在频道里长按这条消息删除；机器人发出超过 48 小时的，由频道管理员删除"
    deletions_a_day = 0
    unread = (
        "平台不让机器人读自己发过的消息，也不告诉它消息被改动或删除，所以不读回；"
        "频道管理员名单要收紧，请在频道的“最近操作”里查看改动"
    )
    brings: Mapping[str, Path] = {}
    nothing = "ok"
    codes = CODES
    passive_seconds = 0.0
    asks_for_proof = False
    nobody = NOBODY

    def __init__(self, cache: Cache, allowed_private: frozenset[str] = frozenset()) -> None:
        """`cache` shares the pacing windows; `allowed_private` is for development."""
        self._allowed = allowed_private
        self._pace = Pace(cache)
        self._bots: dict[tuple[str, str], Bot] = {}
        self._http: aiohttp.ClientSession | None = None

    def render(self, content: Content) -> Rendering:
        """See bot.render."""
        if content.edition:
            return {EDITION: list(content.edition)}
        return render_telegram(content)

    @staticmethod
    def room(text: str) -> int:
        """UTF-16 units left in one message."""
        return REPLY_ROOM - units(text)

    @staticmethod
    def secret_problem(secrets: Mapping[str, str]) -> str:
        """None: the platform itself refuses a wrong token at the first call."""
        return ""

    @staticmethod
    def new_secret(name: str) -> str:
        """Letters, digits, _ and - (T8)."""
        return token_urlsafe(32)

    @staticmethod
    def once_a_day(settings: Mapping[str, Any]) -> bool:
        """A public channel takes as many a day as there are."""
        return False

    @staticmethod
    def chooses(settings: Mapping[str, Any]) -> bool:
        """No call goes to many: each is written to."""
        return False

    @staticmethod
    def takes_place(settings: Mapping[str, Any], *, chosen: bool) -> bool:
        """There are no places."""
        return False

    @staticmethod
    def limits(settings: Mapping[str, Any]) -> Sequence[Limit]:
        """None by day or month: how fast it may send is in bot.pace (T1)."""
        return ()

    @staticmethod
    def confirmed_by(settings: Mapping[str, Any]) -> str:
        """Nobody is asked."""
        return ""

    @staticmethod
    def shown(rendering: Mapping[str, Any]) -> Shown | None:
        """See bot.telegram.rendering."""
        return None if EDITION in rendering else shown_telegram(rendering)

    def problems(self, rendering: Mapping[str, Any], content: Content | None = None) -> list[str]:
        """See bot.telegram.rendering."""
        if EDITION in rendering:
            return ["Telegram 没有多篇合发：请把各篇分别发布到这里，组版只选微信公众号"]
        return problems_telegram(rendering, content)

    async def publish(
        self, account: AccountView, rendering: Mapping[str, Any], media: LoadMedia, still: Still
    ) -> Outcome:
        """Post every part in order. A post cut off half-way is UNKNOWN: a person looks at it."""
        chat = account.secrets["chat"]
        try:
            calls = await _publication(chat, rendering, media)
        except LookupError:
            return Outcome(State.FAILED, reason="配图文件缺失，无法发布", code="media")
        sent: list[str] = []
        for call in calls:
            try:
                outcome = await self._call(account, chat, call, still)
            except Withheld as withheld:
                if not sent:
                    raise
                return _partly(sent, withheld.outcome)
            # For one chat ENDED means the reader is gone; for our own channel it means we are out.
            if outcome.state is State.ENDED and outcome.meaning is not None:
                state = follows(outcome.meaning, At.TIMELINE).state
                words = "机器人不在频道中或没有发布权限：请频道管理员把它加为管理员"
                outcome = replace(outcome, state=state, reason=words)
            if outcome.state is not State.PUBLISHED:
                return _partly(sent, outcome) if sent else outcome
            sent += outcome.ref.split(",")  # a group of pictures is several messages
        # A chat named by number has no public address.
        url = f"https://t.me/{chat[1:]}/{sent[0]}" if chat.startswith("@") else ""
        return Outcome(State.PUBLISHED, ref=",".join(sent), detail={"url": url})

    async def publish_to(
        self, account: AccountView, rendering: Mapping[str, Any], media: LoadMedia, chosen: Chosen
    ) -> Outcome:
        """Never called: see `chooses`."""
        return Outcome(State.HELD, reason="Telegram 没有一次发给多人的接口", code="account")

    def resumable(self, account: AccountView) -> bool:
        """A second sendMessage is a second message."""
        return False

    def result(self, inbound: Inbound) -> tuple[str, Outcome] | None:
        """Telegram sends no result events."""
        return None

    async def settle(self, account: AccountView, ref: str) -> Outcome:
        """Telegram has no look-up for what it did not answer."""
        return Outcome(State.UNKNOWN, ref=ref, reason="Telegram 无法查询发送结果，请人工核对")

    async def remove(
        self, account: AccountView, standing: Standing, notice: Notice, still: Still
    ) -> Took:
        """See bot.telegram.removing."""
        chat = account.secrets["chat"]

        async def make(call: BotCall) -> Outcome:
            return await self._call(account, chat, call, still)

        return await remove(make, chat, standing, notice)

    async def missing(
        self, account: AccountView, standing: Sequence[Standing]
    ) -> Sequence[Standing]:
        """None: a bot cannot ask whether its messages still stand."""
        return ()

    async def altered(
        self, account: AccountView, asked: Sequence[Asked], media: LoadMedia
    ) -> Sequence[ReadBack]:
        """None: nor what stands in them."""
        return ()

    async def push(
        self,
        account: AccountView,
        address: str,
        rendering: Mapping[str, Any],
        reason: str,
        still: Still,
    ) -> Outcome:
        """Send the push form to one chat."""
        form = rendering["push"]
        text = fill_reason(form["text"], reason)
        entities = [Entity(**entity) for entity in form["entities"]]

        async def call(bot: Bot) -> Any:
            return await bot.send_message(address, text, entities=entities)

        return await self._call(account, address, call, still)

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
            # Buttons below the last part: above it nobody has read what they answer.
            keyboard = markup if reply.buttons and number == len(texts) else None

            async def call(
                bot: Bot, thread: int | None, text: str = text, keyboard: Any = keyboard
            ) -> Any:
                return await bot.send_message(
                    address,
                    text,
                    message_thread_id=thread,
                    reply_markup=keyboard,
                    link_preview_options=LinkPreviewOptions(is_disabled=True),
                )

            outcome = await self._in_thread(account, address, reply.thread, call)
            if outcome.state is not State.PUBLISHED:
                return _partly(sent, outcome) if sent else outcome
            sent.append(outcome.ref)
        return Outcome(State.PUBLISHED, ref=",".join(sent))

    async def _in_thread(
        self, account: AccountView, chat: str, thread: str, call: Callable[..., Awaitable[Any]]
    ) -> Outcome:
        """In the topic where it was asked; beside it when that topic is gone meanwhile."""
        number = int(thread) if thread.isdecimal() else None
        outcome = await self._call(account, chat, partial(call, thread=number))
        if number is not None and outcome.code == NO_THREAD:
            outcome = await self._call(account, chat, partial(call, thread=None))
        return outcome

    async def equip(self, account: AccountView, callback: str, menu: Menu) -> None:
        """Point the bot at `callback` and name its commands (T8, T13)."""
        bot = self._bot(account)
        try:
            await bot.set_webhook(
                callback,
                secret_token=account.secrets["webhook_secret"],
                allowed_updates=list(ALLOWED_UPDATES),
            )
            await bot.set_my_commands(list(menu.commands))
        except TelegramError as error:
            raise NotEquipped(str(error)) from error

    async def entrance(self, account: AccountView, scene: str) -> str:
        """A link that begins the chat with its scene (T16)."""
        try:
            return f"https://t.me/{(await self._bot(account).get_me()).username}?start={scene}"
        except TelegramError as error:
            raise NotEquipped(str(error)) from error

    async def abilities(self, account: AccountView) -> Sequence[Ability]:
        """See bot.probing.Probing: whether the token holds, and the bot sees where it posts."""
        bot, found = self._bot(account), list[Ability]()
        asked: tuple[tuple[str, str, Callable[[], Awaitable[Any]]], ...] = (
            ("bot", "机器人", bot.get_me),
            ("chat", "发布的频道或群", partial(bot.get_chat, account.secrets["chat"])),
        )
        for name, label, ask in asked:
            try:
                await ask()
            except TelegramError as error:
                able = False if isinstance(error, _REFUSALS) else None
                found.append(Ability(name, label, able, f"平台说：{error}", needed=True))
            else:
                found.append(Ability(name, label, able=True, needed=True))
        return found

    async def prove(self, account: AccountView, call: Call) -> str:
        """Telegram never asks."""
        raise Forged("not asked for by this platform")

    async def hear(self, account: AccountView, call: Call) -> Heard:
        """See bot.telegram.inbound."""
        return await hear(account, call)

    def notice(self, account: AccountView, inbound: Inbound) -> str:
        """That the group we publish to has another number now; of other groups nothing."""
        if inbound.key != MIGRATED or inbound.raw.get("from") != account.secrets["chat"]:
            return ""
        return f"账号“{account.name}”：{moved_words(str(inbound.raw['to']))}"

    def passive(self, reply: Reply) -> str | None:
        """A webhook's answer may carry one call, but nobody would learn what became of it."""
        return None

    async def acknowledge(self, account: AccountView, callback_id: str) -> None:
        """Stop the button's spinner; failing to do so harms nobody."""
        try:
            await self._bot(account).answer_callback_query(callback_id)
        except TelegramError:
            return

    def looks(self, account: AccountView, callback: str, menu: Menu) -> AsyncIterator[Look]:
        """See bot.telegram.trial."""
        return looks(account, callback, menu, self._bot(account))

    def press(self, account: AccountView, key: str) -> Mapping[str, Any]:
        """See bot.telegram.trial."""
        return press(account, key)

    def pressed(self, account: AccountView, answer: str) -> str:
        """The words themselves: nothing encrypts them here."""
        return "" if answer == self.nothing else answer

    async def close(self) -> None:
        """Give connections back."""
        self._pace.close()
        self._bots.clear()
        if self._http is not None:
            await self._http.close()
            self._http = None

    async def _call(
        self, account: AccountView, chat: str, call: BotCall, still: Still | None = None
    ) -> Outcome:
        pace = int(account.settings.get("per_second", PER_SECOND))
        # Looked at before the place in the window is taken, which the call follows at once: what
        # lies between the two shifts its arrival, and the platform counts arrivals.
        if still is not None:
            await still()
        begun = time.monotonic()
        await self._pace.wait(account.id, chat, pace)
        if still is not None and time.monotonic() - begun > FRESH:
            await still()  # a turn may have been seconds away
        try:
            message = await call(self._bot(account))
        except TelegramError as error:
            return outcome_of(error)
        if isinstance(message, bool):  # of a deletion, and of some edits
            return Outcome(State.PUBLISHED)
        messages = message if isinstance(message, tuple) else (message,)
        return Outcome(State.PUBLISHED, ref=",".join(str(one.message_id) for one in messages))

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


async def _publication(chat: str, rendering: Mapping[str, Any], media: LoadMedia) -> list[BotCall]:
    """The calls that post a rendering: its pictures with what stands below them, its texts."""
    calls: list[BotCall] = []
    for part in sent_parts(rendering):
        if "pictures" not in part:
            calls.append(_text(chat, part))
            continue
        contents = [(await media(marker))[0] for marker in part["pictures"]]
        calls += pictures_calls(chat, contents, part)
    return calls


def _text(chat: str, part: Mapping[str, Any]) -> BotCall:
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
