"""图片消息 in the sandbox: what the platform refuses, and what a reader sees of one."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.documents.made_pictures import picture
from tests.sandbox.test_wechat import WeChat, wx

__all__ = ["wx"]  # the fixture of that file, used here


async def uploaded(wx: WeChat, count: int) -> list[str]:
    made = [picture(20 + number, 20) for number in range(count)]
    answers = [await wx.upload("material/add_material", data=one, type="image") for one in made]
    return [one["media_id"] for one in answers]


def newspic(names: list[str], **more: Any) -> dict[str, Any]:
    listed = {"image_list": [{"image_media_id": name} for name in names]}
    article = {"article_type": "newspic", "title": "防汛海报", "content": "请看图。"}
    return article | {"image_info": listed} | more


async def drafted(wx: WeChat, names: list[str], **more: Any) -> Any:
    return await wx.call("draft/add", {"articles": [newspic(names, **more)]})


def crop(ratio: str = "1_1", left: str = "0.25", right: str = "0.75") -> dict[str, Any]:
    edges = {"ratio": ratio, "x1": left, "y1": "0", "x2": right, "y2": "1"}
    return {"cover_info": {"crop_percent_list": [edges]}}


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"title": "字" * 33}, 45003),
        ({"content": ""}, 44004),
        ({"content": "字" * 20_000}, 45002),
        ({"content": "请看<b>图</b>。"}, 45166),
        ({"article_type": "poster"}, 40035),
        ({"image_info": {"image_list": []}}, 40035),
        ({"image_info": {"image_list": [{"image_media_id": "x"}]}}, 40007),
        (crop("4_3"), 40035),
        (crop(left="0.75", right="0.25"), 40035),
    ],
)
async def test_a_picture_message_has_limits(wx: WeChat, change: Any, code: int) -> None:
    assert (await drafted(wx, await uploaded(wx, 1), **change))["errcode"] == code


async def test_a_twenty_first_picture_is_refused(wx: WeChat) -> None:
    names = await uploaded(wx, 21)
    assert (await drafted(wx, names))["errcode"] == 40035
    assert "media_id" in await drafted(wx, names[:20], **crop())


async def test_a_picture_that_goes_after_three_days_is_refused(wx: WeChat) -> None:
    temporary = await wx.upload("media/upload", type="image")
    assert (await drafted(wx, [temporary["media_id"]]))["errcode"] == 40007


async def test_the_draft_and_the_page_have_the_pictures_in_their_order(wx: WeChat) -> None:
    names = await uploaded(wx, 3)
    order = [names[2], names[0], names[1]]
    draft = (await drafted(wx, order, content="一<二\n第二行", **crop("2.35_1")))["media_id"]
    [kept] = (await wx.call("draft/get", {"media_id": draft}))["news_item"]
    assert [one["image_media_id"] for one in kept["image_info"]["image_list"]] == order
    message = {"filter": {"is_to_all": True}, "mpnews": {"media_id": draft}, "msgtype": "mpnews"}
    await wx.call("message/mass/sendall", message | {"clientmsgid": "n"})
    url = (await wx.seen_event("MASSSENDJOBFINISH"))["ArticleUrlResult"]["ResultList"]["item"]
    # Deleting the material leaves the message as it is.
    await wx.call("material/del_material", {"media_id": names[0]})
    async with wx.box.http.get(dict(url)["ArticleUrl"]) as answer:
        page = await answer.text()
    sources = re.findall(r'<img src="([^"]+)"', page)
    heights = []
    for source in sources:
        async with wx.box.http.get(source) as answer:
            heights.append(await answer.read())
    assert heights == [picture(22, 20), picture(20, 20), picture(21, 20)]
    assert "一&lt;二\n第二行" in page
    assert "3/3" in page
