"""The Telegram channel against the sandbox over HTTP."""

import hashlib
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from blocks.document import read_document
from blocks.text import project
from bot.channel import Menu
from bot.contract import AccountView, Button, InboundKind, Outcome, Reply, ReplyBasis, State
from bot.telegram.channel import TelegramChannel
from bot.telegram.inbound import telegram_inbound
from bot.telegram.pictures import way_of
from storage.cache import MemoryCache
from tests.bot.conftest import Platforms, content, free, no_media
from tests.documents.made_pictures import animated, picture

PICTURE = "sha256:" + "b" * 64


@pytest.fixture
async def channel(platforms: Platforms) -> AsyncIterator[TelegramChannel]:
    made = TelegramChannel(MemoryCache(), platforms.hosts)
    yield made
    await made.close()


@pytest.fixture
async def account(platforms: Platforms) -> AccountView:
    await platforms.control("accounts", platform="telegram", token="7:abc", name="青禾发布")
    await platforms.control("citizens", account="7", count=1, prefix="c")
    await platforms.control(
        "citizens", account="7", count=1, kind="channel", username="qinghe", prefix="p"
    )
    secrets = {"token": "7:abc", "webhook_secret": "s", "chat": "@qinghe"}
    return AccountView(
        "a1", "telegram", "青禾发布", f"{platforms.url}/telegram", secrets, {"per_second": 0}
    )


async def _citizen(platforms: Platforms) -> str:
    found = (await platforms.seen("citizens", account="7"))["citizens"]
    return str(next(one["citizen"] for one in found if not str(one["citizen"]).startswith("-")))


async def _push(channel: TelegramChannel, account: AccountView, to: str) -> Outcome:
    return await channel.push(account, to, channel.render(content()), "您订阅了就业创业", free)


async def _fault(platforms: Platforms, **fault: Any) -> None:
    await platforms.control("faults", platform="telegram", method="sendMessage", **fault)


async def test_a_push_arrives_with_bold_title_and_reason(
    platforms: Platforms, channel: TelegramChannel, account: AccountView
) -> None:
    citizen = await _citizen(platforms)
    outcome = await _push(channel, account, citizen)
    assert outcome.state is State.PUBLISHED
    message = (await platforms.seen("messages", account="7", citizen=citizen))["messages"][-1]
    assert message["text"].endswith("为什么收到：您订阅了就业创业")
    assert message["entities"][0]["type"] == "bold"


async def test_a_publication_with_picture_is_one_captioned_photo(
    platforms: Platforms, channel: TelegramChannel, account: AccountView
) -> None:
    async def media(marker: str) -> tuple[bytes, str]:
        assert marker == PICTURE
        return picture(), "image/png"

    rendering = channel.render(content(body=f"![图]({PICTURE})\n正文。"))
    outcome = await channel.publish(account, rendering, media, free)
    assert outcome.state is State.PUBLISHED, outcome
    assert outcome.detail["url"].startswith("https://t.me/qinghe/")
    requests = (await platforms.seen("requests", account="7", method="sendPhoto"))["requests"]
    assert len(requests) == 1
    assert "正文" in requests[0]["parsed"]["caption"]


@pytest.mark.parametrize(
    ("width", "height", "way"),
    [
        (1920, 1080, "photo"),
        (1080, 3240, "photo"),
        (1080, 3241, "document"),
        (5000, 5000, "photo"),
        (5001, 5000, "document"),
        (2100, 100, "document"),
    ],
)
def test_a_picture_beyond_a_photo_or_too_long_to_be_read_as_one_goes_as_a_file(
    width: int, height: int, way: str
) -> None:
    assert way_of(picture(width, height)) == way


def test_what_moves_goes_as_an_animation_and_what_cannot_be_opened_as_before() -> None:
    assert way_of(animated()) == "animation"
    assert way_of(b"\x89PNG of an earlier version") == "photo"


async def test_a_long_publication_goes_out_in_parts(
    platforms: Platforms, channel: TelegramChannel, account: AccountView
) -> None:
    rendering = channel.render(content(body="说明文字。\n" * 900))
    outcome = await channel.publish(account, rendering, no_media, free)
    assert outcome.state is State.PUBLISHED
    assert len(outcome.ref.split(",")) == len(rendering["parts"]) > 1


async def test_a_dropped_answer_is_unknown_and_the_message_did_arrive(
    platforms: Platforms, channel: TelegramChannel, account: AccountView
) -> None:
    citizen = await _citizen(platforms)
    await _fault(platforms, kind="drop_answer")
    assert (await _push(channel, account, citizen)).state is State.UNKNOWN
    found = await platforms.seen("messages", account="7", citizen=citizen)
    assert len(found["messages"]) == 1


