"""The Telegram sandbox holds the platform's limits and answers like it."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from tests.documents.made_pictures import animated, picture
from tests.sandbox.conftest import TOKEN, Client
from tests.waiting import until


@pytest.fixture
async def bot(box: Client) -> Client:
    await box.control("accounts", {"platform": "telegram", "token": TOKEN, "name": "青禾发布"})
    await box.control("citizens", {"account": "424242", "count": 40, "prefix": "市民"})
    return box


async def test_an_unknown_token_is_unauthorized(box: Client) -> None:
    assert (await box.bot("getMe"))["error_code"] == 401


async def test_a_message_reaches_the_citizen_and_the_exact_body_is_kept(bot: Client) -> None:
    sent = await bot.bot("sendMessage", chat_id=700000001, text="<b>通知</b>一", parse_mode="HTML")
    assert sent["result"]["text"] == "通知一"
    assert sent["result"]["entities"] == [{"type": "bold", "offset": 0, "length": 2}]
    got = await bot.get("messages", account="424242", citizen="700000001")
    assert [m["text"] for m in got["messages"]] == ["通知一"]
    logged = (await bot.get("requests", platform="telegram", method="sendMessage"))["requests"]
    assert json.loads(logged[0]["raw"])["text"] == "<b>通知</b>一"
    assert logged[0]["outcome"] == "ok"


async def test_form_and_multipart_bodies_are_read_like_json(bot: Client) -> None:
    url = f"{bot.base}/telegram/bot{TOKEN}/"
    markup = json.dumps({"inline_keyboard": [[{"text": "好", "callback_data": "a"}]]})
    form = {"chat_id": "700000001", "text": "表单", "reply_markup": markup}
    async with bot.http.post(url + "sendMessage", data=form) as answer:
        result = (await answer.json())["result"]
    assert result["reply_markup"]["inline_keyboard"][0][0]["callback_data"] == "a"
    parts = aiohttp.FormData()
    parts.add_field("chat_id", "700000002")
    parts.add_field("caption", "图")
    parts.add_field("photo", picture(), filename="a.png", content_type="image/png")
    async with bot.http.post(url + "sendPhoto", data=parts) as answer:
        result = (await answer.json())["result"]
    assert result["caption"] == "图"
    assert result["photo"][0]["file_size"] == len(picture())
    key = result["photo"][0]["file_id"]
    async with bot.http.get(f"{bot.base}/telegram/file/bot{TOKEN}/{key}") as answer:
        assert await answer.read() == picture()


@pytest.mark.parametrize(
    ("method", "content", "words"),
    [
        ("sendPhoto", picture(1080, 9000), "PHOTO_INVALID_DIMENSIONS"),
        ("sendPhoto", picture(2100, 100), "PHOTO_INVALID_DIMENSIONS"),
        ("sendPhoto", b"no picture", "IMAGE_PROCESS_FAILED"),
        ("sendPhoto", b"\xff\xd8" * (6 * 1024 * 1024), "file is too big"),
        ("sendAnimation", picture(), "wrong type"),
        ("sendDocument", picture(1080, 9000), ""),
        ("sendAnimation", animated(), ""),
    ],
)
async def test_a_picture_beyond_the_platforms_limits_is_refused(
    bot: Client, method: str, content: bytes, words: str
) -> None:
    form = aiohttp.FormData()
    form.add_field("chat_id", "700000001")
    form.add_field(method.removeprefix("send").lower(), content, filename="a")
    async with bot.http.post(f"{bot.base}/telegram/bot{TOKEN}/{method}", data=form) as answer:
        told = await answer.json()
    assert told["ok"] is not bool(words)
    assert words in told.get("description", "")


@pytest.mark.parametrize(
    ("method", "params", "words"),
    [
        ("sendMessage", {"text": "字" * 4097}, "message is too long"),
        ("sendMessage", {"text": " "}, "message text is empty"),
        ("sendMessage", {"text": "<x>a</x>", "parse_mode": "HTML"}, "can't parse entities"),
        ("sendMessage", {"text": "a.b", "parse_mode": "MarkdownV2"}, "is reserved"),
        ("sendPhoto", {"photo": "https://h/a.png", "caption": "字" * 1025}, "caption is too long"),
        ("sendMessage", {"text": "😀" * 2049}, "too long"),
        ("sendPhoto", {"photo": "https://h/a.png", "caption": "😀" * 513}, "caption is too long"),
        (
            "sendMediaGroup",
            {"media": [{"type": kind, "media": "https://h/a"} for kind in ("photo", "document")]},
            "wrong type",
        ),
        ("sendMediaGroup", {"media": [{"media": "https://h/a.png"}]}, "2-10"),
        (
            "sendMessage",
            {
                "text": "a",
                "reply_markup": {"inline_keyboard": [[{"text": "a", "callback_data": "字" * 22}]]},
            },
            "BUTTON_DATA_INVALID",
        ),
    ],
)
async def test_what_breaks_a_limit_is_refused(
    bot: Client, method: str, params: dict[str, Any], words: str
) -> None:
    answer = await bot.bot(method, chat_id=700000001, **params)
    assert answer["error_code"] == 400
    assert words in answer["description"]


async def test_text_at_the_limit_counts_after_entity_parsing(bot: Client) -> None:
    text = f"<b>{'字' * 4096}</b>"
    answer = await bot.bot("sendMessage", chat_id=700000001, text=text, parse_mode="HTML")
    assert answer["ok"]


async def test_rates_per_chat_and_per_bot_answer_429_with_retry_after(bot: Client) -> None:
    first = await bot.bot("sendMessage", chat_id=700000001, text="一")
    second = await bot.bot("sendMessage", chat_id=700000001, text="二")
    assert (first["ok"], second["error_code"]) == (True, 429)
    assert second["parameters"]["retry_after"] >= 1
    answers = await asyncio.gather(
        *(bot.bot("sendMessage", chat_id=700000001 + n, text="三") for n in range(1, 36))
    )
    assert sum(a["ok"] for a in answers) == 29
    await bot.control("clock", {"advance": 2})
    assert (await bot.bot("sendMessage", chat_id=700000001, text="四"))["ok"]


async def test_a_channel_takes_twenty_a_minute(bot: Client) -> None:
    made = await bot.control(
        "citizens", {"account": "424242", "kind": "channel", "username": "qinghe", "name": "频道"}
    )
    assert int(made["citizens"][0]) < 0
    for _ in range(20):
        assert (await bot.bot("sendMessage", chat_id="@qinghe", text="一"))["ok"]
    assert (await bot.bot("sendMessage", chat_id="@qinghe", text="一"))["error_code"] == 429


async def test_limits_can_be_lifted_for_an_unpaced_run(bot: Client) -> None:
    await bot.control("limits", {"telegram": False})
    answers = [await bot.bot("sendMessage", chat_id=700000001, text="一") for _ in range(40)]
    assert all(a["ok"] for a in answers)


async def test_a_citizen_who_blocked_the_bot_is_403(bot: Client) -> None:
    await bot.control("tap", {"account": "424242", "citizen": "700000001", "event": "block"})
    answer = await bot.bot("sendMessage", chat_id=700000001, text="一")
    assert (answer["error_code"], "blocked by the user" in answer["description"]) == (403, True)
    assert (await bot.bot("sendMessage", chat_id=1, text="一"))["description"].endswith(
        "chat not found"
    )


async def test_edits_and_deletion_within_48_hours(bot: Client) -> None:
    sent = await bot.bot("sendMessage", chat_id=700000001, text="一")
    number = sent["result"]["message_id"]
    edited = await bot.bot("editMessageText", chat_id=700000001, message_id=number, text="二")
    assert edited["result"]["text"] == "二"
    same = await bot.bot("editMessageText", chat_id=700000001, message_id=number, text="二")
    assert "not modified" in same["description"]
    await bot.control("clock", {"advance": 48 * 3600})
    late = await bot.bot("deleteMessage", chat_id=700000001, message_id=number)
    assert late["error_code"] == 400
    await bot.control("clock", {"offset_seconds": 0})
    assert (await bot.bot("deleteMessage", chat_id=700000001, message_id=number))["ok"]


async def test_get_updates_excludes_a_webhook_and_a_second_poller(bot: Client) -> None:
    waiting = asyncio.create_task(bot.bot("getUpdates", timeout=50))

    async def is_refused() -> bool:
        return bool((await bot.bot("getUpdates")).get("error_code") == 409)

    await until(is_refused)
    await bot.control("say", {"account": "424242", "citizen": "700000001", "text": "你好"})
    update = (await waiting)["result"][0]
    assert update["message"]["text"] == "你好"
    assert (await bot.bot("getUpdates", offset=update["update_id"] + 1))["result"] == []
    await bot.bot("setWebhook", url="http://127.0.0.1:1/")
    assert (await bot.bot("getUpdates"))["error_code"] == 409


async def test_the_webhook_gets_updates_with_the_secret_and_again_until_it_answers(
    bot: Client, receiver: Any
) -> None:
    seen: list[Any] = []

    async def answering(request: web.Request) -> web.Response:
        seen.append((request.headers["X-Telegram-Bot-Api-Secret-Token"], await request.json()))
        return web.Response(status=500 if len(seen) == 1 else 200)

    await bot.control("limits", {"retry_delay": 0.02})
    await bot.bot("setWebhook", url=await receiver(answering), secret_token="S-1")
    said = await bot.control("say", {"account": "424242", "citizen": "700000003", "text": "在吗"})
    assert said["status"] == 500
    for _ in range(1500):
        if len(seen) == 2:
            break
        await asyncio.sleep(0.02)
    assert [secret for secret, _ in seen] == ["S-1", "S-1"]
    assert seen[0][1]["update_id"] == seen[1][1]["update_id"]


async def test_a_pressed_button_comes_back_as_a_callback_query(bot: Client, receiver: Any) -> None:
    async def answering(request: web.Request) -> web.Response:
        query = (await request.json())["callback_query"]
        answer = await bot.bot("answerCallbackQuery", callback_query_id=query["id"], text="收到")
        assert answer["ok"]
        return web.Response()

    await bot.bot("setWebhook", url=await receiver(answering))
    markup = {"inline_keyboard": [[{"text": "订阅", "callback_data": "sub:1"}]]}
    await bot.bot("sendMessage", chat_id=700000001, text="菜单", reply_markup=markup)
    press = {"account": "424242", "citizen": "700000001", "data": "sub:1"}
    assert (await bot.control("tap", press))["callback_answer"] == "收到"


async def test_a_dropped_answer_was_still_accepted(bot: Client) -> None:
    await bot.control("faults", {"platform": "telegram", "method": "sendMessage", "kind":
                                 "drop_answer"})  # fmt: skip
    with pytest.raises(aiohttp.ClientError):
        await bot.bot("sendMessage", chat_id=700000001, text="一")
    got = await bot.get("messages", account="424242", citizen="700000001")
    assert len(got["messages"]) == 1
    assert (await bot.bot("sendMessage", chat_id=700000002, text="一"))["ok"]


async def test_planned_refusals_and_errors_are_used_up(bot: Client) -> None:
    plan = {"platform": "telegram", "method": "sendMessage", "kind": "refuse", "code": 429,
            "seconds": 7}  # fmt: skip
    await bot.control("faults", plan)
    refused = await bot.bot("sendMessage", chat_id=700000001, text="一")
    assert refused["parameters"] == {"retry_after": 7}
    await bot.control("faults", {"platform": "telegram", "kind": "error500"})
    assert (await bot.bot("getMe"))["error_code"] == 500
    assert (await bot.bot("getMe"))["ok"]


async def test_ten_thousand_citizens_are_made_at_once(bot: Client) -> None:
    loop = asyncio.get_running_loop()
    start = loop.time()
    made = await bot.control("citizens", {"account": "424242", "count": 10_000})
    assert made["created"] == len(set(made["citizens"])) == 10_000
    assert loop.time() - start < 6
