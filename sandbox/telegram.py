"""The Telegram Bot API as an honest peer: its methods, limits, refusals and webhook delivery."""

from __future__ import annotations

import asyncio
import hashlib
import html
import json
import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web

from sandbox.state import JSON, STATE, Account, Citizen, State, Upload, parse_body, readable

MAX_TEXT, MAX_CAPTION, MAX_BUTTON_BYTES = 4096, 1024, 64
MAX_ENTITIES, MAX_BUTTONS, MAX_ROW = 100, 100, 8
DELETE_WINDOW = 48 * 3600
UPDATES_KEPT_SECONDS = 24 * 3600
MAX_TRIES = 8


class TelegramError(Exception):
    """A refusal in the platform's own words."""

    def __init__(self, code: int, description: str, retry_after: int = 0) -> None:
        super().__init__(description)
        self.code, self.description, self.retry_after = code, description, retry_after

    def body(self) -> JSON:
        """Return the JSON answer of the platform for this refusal."""
        answer: JSON = {"ok": False, "error_code": self.code, "description": self.description}
        if self.retry_after:
            answer["parameters"] = {"retry_after": self.retry_after}
        return answer


def bad(reason: str) -> TelegramError:
    """Return a 400 refusal with its reason."""
    return TelegramError(400, f"Bad Request: {reason}")


@dataclass(slots=True)
class Bot(Account):
    """One Telegram bot."""

    token: str = ""
    username: str = ""
    webhook: str = ""
    secret: str = ""
    last_error: str = ""
    pending: dict[int, JSON] = field(default_factory=dict)
    update_numbers: int = 0
    polling: bool = False
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    recent: deque[float] = field(default_factory=deque)
    commands: list[JSON] = field(default_factory=list)
    messages: dict[int, tuple[Citizen, JSON]] = field(default_factory=dict)
    callbacks: dict[str, JSON] = field(default_factory=dict)


@dataclass(slots=True)
class Call:
    """One method call on its way through its handler."""

    state: State
    bot: Bot
    params: JSON
    files: dict[str, Upload]

    def nested(self, name: str) -> Any:
        """Return a parameter that may have come as JSON text."""
        value = self.params.get(name)
        if isinstance(value, str):
            try:
                return json.loads(value)
            except ValueError:
                raise bad(f"can't parse {name} JSON object") from None
        return value

    def integer(self, name: str, default: int = 0) -> int:
        """Return a whole-number parameter."""
        value = self.params.get(name, default)
        try:
            return int(value)
        except (TypeError, ValueError):
            raise bad(f"{name} must be an integer") from None


# --- text -----------------------------------------------------------------------------------

_TAGS = {
    "b": "bold", "strong": "bold", "i": "italic", "em": "italic", "u": "underline",
    "ins": "underline", "s": "strikethrough", "strike": "strikethrough", "del": "strikethrough",
    "code": "code", "pre": "pre", "a": "text_link", "blockquote": "blockquote",
    "tg-spoiler": "spoiler", "span": "spoiler",
}  # fmt: skip
_TOKEN = re.compile(r"<(/?)([a-zA-Z][\w-]*)([^>]*)>|([^<]+)|(<)", re.S)
_HREF = re.compile(r"""href\s*=\s*["']?([^"'>]*)["']?""")


def utf16(text: str) -> int:
    """Return the length of text in UTF-16 units, as entities count it."""
    return len(text) + sum(1 for ch in text if ord(ch) > 0xFFFF)


def parse_html(source: str) -> tuple[str, list[JSON]]:
    """Return plain text and entities of the platform's HTML; unknown tags are refused."""
    out: list[str] = []
    length = 0
    stack: list[tuple[str, int, str]] = []
    entities: list[JSON] = []
    for closing, tag, attributes, text, stray in _TOKEN.findall(source):
        if text:
            plain = html.unescape(text)
            out.append(plain)
            length += utf16(plain)
        elif stray or tag.lower() not in _TAGS:
            raise bad(f"can't parse entities: Unsupported start tag \"{tag or '<'}\" at byte offset"
                      f" {len(''.join(out).encode())}")  # fmt: skip
        elif not closing:
            stack.append((tag.lower(), length, attributes))
        else:
            if not stack or stack[-1][0] != tag.lower():
                raise bad(f"can't parse entities: Unexpected end tag at byte offset {length}")
            name, start, attrs = stack.pop()
            if length > start:
                entity: JSON = {"type": _TAGS[name], "offset": start, "length": length - start}
                if name == "a" and (link := _HREF.search(attrs)):
                    entity["url"] = html.unescape(link.group(1))
                entities.append(entity)
    if stack:
        raise bad(f"can't parse entities: Can't find end tag corresponding to start tag "
                  f"{stack[-1][0]}")  # fmt: skip
    return "".join(out), sorted(entities, key=lambda e: (e["offset"], -e["length"]))