async def test_too_many_requests_is_retried_after_what_telegram_says(
    platforms: Platforms, channel: TelegramChannel, account: AccountView
) -> None:
    citizen = await _citizen(platforms)
    await _push(channel, account, citizen)
    outcome = await _push(channel, account, citizen)
    assert (outcome.state, outcome.code) == (State.RETRYING, "429")
    assert outcome.retry_after >= 1


async def test_who_blocked_us_is_ended_and_an_unknown_chat_too(
    platforms: Platforms, channel: TelegramChannel, account: AccountView
) -> None:
    citizen = await _citizen(platforms)
    await platforms.control("tap", account="7", citizen=citizen, event="block")
    assert (await _push(channel, account, citizen)).state is State.ENDED
    assert (await _push(channel, account, "99999999")).state is State.ENDED


async def test_a_refused_connection_is_tried_again(channel: TelegramChannel) -> None:
    nobody = next(iter(channel._allowed)).rsplit(":", 1)[0] + ":9"
    closed = TelegramChannel(MemoryCache(), frozenset({nobody}))
    view = AccountView("a2", "telegram", "x", f"http://{nobody}", {"token": "7:abc"}, {})
    assert (await _push(closed, view, "5")).state is State.RETRYING
    await closed.close()


async def test_a_private_address_is_never_reached(platforms: Platforms) -> None:
    strict = TelegramChannel(MemoryCache())
    view = AccountView("a3", "telegram", "x", f"{platforms.url}/telegram", {"token": "7:abc"}, {})
    outcome = await _push(strict, view, "5")
    assert outcome.state is State.RETRYING
    assert (await platforms.seen("requests", count="1"))["count"] == 0
    await strict.close()


async def test_a_wrong_token_holds_the_whole_account(
    platforms: Platforms, channel: TelegramChannel, account: AccountView
) -> None:
    wrong = AccountView("a4", "telegram", "x", account.api_base, {"token": "8:zzz"}, {})
    outcome = await _push(channel, wrong, "5")
    assert outcome.state is State.HELD
    assert outcome.detail["scope"] == "account"


async def test_a_reply_carries_its_buttons(
    platforms: Platforms, channel: TelegramChannel, account: AccountView
) -> None:
    citizen = await _citizen(platforms)
    reply = Reply(
        "a1", "c1", "请选择", ReplyBasis.TEMPLATE, ((Button("就业创业", "topic:employment"),),)
    )
    assert (await channel.reply(account, citizen, reply)).state is State.PUBLISHED
    message = (await platforms.seen("messages", account="7", citizen=citizen))["messages"][-1]
    button = message["reply_markup"]["inline_keyboard"][0][0]
    assert button["callback_data"] == "topic:employment"


async def test_an_article_of_blocks_is_posted_in_its_order_with_groups_and_files(
    platforms: Platforms, channel: TelegramChannel, account: AccountView
) -> None:
    """Photos that stand together are one message, a long picture goes as a file, words stay."""
    sizes = {"1": (60, 40), "2": (40, 60), "3": (50, 50), "4": (50, 400)}
    kept = {"sha256:" + sign * 64: picture(*size) for sign, size in sizes.items()}

    async def media(marker: str) -> tuple[bytes, str]:
        return kept[marker], "image/png"

    def block(sign: str, **more: str) -> dict[str, str]:
        return {"kind": "picture", "media": "sha256:" + sign * 64, **more}

    blocks = read_document(
        [
            {"kind": "heading", "runs": [{"text": "一、时间"}]},
            block("1", caption="会场"),
            block("2"),
            {"kind": "paragraph", "runs": [{"text": "看指南", "link": "https://a.gov.cn/"}]},
            block("3"),
            block("4", caption="一图读懂"),
        ]
    )
    told = content(blocks=blocks, body=project(blocks).text, attribution={}, title="题")
    rendering = channel.render(told)
    outcome = await channel.publish(account, rendering, media, free)
    assert outcome.state is State.PUBLISHED, outcome
    channels = await platforms.seen("citizens", account="7")
    [to] = [one["citizen"] for one in channels["citizens"] if str(one["citizen"]).startswith("-")]
    posted = (await platforms.seen("messages", account="7", citizen=to))["messages"]
    assert outcome.ref == ",".join(str(one["message_id"]) for one in posted)
    assert [
        (next((kind for kind in ("photo", "document") if kind in one), "text"), words_of(one))
        for one in posted
    ] == [
        ("text", "题\n\n一、时间"),
        ("photo", "图1 会场\n\n看指南"),
        ("photo", ""),
        ("photo", ""),
        ("document", "图2 一图读懂"),
    ]
    assert posted[1]["media_group_id"] == posted[2]["media_group_id"]
    assert posted[1]["caption_entities"][0]["url"] == "https://a.gov.cn/"
    for marker, one in zip(rendering["parts"][1]["pictures"], posted[1:3], strict=True):
        digest = hashlib.sha256(kept[marker]).hexdigest()
        assert one["photo"][0]["file_id"].endswith(digest[:40])


