"""Who the bot is, which chats it knows, which commands it names."""

import re
from typing import Any

from sandbox.telegram.bot import Call, bad, user_object
from sandbox.telegram.sending import chat_object, chat_of


def get_me(call: Call) -> Any:
    """getMe: who this token is."""
    return user_object(call.bot) | {
        "can_join_groups": True,
        "can_read_all_group_messages": False,
        "supports_inline_queries": False,
    }


def get_chat(call: Call) -> Any:
    """getChat: one chat by id or @username."""
    chat = chat_of(call)
    return chat_object(chat) | {"accent_color_id": 0, "max_reaction_count": 11}


def set_my_commands(call: Call) -> Any:
    """setMyCommands: at most 100, names of 32 and descriptions of 256 characters."""
    commands = call.nested("commands") or []
    # 100 commands, names of 32, descriptions of 256 characters (T13).
    if len(commands) > 100:
        raise bad("BOT_COMMANDS_TOO_MUCH")
    for command in commands:
        # Lower-case Latin only: a Chinese command cannot be registered, only typed.
        if not re.fullmatch(r"[a-z0-9_]{1,32}", str(command.get("command", "")).lstrip("/")):
            raise bad("BOT_COMMAND_INVALID")
        if not 1 <= len(str(command.get("description", ""))) <= 256:
            raise bad("BOT_COMMAND_DESCRIPTION_INVALID")
    call.bot.commands = commands
    return True


def get_my_commands(call: Call) -> Any:
    """getMyCommands: the list set before."""
    return call.bot.commands