_MARKS = {"*": "bold", "_": "italic", "__": "underline", "~": "strikethrough",
          "||": "spoiler", "`": "code"}  # fmt: skip
_MD = re.compile(r"\\(.)|(\*|__|_|~|\|\||`)|\[((?:\\.|[^\]])*)\]\(([^)]*)\)|(.)", re.S)
_RESERVED = set(">#+-=|{}.![]()")


def parse_markdown(source: str, *, strict: bool) -> tuple[str, list[JSON]]:
    """Return plain text and entities of MarkdownV2 (strict) or the older Markdown."""
    out: list[str] = []
    length = 0
    open_marks: dict[str, int] = {}
    entities: list[JSON] = []
    for escaped, mark, label, url, plain in _MD.findall(source):
        if mark:
            start = open_marks.pop(mark, None)
            if start is None:
                open_marks[mark] = length
            elif length > start:
                entities.append({"type": _MARKS[mark], "offset": start, "length": length - start})
            continue
        if strict and plain in _RESERVED:
            raise bad(f"can't parse entities: Character '{plain}' is reserved and must be escaped"
                      " with the preceding '\\'")  # fmt: skip
        piece = escaped or re.sub(r"\\(.)", r"\1", label) or plain
        if url:
            entities.append(
                {"type": "text_link", "offset": length, "length": utf16(piece), "url": url}
            )
        out.append(piece)
        length += utf16(piece)
    if open_marks:
        raise bad(f"can't parse entities: Can't find end of {_MARKS[next(iter(open_marks))]} "
                  "entity")  # fmt: skip
    return "".join(out), entities


def formatted(call: Call, name: str, entities_name: str) -> tuple[str, list[JSON]]:
    """Return a text parameter with its entities, by parse_mode or explicit entities."""
    source = str(call.params.get(name) or "")
    mode = str(call.params.get("parse_mode") or "").lower()
    if mode == "html":
        return parse_html(source)
    if mode in ("markdownv2", "markdown"):
        return parse_markdown(source, strict=mode == "markdownv2")
    if mode:
        raise bad("unsupported parse_mode")
    entities = call.nested(entities_name) or []
    if len(entities) > MAX_ENTITIES:
        entities = entities[:MAX_ENTITIES]
    return source, entities


def checked_markup(call: Call) -> JSON | None:
    """Return reply_markup after the platform's checks of buttons."""
    markup = call.nested("reply_markup")
    if not markup:
        return None
    if not isinstance(markup, dict):
        raise bad("object expected as reply markup")
    rows = markup.get("inline_keyboard") or []
    if sum(len(row) for row in rows) > MAX_BUTTONS or any(len(row) > MAX_ROW for row in rows):
        raise bad("too many inline keyboard buttons")
    for button in (button for row in rows for button in row):
        _check_button(button)
    return markup


def _check_button(button: JSON) -> None:
    if not button.get("text"):
        raise bad('can\'t parse inline keyboard button: Field "text" must be of type String')
    data = button.get("callback_data")
    if data is not None and not 1 <= len(str(data).encode()) <= MAX_BUTTON_BYTES:
        raise bad("BUTTON_DATA_INVALID")
    if data is None and not set(button) - {"text"}:
        raise bad("Text buttons are unallowed in the inline keyboard")


# --- sending --------------------------------------------------------------------------------


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
    if citizen.blocked:
        if citizen.kind != "private":
            raise TelegramError(403, f"Forbidden: bot was kicked from the {citizen.kind} chat")
        raise TelegramError(403, "Forbidden: bot was blocked by the user")
    if not citizen.following:
        raise TelegramError(403, "Forbidden: bot can't initiate conversation with a user")
    return citizen


