"""What the platforms take back, what they refuse to, and what a citizen still sees."""

from typing import Any

import pytest

from tests.sandbox.conftest import Client
from tests.sandbox.test_telegram import bot  # noqa: F401  the fixture of the sandbox's bot
from tests.sandbox.test_wechat import APP, WeChat, wx  # noqa: F401  and of its account

CHAT = 700000001


async def _cards(wechat: WeChat) -> list[dict[str, Any]]:
    got = await wechat.box.get("phone", account=APP, citizen="市民1")
    return [card for one in got["received"] for card in one.get("articles", [])]


async def _page(wechat: WeChat, url: str) -> str:
    async with wechat.box.http.get(url) as page:
        return await page.text()


async def _mass(wechat: WeChat, titles: list[str]) -> int:
    cover = await wechat.upload("material/add_material", type="image")
    articles = [
        {"title": one, "content": "<p>正文</p>", "thumb_media_id": cover["media_id"]}
        for one in titles
    ]
    draft = await wechat.call("draft/add", {"articles": articles})
    sent = await wechat.call(
        "message/mass/sendall",
        {
            "filter": {"is_to_all": True},
            "msgtype": "mpnews",
            "mpnews": {"media_id": draft["media_id"]},
        },
    )
    await wechat.seen_event("MASSSENDJOBFINISH")
    return int(sent["msg_id"])


async def test_one_article_of_a_mass_send_goes_and_its_card_stays(wx: WeChat) -> None:  # noqa: F811
    number = await _mass(wx, ["招聘会", "停水通知"])
    await wx.call("message/mass/delete", {"msg_id": number, "article_idx": 2})
    first, second = await _cards(wx)
    assert (first["title"], second["title"]) == ("招聘会", "停水通知")
    assert "已被发布者删除" not in await _page(wx, first["url"])
    assert "已被发布者删除" in await _page(wx, second["url"])
    state = await wx.call("message/mass/get", {"msg_id": number})
    assert state["msg_status"] == "SEND_SUCCESS"


@pytest.mark.parametrize("index", [3, -1])
async def test_a_number_beyond_the_articles_deletes_nothing(wx: WeChat, index: int) -> None:  # noqa: F811
    number = await _mass(wx, ["招聘会", "停水通知"])
    said = await wx.call("message/mass/delete", {"msg_id": number, "article_idx": index})
    assert said["errcode"] == 40035
    assert (await wx.call("message/mass/delete", {"msg_id": 1}))["errcode"] == 40059
    for card in await _cards(wx):
        assert "已被发布者删除" not in await _page(wx, card["url"])


async def test_the_eleventh_deletion_of_a_day_is_refused(wx: WeChat) -> None:  # noqa: F811
    number = await _mass(wx, ["招聘会"])
    codes = [
        (await wx.call("message/mass/delete", {"msg_id": number}))["errcode"] for _ in range(11)
    ]
    assert codes == [0] * 10 + [45009]


async def test_messages_go_together_within_48_hours_and_none_when_one_is_older(
    bot: Client,  # noqa: F811
) -> None:
    old = (await bot.bot("sendMessage", chat_id=CHAT, text="一"))["result"]["message_id"]
    await bot.control("clock", {"advance": 48 * 3600})
    young = (await bot.bot("sendMessage", chat_id=CHAT, text="二"))["result"]["message_id"]
    both = await bot.bot("deleteMessages", chat_id=CHAT, message_ids=[old, young])
    assert (both["ok"], "can't be deleted" in both["description"]) == (False, True)
    assert (await bot.bot("deleteMessages", chat_id=CHAT, message_ids=[young, 999]))["ok"]
    got = await bot.get("messages", account="424242", citizen=str(CHAT))
    assert [one["message_id"] for one in got["messages"]] == [old]
    for wrong in ([], list(range(1, 102))):
        assert not (await bot.bot("deleteMessages", chat_id=CHAT, message_ids=wrong))["ok"]


async def test_what_somebody_deletes_in_the_back_office_is_gone_for_the_calls(
    wx: WeChat,  # noqa: F811
) -> None:
    await _mass(wx, ["招聘会"])
    assert (await wx.box.control("back_office", {"account": APP, "title": "招聘会"}))[
        "deleted"
    ] == 1
    [card] = await _cards(wx)
    assert "已被发布者删除" in await _page(wx, card["url"])
    kept = await wx.upload("material/add_material", type="image")
    content = f'<p>图</p><img src="{kept["url"]}">'
    draft = await wx.draft(content=content)
    assert "<img" in (await wx.call("draft/get", draft))["news_item"][0]["content"]
    assert (await wx.box.control("back_office", {"account": APP}))["deleted"] == 3
    article = {"title": "一", "content": "<p>字</p>", "thumb_media_id": kept["media_id"]}
    assert (await wx.call("draft/add", {"articles": [article]}))["errcode"] == 40007
