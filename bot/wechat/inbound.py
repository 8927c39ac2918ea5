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

from bot.channel import Call, Heard
from bot.contract import AccountView, Forged, Inbound, InboundKind, Unreadable
from bot.fitting import fitting
from bot.opens import Opens
from bot.readable import readable
from bot.scenes import topic_in
from bot.wechat.notices import NOTICES
from bot.wechat.rendering import guard_cdata
from config.clock import now
from storage.cache import Cache
from storage.database import new_id

REPLAY_SECONDS = 300  # wechatpy looks at no timestamp: the replay window is ours (W6)
SUCCESS = "success"  # "nothing to say now" (W3); an empty or other body shows citizens an error
_FOLLOWS = {"subscribe", "subscribe_scan"}
_SCANS = {"scan", "scancode_push", "scancode_waitmsg"}
_BRIEF = _FOLLOWS | _SCANS | {"click"}  # of the menu only what opens no page
_RESULTS = {"publishjobfinish", "masssendjobfinish", "templatesendjobfinish"}
_ERASES = {"user_authorization_revoke", "user_authorization_cancellation"}
_MEDIA = {
    "image": "picture",
    "video": "picture",
    "shortvideo": "picture",
    "voice": "voice",
    "location": "place",
    "file": "file",
}
_NOT_SHOWN = "【收到不支持的消息类型，暂无法显示】"
"""What the platform hands over as the text of a message it has no form for (a sticker)."""


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
        plain = crypto_of(account).decrypt_message(
            {"Encrypt": cipher}, query["msg_signature"], query["timestamp"], query["nonce"]
        )
    except (WeChatException, ValueError, struct.error, IndexError, AssertionError) as error:
        raise Forged("cannot be decrypted") from error
    try:
        message = parse_message(plain)
        inbound = wechat_inbound(account, message)
    except (ExpatError, KeyError, ValueError, TypeError, AttributeError, OverflowError) as error:
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
    event = _words(raw, "Event").lower()
    kind, text, key = _happened(event, raw) if event else _said(raw)
    sender, created = _words(raw, "FromUserName"), int(raw["CreateTime"])
    if not sender:
        raise ValueError("nobody sent it")
    if kind is InboundKind.ERASE:  # the platform may speak for itself, and names the person apart
        sender = _words(raw, "OpenID") or sender
    # An event's id is 0 in wechatpy: sender, second and event tell one from the next (W2).
    act = f"event:{sender}:{created}:{event}:{_words(raw, 'EventKey')}"
    number = _words(raw, "MsgId")
    dedupe = f"m:{number[:60]}" if number and not event else "e:" + _short(act)
    return fitting(
        account_id=account.id,
        platform="wechat",
        address=sender,
        kind=kind,
        at=datetime.fromtimestamp(created, UTC),
        dedupe=dedupe,
        text=text,
        key=key,
        raw=raw if kind in (InboundKind.RESULT, InboundKind.NOTICE) else {},
        opens=_opens(event),
        position=created,
        place=int(number) if number.isdigit() and not event else 0,
    )


def _opens(event: str) -> Opens:
    """48 hours after a message, a minute after some events, and nothing after the others (W7)."""
    if not event:
        return Opens.MESSAGE
    return Opens.ACT if event in _BRIEF else Opens.NOTHING


def _happened(event: str, raw: Mapping[str, Any]) -> tuple[InboundKind, str, str]:
    """Kind, words and key of an event."""
    key = readable(_words(raw, "EventKey"))
    if event in _RESULTS or event.startswith("subscribe_msg_"):
        return InboundKind.RESULT, "", event
    if event in NOTICES:
        return InboundKind.NOTICE, "", event
    if event in _ERASES:
        return InboundKind.ERASE, "", ""
    if event in _FOLLOWS:
        return InboundKind.FOLLOW, "", key
    if event == "scan" and topic_in(key):  # a poster: they follow already, and want this topic
        return InboundKind.MENU, "", key
    if event in _SCANS:  # they are there, and may be written to for a minute
        return InboundKind.RETURN, "", ""
    if event == "unsubscribe":
        return InboundKind.UNFOLLOW, "", key
    return (InboundKind.MENU if event == "click" else InboundKind.OTHER), "", key


def _said(raw: Mapping[str, Any]) -> tuple[InboundKind, str, str]:
    """Kind, words, and what a message is that has none."""
    form = _words(raw, "MsgType")
    text = ""
    if form == "text":
        text = readable(_words(raw, "Content"))
    elif form == "voice":  # the platform writes down what it heard, where that is switched on
        text = readable(_words(raw, "Recognition"))
    if text.strip() and text.strip() != _NOT_SHOWN:
        return InboundKind.TEXT, text, ""
    return InboundKind.MEDIA, "", _MEDIA.get(form, "other")


def _words(raw: Mapping[str, Any], name: str) -> str:
    """A field that is a text; one that stands twice, or has parts of its own, is no message's."""
    found = raw.get(name) or ""
    if not isinstance(found, str | int):
        raise TypeError(name)
    return str(found)


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


def crypto_of(account: AccountView) -> Any:
    """wechatpy's cipher with the secrets of an account."""
    secrets = account.secrets
    return WeChatCrypto(secrets["token"], secrets["aes_key"], secrets["appid"])


def _passive(account: AccountView, message: Any, text: str) -> str:
    """The encrypted passive text answer, as XML."""
    reply = TextReply(message=message, content=guard_cdata(text)).render()
    nonce, stamp = new_id()[-10:], str(int(now().timestamp()))
    return str(crypto_of(account).encrypt_message(reply, nonce, stamp))