def pace(call: Call, chat: Citizen) -> None:
    """Hold the platform's three rates over sliding windows of its own clock."""
    limits = call.state.limits
    if not limits.telegram:
        return
    at = call.state.clock.now()
    recent, mine = call.bot.recent, chat.recent_sends
    while recent and recent[0] <= at - 1:
        recent.popleft()
    wait = 0.0
    reason = ""
    if len(recent) >= limits.per_bot:
        wait, reason = recent[0] + 1 - at, f"每秒 {limits.per_bot} 条"
    if chat.kind == "private":
        if sum(1 for sent in mine if sent > at - 1) >= limits.per_chat:
            wait, reason = max(wait, mine[-1] + 1 - at), "同一会话每秒 1 条"
    else:
        within = [sent for sent in mine if sent > at - 60]
        if len(within) >= limits.per_group:
            wait, reason = max(wait, within[0] + 60 - at), f"群组每分钟 {limits.per_group} 条"
    if wait > 0:
        seconds = int(wait) + 1
        call.bot.notice(at, f"429，超过{reason}，{seconds} 秒后重试", chat.id)
        raise TelegramError(429, f"Too Many Requests: retry after {seconds}", seconds)
    recent.append(at)
    mine.append(at)


def chat_object(chat: Citizen) -> JSON:
    """Return a chat as the platform describes it."""
    found: JSON = {"id": int(chat.id), "type": chat.kind}
    found["first_name" if chat.kind == "private" else "title"] = chat.name
    if chat.username:
        found["username"] = chat.username
    return found


def user_object(bot: Bot) -> JSON:
    """Return the bot as a user object."""
    return {"id": int(bot.id), "is_bot": True, "first_name": bot.name, "username": bot.username}


def put(call: Call, chat: Citizen, content: JSON) -> JSON:
    """Place a bot's message in a chat and return the message object."""
    number = next(call.bot.numbers)
    message: JSON = {
        "message_id": number,
        "date": int(call.state.clock.now()),
        "chat": chat_object(chat),
        **content,
    }
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
    if not text.strip():
        raise bad("message text is empty")
    if len(text) > MAX_TEXT:
        raise bad("message is too long")
    markup = checked_markup(call)
    chat = chat_of(call)
    pace(call, chat)
    return put(call, chat, _with_options({"text": text}, entities, markup, "entities"))


def _with_options(content: JSON, entities: list[JSON], markup: JSON | None, name: str) -> JSON:
    if entities:
        content[name] = entities
    if markup:
        content["reply_markup"] = markup
    return content


def _photo(call: Call, reference: str) -> list[JSON]:
    upload = call.files.get(reference.removeprefix("attach://"))
    if upload is not None:
        if len(upload.data) > 10 * 1024 * 1024:
            raise bad("file is too big")
        if not upload.data:
            raise bad("file must be non-empty")
        key = "AgACAgUAAx" + hashlib.sha256(upload.data).hexdigest()[:40]
        call.state.keep_media(key, upload.content_type, upload.data)
    elif reference in call.state.media or reference.startswith(("http://", "https://")):
        key = reference
    else:
        raise bad("wrong file identifier/HTTP URL specified")
    size = len(call.state.media[key][1]) if key in call.state.media else 0
    return [
        {
            "file_id": key,
            "file_unique_id": key[-16:],
            "width": 800,
            "height": 600,
            "file_size": size,
        }
    ]


def _caption(call: Call) -> tuple[str, list[JSON]]:
    caption, entities = formatted(call, "caption", "caption_entities")
    if len(caption) > MAX_CAPTION:
        raise bad("message caption is too long")
    return caption, entities


def send_photo(call: Call) -> Any:
    """sendPhoto: caption of at most 1024 characters, file of at most 10 MB."""
    caption, entities = _caption(call)
    markup = checked_markup(call)
    reference = "photo" if "photo" in call.files else str(call.params.get("photo") or "")
    if not reference:
        raise bad("there is no photo in the request")
    photo = _photo(call, reference)
    chat = chat_of(call)
    pace(call, chat)
    content: JSON = {"photo": photo}
    if caption:
        content["caption"] = caption
    return put(call, chat, _with_options(content, entities, markup, "caption_entities"))


def send_media_group(call: Call) -> Any:
    """sendMediaGroup: two to ten photos or documents."""
    media = call.nested("media")
    if not isinstance(media, list) or not 2 <= len(media) <= 10:
        raise bad("group send failed: must include 2-10 items")
    contents = []
    for item in media:
        part = Call(call.state, call.bot, item, call.files)
        caption, entities = _caption(part)
        content: JSON = {"photo": _photo(call, str(item.get("media") or ""))}
        if caption:
            content["caption"] = caption
        contents.append(_with_options(content, entities, None, "caption_entities"))
    chat = chat_of(call)
    pace(call, chat)
    group = str(next(call.bot.numbers))
    return [put(call, chat, {**content, "media_group_id": group}) for content in contents]


