"""WeChat's wire to Inbound: signature, freshness, cipher, message; and the passive answer."""

import hashlib
import hmac
import struct
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from xml.parsers.expat import ExpatError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring
from wechatpy import parse_message
from wechatpy.crypto import WeChatCrypto
from wechatpy.exceptions import WeChatException
from wechatpy.replies import TextReply

from bot.contract import (
    AccountView,
    Call,
    Forged,
    Heard,
    Inbound,
    InboundKind,
    Opens,
    Unreadable,
)
from bot.wechat.rendering import guard_cdata
from config.clock import now
from storage.cache import Cache
from storage.database import new_id

REPLAY_SECONDS = 300  # wechatpy looks at no timestamp: the replay window is ours (W6)
SUCCESS = "success"  # "nothing to say now" (W3); an empty or other body shows citizens an error
_FOLLOWS = {"subscribe", "subscribe_scan"}
_BRIEF = {
    *("click", "scancode_push", "scancode_waitmsg"),  # of the menu only what gives no page
    *("subscribe", "subscribe_scan", "scan"),
}
_RESULTS = {"publishjobfinish", "masssendjobfinish", "templatesendjobfinish"}


async def prove(account: AccountView, call: Call, cache: Cache) -> str:
    """The text to give back to the platform's GET; Forged otherwise."""
    await _prove(account, call.query, "", cache)
    return call.query.get("echostr", "")


async def hear(account: AccountView, call: Call, cache: Cache) -> Heard:
    """One message or event; `cache` remembers every signature for as long as it is fresh."""
    query = call.query
    if query.get("encrypt_type") != "aes":  # plain mode proves nothing of the body (W5)
        raise Forged("not encrypted")
    cipher = _cipher_of(await call.read())
    await _prove(account, query, cipher, cache)
    try:
        plain = _crypto(account).decrypt_message(
            {"Encrypt": cipher}, query["msg_signature"], query["timestamp"], query["nonce"]
        )
    except (WeChatException, ValueError, struct.error, IndexError, AssertionError) as error:
        raise Forged("cannot be decrypted") from error
    try:
        message = parse_message(plain)
        inbound = wechat_inbound(account, message)
    except (ExpatError, KeyError, ValueError, TypeError, AttributeError) as error:
        raise Unreadable("消息 XML 无法识别：请核对平台推送的格式") from error
    return Heard(inbound, lambda text: _passive(account, message, text))


async def _prove(account: AccountView, query: Mapping[str, str], cipher: str, cache: Cache) -> None:
    """Signature, freshness, and once only (W6); Forged otherwise. The GET carries no cipher."""
    signature = query.get("msg_signature" if cipher else "signature", "")
    stamp, nonce = query.get("timestamp", ""), query.get("nonce", "")
    parts = sorted([account.secrets["token"], stamp, nonce, *([cipher] if cipher else [])])
    expected = hashlib.sha1("".join(parts).encode(), usedforsecurity=False).hexdigest()
    if not hmac.compare_digest(expected.encode(), signature.encode()):
        raise Forged("wrong signature")
    if not stamp.isdigit() or abs(now().timestamp() - int(stamp)) > REPLAY_SECONDS:
        raise Forged("stale timestamp")
    if not await cache.add_once(f"nonce:{account.id}:{expected}", 2 * REPLAY_SECONDS):
        raise Forged("repeated nonce")


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
    # An event's id is 0 in wechatpy: sender, second and event tell one from the next (W2).
    act = f"event:{sender}:{created}:{event}:{raw.get('EventKey') or ''}"
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
        opens=_opens(event),
        position=created,
        place=int(number) if number.isdigit() and not event else 0,
    )


def _opens(event: str) -> Opens:
    """48 hours after a message, a minute after some events, and nothing after the others (W7)."""
    if not event:
        return Opens.MESSAGE
    return Opens.ACT if event in _BRIEF else Opens.NOTHING


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


def _crypto(account: AccountView) -> Any:
    secrets = account.secrets
    return WeChatCrypto(secrets["token"], secrets["aes_key"], secrets["appid"])


def _passive(account: AccountView, message: Any, text: str) -> str:
    """The encrypted passive text answer, as XML."""
    reply = TextReply(message=message, content=guard_cdata(text)).render()
    nonce, stamp = new_id()[-10:], str(int(now().timestamp()))
    return str(_crypto(account).encrypt_message(reply, nonce, stamp))
