"""The WeChat sandbox holds the platform's tokens, windows, quotas, limits and callbacks."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import aiohttp
import pytest
from aiohttp import web
from wechatpy import parse_message
from wechatpy.crypto import WeChatCrypto
from wechatpy.replies import TextReply

from sandbox.state import beijing_words
from tests.sandbox.conftest import Client
from tests.waiting import until

APP, KEY = "wx1234567890", "k" * 43
ACCOUNT = {"platform": "wechat", "appid": APP, "secret": "S", "token": "tok", "aes_key": KEY}
PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 64


class WeChat:
    """Calls with a stable token, and a callback receiver that answers what a test sets."""

    def __init__(self, box: Client) -> None:
        self.box = box
        self.token = ""
        self.seen: list[Any] = []
        self.answer: str | None = None
        self.hold = 0.0

    async def receive(self, request: web.Request) -> web.Response:
        if request.method == "GET":
            return web.Response(text=request.query["echostr"])
        crypto, query = WeChatCrypto("tok", KEY, APP), request.query
        plain = crypto.decrypt_message(
            await request.text(), query["msg_signature"], query["timestamp"], query["nonce"]
        )
        message = parse_message(plain)
        self.seen.append(message)
        if self.hold:
            await asyncio.sleep(self.hold)
        if self.answer is None:
            return web.Response(text="success")
        reply = TextReply(content=self.answer, message=message).render()
        return web.Response(text=crypto.encrypt_message(reply, "n", query["timestamp"]))

    async def call(self, path: str, content: Any = None) -> Any:
        return await self.box.wx(path, content, access_token=self.token)

    async def fresh(self, **more: Any) -> Any:
        body = {"grant_type": "client_credential", "appid": APP, "secret": "S"} | more
        answer = await self.box.wx("stable_token", body)
        self.token = answer.get("access_token", self.token)
        return answer

    async def upload(self, path: str, data: bytes = PNG, **query: Any) -> Any:
        form = aiohttp.FormData()
        form.add_field("media", data, filename="a.png", content_type="image/png")
        url = f"{self.box.base}/wechat/cgi-bin/{path}"
        query["access_token"] = self.token
        async with self.box.http.post(url, data=form, params=query) as answer:
            return await answer.json()

    async def draft(self, **more: Any) -> Any:
        cover = await self.upload("material/add_material", type="image")
        article = {"title": "招聘会", "content": "<p>正文</p>", "thumb_media_id": cover["media_id"]}
        return await self.call("draft/add", {"articles": [article | more]})

    async def sent(self, msg_id: int) -> None:
        """Until a mass message has its result."""

        async def told() -> bool:
            job = await self.call("message/mass/get", {"msg_id": msg_id})
            return bool(job["msg_status"] != "SENDING")

        await until(told)

    async def seen_event(self, name: str) -> Any:
        for _ in range(6000):
            found = [m for m in self.seen if getattr(m, "_data", {}).get("Event") == name]
            if found:
                return found[-1]._data
            await asyncio.sleep(0.01)
        raise AssertionError(name)


@pytest.fixture
async def wx(box: Client, receiver: Any) -> WeChat:
    wechat = WeChat(box)
    url = await receiver(wechat.receive)
    notices = [{"id": "T1", "title": "政策提醒"}]
    await box.control("accounts", ACCOUNT | {"callback_url": url, "templates": notices})
    await box.control("citizens", {"account": APP, "count": 3, "prefix": "市民"})
    await box.control("limits", {"result_delay": 0.01})
    await wechat.fresh()
    return wechat


def person(number: int = 1) -> dict[str, str]:
    return {"account": APP, "citizen": f"市民{number}"}


async def openid(wx: WeChat, number: int = 1) -> str:
    people = (await wx.box.get("citizens", account=APP))["citizens"]
    return str(people[number - 1]["citizen"])


async def test_the_callback_address_proves_itself_by_its_echo(wx: WeChat) -> None:
    assert (await wx.box.control("verify", {"account": APP}))["ok"]


async def test_a_new_plain_token_ends_the_old_after_five_minutes(wx: WeChat) -> None:
    query = {"grant_type": "client_credential", "appid": APP, "secret": "S"}
    old = (await wx.box.wx("token", **query))["access_token"]
    await wx.box.wx("token", **query)
    assert (await wx.box.wx("user/get", access_token=old))["errcode"] == 0
    await wx.box.control("clock", {"advance": 301})
    assert (await wx.box.wx("user/get", access_token=old))["errcode"] == 40001
    assert (await wx.call("user/get"))["errcode"] == 0
    issued = (await wx.box.get("accounts"))["accounts"][0]["tokens_issued"]
    assert issued == {"token": 2, "stable_token": 1}


async def test_the_stable_token_stays_until_five_minutes_before_its_end(wx: WeChat) -> None:
    first = wx.token
    await wx.box.control("clock", {"advance": 6800})
    assert (await wx.fresh())["access_token"] == first
    await wx.box.control("clock", {"advance": 150})
    assert (await wx.fresh())["access_token"] != first
    assert (await wx.box.wx("user/get", access_token=first))["errcode"] == 0
    await wx.box.control("clock", {"advance": 300})
    assert (await wx.box.wx("user/get", access_token=first))["errcode"] == 42001


def _to_noon() -> float:
    """Seconds to the next noon in Beijing: what is counted by the day must not meet its end."""
    moment = datetime.now(ZoneInfo("Asia/Shanghai"))
    return (moment.replace(hour=12, minute=0, second=0) - moment).total_seconds() % 86_400


async def test_forcing_a_stable_token_is_spaced_and_counted(wx: WeChat) -> None:
    await wx.box.control("clock", {"advance": _to_noon()})
    first = (await wx.fresh())["access_token"]
    assert (await wx.fresh(force_refresh=True))["access_token"] != first
    assert (await wx.box.wx("user/get", access_token=first))["errcode"] == 40001
    assert (await wx.fresh(force_refresh=True))["errcode"] == 45011
    for _ in range(19):
        await wx.box.control("clock", {"advance": 31})
        assert "access_token" in await wx.fresh(force_refresh=True)
    await wx.box.control("clock", {"advance": 31})
    assert (await wx.fresh(force_refresh=True))["errcode"] == 45009


async def test_wrong_credentials_and_tokens_have_their_own_codes(wx: WeChat) -> None:
    assert (await wx.fresh(secret="x"))["errcode"] == 40125
    assert (await wx.fresh(appid="x"))["errcode"] == 40013
    assert (await wx.box.wx("user/get", access_token="x"))["errcode"] == 40014
    assert (await wx.box.wx("user/get"))["errcode"] == 41001
    await wx.box.control("faults", {"platform": "wechat", "kind": "invalidate_token"})
    assert (await wx.call("user/get"))["errcode"] == 40001
    assert (await wx.call("user/get"))["errcode"] == 40001
    await wx.fresh()
    assert (await wx.call("user/get"))["errcode"] == 0


async def test_a_text_is_encrypted_to_us_and_the_passive_reply_shown(wx: WeChat) -> None:
    wx.answer = "已收到"
    said = await wx.box.control("say", person() | {"text": "社保怎么交"})
    assert wx.seen[0].content == "社保怎么交"
    assert (said["tries"], said["reply"]["Content"]) == (1, "已收到")
    got = await wx.box.get("messages", account=APP, citizen="市民1")
    assert got["messages"][0]["text"] == "已收到"


async def test_no_answer_in_time_is_tried_three_times_and_then_excused(wx: WeChat) -> None:
    wx.hold = 1.0
    await wx.box.control("limits", {"callback_timeout": 0.3})
    said = await wx.box.control("say", person() | {"text": "在吗"})
    assert said["tries"] == len({id(m) for m in wx.seen}) == 3
    assert len({m.id for m in wx.seen}) == 1
    screen = await wx.box.get("phone", account=APP, citizen="市民1")
    assert "故障" in screen["received"][0]["text"]
    assert screen["notices"][0]["text"] == "0.3 秒未应答，第 2 次推送"
    assert screen["notices"][-1]["text"] == "3 次推送都未成功，市民看到故障提示"


async def test_a_passive_reply_over_2048_bytes_is_not_shown(wx: WeChat) -> None:
    wx.answer = "字" * 683
    await wx.box.control("say", person() | {"text": "在吗"})
    got = await wx.box.get("messages", account=APP, citizen="市民1")
    assert got["messages"][0]["kind"] == "system"


async def test_customer_messages_need_an_open_window_and_are_counted(wx: WeChat) -> None:
    message = {"touser": await openid(wx), "msgtype": "text", "text": {"content": "您好"}}
    assert (await wx.call("message/custom/send", message))["errcode"] == 45015
    await wx.box.control("say", person() | {"text": "在吗"})
    codes = [(await wx.call("message/custom/send", message))["errcode"] for _ in range(6)]
    assert codes == [0, 0, 0, 0, 0, 45047]
    await wx.box.control("say", person() | {"text": "再问"})
    await wx.box.control("clock", {"advance": 48 * 3600})
    await wx.fresh()
    assert (await wx.call("message/custom/send", message))["errcode"] == 45015
    assert (await wx.call("message/custom/send", message | {"touser": "x"}))["errcode"] == 40003
    long = message | {"text": {"content": "字" * 683}}
    assert (await wx.call("message/custom/send", long))["errcode"] == 45002


async def test_a_menu_click_gives_three_messages_within_a_minute(wx: WeChat) -> None:
    menu = {"button": [{"type": "click", "name": "办事服务", "key": "SERVICE"}]}
    assert (await wx.call("menu/create", menu))["errcode"] == 0
    await wx.box.control("tap", person() | {"key": "SERVICE"})
    assert wx.seen[0].event == "click"
    assert wx.seen[0].key == "SERVICE"
    message = {"touser": await openid(wx), "msgtype": "text", "text": {"content": "您好"}}
    codes = [(await wx.call("message/custom/send", message))["errcode"] for _ in range(4)]
    assert codes == [0, 0, 0, 45047]


@pytest.mark.parametrize(
    ("event", "codes"),
    [
        ("scan", [0, 0, 0, 45047]),
        ("follow", [0, 0, 0, 45047]),
        ("view", [45015]),
        ("location", [45015]),
    ],
)
async def test_each_event_gives_its_own_window_or_none(
    wx: WeChat, event: str, codes: list[int]
) -> None:
    await wx.box.control("tap", person() | {"event": event})
    message = {"touser": await openid(wx), "msgtype": "text", "text": {"content": "您好"}}
    assert [(await wx.call("message/custom/send", message))["errcode"] for _ in codes] == codes
    await wx.box.control("clock", {"advance": 60})
    assert (await wx.call("message/custom/send", message))["errcode"] == 45015


async def test_an_act_held_back_arrives_after_a_later_one_with_its_own_number(wx: WeChat) -> None:
    late = {"platform": "wechat", "kind": "late_callback", "method": "callback", "seconds": 60}
    await wx.box.control("faults", late)
    first = asyncio.create_task(wx.box.control("say", person() | {"text": "先说的"}))

    async def is_held_back() -> bool:
        return not (await wx.box.control("faults", verb="GET"))["faults"]

    await until(is_held_back)
    await wx.box.control("say", person() | {"text": "后说的"})
    await wx.box.control("faults", verb="DELETE")
    await first
    assert [one.content for one in wx.seen] == ["后说的", "先说的"]
    assert wx.seen[0].id > wx.seen[1].id
    assert (await wx.box.control("faults", verb="GET"))["faults"] == []


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"title": "字" * 33}, 45003),
        ({"author": "字" * 17}, 45110),
        ({"digest": "字" * 129}, 45004),
        ({"content": "字" * 20_000}, 45002),
        ({"content": ""}, 44004),
        ({"content_source_url": "http://h/" + "a" * 1024}, 45005),
        ({"thumb_media_id": "x"}, 40007),
    ],
)
async def test_draft_fields_have_limits(wx: WeChat, change: Any, code: int) -> None:
    assert (await wx.draft(**change))["errcode"] == code


async def test_scripts_and_pictures_from_elsewhere_leave_a_draft(wx: WeChat) -> None:
    own = (await wx.upload("media/uploadimg"))["url"]
    body = f'<p onclick="x()">一<img src="{own}"><img src="http://h/b.png"><script>x</script></p>'
    made = await wx.draft(content=body)
    stored = await wx.call("draft/get", {"media_id": made["media_id"]})
    assert stored["news_item"][0]["content"] == f'<p>一<img src="{own}"></p>'
    assert (await wx.upload("media/uploadimg", b"GIF89a"))["errcode"] == 40005
    assert (await wx.upload("media/uploadimg", PNG + b"0" * 1024 * 1024))["errcode"] == 40009


async def test_names_styles_frames_and_links_elsewhere_leave_a_draft(wx: WeChat) -> None:
    body = (
        '<style>p{color:red}</style><p class="a" id="b" data-x="1" style="color: red">一</p>'
        '<iframe src="http://h"></iframe><a href="http://h/x">看这里</a>'
        '<a href="https://mp.weixin.qq.com/s/1">上一期</a><p>1 &lt; 2 class="a"</p>'
    )
    made = await wx.draft(content=body)
    stored = await wx.call("draft/get", {"media_id": made["media_id"]})
    assert stored["news_item"][0]["content"] == (
        '<p style="color: red">一</p>看这里<a href="https://mp.weixin.qq.com/s/1">上一期</a>'
        '<p>1 &lt; 2 class="a"</p>'
    )


async def test_saving_in_the_back_office_loses_boxes_list_marks_backgrounds_and_positions(
    wx: WeChat,
) -> None:
    body = (
        '<section style="border: 1px solid red;padding: 4px;color: red"><ul><li>一</li></ul>'
        '<p style="background: #eee;position: absolute;left: 0">二</p></section>'
        '<table style="width: 100%"><tbody><tr><td style="border: 1px solid #ccc">三</td></tr>'
        "</tbody></table>"
    )
    await wx.draft(content=body)
    [left] = (await wx.box.control("save_again", {"account": APP}))["articles"]
    assert left["content"] == (
        '<section style="color: red;"><p>一</p><p>二</p></section>'
        '<table style="width: 100%"><tbody><tr><td style="border: 1px solid #ccc">三</td></tr>'
        "</tbody></table>"
    )


@pytest.mark.parametrize("crop", ["0_0_2_1", "0.5_0_0.5_1", "0_0_1", "0.1234567_0_1_1", "a_0_1_1"])
async def test_a_crop_that_is_no_part_of_the_cover_is_refused(wx: WeChat, crop: str) -> None:
    assert (await wx.draft(pic_crop_235_1=crop))["errcode"] == 40035
    assert "media_id" in await wx.draft(pic_crop_1_1="0.250000_0.000000_0.750000_1.000000")


async def test_publishing_ends_with_an_event_and_an_article_page(wx: WeChat) -> None:
    media_id = (await wx.draft(title="一<二"))["media_id"]
    job = await wx.call("freepublish/submit", {"media_id": media_id})
    event = await wx.seen_event("PUBLISHJOBFINISH")
    assert event["PublishEventInfo"]["publish_status"] == "0"
    got = await wx.call("freepublish/get", {"publish_id": job["publish_id"]})
    assert got["publish_status"] == 0
    url = got["article_detail"]["item"][0]["article_url"]
    async with wx.box.http.get(url) as page:
        text = await page.text()
    assert "一&lt;二" in text
    # Readers see the time of Beijing.
    assert beijing_words("2026-11-29T23:10:00.000+00:00") == "2026-11-30 07:10"
    (shown,) = re.findall(r"<time>(.+?)</time>", text)
    assert abs(datetime.fromisoformat(f"{shown}+08:00") - datetime.now(UTC)) < timedelta(minutes=9)
    assert (await wx.call("draft/get", {"media_id": media_id}))["errcode"] == 40007
    assert (await wx.call("freepublish/batchget", {"offset": 0, "count": 1}))["total_count"] == 1
    await wx.call("freepublish/delete", {"article_id": got["article_id"]})
    again = await wx.call("freepublish/get", {"publish_id": job["publish_id"]})
    assert again["publish_status"] == 5
    async with wx.box.http.get(url) as page:
        assert "已被发布者删除" in await page.text()


async def test_publishing_can_be_made_to_fail_by_the_platform(wx: WeChat) -> None:
    await wx.box.control("faults", {"platform": "wechat", "kind": "publish_status", "status": 4})
    job = await wx.call("freepublish/submit", {"media_id": (await wx.draft())["media_id"]})
    await wx.seen_event("PUBLISHJOBFINISH")
    got = await wx.call("freepublish/get", {"publish_id": job["publish_id"]})
    assert got["publish_status"] == 4


async def test_a_mass_send_is_once_only_and_reaches_followers(wx: WeChat) -> None:
    body = {"filter": {"is_to_all": True}, "msgtype": "mpnews", "clientmsgid": "item-1",
            "mpnews": {"media_id": (await wx.draft())["media_id"]}}  # fmt: skip
    sent = await wx.call("message/mass/sendall", body)
    event = await wx.seen_event("MASSSENDJOBFINISH")
    assert (event["Status"], event["SentCount"]) == ("send success", "3")
    again = await wx.call("message/mass/sendall", body)
    assert (again["errcode"], again["msg_id"]) == (45065, sent["msg_id"])
    state = await wx.call("message/mass/get", {"msg_id": sent["msg_id"]})
    assert state["msg_status"] == "SEND_SUCCESS"
    got = await wx.box.get("messages", account=APP, citizen="市民2")
    assert got["messages"][0]["articles"][0]["title"] == "招聘会"
    other = body | {"clientmsgid": "item-2", "msgtype": "text", "text": {"content": "一"}}
    assert (await wx.call("message/mass/sendall", other))["errcode"] == 45028
    await wx.call("message/mass/delete", {"msg_id": sent["msg_id"]})
    state = await wx.call("message/mass/get", {"msg_id": sent["msg_id"]})
    assert state["msg_status"] == "DELETE"


async def test_a_message_of_several_articles_tells_the_end_of_each(wx: WeChat) -> None:
    cover = (await wx.upload("material/add_material", type="image"))["media_id"]

    async def draft(count: int) -> Any:
        articles = [
            {"title": f"第 {number} 篇", "content": "<p>正文</p>", "thumb_media_id": cover}
            for number in range(1, count + 1)
        ]
        return await wx.call("draft/add", {"articles": articles})

    assert (await draft(9))["errcode"] == 45008
    await wx.box.control(
        "faults",
        {"platform": "wechat", "kind": "mass_status", "status": "err(30002)", "article": 2},
    )
    body = {"filter": {"is_to_all": True}, "msgtype": "mpnews", "clientmsgid": "one",
            "mpnews": {"media_id": (await draft(3))["media_id"]}}  # fmt: skip
    await wx.call("message/mass/sendall", body)
    event = await wx.seen_event("MASSSENDJOBFINISH")
    assert event["CopyrightCheckResult"]["ResultList"]["item"]["ArticleIdx"] == "2"
    wx.seen.clear()
    body |= {"clientmsgid": "two", "mpnews": {"media_id": (await draft(3))["media_id"]}}
    await wx.call("message/mass/sendall", body)
    event = await wx.seen_event("MASSSENDJOBFINISH")
    rows = event["ArticleUrlResult"]["ResultList"]["item"]
    assert [row["ArticleIdx"] for row in rows] == ["1", "2", "3"]
    body |= {"clientmsgid": "three", "mpnews": {"media_id": (await draft(1))["media_id"]}}
    assert (await wx.call("message/mass/sendall", body))["errcode"] == 45028
    await wx.box.control("faults", {"platform": "wechat", "kind": "publish_status", "status": 4,
                                    "article": 3})  # fmt: skip
    job = await wx.call("freepublish/submit", {"media_id": (await draft(3))["media_id"]})
    await wx.seen_event("PUBLISHJOBFINISH")
    got = await wx.call("freepublish/get", {"publish_id": job["publish_id"]})
    assert got["fail_idx"] == [3]


async def test_a_fifth_mass_message_in_a_month_is_filtered_out(wx: WeChat) -> None:
    await wx.box.control("clock", {"advance": _to_noon()})
    await wx.fresh()
    people = [await openid(wx, 1), await openid(wx, 2)]
    for number in range(5):
        body = {"touser": people, "msgtype": "text", "text": {"content": str(number)}}
        answer = await wx.call("message/mass/send", body)
        assert answer["errcode"] == 0
        await wx.sent(answer["msg_id"])
    got = await wx.box.get("messages", account=APP, citizen="市民1")
    assert len(got["messages"]) == 4
    one = {"touser": people[:1], "msgtype": "text", "text": {"content": "一"}}
    assert (await wx.call("message/mass/send", one))["errcode"] == 40130


async def test_an_unverified_account_may_not_publish(wx: WeChat) -> None:
    media_id = (await wx.draft())["media_id"]
    await wx.box.control("accounts", ACCOUNT | {"verified": False})
    assert (await wx.call("freepublish/submit", {"media_id": media_id}))["errcode"] == 48001


async def test_a_notice_needs_consent_and_uses_it_up(wx: WeChat) -> None:
    body = {"touser": await openid(wx), "template_id": "T1", "data": {"thing1": {"value": "一"}}}
    assert (await wx.call("message/subscribe/bizsend", body))["errcode"] == 43101
    consent = {"event": "subscribe_msg_popup", "template": "T1"}
    await wx.box.control("tap", person() | consent)
    assert (await wx.call("message/subscribe/bizsend", body))["errcode"] == 0
    await wx.seen_event("subscribe_msg_sent_event")
    assert (await wx.call("message/subscribe/bizsend", body))["errcode"] == 43101


async def test_follow_and_unfollow_are_events_and_change_the_list(wx: WeChat) -> None:
    await wx.box.control("tap", person() | {"event": "unfollow"})
    assert wx.seen[-1].event == "unsubscribe"
    assert (await wx.call("user/get"))["total"] == 2
    await wx.box.control("tap", person() | {"event": "follow"})
    assert wx.seen[-1].event == "subscribe"
    assert (await wx.call("user/get"))["total"] == 3


async def test_tags_hold_people(wx: WeChat) -> None:
    tag = (await wx.call("tags/create", {"tag": {"name": "就业"}}))["tag"]["id"]
    member = {"tagid": tag, "openid_list": [await openid(wx)]}
    assert (await wx.call("tags/members/batchtagging", member))["errcode"] == 0
    assert (await wx.call("tags/get"))["tags"][0]["count"] == 1
    assert (await wx.call("tags/create", {"tag": {"name": "就业"}}))["errcode"] == 45157
    crowd = {"tagid": tag, "openid_list": ["x"] * 51}
    assert (await wx.call("tags/members/batchtagging", crowd))["errcode"] == 40032


async def test_a_mass_send_to_some_is_refused_like_on_the_platform(wx: WeChat) -> None:
    people = (await wx.call("user/get"))["data"]["openid"]
    send = {"msgtype": "text", "text": {"content": "一"}}

    async def to(*openids: str) -> Any:
        return await wx.call("message/mass/send", send | {"touser": list(openids)})

    assert (await to(people[0]))["errcode"] == 40130
    assert (await to(*("x" for _ in range(10_001))))["errcode"] == 40032
    assert (await to("x", "y"))["errcode"] == 40003
    await wx.box.control("tap", {"account": APP, "citizen": people[0], "event": "unfollow"})
    assert (await to(*people, "x"))["errcode"] == 0
    event = await wx.seen_event("MASSSENDJOBFINISH")
    told = (event["TotalCount"], event["FilterCount"], event["SentCount"], event["ErrorCount"])
    assert told == ("4", "2", "2", "0")
    tag = (await wx.call("tags/create", {"tag": {"name": "就业"}}))["tag"]["id"]
    to_tag = send | {"filter": {"is_to_all": False, "tag_id": tag}}
    assert (await wx.call("message/mass/sendall", to_tag))["errcode"] == 40003
    tagging = {"tagid": tag, "openid_list": people}
    assert (await wx.call("tags/members/batchtagging", tagging))["errcode"] == 49003
    assert (await wx.call("tags/create", {"tag": {"name": "就" * 11}}))["errcode"] == 45158


async def test_the_menu_has_limits(wx: WeChat) -> None:
    button = {"type": "click", "name": "办事", "key": "K"}
    assert (await wx.call("menu/create", {"button": [button] * 4}))["errcode"] == 40016
    assert (await wx.call("menu/create", {"button": [button | {"name": "字" * 6}]}))[
        "errcode"
    ] == 40018
    assert (await wx.call("menu/get"))["errcode"] == 46003


async def test_the_daily_quota_ends_a_call_until_the_next_day(wx: WeChat) -> None:
    codes = [
        (await wx.call("freepublish/delete", {"article_id": "x"}))["errcode"] for _ in range(11)
    ]
    assert codes == [53600] * 10 + [45009]
    await wx.box.control("clock", {"advance": 86_400})
    await wx.fresh()
    assert (await wx.call("freepublish/delete", {"article_id": "x"}))["errcode"] == 53600


async def test_a_body_that_is_no_json_is_47001(wx: WeChat) -> None:
    url = f"{wx.box.base}/wechat/cgi-bin/draft/add"
    query = {"access_token": wx.token}
    async with wx.box.http.post(url, data=b"{", params=query) as answer:
        assert (await answer.json())["errcode"] == 47001


TO_ALL = {"filter": {"is_to_all": True}, "msgtype": "text"}


async def to_all(wx: WeChat, words: str) -> Any:
    return await wx.call("message/mass/sendall", TO_ALL | {"text": {"content": words}})


async def test_a_fifth_send_to_everybody_in_a_month_is_refused_and_the_next_month_is_free(
    wx: WeChat,
) -> None:
    start = datetime.fromisoformat((await wx.box.control("clock", {}))["now"])
    # From noon of the first of a month on, whatever day it is today.
    first = datetime.combine(start.date().replace(day=1), time(4), UTC) + timedelta(days=31)
    first = first.replace(day=1)
    await wx.box.control("clock", {"advance": (first - start).total_seconds()})
    for day in range(5):
        await wx.fresh()
        answer = await to_all(wx, str(day))
        assert answer.get("errcode") == (45028 if day == 4 else 0), answer
        if day < 4:
            await wx.sent(answer["msg_id"])
        await wx.box.control("clock", {"advance": 86_400})
    await wx.box.control("clock", {"advance": 28 * 86_400})
    await wx.fresh()
    assert (await to_all(wx, "下月"))["errcode"] == 0


async def test_more_than_sixty_mass_calls_a_minute_and_ten_deletions_a_day_are_refused(
    wx: WeChat,
) -> None:
    await wx.box.control("clock", {"advance": _to_noon()})
    await wx.fresh()
    codes = [(await to_all(wx, str(n)))["errcode"] for n in range(61)]
    assert (codes[0], codes[59], codes[60]) == (0, 45028, 45011)
    gone = [(await wx.call("message/mass/delete", {"msg_id": 1}))["errcode"] for _ in range(11)]
    assert gone == [40059] * 10 + [45009]


@pytest.mark.parametrize(
    ("answer", "status"),
    [("yes", "send success"), ("no", "err(40001)"), ("", "err(40002)")],
)
async def test_a_protected_send_waits_for_the_administrator(
    wx: WeChat, answer: str, status: str
) -> None:
    await wx.box.control("clock", {"advance": _to_noon()})
    await wx.fresh()
    await wx.box.control("confirm_mass", {"account": APP, "protected": True})
    sent = await to_all(wx, "一")
    await asyncio.sleep(0.1)
    state = await wx.call("message/mass/get", {"msg_id": sent["msg_id"]})
    assert state["msg_status"] == "SENDING"
    assert (await wx.box.get("messages", account=APP))["messages"] == {}
    if not answer:
        await wx.box.control("clock", {"advance": 1800})
    else:
        told = await wx.box.control("confirm_mass", {"account": APP, "allowed": answer == "yes"})
        assert told == {"answered": 1}
    event = await wx.seen_event("MASSSENDJOBFINISH")
    assert event["Status"] == status
    # What was not let go gives its place back.
    await wx.fresh()
    again = await to_all(wx, "二")
    assert again["errcode"] == (45028 if answer == "yes" else 0)


def _code(action: str, **scene: object) -> dict[str, object]:
    return {"action_name": action, "action_info": {"scene": scene}}


async def test_codes_have_scenes_of_64_signs_and_a_scan_tells_them(wx: WeChat) -> None:
    made = await wx.call("qrcode/create", _code("QR_LIMIT_STR_SCENE", scene_str="at-employment"))
    assert made["ticket"]
    assert made["url"]
    assert "expire_seconds" not in made
    short = _code("QR_STR_SCENE", scene_str="x") | {"expire_seconds": 3600}
    assert (await wx.call("qrcode/create", short))["expire_seconds"] == 3600
    for wrong in (
        _code("QR_LIMIT_STR_SCENE", scene_str="x" * 65),
        _code("QR_LIMIT_STR_SCENE", scene_str=""),
        _code("QR_LIMIT_SCENE", scene_id=100_001),
        _code("QR_ANY", scene_str="x"),
    ):
        assert (await wx.call("qrcode/create", wrong))["errcode"] == 40053
    long = _code("QR_STR_SCENE", scene_str="x") | {"expire_seconds": 2_592_001}
    assert (await wx.call("qrcode/create", long))["errcode"] == 40035


async def test_only_verified_service_accounts_have_codes(wx: WeChat) -> None:
    for kind in ({"verified": False}, {"kind": "subscription"}):
        await wx.box.control("accounts", ACCOUNT | kind)
        made = await wx.call("qrcode/create", _code("QR_LIMIT_STR_SCENE", scene_str="x"))
        assert made["errcode"] == 48001
