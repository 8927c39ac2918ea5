"""The comment calls of the sandbox refuse what the platform refuses."""

from typing import Any

from tests.sandbox.test_wechat import ACCOUNT, APP, WeChat, wx

__all__ = ["wx"]


async def sent(wx: WeChat, **article: Any) -> int:
    """A mass send of one article; its msg_data_id."""
    media_id = (await wx.draft(**article))["media_id"]
    body = {"filter": {"is_to_all": True}, "msgtype": "mpnews", "mpnews": {"media_id": media_id}}
    job = await wx.call("message/mass/sendall", body)
    await wx.seen_event("MASSSENDJOBFINISH")
    return int(job["msg_data_id"])


async def test_comments_are_written_only_where_they_are_open(wx: WeChat) -> None:
    number = await sent(wx, need_open_comment=0)
    place = {"msg_data_id": number, "index": 0}
    comment = {"account": APP, "citizen": "市民2", "title": "招聘会", "text": "好"}
    assert "没有开放留言" in (await wx.box.control("comment", comment))["error"]
    assert (await wx.call("comment/open", place))["errcode"] == 0
    await wx.box.control("comment", comment)
    listed = await wx.call("comment/list", place | {"begin": 0, "count": 49, "type": 0})
    assert (listed["total"], listed["comment"][0]["content"]) == (1, "好")
    assert (await wx.call("comment/close", place))["errcode"] == 0
    assert "没有开放留言" in (await wx.box.control("comment", comment))["error"]


async def test_every_refusal_has_its_code(wx: WeChat) -> None:
    number = await sent(wx, need_open_comment=1)
    one = {"msg_data_id": number, "index": 0, "user_comment_id": 1}
    await wx.box.control(
        "comment", {"account": APP, "citizen": "市民2", "title": "招聘会", "text": "好"}
    )

    async def code(method: str, **more: Any) -> int:
        return int((await wx.call(method, one | more))["errcode"])

    assert await code("comment/list", begin=0, count=50) == 88010
    assert await code("comment/list", begin=0, count=10, index=1) == 88001
    assert await code("comment/markelect", user_comment_id=9) == 88008
    assert await code("comment/reply/add", content="") == 88007
    assert await code("comment/reply/add", content="谢谢") == 0
    assert await code("comment/reply/add", content="谢谢") == 88005
    assert await code("comment/reply/delete") == 0
    assert await code("comment/reply/delete") == 88009
    await wx.box.control("comment", {"account": APP, "withdraw": 1})
    assert await code("comment/markelect") == 88004
    assert await code("comment/delete") == 0
    assert await code("comment/delete") == 88008


async def test_an_account_without_comments_is_refused_everywhere(wx: WeChat) -> None:
    number = await sent(wx)
    await wx.box.control("accounts", ACCOUNT | {"commenting": False})
    place = {"msg_data_id": number, "index": 0, "begin": 0, "count": 9}
    assert (await wx.call("comment/list", place))["errcode"] == 88000
    assert (await wx.draft(need_open_comment=1))["errcode"] == 88000
