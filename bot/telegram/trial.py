"""Trying a Telegram account: the bot, its channel and rights there, webhook, commands."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

from telegram import Bot, ChatMemberAdministrator
from telegram.error import InvalidToken, TelegramError

from bot.channel import Menu
from bot.contract import AccountView
from bot.telegram.errors import what_of
from bot.trial import Look, fine, look_at_callback, wrong
from config.clock import now

CHANNEL = "channel"
NOBODY = "0"
"""No chat has this number."""
_SECRET = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105  the name of a header
_AGAIN = "请运行 shenfa account menu，重新登记"


async def looks(account: AccountView, callback: str, menu: Menu, bot: Bot) -> AsyncIterator[Look]:
    """Each part of the account; those behind the token only when it holds."""
    try:
        me = await bot.get_me()
    except InvalidToken:
        words = (
            "平台不认这个 token：请向 @BotFather 发 /token 核对，再用 shenfa account secrets 更换"
        )
        yield wrong("凭证", words)
    except TelegramError as error:
        words = f"{what_of(error)}：请核对 api_base，以及本服务器能否访问 Telegram"
        yield wrong("凭证", words)
    else:
        yield fine("凭证", f"机器人 @{me.username} 可用")
        yield await _rights(bot, me.id, account.secrets["chat"])
        yield await _webhook(bot, callback)
        yield await _commands(bot, menu)
    yield await _callback(account, callback)


async def _rights(bot: Bot, me: int, chat: str) -> Look:
    """Whether the bot may publish where the account publishes."""
    try:
        place = await bot.get_chat(chat)
        member = await bot.get_chat_member(chat, me)
    except TelegramError as error:
        words = f"{chat}：{what_of(error)}。请核对 chat，并把机器人加为频道管理员"
        return wrong("权限：发布", words)
    if place.type != CHANNEL and member.status not in ("left", "kicked"):
        return fine("权限：发布", f"机器人在群 {place.title} 里")
    if isinstance(member, ChatMemberAdministrator) and member.can_post_messages:
        return fine("权限：发布", f"机器人是频道 {place.title} 的管理员，可以发消息")
    words = f"机器人在 {place.title or chat} 不能发消息：请在频道里把它加为管理员，打开“发布消息”"
    return wrong("权限：发布", words)


async def _webhook(bot: Bot, callback: str) -> Look:
    try:
        info = await bot.get_webhook_info()
    except TelegramError as error:
        return wrong("webhook", f"{what_of(error)}：稍后再试")
    if info.url != callback:
        at = info.url or "没有登记"
        return wrong("webhook", f"平台登记的是 {at}，应为 {callback}：{_AGAIN}")
    if info.last_error_message:
        words = (
            f"平台上次送来时出错（{info.last_error_message}），积压 {info.pending_update_count} 条"
        )
        return wrong("webhook", f"{words}：请核对证书、端口（443、80、88、8443）和防火墙")
    return fine("webhook", f"平台登记的就是本系统，积压 {info.pending_update_count} 条")


async def _commands(bot: Bot, menu: Menu) -> Look:
    try:
        stands = [one.command for one in await bot.get_my_commands()]
    except TelegramError as error:
        return wrong("菜单", f"{what_of(error)}：稍后再试")
    if stands == [name for name, _ in menu.commands]:
        return fine("菜单", f"{len(stands)} 条命令，与本系统一致")
    return wrong("菜单", f"机器人的命令不是本系统的：{_AGAIN}")


def press(account: AccountView, key: str) -> Mapping[str, Any]:
    """A pressed button, with the secret the platform sends."""
    nobody = {"id": int(NOBODY), "is_bot": False, "first_name": "shenfa"}
    chat = {"id": int(NOBODY), "type": "private"}
    below = {"message_id": 1, "date": int(now().timestamp()), "chat": chat, "text": "menu"}
    query = {"id": "0", "from": nobody, "chat_instance": "0", "message": below, "data": key}
    update = {"update_id": 0, "callback_query": query}
    return {"headers": {_SECRET: account.secrets["webhook_secret"]}, "json": update}


async def _callback(account: AccountView, callback: str) -> Look:
    """An update in which nobody says anything, with the secret the platform sends (T8)."""
    call = {"headers": {_SECRET: account.secrets["webhook_secret"]}, "json": {"update_id": 0}}
    return await look_at_callback("POST", callback, "ok", call)
