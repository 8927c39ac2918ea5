"""What the platforms send us: proved, parsed, stored once, answered through the same channel."""

import asyncio
import hashlib
import hmac
import json
import struct
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from xml.parsers.expat import ExpatError

import structlog
from aiohttp import web
from defusedxml import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring
from sqlalchemy.exc import IntegrityError
from telegram import Update
from wechatpy import parse_message
from wechatpy.crypto import WeChatCrypto
from wechatpy.exceptions import WeChatException
from wechatpy.replies import TextReply

from bot.accounts import Accounts
from bot.contacts import Contacts
from bot.contract import AccountView, Inbound, InboundKind, Reply
from bot.delivery import Deliverer
from bot.models import Contact, InboundMessage
from bot.telegram import TelegramChannel
from bot.wechat import guard_cdata, reply_text, split_bytes
from config.clock import now
from storage.cache import Cache
from storage.database import Database, new_id

REPLAY_SECONDS = 300
PASSIVE_SECONDS = 4.0  # WeChat hangs up after five (W1)
ACCOUNT_FOR = 2.0  # seconds an opened account is remembered
LARGEST_BODY = 256 * 1024
SUCCESS = "success"  # WeChat's "nothing to say now" (W3)

OnInbound = Callable[[Inbound, Contact], Awaitable[Reply | None]]
Mask = Callable[[str], str]
_log = structlog.get_logger("bot.inbound")
_FOLLOWS = {"subscribe", "subscribe_scan"}
_RESULTS = {"publishjobfinish", "masssendjobfinish", "templatesendjobfinish"}


class Forged(Exception):
    """Not from the platform, too old, or seen before: 403 and no more words."""


class Unreadable(Exception):
    """From the platform, but not in its form: 400 and one line."""


@dataclass(frozen=True)
class Doors:
    """What the callbacks need; `telegram` answers button presses.

    `mask` takes personal data out of what is stored. `on_inbound` gives the answer, or None.
    """

    db: Database
    cache: Cache
    accounts: Accounts
    contacts: Contacts
    deliverer: Deliverer
    telegram: TelegramChannel
    on_inbound: OnInbound
    mask: Mask


def add_routes(app: web.Application, doors: Doors) -> "Callbacks":
    """Mount `/wechat/<slug>` and `/telegram/<slug>`; running answers are awaited at shutdown."""
    callbacks = Callbacks(doors)
    app.router.add_get("/wechat/{slug}", callbacks.wechat_echo)
    app.router.add_post("/wechat/{slug}", callbacks.wechat)
    app.router.add_post("/telegram/{slug}", callbacks.telegram)

    async def drain(_: web.Application) -> None:
        await callbacks.drain()

    app.on_shutdown.append(drain)
    return callbacks


