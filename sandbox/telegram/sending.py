"""Messages into a chat, at the pace the platform allows."""

import hashlib
import io
from collections.abc import Callable
from typing import Any

from PIL import Image

from sandbox.state import JSON, Citizen
from sandbox.telegram.bot import Call, TelegramError, bad, user_object
from sandbox.telegram.text import MAX_CAPTION, MAX_TEXT, checked_markup, formatted, utf16


def chat_of(call: Call) -> Citizen:
    """Return the addressed chat, or refuse as the platform does."""
    wanted = str(call.params.get("chat_id", ""))
    if not wanted:
        raise bad("chat_id is empty")
    citizen = call.bot.citizens.get(wanted)
    if citizen is None and wanted.startswith("@"):
        name = wanted[1:].lower()
        found = call.bot.citizens.values()
        citizen = next((c for c in found if c.username.lower() == name), None)
    if citizen is None:
        raise bad("chat not found")
    # An upgraded group is gone under its old number, and the refusal names the new one (T3).
    if citizen.moved_to:
        words = "Bad Request: group chat was upgraded to a supergroup chat"
        raise TelegramError(400, words, migrated=int(citizen.moved_to))
    # The person has blocked the bot, or it was removed from the group (T12).
    if citizen.blocked:
        if citizen.kind != "private":
            raise TelegramError(403, f"Forbidden: bot was kicked from the {citizen.kind} chat")
        raise TelegramError(403, "Forbidden: bot was blocked by the user")
    # A bot cannot write first (T12).
    if not citizen.following:
        raise TelegramError(403, "Forbidden: bot can't initiate conversation with a user")
    return citizen


def pace(call: Call, chat: Citizen) -> None:
    """Hold the platform's three rates over sliding windows of its own clock."""
    # Only an administrator with the right to post writes into a channel.
    if chat.kind == "channel" and not chat.posting:
        raise bad("need administrator rights in the channel chat")
    thread = call.integer("message_thread_id")
    # A topic that was never there, or was deleted: nothing is sent beside it.
    if thread and thread not in chat.topics:
        raise bad("message thread not found")
    limits = call.state.limits
    if not limits.telegram:
        return
    at = call.state.clock.now()
    recent, mine = call.bot.recent, chat.recent_sends
    # Sliding windows and not full seconds: two bursts around a full second would pass otherwise.
    while recent and recent[0] <= at - 1:
        recent.popleft()
    wait = 0.0
    reason = ""
    if len(recent) >= limits.per_bot:
        wait, reason = recent[0] + 1 - at, f"每秒 {limits.per_bot} 条"
    if chat.kind == "private":
        # One message a second to a person, 20 a minute to a group or channel (T1).
        if sum(1 for sent in mine if sent > at - 1) >= limits.per_chat:
            wait, reason = max(wait, mine[-1] + 1 - at), "同一会话每秒 1 条"
    else:
        within = [sent for sent in mine if sent > at - 60]
        if len(within) >= limits.per_group:
            wait, reason = max(wait, within[0] + 60 - at), f"群组每分钟 {limits.per_group} 条"
    if wait > 0:
        # Rounded up: who comes back earlier would be refused again (T3).
        seconds = int(wait) + 1
        call.bot.notice(at, f"429，超过{reason}，{seconds} 秒后重试", chat.id)
        raise TelegramError(429, f"Too Many Requests: retry after {seconds}", seconds)
    # Counted only when let through: a refused call costs nothing.
    recent.append(at)
    mine.append(at)


def chat_object(chat: Citizen) -> JSON:
    """Return a chat as the platform describes it."""
    found: JSON = {"id": int(chat.id), "type": chat.kind}
    found["first_name" if chat.kind == "private" else "title"] = chat.name
    if chat.username:
        found["username"] = chat.username
    return found


def put(call: Call, chat: Citizen, content: JSON) -> JSON:
    """Place a bot's message in a chat and return the message object."""
    number = next(call.bot.numbers)
    message: JSON = {
        "message_id": number,
        "date": int(call.state.clock.now()),
        "chat": chat_object(chat),
        **content,
    }
    if thread := call.integer("message_thread_id"):
        message |= {"message_thread_id": thread, "is_topic_message": True}
    # What stands in a channel is signed by the channel and by no person.
    if chat.kind == "channel":
        message["sender_chat"] = message["chat"]
    else:
        message["from"] = user_object(call.bot)
    chat.received.append(message)
    call.bot.messages[number] = (chat, message)
    return message


def send_message(call: Call) -> Any:
    """sendMessage: at most 4096 characters after entity parsing."""
    text, entities = formatted(call, "text", "entities")
    # Checks before the chat and the pace: a bad request is refused even when the bot is too fast.
    if not text.strip():
        raise bad("message text is empty")
    if utf16(text) > MAX_TEXT:
        raise bad("message is too long")
    markup = checked_markup(call)
    chat = chat_of(call)
    answered = _answered(call, chat)
    pace(call, chat)
    return put(call, chat, with_options({"text": text} | answered, entities, markup, "entities"))


def _answered(call: Call, chat: Citizen) -> JSON:
    """What the message answers; refused when that is not there any more."""
    wanted = call.nested("reply_parameters")
    if not wanted:
        return {}
    found = call.bot.messages.get(int(wanted.get("message_id") or 0))
    if found is None or found[0] is not chat:
        raise bad("message to be replied not found")
    return {"reply_to_message": {name: found[1][name] for name in ("message_id", "date", "chat")}}


