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


def get_chat_member(call: Call) -> Any:
    """getChatMember: what the bot may do in a chat; of others only that they are there."""
    chat = chat_of(call)
    wanted = call.integer("user_id")
    if wanted != int(call.bot.id):
        if str(wanted) not in call.bot.citizens:
            raise bad("PARTICIPANT_ID_INVALID")
        person = call.bot.citizens[str(wanted)]
        user = {"id": wanted, "is_bot": False, "first_name": person.name}
        return {"user": user, "status": "member"}
    # In a channel a bot is an administrator or it is not there at all.
    if chat.kind != "channel":
        return {"user": user_object(call.bot), "status": "member"}
    rights = ("can_be_edited", "is_anonymous", "can_manage_chat", "can_delete_messages",
              "can_manage_video_chats", "can_restrict_members", "can_promote_members",
              "can_change_info", "can_invite_users", "can_post_stories", "can_edit_stories",
              "can_delete_stories", "can_edit_messages")  # fmt: skip
    return {
        "user": user_object(call.bot),
        "status": "administrator",
        **dict.fromkeys(rights, False),
        "can_post_messages": chat.posting,
    }


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