def words_of(message: dict[str, Any]) -> str:
    return str(message.get("text", message.get("caption", "")))


async def test_an_answer_whose_topic_is_gone_is_said_beside_it_once(
    platforms: Platforms, channel: TelegramChannel, account: AccountView
) -> None:
    citizen = await _citizen(platforms)
    reply = Reply("a1", "c1", "答复", ReplyBasis.TEMPLATE, thread="99")
    assert (await channel.reply(account, citizen, reply)).state is State.PUBLISHED
    messages = (await platforms.seen("messages", account="7", citizen=citizen))["messages"]
    assert [one["text"] for one in messages] == ["答复"]
    assert "message_thread_id" not in messages[0]


async def test_only_what_we_understand_is_asked_for(
    platforms: Platforms, channel: TelegramChannel, account: AccountView
) -> None:
    await channel.equip(account, "http://127.0.0.1:9/telegram/x", Menu((), ()))
    [call] = (await platforms.seen("requests", account="7", method="setWebhook"))["requests"]
    asked = ["message", "edited_message", "callback_query", "my_chat_member"]
    assert json.loads(call["parsed"]["allowed_updates"]) == asked
    citizen = await _citizen(platforms)
    given = {"citizen": citizen, "as": "business_message", "fields": {"text": "x"}}
    answer = await platforms.control("send", account="7", **given)
    assert answer["dropped"] == "business_message"


async def test_an_upgraded_group_is_told_of_and_neither_followed_nor_dropped(
    platforms: Platforms, channel: TelegramChannel, account: AccountView
) -> None:
    made = await platforms.control(
        "citizens", account="7", count=1, kind="group", name="青禾工作群", prefix="g"
    )
    group = made["citizens"][0]
    ours = replace(account, secrets={**account.secrets, "chat": group})
    assert (await channel.publish(ours, channel.render(content()), no_media, free)).ref
    moved = (await platforms.control("upgrade", account="7", citizen=group))["chat"]
    refused = await channel.publish(ours, channel.render(content()), no_media, free)
    assert (refused.state, refused.code) == (State.HELD, "migrated")
    assert f"chat={moved}" in refused.reason
    body = {"message_id": 1, "date": 1, "migrate_to_chat_id": int(moved)}
    chat = {"id": int(group), "type": "group", "title": "g"}
    update = {"update_id": 9, "message": {**body, "chat": chat}}
    told = telegram_inbound(ours, json.dumps(update).encode())
    assert (told.kind, told.address) == (InboundKind.NOTICE, "")
    assert moved in channel.notice(ours, told)
    assert channel.notice(account, told) == ""
    new = await platforms.seen("messages", account="7", citizen=moved)
    assert new["messages"] == []


@pytest.mark.parametrize(
    ("fields", "key"),
    [
        ({"poll": {"of": "another form"}}, "other"),
        ({"sticker": {"a": 1}}, "other"),
        ({"photo": [{"no": "file"}]}, "picture"),
        ({"voice": {"x": 1}, "reply_to_message": {"broken": True}}, "voice"),
        ({"venue": {"a": 1}, "location": {"b": 2}}, "place"),
        ({"contact": {"c": 1}}, "card"),
        ({"animation": {"d": 1}, "document": {"e": 1}}, "picture"),
        ({"document": {"e": 1}}, "file"),
        ({"text": "\u00a0"}, "other"),
    ],
)
def test_what_was_sent_is_known_by_its_name_whatever_stands_in_it(
    account: AccountView, fields: dict[str, Any], key: str
) -> None:
    person = {"id": 5, "is_bot": False, "first_name": "x"}
    chat = {"id": 5, "type": "private"}
    message = {"message_id": 1, "date": 1, "chat": chat, "from": person, **fields}
    told = telegram_inbound(account, json.dumps({"update_id": 1, "message": message}).encode())
    assert (told.kind, told.key, told.address) == (InboundKind.MEDIA, key, "5")