def with_options(content: JSON, entities: list[JSON], markup: JSON | None, name: str) -> JSON:
    if entities:
        content[name] = entities
    if markup:
        content["reply_markup"] = markup
    return content


_FILE = ("file_id", "file_unique_id", "file_size", "file_name", "mime_type")


def _kept(call: Call, reference: str, most: int) -> str:
    """The file id of an upload, or of a file the platform has or can fetch."""
    upload = call.files.get(reference.removeprefix("attach://"))
    if upload is not None:
        if len(upload.data) > most:
            raise bad("file is too big")
        if not upload.data:
            raise bad("file must be non-empty")
        # The same bytes give the same file id, so that a repeated upload can be told.
        key = "AgACAgUAAx" + hashlib.sha256(upload.data).hexdigest()[:40]
        call.state.keep_media(key, upload.content_type, upload.data)
        return key
    if reference in call.state.media or reference.startswith(("http://", "https://")):
        return reference
    raise bad("wrong file identifier/HTTP URL specified")


def _file(call: Call, key: str) -> JSON:
    size = len(call.state.media[key][1]) if key in call.state.media else 0
    return {"file_id": key, "file_unique_id": key[-16:], "file_size": size}


def _size(call: Call, key: str) -> tuple[int, int]:
    if key not in call.state.media:
        return 800, 600  # of what the platform fetches itself, nothing is known here
    try:
        with Image.open(io.BytesIO(call.state.media[key][1])) as picture:
            return picture.size
    except OSError as error:
        raise bad("IMAGE_PROCESS_FAILED") from error


def _photo(call: Call, reference: str) -> list[JSON]:
    # A picture holds 10 MB, its sides 10,000 together, one at most 20 times the other (T7).
    key = _kept(call, reference, 10 * 1024 * 1024)
    width, height = _size(call, key)
    if width + height > 10_000 or max(width, height) > 20 * min(width, height):
        raise bad("PHOTO_INVALID_DIMENSIONS")
    return [{**_file(call, key), "width": width, "height": height}]


def caption_of(call: Call) -> tuple[str, list[JSON]]:
    caption, entities = formatted(call, "caption", "caption_entities")
    if utf16(caption) > MAX_CAPTION:
        raise bad("message caption is too long")
    return caption, entities


def send_photo(call: Call) -> Any:
    """sendPhoto: caption of at most 1024 characters, file of at most 10 MB."""
    return _captioned(call, "photo", lambda reference: _photo(call, reference))


def send_document(call: Call) -> Any:
    """sendDocument: any file of at most 50 MB, as it is."""
    return _captioned(call, "document", lambda reference: _document(call, reference))


def send_animation(call: Call) -> Any:
    """sendAnimation: a GIF of at most 50 MB; readers get it as a file, too, in older programs."""

    def placed(reference: str) -> JSON:
        document = _document(call, reference)
        if document["mime_type"] != "image/gif":
            raise bad("wrong type of the file")
        width, height = _size(call, document["file_id"])
        return {**document, "width": width, "height": height, "duration": 1}

    message = _captioned(call, "animation", placed)
    message["document"] = {name: message["animation"][name] for name in _FILE}
    return message


def _document(call: Call, reference: str) -> JSON:
    key = _kept(call, reference, 50 * 1024 * 1024)  # a file holds 50 MB (T7)
    upload = call.files.get(reference.removeprefix("attach://"))
    name = upload.filename if upload is not None else ""
    data = call.state.media.get(key, ("", b""))[1]
    mime = "image/gif" if data.startswith(b"GIF8") else "application/octet-stream"
    return {**_file(call, key), "file_name": name, "mime_type": mime}


def _captioned(call: Call, name: str, placed: Callable[[str], Any]) -> JSON:
    """Post a file of one kind with its caption; the caption is judged before the file."""
    caption, entities = caption_of(call)
    markup = checked_markup(call)
    reference = name if name in call.files else str(call.params.get(name) or "")
    if not reference:
        raise bad(f"there is no {name} in the request")
    content: JSON = {name: placed(reference)}
    chat = chat_of(call)
    pace(call, chat)
    if caption:
        content["caption"] = caption
    return put(call, chat, with_options(content, entities, markup, "caption_entities"))


def send_media_group(call: Call) -> Any:
    """sendMediaGroup: two to ten photos or documents."""
    media = call.nested("media")
    # A group of one is no group (T7).
    if not isinstance(media, list) or not 2 <= len(media) <= 10:
        raise bad("group send failed: must include 2-10 items")
    contents = []
    for item in media:
        part = Call(call.state, call.bot, item, call.files)
        caption, entities = caption_of(part)
        kind, reference = str(item.get("type")), str(item.get("media") or "")
        # Photos go with photos, files with files.
        if kind not in ("photo", "document") or kind != media[0].get("type"):
            raise bad("wrong type of the media group")
        file = _photo(call, reference) if kind == "photo" else _document(call, reference)
        content: JSON = {kind: file}
        if caption:
            content["caption"] = caption
        contents.append(with_options(content, entities, None, "caption_entities"))
    chat = chat_of(call)
    pace(call, chat)
    # One number binds the pictures: phones show them as one message.
    group = str(next(call.bot.numbers))
    return [put(call, chat, {**content, "media_group_id": group}) for content in contents]