class Callbacks:
    """The handlers of both platforms' callbacks."""

    def __init__(self, doors: Doors) -> None:
        """See Doors."""
        self._d = doors
        self._running: set[asyncio.Task[Any]] = set()
        self._known: dict[str, tuple[float, AccountView | None]] = {}

    async def drain(self, seconds: float = 20.0) -> None:
        """Wait for the answers still on their way."""
        if self._running:
            await asyncio.wait(self._running, timeout=seconds)

    # --- WeChat ---------------------------------------------------------------------------

    async def wechat_echo(self, request: web.Request) -> web.Response:
        """Prove to WeChat that the address is ours."""
        try:
            account = await self._account(request, "wechat")
            query = request.query
            await self._prove(account, query, query.get("signature", ""), "")
        except Forged as forged:
            return _forbidden(request, forged)
        return web.Response(text=query.get("echostr", ""))

    async def wechat(self, request: web.Request) -> web.Response:
        """One message or event; the answer is passive when it is ready in time."""
        try:
            account = await self._account(request, "wechat")
            message, inbound = await self._open_wechat(request, account)
        except Forged as forged:
            return _forbidden(request, forged)
        except Unreadable as unreadable:
            return web.Response(status=400, text=str(unreadable))
        answer = await self._answer_wechat(account, inbound)
        if answer is None:
            return web.Response(text=SUCCESS)
        return _passive(account, message, answer)

    async def _open_wechat(self, request: web.Request, account: AccountView) -> tuple[Any, Inbound]:
        query = request.query
        if query.get("encrypt_type") != "aes":
            raise Forged("not encrypted")
        cipher = _cipher_of(await _body(request))
        await self._prove(account, query, query.get("msg_signature", ""), cipher)
        crypto = _crypto(account)
        try:
            plain = crypto.decrypt_message(
                {"Encrypt": cipher}, query["msg_signature"], query["timestamp"], query["nonce"]
            )
        except (WeChatException, ValueError, struct.error, IndexError, AssertionError) as error:
            raise Forged("cannot be decrypted") from error
        try:
            message = parse_message(plain)
            return message, wechat_inbound(account, message)
        except (ExpatError, KeyError, ValueError, TypeError, AttributeError) as error:
            raise Unreadable("消息 XML 无法识别：请核对平台推送的格式") from error

    async def _prove(
        self, account: AccountView, query: Mapping[str, str], signature: str, cipher: str
    ) -> None:
        """Signature, freshness, and once only; Forged otherwise."""
        stamp, nonce = query.get("timestamp", ""), query.get("nonce", "")
        parts = sorted([account.secrets["token"], stamp, nonce, *([cipher] if cipher else [])])
        expected = hashlib.sha1("".join(parts).encode(), usedforsecurity=False).hexdigest()
        if not hmac.compare_digest(expected.encode(), signature.encode()):
            raise Forged("wrong signature")
        if not stamp.isdigit() or abs(now().timestamp() - int(stamp)) > REPLAY_SECONDS:
            raise Forged("stale timestamp")
        if not await self._d.cache.add_once(f"nonce:{account.id}:{expected}", 2 * REPLAY_SECONDS):
            raise Forged("repeated nonce")

    async def _answer_wechat(self, account: AccountView, inbound: Inbound) -> str | None:
        """The passive answer, or None: nothing to say, or it follows as customer messages."""
        if inbound.kind is InboundKind.RESULT:
            await self._d.deliverer.on_result_event(inbound)
            return None
        key = f"passive:{account.id}:{inbound.dedupe}"
        stored = await self._store(inbound)
        if stored is None:  # the platform tries again: the same answer, if there is one yet
            return await self._d.cache.get(key)
        contact, row_id = stored
        task = self._spawn(self._ask(inbound, contact))
        seconds = float(account.settings.get("passive_seconds", PASSIVE_SECONDS))
        await asyncio.wait({task}, timeout=seconds)
        if not task.done():
            self._spawn(self._send_late(task, row_id))
            return None
        reply = task.result()
        if reply is None:
            return None
        text = reply_text(reply)
        if len(split_bytes(text)) > 1:
            self._spawn(self._send_late(task, row_id))
            return None
        await self._d.cache.set(key, text, 60)
        return text

    async def _send_late(self, answer: asyncio.Task[Reply | None], row_id: str) -> None:
        reply = await answer
        if reply is not None:
            await self._d.deliverer.reply_now(reply, f"in:{row_id}")

    # --- Telegram -------------------------------------------------------------------------

    async def telegram(self, request: web.Request) -> web.Response:
        """One update: acknowledged at once, answered by sendMessage."""
        try:
            account = await self._account(request, "telegram")
            given = request.headers.get("X-Telegram-Bot-Api-Secret-Token", "")
            if not hmac.compare_digest(given.encode(), account.secrets["webhook_secret"].encode()):
                raise Forged("wrong secret")
            inbound = telegram_inbound(account, await _body(request))
        except Forged as forged:
            return _forbidden(request, forged)
        except Unreadable as unreadable:
            return web.Response(status=400, text=str(unreadable))
        if inbound.address:
            stored = await self._store(inbound)
            if stored is not None:
                self._spawn(self._answer_telegram(account, inbound, *stored))
        return web.Response(text="ok")

    async def _answer_telegram(
        self, account: AccountView, inbound: Inbound, contact: Contact, row_id: str
    ) -> None:
        if inbound.callback_id:
            self._spawn(self._d.telegram.answer_callback(account, inbound.callback_id))
        reply = await self._ask(inbound, contact)
        if reply is not None:
            await self._d.deliverer.reply_now(reply, f"in:{row_id}")

    # --- both -----------------------------------------------------------------------------

    async def _account(self, request: web.Request, platform: str) -> AccountView:
        slug = request.match_info["slug"]
        until, account = self._known.get(slug, (0.0, None))
        if account is None or until < time.monotonic():
            try:
                account = await self._d.accounts.by_slug(slug)
            except (LookupError, ValueError) as error:
                raise Forged("no such account") from error
            self._known[slug] = (time.monotonic() + ACCOUNT_FOR, account)
        if account.platform != platform:
            raise Forged("no such account")
        return account

    async def _store(self, inbound: Inbound) -> tuple[Contact, str] | None:
        """Contact and row id, or None when this act was stored before."""
        for _ in range(2):  # a first clash may be two first messages making one contact
            try:
                return await self._store_once(inbound)
            except IntegrityError:
                continue
        return None

    async def _store_once(self, inbound: Inbound) -> tuple[Contact, str]:
        db, row_id = self._d.db, new_id()
        async with db.writing() if db.is_sqlite else db.session() as session:
            contact = await self._d.contacts.upsert(
                session, inbound.account_id, inbound.address, now()
            )
            session.add(
                InboundMessage(
                    id=row_id,
                    account_id=inbound.account_id,
                    contact_id=contact.id,
                    dedupe=inbound.dedupe,
                    kind=inbound.kind,
                    text=self._d.mask(inbound.text),
                    at=inbound.at,
                )
            )
            await session.flush()
            if inbound.kind is InboundKind.UNFOLLOW:
                await self._d.contacts.end(session, contact.id, "对方取消关注或停用了账号")
        return contact, row_id

    async def _ask(self, inbound: Inbound, contact: Contact) -> Reply | None:
        return await self._d.on_inbound(inbound, contact)

    def _spawn(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._finished)
        return task

    def _finished(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("answer_failed", error=type(error).__name__, exc_info=error)


# --- parsing, pure ----------------------------------------------------------------------------


def wechat_inbound(account: AccountView, message: Any) -> Inbound:
    """A wechatpy message as an Inbound; unknown kinds become OTHER."""
    raw: dict[str, Any] = dict(message._data)
    kind, text, key = InboundKind.OTHER, "", ""
    event = str(raw.get("Event") or "").lower()
    if event:
        key = str(raw.get("EventKey") or "")
        if event in _RESULTS or event.startswith("subscribe_msg_"):
            kind, key = InboundKind.RESULT, event
        elif event in _FOLLOWS:
            kind = InboundKind.FOLLOW
        elif event == "unsubscribe":
            kind = InboundKind.UNFOLLOW
        elif event == "click":
            kind = InboundKind.MENU
    elif raw.get("MsgType") == "text":
        kind, text = InboundKind.TEXT, str(raw.get("Content") or "")
    sender, created = str(raw["FromUserName"]), int(raw["CreateTime"])
    act = f"event:{sender}:{created}:{event}:{raw.get('EventKey') or ''}"  # an event's id is 0
    number = str(raw.get("MsgId") or "")
    dedupe = f"m:{number}" if number and not event else "e:" + _short(act)
    return Inbound(
        account_id=account.id,
        platform="wechat",
        address=sender,
        kind=kind,
        at=datetime.fromtimestamp(created, UTC),
        dedupe=dedupe,
        text=text,
        key=key,
        raw=raw if kind is InboundKind.RESULT else {},
    )


def telegram_inbound(account: AccountView, body: bytes) -> Inbound:
    """An update as an Inbound. `address` is empty for what does not come from a private chat."""
    try:
        update = Update.de_json(json.loads(body), None)
        if not isinstance(update, Update):
            raise TypeError("not an update")
        chat = update.effective_chat
        address = str(chat.id) if chat is not None and chat.type == "private" else ""
        kind, text, key, callback = _telegram_act(update)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise Unreadable("更新 JSON 无法识别：请核对平台推送的格式") from error
    message = update.effective_message
    at = message.date if message is not None and callback == "" else now()
    return Inbound(
        account_id=account.id,
        platform="telegram",
        address=address,
        kind=kind,
        at=at,
        dedupe=f"u:{update.update_id}",
        text=text,
        key=key,
        callback_id=callback,
    )


def _telegram_act(update: Update) -> tuple[InboundKind, str, str, str]:
    """Kind, text, key, callback id."""
    if update.callback_query is not None:
        query = update.callback_query
        return InboundKind.BUTTON, "", query.data or "", query.id
    if update.my_chat_member is not None:
        left = update.my_chat_member.new_chat_member.status in ("kicked", "left")
        return (InboundKind.UNFOLLOW if left else InboundKind.OTHER), "", "", ""
    if update.message is not None and update.message.text:
        text = update.message.text
        start = text.split(maxsplit=1)[0].split("@")[0] == "/start"
        return (InboundKind.FOLLOW if start else InboundKind.TEXT), text, "", ""
    return InboundKind.OTHER, "", "", ""


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:48]