# --- changing -------------------------------------------------------------------------------


def _own(call: Call, what: str) -> tuple[Citizen, JSON]:
    chat = chat_of(call)
    found = call.bot.messages.get(call.integer("message_id"))
    if found is None or found[0] is not chat:
        raise bad(f"message to {what} not found")
    return found


def _edited(call: Call, message: JSON, changes: JSON) -> Any:
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
    if len(text) > MAX_TEXT:
        raise bad("MESSAGE_TOO_LONG")
    markup = checked_markup(call)
    _, message = _own(call, "edit")
    if "text" not in message:
        raise bad("there is no text in the message to edit")
    changes = {"text": text, "entities": entities or None, "reply_markup": markup}
    return _edited(call, message, changes)


def edit_message_caption(call: Call) -> Any:
    """editMessageCaption: replaces the caption of an own photo."""
    caption, entities = _caption(call)
    markup = checked_markup(call)
    _, message = _own(call, "edit")
    if "photo" not in message:
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
    if call.state.clock.now() - message["date"] >= DELETE_WINDOW:
        call.bot.notice(call.state.clock.now(), "超过 48 小时，不能删除", chat.id)
        raise bad("message can't be deleted for everyone")
    chat.received.remove(message)
    del call.bot.messages[message["message_id"]]
    return True


def answer_callback_query(call: Call) -> Any:
    """answerCallbackQuery: at most 200 characters, one answer a press."""
    key = str(call.params.get("callback_query_id") or "")
    press = call.bot.callbacks.get(key)
    if press is None or call.state.clock.now() - press["at"] > 900:
        raise bad("query is too old and response timeout expired or query ID is invalid")
    text = str(call.params.get("text") or "")
    if len(text) > 200:
        raise bad("MESSAGE_TOO_LONG")
    press["answer"] = text
    return True


# --- bot ------------------------------------------------------------------------------------


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
    if len(commands) > 100:
        raise bad("BOT_COMMANDS_TOO_MUCH")
    for command in commands:
        if not re.fullmatch(r"[a-z0-9_]{1,32}", str(command.get("command", "")).lstrip("/")):
            raise bad("BOT_COMMAND_INVALID")
        if not 1 <= len(str(command.get("description", ""))) <= 256:
            raise bad("BOT_COMMAND_DESCRIPTION_INVALID")
    call.bot.commands = commands
    return True


def get_my_commands(call: Call) -> Any:
    """getMyCommands: the list set before."""
    return call.bot.commands


def set_webhook(call: Call) -> Any:
    """setWebhook: address and secret of the update receiver."""
    url = str(call.params.get("url") or "")
    secret = str(call.params.get("secret_token") or "")
    if secret and not re.fullmatch(r"[A-Za-z0-9_-]{1,256}", secret):
        raise bad("secret token contains unallowed characters")
    if url and not url.startswith(("http://", "https://")):
        raise bad("bad webhook: An HTTPS URL must be provided for webhook")
    call.bot.webhook, call.bot.secret = url, secret
    if str(call.params.get("drop_pending_updates", "")).lower() == "true":
        call.bot.pending.clear()
    if url:
        for update in list(call.bot.pending.values()):
            call.state.spawn(deliver(call.state, call.bot, update))
    return True


def delete_webhook(call: Call) -> Any:
    """deleteWebhook: back to getUpdates."""
    call.bot.webhook = call.bot.secret = ""
    if str(call.params.get("drop_pending_updates", "")).lower() == "true":
        call.bot.pending.clear()
    return True


def get_webhook_info(call: Call) -> Any:
    """getWebhookInfo: address, waiting updates, last error."""
    info: JSON = {
        "url": call.bot.webhook,
        "has_custom_certificate": False,
        "pending_update_count": len(call.bot.pending),
        "max_connections": 40,
    }
    if call.bot.last_error:
        info["last_error_message"] = call.bot.last_error
    return info


