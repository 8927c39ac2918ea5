"""Updates to the bot: the webhook, its deliveries and repeats, asking for them instead."""

import asyncio
import json
import re
from collections.abc import Callable
from typing import Any

import aiohttp

from sandbox.state import JSON, State
from sandbox.telegram.about import (
    get_chat,
    get_chat_member,
    get_me,
    get_my_commands,
    set_my_commands,
)
from sandbox.telegram.bot import Bot, Call, TelegramError, bad
from sandbox.telegram.changing import (
    answer_callback_query,
    delete_message,
    delete_messages,
    edit_message_caption,
    edit_message_reply_markup,
    edit_message_text,
)
from sandbox.telegram.sending import (
    send_animation,
    send_document,
    send_media_group,
    send_message,
    send_photo,
)

MAX_TRIES = 8
MUST_BE_NAMED = frozenset({"chat_member", "message_reaction", "message_reaction_count"})
"""Updates that come only to who names them; everything else comes to who names nothing."""


def set_webhook(call: Call) -> Any:
    """setWebhook: address and secret of the update receiver."""
    url = str(call.params.get("url") or "")
    secret = str(call.params.get("secret_token") or "")
    # The alphabet and length of the secret token, as the platform states them (T8).
    if secret and not re.fullmatch(r"[A-Za-z0-9_-]{1,256}", secret):
        raise bad("secret token contains unallowed characters")
    # The platform takes https only; http is let through because a test listens without a
    # certificate.
    if url and not url.startswith(("http://", "https://")):
        raise bad("bad webhook: An HTTPS URL must be provided for webhook")
    call.bot.webhook, call.bot.secret = url, secret
    allowed = call.nested("allowed_updates")
    if allowed is not None:  # what is not named stays as it was
        call.bot.allowed = [str(one) for one in allowed]
    if str(call.params.get("drop_pending_updates", "")).lower() == "true":
        call.bot.pending.clear()
    if url:
        # Updates that waited for want of an address are delivered to the new one, as the platform
        # does.
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
    if call.bot.allowed:
        info["allowed_updates"] = call.bot.allowed
    if call.bot.last_error:
        info["last_error_message"] = call.bot.last_error
    return info


async def get_updates(call: Call) -> Any:
    """getUpdates: waiting updates; 409 beside a webhook or a second poller."""
    bot = call.bot
    # Asking and a webhook exclude each other (T9).
    if bot.webhook:
        raise TelegramError(
            409,
            "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to"
            " delete the webhook first",
        )
    # A second poller is refused too: two would each see half of the updates (T9).
    if bot.polling:
        raise TelegramError(
            409,
            "Conflict: terminated by other getUpdates request; make sure that only one bot"
            " instance is running",
        )
    offset, limit = call.integer("offset"), min(max(call.integer("limit", 100), 1), 100)
    # An offset confirms every update before it; only then are they forgotten.
    for number in [n for n in bot.pending if offset and n < offset]:
        del bot.pending[number]
    timeout = call.integer("timeout")
    if not bot.pending and timeout:
        bot.polling = True
        bot.arrived.clear()
        try:
            # Longer than 50 s is cut, as the platform does, so that no poller hangs for ever.
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
        "sendDocument": send_document, "sendAnimation": send_animation,
        "sendMediaGroup": send_media_group, "editMessageText": edit_message_text,
        "editMessageCaption": edit_message_caption,
        "editMessageReplyMarkup": edit_message_reply_markup, "deleteMessage": delete_message,
        "deleteMessages": delete_messages,
        "answerCallbackQuery": answer_callback_query, "setMyCommands": set_my_commands,
        "getMyCommands": get_my_commands, "getChat": get_chat,
        "getChatMember": get_chat_member,
    }.items()
}  # fmt: skip


async def run(call: Call, name: str) -> Any:
    """Run one method by its name in any case; raises TelegramError."""
    # The platform takes method names in any case.
    found = METHODS.get(name.lower())
    if found is None:
        raise TelegramError(404, "Not Found: method not found")
    result = found[1](call)
    return await result if asyncio.iscoroutine(result) else result


async def emit(state: State, bot: Bot, content: JSON, times: int = 1) -> JSON:
    """Queue one update; with a webhook, return what its first delivery was answered.

    With `times` the same update is pushed again, as after an answer that was lost.
    """
    kind = next(iter(content))
    if kind not in bot.allowed if bot.allowed else kind in MUST_BE_NAMED:
        return {"status": 0, "dropped": kind}
    bot.update_numbers += 1
    update = {"update_id": 800_000_000 + bot.update_numbers, **content}
    # Kept until confirmed or answered with 2xx: an update may come again (T10).
    bot.pending[update["update_id"]] = update
    if not bot.webhook:
        bot.arrived.set()
        return {"queued": True, "update_id": update["update_id"]}
    first: asyncio.Future[JSON] = asyncio.get_running_loop().create_future()
    state.spawn(deliver(state, bot, update, first))
    answer = await first
    for _ in range(times - 1):
        await _post(state, bot, update)
    return answer


async def deliver(
    state: State, bot: Bot, update: JSON, first: asyncio.Future[JSON] | None = None
) -> None:
    """Post one update to the webhook, again with growing pauses until it answers 2xx."""
    # Up to 40 connections at once: a later update can be there before an earlier one.
    await state.hold_back("telegram", bot.id)
    for attempt in range(1, MAX_TRIES + 1):
        answer = await _post(state, bot, update)
        answer["tries"] = attempt
        if first and not first.done():
            first.set_result(answer)
        # Dropped meanwhile by a new webhook or by getUpdates: nobody waits for it any more.
        if update["update_id"] not in bot.pending or not bot.webhook:
            return
        if 200 <= answer["status"] < 300:
            del bot.pending[update["update_id"]]
            bot.last_error = ""
            return
        bot.last_error = f"Wrong response from the webhook: {answer['status']} {answer['error']}"
        # Growing pauses: a receiver that is down is not flooded when it comes back.
        pause = state.limits.retry_delay * 2 ** (attempt - 1)
        bot.notice(state.clock.now(), f"回调未成功（{answer['status'] or '无应答'}），"
                   f"{pause:g} 秒后第 {attempt + 1} 次推送")  # fmt: skip
        await asyncio.sleep(pause)


async def _post(state: State, bot: Bot, update: JSON) -> JSON:
    # Only what was given with setWebhook is sent: a bot without a secret gets no header (T8).
    headers = {"X-Telegram-Bot-Api-Secret-Token": bot.secret} if bot.secret else {}
    answer: JSON = {"status": 0, "body": "", "error": "", "update_id": update["update_id"]}
    who = _sender(update)
    bot.in_flight[who] = bot.in_flight.get(who, 0) + 1
    try:
        # The outgoing session is closed before the last deliveries end.
        if state.http is None:
            raise aiohttp.ClientError("sandbox is stopping")
        async with state.http.post(bot.webhook, json=update, headers=headers) as response:
            answer["status"], answer["body"] = response.status, await response.text()
    except (aiohttp.ClientError, TimeoutError) as problem:
        answer["error"] = str(problem) or type(problem).__name__
    finally:
        bot.in_flight[who] -= 1
    state.deliveries.append({"platform": "telegram", "account": bot.id, **answer})
    # A receiver may answer its webhook with one method call instead of calling the API.
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
    # An answer that is no call is ignored, as the platform does.
    except (ValueError, KeyError, AttributeError):
        return
    state.record(entry)
