"""What citizens do: type, press, start and block; bots and citizens made by control."""

from typing import Any

from sandbox.state import JSON, Citizen, State
from sandbox.telegram.bot import Bot, user_object
from sandbox.telegram.sending import chat_object
from sandbox.telegram.updates import emit


def citizen_object(citizen: Citizen) -> JSON:
    """Return a citizen as a user object."""
    found: JSON = {
        "id": abs(int(citizen.id)),
        "is_bot": False,
        "first_name": citizen.name,
        "language_code": "zh-hans",
    }
    if citizen.username:
        found["username"] = citizen.username
    return found


def _message(state: State, bot: Bot, citizen: Citizen) -> JSON:
    return {
        "message_id": next(bot.numbers),
        "from": citizen_object(citizen),
        "chat": chat_object(citizen),
        "date": int(state.clock.now()),
    }


async def send(state: State, bot: Bot, citizen: Citizen | None, given: JSON) -> JSON:
    """Anything but a typed text: `fields` of a message under `as`, or a whole `update`.

    An edited one names the `message_id` of what it changes among its fields.
    """
    times = int(given.get("times", 1))
    if citizen is None:
        return await emit(state, bot, dict(given["update"]), times)
    kind = str(given.get("as") or "message")
    message = _message(state, bot, citizen) | dict(given.get("fields") or {})
    if kind.startswith("edited_"):
        message.setdefault("edit_date", int(state.clock.now()))
    if thread := message.get("message_thread_id"):
        citizen.topics.add(int(thread))
        message["is_topic_message"] = True
    citizen.said.append(message)
    return await emit(state, bot, {kind: message}, times) | {"message_id": message["message_id"]}


async def upgrade(state: State, bot: Bot, group: Citizen) -> JSON:
    """A group becomes a supergroup: another number, and a service message on either side."""
    moved = Citizen(str(-1_002_000_000_000 - next(bot.numbers)), group.name, since=group.since)
    moved.kind, moved.username = "supergroup", group.username
    bot.citizens[moved.id], group.moved_to = moved, moved.id
    for chat, name, other in (
        (group, "migrate_to_chat_id", moved),
        (moved, "migrate_from_chat_id", group),
    ):
        message = _message(state, bot, chat) | {name: int(other.id)}
        await emit(state, bot, {"message": message})
    return {"chat": moved.id}


async def say(state: State, bot: Bot, citizen: Citizen, text: str) -> JSON:
    """A citizen types a text; returns what the webhook answered."""
    message = _message(state, bot, citizen) | {"text": text}
    # The platform marks a command itself; a bot that looks for the entity must find it.
    if text.startswith("/"):
        word = text.split(maxsplit=1)[0]
        message["entities"] = [{"type": "bot_command", "offset": 0, "length": len(word)}]
    citizen.said.append(message)
    kind = "channel_post" if citizen.kind == "channel" else "message"
    return await emit(state, bot, {kind: message})


async def press(state: State, bot: Bot, citizen: Citizen, tap: JSON) -> JSON:
    """A citizen presses an inline button: `data`, with `message_id` or on the newest message."""
    data = str(tap["data"])
    message = next(
        (m for m in reversed(citizen.received) if _has_button(m, data, tap.get("message_id"))),
        None,
    )
    if message is None:
        return {"error": "这个会话里没有带该按钮的消息"}
    # Callback ids are long numbers sent as text: no client may read them as 32-bit integers.
    key = str(10**15 + next(bot.numbers))
    bot.callbacks[key] = {"at": state.clock.now(), "answer": None}
    query = {
        "id": key,
        "from": citizen_object(citizen),
        "chat_instance": citizen.id,
        "message": message,
        "data": data,
    }
    answer = await emit(state, bot, {"callback_query": query})
    # A press unanswered leaves the phone's button spinning, so a test can see what was answered.
    return answer | {"callback_answer": bot.callbacks[key]["answer"]}


def _has_button(message: JSON, data: str, number: Any) -> bool:
    if number is not None and message["message_id"] != int(number):
        return False
    rows = (message.get("reply_markup") or {}).get("inline_keyboard") or []
    return any(button.get("callback_data") == data for row in rows for button in row)


async def event(
    state: State, bot: Bot, citizen: Citizen, name: str, given: JSON | None = None
) -> JSON:
    """start, follow, block, unfollow or unblock, with the update the platform sends."""
    if name in ("start", "follow"):
        # /start is what makes a bot able to write at all (T12).
        citizen.following, citizen.blocked = True, False
        return await say(state, bot, citizen, "/start")
    blocked = name in ("block", "unfollow")
    was = "kicked" if citizen.blocked else "member"
    citizen.blocked = blocked
    change = {
        "chat": chat_object(citizen),
        "from": citizen_object(citizen),
        "date": int(state.clock.now()),
        "old_chat_member": _member(bot, was),
        "new_chat_member": _member(bot, "kicked" if blocked else "member"),
    }
    return await emit(state, bot, {"my_chat_member": change})


def _member(bot: Bot, status: str) -> JSON:
    member: JSON = {"user": user_object(bot), "status": status}
    if status == "kicked":
        member["until_date"] = 0
    return member


def register(state: State, given: JSON) -> Bot:
    """Make or change a bot from control's JSON: token, name, username, callback_url, secret."""
    token = str(given["token"])
    number = token.partition(":")[0]
    if not number.isdigit():
        raise ValueError("token")
    known = state.accounts.get(number)
    bot = known if isinstance(known, Bot) else Bot("telegram", number, f"bot{number}")
    # A bot registered again with a new token: the old one must stop working.
    state.by_token.pop(bot.token, None)
    bot.token = token
    bot.name = str(given.get("name") or bot.name)
    bot.username = str(given.get("username") or f"sandbox_{number}_bot")
    bot.webhook = str(given.get("callback_url") or bot.webhook)
    bot.secret = str(given.get("secret") or bot.secret)
    state.accounts[number] = state.by_token[token] = bot
    return bot


def citizen_id(bot: Bot, number: int, given: JSON) -> str:
    """Return the id of a bot's next citizen; groups and channels have negative ones."""
    if given.get("id"):
        return str(given["id"])
    if given.get("kind", "private") != "private":
        # Groups and channels have negative numbers with this beginning; code that takes ids for
        # positive breaks here.
        return str(-1_001_000_000_000 - number)
    return str(700_000_000 + number)


def card(bot: Bot) -> JSON:
    """Return what control adds to the card of a bot."""
    return {"username": bot.username, "commands": bot.commands, "pending": len(bot.pending)}
