"""Telegram's wire to Inbound: the secret in the header, the update in the body."""

import hmac
import json

from telegram import Update

from bot.contract import AccountView, Call, Forged, Heard, Inbound, InboundKind, Unreadable
from config.clock import now


async def hear(account: AccountView, call: Call) -> Heard:
    """One update, proved by the secret we gave when the webhook was set (T8)."""
    given = call.headers.get("X-Telegram-Bot-Api-Secret-Token", "")
    if not hmac.compare_digest(given.encode(), account.secrets["webhook_secret"].encode()):
        raise Forged("wrong secret")
    return Heard(telegram_inbound(account, await call.read()))


def telegram_inbound(account: AccountView, body: bytes) -> Inbound:
    """An update as an Inbound. `address` is empty for what does not come from a private chat."""
    try:
        update = Update.de_json(json.loads(body), None)
        if not isinstance(update, Update):
            raise TypeError("not an update")
        chat = update.effective_chat
        # In groups and channels nobody asked us: an answer there would be read by all.
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
        dedupe=f"u:{update.update_id}",  # an update is pushed again until it is answered (T10)
        text=text,
        key=key,
        callback_id=callback,
        position=update.update_id,
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
