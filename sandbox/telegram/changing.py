"""Messages edited and deleted, presses answered."""

from typing import Any

from sandbox.state import JSON, Citizen
from sandbox.telegram.bot import Call, bad
from sandbox.telegram.sending import caption_of, chat_of
from sandbox.telegram.text import MAX_TEXT, checked_markup, formatted, utf16

DELETE_WINDOW = 48 * 3600
MOST_DELETED = 100


def _own(call: Call, what: str) -> tuple[Citizen, JSON]:
    chat = chat_of(call)
    found = call.bot.messages.get(call.integer("message_id"))
    # Numbers are unique for a bot here, but the caller must name the chat rightly all the same.
    if found is None or found[0] is not chat:
        raise bad(f"message to {what} not found")
    return found


def _edited(call: Call, message: JSON, changes: JSON) -> Any:
    # An edit that changes nothing is an error on the platform; callers must take it for done.
    if all(message.get(name) == value for name, value in changes.items()):
        raise bad(
            "message is not modified: specified new message content and reply markup are exactly "
            "the same as a current content and reply markup of the message"
        )
    for name, value in changes.items():
        if value is None:
            message.pop(name, None)
        else:
            message[name] = value
    message["edit_date"] = int(call.state.clock.now())
    return message


def edit_message_text(call: Call) -> Any:
    """editMessageText: replaces text, entities and buttons of an own message."""
    text, entities = formatted(call, "text", "entities")
    if not text.strip():
        raise bad("message text is empty")
    if utf16(text) > MAX_TEXT:
        raise bad("MESSAGE_TOO_LONG")
    markup = checked_markup(call)
    _, message = _own(call, "edit")
    # A photo has a caption and no text: the platform wants the other method for it.
    if "text" not in message:
        raise bad("there is no text in the message to edit")
    changes = {"text": text, "entities": entities or None, "reply_markup": markup}
    return _edited(call, message, changes)


def edit_message_caption(call: Call) -> Any:
    """editMessageCaption: replaces the caption of an own photo, animation or file."""
    caption, entities = caption_of(call)
    markup = checked_markup(call)
    _, message = _own(call, "edit")
    if not message.keys() & {"photo", "animation", "document"}:
        raise bad("there is no caption in the message to edit")
    changes = {
        "caption": caption or None,
        "caption_entities": entities or None,
        "reply_markup": markup,
    }
    return _edited(call, message, changes)


def edit_message_reply_markup(call: Call) -> Any:
    """editMessageReplyMarkup: replaces the buttons only."""
    markup = checked_markup(call)
    _, message = _own(call, "edit")
    return _edited(call, message, {"reply_markup": markup})


def delete_message(call: Call) -> Any:
    """deleteMessage: only within 48 hours of sending."""
    chat, message = _own(call, "delete")
    # Own messages can be deleted for 48 hours; later only edited (T11).
    if call.state.clock.now() - message["date"] >= DELETE_WINDOW:
        call.bot.notice(call.state.clock.now(), "超过 48 小时，不能删除", chat.id)
        raise bad("message can't be deleted for everyone")
    chat.received.remove(message)
    del call.bot.messages[message["message_id"]]
    return True


def delete_messages(call: Call) -> Any:
    """deleteMessages: 1 to 100; unknown numbers are passed over, one too old refuses all."""
    chat, numbers = chat_of(call), call.nested("message_ids")
    if not isinstance(numbers, list) or not 1 <= len(numbers) <= MOST_DELETED:
        raise bad("message identifiers are not specified or too many")
    own = [call.bot.messages[one] for one in numbers if one in call.bot.messages]
    mine = [message for where, message in own if where is chat]
    at = call.state.clock.now()
    if any(at - message["date"] >= DELETE_WINDOW for message in mine):
        call.bot.notice(at, "超过 48 小时，不能删除", chat.id)
        raise bad("message can't be deleted for everyone")
    for message in mine:
        chat.received.remove(message)
        del call.bot.messages[message["message_id"]]
    return True


def answer_callback_query(call: Call) -> Any:
    """answerCallbackQuery: at most 200 characters, one answer a press."""
    key = str(call.params.get("callback_query_id") or "")
    press = call.bot.callbacks.get(key)
    # The platform forgets a press after about a quarter of an hour.
    if press is None or call.state.clock.now() - press["at"] > 900:
        raise bad("query is too old and response timeout expired or query ID is invalid")
    text = str(call.params.get("text") or "")
    # 200 characters in the answer to a press (T5).
    if len(text) > 200:
        raise bad("MESSAGE_TOO_LONG")
    press["answer"] = text
    return True