async def get_updates(call: Call) -> Any:
    """getUpdates: waiting updates; 409 beside a webhook or a second poller."""
    bot = call.bot
    if bot.webhook:
        raise TelegramError(
            409,
            "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to"
            " delete the webhook first",
        )
    if bot.polling:
        raise TelegramError(
            409,
            "Conflict: terminated by other getUpdates request; make sure that only one bot"
            " instance is running",
        )
    offset, limit = call.integer("offset"), min(max(call.integer("limit", 100), 1), 100)
    for number in [n for n in bot.pending if offset and n < offset]:
        del bot.pending[number]
    timeout = call.integer("timeout")
    if not bot.pending and timeout:
        bot.polling = True
        bot.arrived.clear()
        try:
            await asyncio.wait_for(bot.arrived.wait(), min(timeout, 50))
        except TimeoutError:
            return []
        finally:
            bot.polling = False
    return list(bot.pending.values())[:limit]


METHODS: dict[str, tuple[str, Callable[[Call], Any]]] = {
    name.lower(): (name, handler)
    for name, handler in {
        "getMe": get_me, "setWebhook": set_webhook, "deleteWebhook": delete_webhook,
        "getWebhookInfo": get_webhook_info, "getUpdates": get_updates,
        "sendMessage": send_message, "sendPhoto": send_photo,
        "sendMediaGroup": send_media_group, "editMessageText": edit_message_text,
        "editMessageCaption": edit_message_caption,
        "editMessageReplyMarkup": edit_message_reply_markup, "deleteMessage": delete_message,
        "answerCallbackQuery": answer_callback_query, "setMyCommands": set_my_commands,
        "getMyCommands": get_my_commands, "getChat": get_chat,
    }.items()
}  # fmt: skip


async def run(call: Call, name: str) -> Any:
    """Run one method by its name in any case; raises TelegramError."""
    found = METHODS.get(name.lower())
    if found is None:
        raise TelegramError(404, "Not Found: method not found")
    result = found[1](call)
    return await result if asyncio.iscoroutine(result) else result


async def handle(request: web.Request) -> web.StreamResponse:
    """Answer one Bot API call, with the planned faults, and log it."""
    state = request.app[STATE]
    token, method = request.match_info["token"], request.match_info["method"]
    raw = await request.read()
    bot = state.by_token.get(token)
    if not isinstance(bot, Bot):
        refusal = TelegramError(401, "Unauthorized")
        return web.json_response(refusal.body(), status=401)
    entry: JSON = {
        "platform": "telegram",
        "account": bot.id,
        "method": METHODS[method.lower()][0] if method.lower() in METHODS else method,
        "raw": raw.decode("utf-8", "replace"),
        "parsed": {},
    }
    fault = state.take_fault("telegram", method, bot.id)
    status, answer = 200, {}
    try:
        if fault:
            await _before(fault.kind, fault.seconds, fault.code, fault.description)
        params, files = _body(request, raw)
        params.update(request.query)
        entry["parsed"] = params | readable(files)
        answer = {"ok": True, "result": await run(Call(state, bot, params, files), method)}
        entry["outcome"] = "ok"
    except TelegramError as refusal:
        status, answer = refusal.code, refusal.body()
        entry["outcome"] = "refused"
    if fault:
        entry["fault"] = fault.kind
    entry["status"], entry["response"] = status, answer
    state.record(entry)
    if fault and fault.kind == "drop_answer" and request.transport:
        request.transport.abort()
    return web.Response(
        body=json.dumps(answer, ensure_ascii=False).encode(),
        status=status,
        content_type="application/json",
    )


def _body(request: web.Request, raw: bytes) -> tuple[JSON, dict[str, Upload]]:
    try:
        return parse_body(request.headers.get("Content-Type", ""), raw)
    except ValueError:
        raise bad("can't parse JSON object") from None


async def _before(kind: str, seconds: float, code: int, description: str) -> None:
    if kind == "delay":
        await asyncio.sleep(seconds)
    elif kind == "error500":
        raise TelegramError(500, "Internal Server Error")
    elif kind == "invalidate_token":
        raise TelegramError(401, "Unauthorized")
    elif kind == "refuse":
        wait = max(int(seconds), 1) if code == 429 else 0
        words = {
            403: "Forbidden: bot was blocked by the user",
            429: f"Too Many Requests: retry after {wait}",
        }
        raise TelegramError(code or 400, description or words.get(code, "Bad Request"), wait)


# --- updates --------------------------------------------------------------------------------


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