def _cipher_of(body: bytes) -> str:
    try:
        found = fromstring(body).findtext("Encrypt")
    except (ParseError, DefusedXmlException, ValueError) as error:
        raise Unreadable("回调 XML 无法识别：不是完整的 XML") from error
    if not found:
        raise Unreadable("回调 XML 缺少 Encrypt：请在公众平台选择安全模式")
    return str(found)


async def _body(request: web.Request) -> bytes:
    if (request.content_length or 0) > LARGEST_BODY:
        raise Unreadable(f"回调内容超过 {LARGEST_BODY // 1024} KB")
    body = await request.content.read(LARGEST_BODY + 1)
    while not request.content.at_eof() and len(body) <= LARGEST_BODY:
        body += await request.content.read(LARGEST_BODY + 1)
    if len(body) > LARGEST_BODY:
        raise Unreadable(f"回调内容超过 {LARGEST_BODY // 1024} KB")
    return body


def _crypto(account: AccountView) -> Any:
    secrets = account.secrets
    return WeChatCrypto(secrets["token"], secrets["aes_key"], secrets["appid"])


def _passive(account: AccountView, message: Any, text: str) -> web.Response:
    """The encrypted passive text answer."""
    reply = TextReply(message=message, content=guard_cdata(text)).render()
    nonce, stamp = new_id()[-10:], str(int(now().timestamp()))
    body = _crypto(account).encrypt_message(reply, nonce, stamp)
    return web.Response(text=body, content_type="application/xml")


def _forbidden(request: web.Request, forged: Forged) -> web.Response:
    _log.warning(
        "callback_refused",
        account=request.match_info["slug"],
        reason=str(forged),
        remote=request.remote,
    )
    return web.Response(status=403, text="forbidden")
