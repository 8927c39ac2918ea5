"""Telegram's wire to Inbound: the secret in the header, the update in the body."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from telegram import Chat, Message, Update

from bot.channel import Call, Heard
from bot.contract import AccountView, Forged, Inbound, InboundKind, Unreadable
from bot.fitting import fitting
from bot.readable import readable
from config.clock import now

ALLOWED_UPDATES = ("message", "edited_message", "callback_query", "my_chat_member")
"""All we ask for; of what comes beyond it (an older webhook) nothing is kept."""
MIGRATED = "migrated"
"""A group became a supergroup, which has another number (T3)."""
_MEDIA = {
    "picture": ("photo", "video", "animation", "video_note", "live_photo", "paid_media", "story"),
    "voice": ("voice", "audio"),
    "place": ("location", "venue"),
    "card": ("contact",),
    "file": ("document",),
    "other": ("sticker", "poll", "dice", "game", "checklist", "giveaway", "invoice"),
}
"""What people send. What is not named here the platform wrote itself (somebody pinned a message,
a timer was set), and a service message is answered with silence."""
_READ = frozenset({
    "message_id", "date", "edit_date", "chat", "from", "text", "caption", "media_group_id",
    "message_thread_id", "business_connection_id", "guest_query_id", "migrate_to_chat_id",
})  # fmt: skip
"""All that is read of a message. Of the rest only its name counts: a sticker or a poll in a form
that our library does not know must not make a citizen's message unreadable."""
_FAULTS = (
    *(ValueError, TypeError, KeyError, AttributeError, IndexError),
    *(OverflowError, OSError, RecursionError),
)


@dataclass(frozen=True)
class _Act:
    """What one update says; without a chat nobody spoke to us."""

    kind: InboundKind = InboundKind.OTHER
    chat: Chat | None = None
    text: str = ""
    key: str = ""
    at: datetime | None = None
    callback: str = ""
    message: Message | None = None
    edited: bool = False
    raw: Mapping[str, Any] = field(default_factory=dict)


async def hear(account: AccountView, call: Call) -> Heard:
    """One update, proved by the secret we gave when the webhook was set (T8)."""
    given = call.headers.get("X-Telegram-Bot-Api-Secret-Token", "")
    if not hmac.compare_digest(given.encode(), account.secrets["webhook_secret"].encode()):
        raise Forged("wrong secret")
    return Heard(telegram_inbound(account, await call.read()))


def telegram_inbound(account: AccountView, body: bytes) -> Inbound:
    """An update as an Inbound. `address` is empty for what does not come from a private chat."""
    try:
        data = json.loads(body)
        names = _lighter(data)
        update = Update.de_json(data, None)
        if not isinstance(update, Update):
            raise TypeError("not an update")
        return _inbound(account, update, _act(update, names))
    except _FAULTS as error:
        raise Unreadable("更新 JSON 无法识别：请核对平台推送的格式") from error


def _lighter(data: Any) -> frozenset[str]:
    """Leave in a message only what is read of it; the names of all that was in it."""
    names: frozenset[str] = frozenset()
    for kind in ("message", "edited_message"):
        message = data.get(kind)
        if isinstance(message, dict):
            names = frozenset(name for name, value in message.items() if value)
            data[kind] = {name: message[name] for name in _READ & message.keys()}
    return names


def _inbound(account: AccountView, update: Update, act: _Act) -> Inbound:
    # In groups and channels nobody asked us: an answer there would be read by all.
    private = act.chat is not None and act.chat.type == "private"
    address = str(act.chat.id) if private and act.chat is not None else ""
    message = act.message
    number = str(message.message_id) if message is not None else ""
    dedupe = f"u:{update.update_id}"  # an update is pushed again until it is answered (T10)
    if act.edited:  # the same words of the same message are one act, however often it was edited
        words = f"{address}:{number}:{act.text}"
        dedupe = "x:" + hashlib.sha256(words.encode()).hexdigest()[:48]
    return fitting(
        account_id=account.id,
        platform="telegram",
        address=address,
        kind=act.kind,
        at=act.at or now(),
        dedupe=dedupe,
        text=act.text,
        key=act.key,
        callback_id=act.callback,
        first_at=message.date if act.edited and message is not None else None,
        album=str((message.media_group_id if message is not None else "") or "")[:80],
        raw=act.raw,
        thread=str((message.message_thread_id if message is not None else "") or ""),
        position=update.update_id,
    )


def _act(update: Update, names: frozenset[str]) -> _Act:
    """Only what a person does in a chat with the bot itself.

    Posts of channels, messages to a business account and guest messages are other people's
    conversations: their update is none of these four.
    """
    if (query := update.callback_query) is not None:
        below = query.message
        foreign = getattr(below, "business_connection_id", None)
        return _Act(
            InboundKind.BUTTON,
            None if below is None or foreign or query.from_user.is_bot else below.chat,
            key=readable(query.data or ""),
            callback=query.id,
            message=below if isinstance(below, Message) else None,
        )
    if (member := update.my_chat_member) is not None:
        left = member.new_chat_member.status in ("kicked", "left")
        kind = InboundKind.UNFOLLOW if left else InboundKind.RETURN
        return _Act(kind, member.chat, at=member.date)
    edited = update.message is None
    message = update.edited_message if edited else update.message
    if message is not None and message.migrate_to_chat_id:
        moved = {"from": str(message.chat.id), "to": str(message.migrate_to_chat_id)}
        return _Act(InboundKind.NOTICE, key=MIGRATED, at=message.date, raw=moved)
    if message is None or message.business_connection_id or message.guest_query_id:
        return _Act()
    if message.from_user is not None and message.from_user.is_bot:
        return _Act()
    kind, text, key = _said(message, names)
    if edited and kind is not InboundKind.TEXT:  # a live location moves, a poll counts
        return _Act()
    # Only of people: a service message asks nothing.
    chat = None if kind is InboundKind.OTHER else message.chat
    at = (message.edit_date if edited else None) or message.date
    return _Act(kind, chat, text, key, at, message=message, edited=edited)


def _said(message: Message, sent: frozenset[str]) -> tuple[InboundKind, str, str]:
    """Kind, words, and what it is when it has none."""
    words = readable(message.text or message.caption or "")
    if words.strip():
        first = words.split(maxsplit=1)[0].split("@")[0]
        start = message.text is not None and first == "/start"
        return (InboundKind.FOLLOW if start else InboundKind.TEXT), words, ""
    # A GIF is a document as well, a venue a location: what people see is asked first.
    for kind, names in _MEDIA.items():
        if not sent.isdisjoint(names):
            return InboundKind.MEDIA, "", kind
    # Blanks, or nothing but half a sign: there was something to read, and no word in it.
    if message.text:
        return InboundKind.MEDIA, "", "other"
    return InboundKind.OTHER, "", ""