async def emit(state: State, bot: Bot, content: JSON) -> JSON:
    """Queue one update; with a webhook, return what its first delivery was answered."""
    bot.update_numbers += 1
    update = {"update_id": 800_000_000 + bot.update_numbers, **content}
    bot.pending[update["update_id"]] = update
    if not bot.webhook:
        bot.arrived.set()
        return {"queued": True, "update_id": update["update_id"]}
    first: asyncio.Future[JSON] = asyncio.get_running_loop().create_future()
    state.spawn(deliver(state, bot, update, first))
    return await first


async def deliver(
    state: State, bot: Bot, update: JSON, first: asyncio.Future[JSON] | None = None
) -> None:
    """Post one update to the webhook, again with growing pauses until it answers 2xx."""
    for attempt in range(1, MAX_TRIES + 1):
        answer = await _post(state, bot, update)
        answer["tries"] = attempt
        if first and not first.done():
            first.set_result(answer)
        if update["update_id"] not in bot.pending or not bot.webhook:
            return
        if 200 <= answer["status"] < 300:
            del bot.pending[update["update_id"]]
            bot.last_error = ""
            return
        bot.last_error = f"Wrong response from the webhook: {answer['status']} {answer['error']}"
        pause = state.limits.retry_delay * 2 ** (attempt - 1)
        bot.notice(state.clock.now(), f"回调未成功（{answer['status'] or '无应答'}），"
                   f"{pause:g} 秒后第 {attempt + 1} 次推送")  # fmt: skip
        await asyncio.sleep(pause)


async def _post(state: State, bot: Bot, update: JSON) -> JSON:
    headers = {"X-Telegram-Bot-Api-Secret-Token": bot.secret} if bot.secret else {}
    answer: JSON = {"status": 0, "body": "", "error": "", "update_id": update["update_id"]}
    who = _sender(update)
    bot.in_flight[who] = bot.in_flight.get(who, 0) + 1
    try:
        if state.http is None:
            raise aiohttp.ClientError("sandbox is stopping")
        async with state.http.post(bot.webhook, json=update, headers=headers) as response:
            answer["status"], answer["body"] = response.status, await response.text()
    except (aiohttp.ClientError, TimeoutError) as problem:
        answer["error"] = str(problem) or type(problem).__name__
    finally:
        bot.in_flight[who] -= 1
    state.deliveries.append({"platform": "telegram", "account": bot.id, **answer})
    if answer["status"] == 200 and '"method"' in answer["body"]:
        await _answer_in_body(state, bot, answer)
    return answer


def _sender(update: JSON) -> str:
    for part in update.values():
        if isinstance(part, dict) and "from" in part:
            return str(part["from"]["id"])
    return ""


async def _answer_in_body(state: State, bot: Bot, answer: JSON) -> None:
    """Run the method that a webhook may answer with."""
    try:
        params = json.loads(answer["body"])
        method = str(params.pop("method"))
        entry: JSON = {"platform": "telegram", "account": bot.id, "method": method}
        entry |= {"raw": answer["body"], "parsed": params, "outcome": "ok", "status": 200}
        entry["response"] = await run(Call(state, bot, params, {}), method)
        answer["reply"] = entry["response"]
    except TelegramError as refusal:
        entry |= {"outcome": "refused", "status": refusal.code, "response": refusal.body()}
    except (ValueError, KeyError, AttributeError):
        return
    state.record(entry)


async def say(state: State, bot: Bot, citizen: Citizen, text: str) -> JSON:
    """A citizen types a text; returns what the webhook answered."""
    message: JSON = {
        "message_id": next(bot.numbers),
        "from": citizen_object(citizen),
        "chat": chat_object(citizen),
        "date": int(state.clock.now()),
        "text": text,
    }
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
        return str(-1_001_000_000_000 - number)
    return str(700_000_000 + number)


def card(bot: Bot) -> JSON:
    """Return what control adds to the card of a bot."""
    return {"username": bot.username, "commands": bot.commands, "pending": len(bot.pending)}


def add(app: web.Application) -> None:
    """Mount the Bot API."""
    for base in ("/telegram/bot{token}/{method}", "/bot{token}/{method}"):
        app.router.add_route("*", base, handle)
    app.router.add_get("/telegram/file/bot{token}/{key:.+}", media)


async def media(request: web.Request) -> web.Response:
    """Return an uploaded file."""
    found = request.app[STATE].media.get(request.match_info["key"])
    if found is None:
        raise web.HTTPNotFound
    return web.Response(body=found[1], content_type=found[0].partition(";")[0])
