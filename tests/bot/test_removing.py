"""Each channel's own way to take a publication off, and to heal a name the platform forgot."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from bot.contract import AccountView, State, Still
from bot.takedown import SPENT, Notice, Result, Standing
from bot.telegram.channel import TelegramChannel
from bot.wechat.channel import WeChatChannel
from config.clock import now
from storage.cache import MemoryCache
from tests.bot.conftest import Platforms, content, free
from tests.bot.test_wechat import PICTURE, SECRETS, _settled, media
from tests.documents import made_pictures as made

RECALL = Notice("本条信息已撤回。\n核验：https://gov.example/verify/1", "本条信息已撤回。")
CORRECTED = Notice("本条信息已经更正：\nhttps://t.me/qinghe/9", "本条信息已经更正。", points=True)
POST = Standing("", "", now())
APP = SECRETS["appid"]


@pytest.fixture
async def tg(platforms: Platforms) -> AsyncIterator[TelegramChannel]:
    made_ = TelegramChannel(MemoryCache(), platforms.hosts)
    yield made_
    await made_.close()


@pytest.fixture
async def bot(platforms: Platforms) -> AccountView:
    await platforms.control("accounts", platform="telegram", token="7:abc", name="青禾发布")
    await platforms.control(
        "citizens", account="7", count=1, kind="channel", username="qinghe", prefix="p"
    )
    secrets = {"token": "7:abc", "webhook_secret": "s", "chat": "@qinghe"}
    return AccountView(
        "a1", "telegram", "青禾发布", f"{platforms.url}/telegram", secrets, {"per_second": 0}
    )


@pytest.fixture
async def wx(platforms: Platforms) -> AsyncIterator[WeChatChannel]:
    made_ = WeChatChannel(MemoryCache(), platforms.hosts)
    yield made_
    await made_.close()


@pytest.fixture
async def account(platforms: Platforms) -> AccountView:
    await platforms.control(
        "accounts", platform="wechat", name="青禾发布", kind="service", **SECRETS
    )
    await platforms.control("citizens", account=APP, count=1, name="王芳")
    await platforms.control("limits", result_delay=0.01)
    return AccountView("w1", "wechat", "青禾发布", f"{platforms.url}/wechat", SECRETS, {})


async def shown(platforms: Platforms) -> list[dict[str, Any]]:
    return list((await platforms.seen("messages", account="7", citizen="@qinghe"))["messages"])


async def load(marker: str) -> tuple[bytes, str]:
    return made.picture(), "image/png"


async def posted(tg: TelegramChannel, bot: AccountView, body: str) -> Standing:
    outcome = await tg.publish(bot, tg.render(content(body=body)), load, free)
    assert outcome.state is State.PUBLISHED, outcome
    return Standing(outcome.ref, "", now())


def counted() -> tuple[Still, list[int]]:
    asked: list[int] = []

    async def still() -> None:
        asked.append(1)

    return still, asked


async def test_a_post_of_many_messages_goes_in_one_call_that_is_asked_about_first(
    platforms: Platforms, tg: TelegramChannel, bot: AccountView
) -> None:
    standing = await posted(tg, bot, "\n".join(["县图书馆周末照常开放，请带身份证。"] * 300))
    assert len(await shown(platforms)) > 1
    still, asked = counted()
    assert (await tg.remove(bot, standing, RECALL, still)).result is Result.DELETED
    assert await shown(platforms) == []
    assert len(asked) == (await platforms.seen("requests", method="deleteMessages"))["count"] == 1


async def test_what_the_platform_calls_too_old_is_edited_whatever_our_clock_says(
    platforms: Platforms, tg: TelegramChannel, bot: AccountView
) -> None:
    standing = await posted(tg, bot, "正文一段。")
    await platforms.control("clock", advance=49 * 3600)
    assert (await tg.remove(bot, standing, RECALL, free)).result is Result.EDITED
    [one] = await shown(platforms)
    assert one["text"] == RECALL.text
    assert one["edit_date"]
    # And once more: the same words are no fault.
    assert (await tg.remove(bot, standing, RECALL, free)).result is Result.EDITED


async def test_pictures_of_an_old_post_stay_and_a_person_is_told(
    platforms: Platforms, tg: TelegramChannel, bot: AccountView
) -> None:
    standing = await posted(tg, bot, f"![图]({PICTURE})\n正文一段。")
    old = Standing(standing.ref, "", now() - timedelta(days=3))
    took = await tg.remove(bot, old, RECALL, free)
    assert took.result is Result.BY_HAND
    assert "1 张图片平台不让删" in took.reason
    assert "撤回" in (await shown(platforms))[0]["caption"]
    corrected = await tg.remove(bot, old, CORRECTED, free)
    assert (corrected.result, "还留在原处" in corrected.reason) == (Result.EDITED, True)


async def test_a_correction_edits_a_fresh_post_and_answers_one_that_cannot_be_edited(
    platforms: Platforms, tg: TelegramChannel, bot: AccountView
) -> None:
    standing = await posted(tg, bot, "正文一段。")
    assert (await tg.remove(bot, standing, CORRECTED, free)).result is Result.EDITED
    await platforms.control(
        "faults",
        platform="telegram",
        kind="refuse",
        method="editMessageText",
        code=400,
        description="Bad Request: message can't be edited",
    )
    assert (await tg.remove(bot, standing, CORRECTED, free)).result is Result.REPLIED
    _, answer = await shown(platforms)
    assert answer["text"] == CORRECTED.text
    assert answer["reply_to_message"]["message_id"] == int(standing.ref)


async def test_a_post_that_is_there_no_more_is_gone(
    platforms: Platforms, tg: TelegramChannel, bot: AccountView
) -> None:
    standing = Standing("99", "", now() - timedelta(days=3))
    assert (await tg.remove(bot, standing, RECALL, free)).result is Result.GONE
    assert (await tg.remove(bot, POST, RECALL, free)).result is Result.BY_HAND


@pytest.mark.parametrize(
    ("fault", "result"),
    [
        ({"kind": "drop_answer"}, Result.UNKNOWN),
        ({"kind": "refuse", "code": 429, "seconds": 3}, Result.RETRY),
        ({"kind": "refuse", "code": 403}, Result.BY_HAND),
    ],
)
async def test_each_refusal_of_a_deletion_has_its_own_end(
    platforms: Platforms,
    tg: TelegramChannel,
    bot: AccountView,
    fault: dict[str, Any],
    result: Result,
) -> None:
    standing = await posted(tg, bot, "正文一段。")
    await platforms.control("faults", platform="telegram", method="deleteMessages", **fault)
    assert (await tg.remove(bot, standing, RECALL, free)).result is result


# --- WeChat -----------------------------------------------------------------------------------


async def published(wx: WeChatChannel, account: AccountView, **changes: Any) -> Standing:
    outcome = await wx.publish(account, wx.render(content(**changes)), media, free)
    done = await _settled(wx, account, outcome.ref)
    assert done.state is State.PUBLISHED, done
    return Standing(done.ref, str(done.detail["url"]), now())


async def test_an_article_deleted_by_hand_is_noticed_and_its_deletion_is_no_call(
    platforms: Platforms, wx: WeChatChannel, account: AccountView
) -> None:
    standing, other = await published(wx, account), await published(wx, account, title="另一篇")
    assert list(await wx.missing(account, [standing, other])) == []
    await platforms.control("back_office", account=APP, title="另一篇")
    assert list(await wx.missing(account, [standing, other])) == [other]
    assert (await wx.remove(account, other, RECALL, free)).result is Result.GONE
    assert (await platforms.seen("requests", method="freepublish/delete"))["count"] == 0
    assert (await wx.remove(account, standing, RECALL, free)).result is Result.DELETED


async def test_a_sent_article_deleted_by_hand_is_noticed_by_its_page(
    platforms: Platforms, wx: WeChatChannel, account: AccountView
) -> None:
    client = wx.client(account)
    cover = await client.post(
        "material/add_material",
        params={"type": "image"},
        files={"media": ("a.png", made.picture(), "image/png")},
    )
    articles = [
        {"title": title, "content": "<p>字</p>", "thumb_media_id": cover["media_id"]}
        for title in ("头条", "次条")
    ]
    draft = await client.post("draft/add", data={"articles": articles})
    sent = await client.post(
        "message/mass/sendall",
        data={
            "filter": {"is_to_all": True},
            "msgtype": "mpnews",
            "mpnews": {"media_id": draft["media_id"]},
        },
    )
    ref = f"mass:{sent['msg_id']}"
    await _settled(wx, account, ref)
    got = await platforms.seen("messages", account=APP, citizen="王芳")
    cards = got["messages"][0]["articles"]
    first, second = [
        Standing(ref, card["url"], now(), place) for place, card in enumerate(cards, 1)
    ]
    # One article of the send is taken down, and the other stands.
    assert (await wx.remove(account, second, RECALL, free)).result is Result.DEAD
    assert list(await wx.missing(account, [first, second])) == [second]
    beyond = Standing(ref, "", now(), 3)
    assert (await wx.remove(account, beyond, RECALL, free)).result is Result.BY_HAND


@pytest.mark.parametrize(
    ("fault", "result", "code"),
    [
        ({"kind": "drop_answer"}, Result.UNKNOWN, "no_answer"),
        ({"kind": "refuse", "code": 45009}, Result.RETRY, SPENT),
        ({"kind": "refuse", "code": -1}, Result.RETRY, "-1"),
        ({"kind": "refuse", "code": 53600}, Result.BY_HAND, "53600"),
        ({"kind": "refuse", "code": 48001}, Result.BY_HAND, "48001"),
        ({"kind": "refuse", "code": 90001}, Result.UNKNOWN, "90001"),
    ],
)
async def test_each_refusal_of_an_articles_deletion_has_its_own_end(
    platforms: Platforms,
    wx: WeChatChannel,
    account: AccountView,
    fault: dict[str, Any],
    result: Result,
    code: str,
) -> None:
    standing = await published(wx, account)
    await platforms.control("faults", platform="wechat", method="freepublish/delete", **fault)
    took = await wx.remove(account, standing, RECALL, free)
    assert (took.result, took.code) == (result, code)


async def test_pictures_deleted_in_the_back_office_are_uploaded_once_more_for_the_same_article(
    platforms: Platforms, wx: WeChatChannel, account: AccountView
) -> None:
    """Cover and picture were uploaded today already; 40007 heals once, without a person."""
    big = f"![图]({PICTURE})\n正文一段。"
    await published(wx, account, body=big)
    await platforms.control("back_office", account=APP)
    before = (await platforms.seen("requests", method="material/add_material"))["count"]
    standing = await published(wx, account, body=big)
    async with platforms.http.get(standing.url) as answer:
        assert "<img" in await answer.text()
    drafts = (await platforms.seen("requests", method="draft/add"))["requests"]
    assert [one["response"]["errcode"] for one in drafts] == [0, 40007, 0]
    after = (await platforms.seen("requests", method="material/add_material"))["count"]
    assert after == before + 1
    assert (await platforms.seen("requests", method="freepublish/submit"))["count"] == 2


async def test_a_cover_that_the_platform_never_keeps_is_told_after_the_second_time(
    platforms: Platforms, wx: WeChatChannel, account: AccountView
) -> None:
    await platforms.control(
        "faults", platform="wechat", kind="refuse", method="draft/add", code=40007, count=2
    )
    outcome = await wx.publish(account, wx.render(content()), media, free)
    assert (outcome.state, outcome.code) == (State.FAILED, "draft")
    assert "重新上传后平台仍说没有" in outcome.reason
    assert (await platforms.seen("requests", method="draft/add"))["count"] == 2
