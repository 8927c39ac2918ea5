"""The WeChat channel against the sandbox over HTTP."""

import asyncio
import io
from collections.abc import AsyncIterator
from typing import Any

import pytest
from PIL import Image

from bot.contract import AccountView, Button, Inbound, InboundKind, Reply, ReplyBasis, State
from bot.meaning import Meaning
from bot.wechat.channel import WeChatChannel
from bot.wechat.client import AioWeChatClient, WeChatRefused
from bot.wechat.codes import CODES
from bot.wechat.lookup import lost
from bot.wechat.mass_status import mass_outcome
from bot.wechat.rendering import guard_cdata, split_bytes
from config.clock import now
from storage.cache import MemoryCache
from tests.bot.conftest import AES_KEY, Platforms, content, free, no_media
from tests.bot.made import article
from tests.documents import made_pictures as made

PICTURE = "sha256:" + "c" * 64
SECRETS = {"appid": "wxqinghe", "secret": "s3", "token": "t0", "aes_key": AES_KEY}


async def media(marker: str) -> tuple[bytes, str]:
    assert marker == PICTURE
    out = io.BytesIO()
    Image.new("RGB", (40, 20), "green").save(out, "PNG")
    return out.getvalue(), "image/png"


@pytest.fixture
async def channel(platforms: Platforms) -> AsyncIterator[WeChatChannel]:
    made = WeChatChannel(MemoryCache(), platforms.hosts)
    yield made
    await made.close()


@pytest.fixture
async def account(platforms: Platforms) -> AccountView:
    await platforms.control(
        "accounts", platform="wechat", name="青禾发布", kind="service", **SECRETS
    )
    await platforms.control("citizens", account="wxqinghe", count=3, prefix="w")
    await platforms.control("limits", result_delay=0.01)
    return AccountView("w1", "wechat", "青禾发布", f"{platforms.url}/wechat", SECRETS, {})


async def _fault(platforms: Platforms, method: str, **fault: Any) -> None:
    await platforms.control("faults", platform="wechat", method=method, **fault)


async def _citizen(platforms: Platforms) -> str:
    return str((await platforms.seen("citizens", account="wxqinghe"))["citizens"][0]["citizen"])


async def _settled(channel: WeChatChannel, account: AccountView, ref: str) -> Any:
    for _ in range(1000):
        outcome = await channel.settle(account, ref)
        if outcome.state is not State.SUBMITTED:
            return outcome
        await asyncio.sleep(0.01)
    raise AssertionError("never settled")


async def test_an_article_is_drafted_published_and_settled_with_its_address(
    platforms: Platforms, channel: WeChatChannel, account: AccountView
) -> None:
    rendering = channel.render(content(body=f"![图]({PICTURE})\n正文一段。"))
    outcome = await channel.publish(account, rendering, media, free)
    assert outcome.state is State.SUBMITTED, outcome
    assert outcome.ref.startswith("publish:")
    done = await _settled(channel, account, outcome.ref)
    assert done.state is State.PUBLISHED
    assert done.detail["url"].startswith(platforms.url)
    drafted = (await platforms.seen("requests", method="draft/add"))["requests"][0]["parsed"]
    assert "sha256:" not in drafted["articles"][0]["content"]
    assert "/wechat/media/" in drafted["articles"][0]["content"]


async def test_a_marker_among_the_words_uploads_nothing_and_stays_the_words_that_were_read(
    platforms: Platforms, channel: WeChatChannel, account: AccountView
) -> None:
    other = "sha256:" + "e" * 64  # a picture nobody looked at
    said = f'编号 {other}，<img src="{other}">'
    picture: dict[str, Any] = {"kind": "picture", "media": PICTURE, "alt": other}
    blocks: list[dict[str, Any]] = [{"kind": "paragraph", "runs": [{"text": said}]}, picture]
    rendering = channel.render(article(blocks, attribution={"source": other}))
    asked: list[str] = []

    async def load(marker: str) -> tuple[bytes, str]:
        asked.append(marker)
        return await media(marker)

    assert (await channel.publish(account, rendering, load, free)).state is State.SUBMITTED
    assert set(asked) == {PICTURE}
    drafted = (await platforms.seen("requests", method="draft/add"))["requests"][0]["parsed"]
    sent = drafted["articles"][0]["content"]
    assert sent.count(other) == rendering["article"]["content"].count(other) == 4
    assert PICTURE not in sent


@pytest.mark.parametrize(
    ("picture", "call"),
    [
        (made.picture(), "media/uploadimg"),
        (made.animated(), "material/add_material"),
        (made.long_picture(), "material/add_material"),
    ],
)
async def test_a_picture_goes_where_its_bytes_are_taken_and_none_is_changed(
    platforms: Platforms, channel: WeChatChannel, account: AccountView, picture: bytes, call: str
) -> None:
    async def load(marker: str) -> tuple[bytes, str]:
        return picture, "image/png"

    rendering = channel.render(
        content(body=f"![图]({PICTURE})\n正文一段。", cover="sha256:" + "d" * 64)
    )
    assert (await channel.publish(account, rendering, load, free)).state is State.SUBMITTED
    inside, outside = [
        one["response"]["url"]
        for method in ("media/uploadimg", "material/add_material")
        for one in (await platforms.seen("requests", method=method))["requests"]
    ]
    assert inside == outside, "the same bytes lie at the same address"
    taken = (await platforms.seen("requests", method=call))["requests"]
    assert len(taken) == (1 if call == "media/uploadimg" else 2)
    async with platforms.http.get(inside) as answer:
        assert await answer.read() == picture
    drafted = (await platforms.seen("requests", method="draft/add"))["requests"][0]["parsed"]
    assert f'<img src="{inside}"' in drafted["articles"][0]["content"]


async def test_a_picture_of_another_kind_kept_by_an_earlier_version_still_goes_out(
    platforms: Platforms, channel: WeChatChannel, account: AccountView
) -> None:
    async def load(marker: str) -> tuple[bytes, str]:
        return made.saved(made.scene(120, 90), "WEBP"), "image/webp"

    rendering = channel.render(content(body=f"![图]({PICTURE})\n正文一段。"))
    assert (await channel.publish(account, rendering, load, free)).state is State.SUBMITTED
    [upload] = (await platforms.seen("requests", method="media/uploadimg"))["requests"]
    async with platforms.http.get(upload["response"]["url"]) as answer:
        assert made.opened(await answer.read()).size == (120, 90)


async def test_a_place_the_platform_does_not_take_is_named_by_its_words(
    platforms: Platforms, channel: WeChatChannel, account: AccountView
) -> None:
    rendering = channel.render(content(body="\n".join(f"第{n}段文字。" for n in range(30))))
    article = rendering["article"]
    bad = '<p><a href="weixin://x">第17段文字。</a>'
    article["content"] = article["content"].replace('<p style="margin: 0 0 1em;">第17段文字。', bad)
    outcome = await channel.publish(account, rendering, media, free)
    assert outcome.state is State.FAILED
    assert "从“第17段文字。”开始的一段（45166）" in outcome.reason
    left = await channel.client(account).post("draft/count", data={})
    assert left["total_count"] == 0


async def test_a_draft_that_lost_a_picture_is_not_published(
    platforms: Platforms, channel: WeChatChannel, account: AccountView
) -> None:
    rendering = channel.render(content(body=f"![图]({PICTURE})\n正文一段。"))
    article = rendering["article"]
    article["content"] += '<p><img src="https://elsewhere.example/a.png"></p>'
    outcome = await channel.publish(account, rendering, media, free)
    assert (outcome.state, outcome.code) == (State.FAILED, "draft")
    assert "有 2 张图片，平台的草稿里只有 1 张" in outcome.reason
    assert (await platforms.seen("requests", method="freepublish/submit"))["count"] == 0


async def test_an_article_without_picture_uses_the_plain_cover(
    platforms: Platforms, channel: WeChatChannel, account: AccountView
) -> None:
    outcome = await channel.publish(account, channel.render(content()), no_media, free)
    assert outcome.state is State.SUBMITTED, outcome


async def test_what_the_platform_refuses_after_submission_is_failed_with_its_reason(
    platforms: Platforms, channel: WeChatChannel, account: AccountView
) -> None:
    await _fault(platforms, "freepublish/submit", kind="publish_status", status=4)
    outcome = await channel.publish(account, channel.render(content()), no_media, free)
    done = await _settled(channel, account, outcome.ref)
    assert done.state is State.FAILED
    assert done.reason == "平台审核不通过：请修改稿件，重新送审"
    assert done.detail["mend"]


async def test_a_dropped_answer_to_submit_is_looked_up_but_to_a_draft_it_is_retried(
    platforms: Platforms, channel: WeChatChannel, account: AccountView
) -> None:
    rendering = channel.render(content())
    await _fault(platforms, "freepublish/submit", kind="drop_answer")
    lost = await channel.publish(account, rendering, no_media, free)
    assert (lost.state, lost.code) == (State.SUBMITTED, "no_answer")
    found = await _settled(channel, account, lost.ref)
    assert found.state is State.PUBLISHED
    assert found.detail["url"].startswith(platforms.url)
    await _fault(platforms, "draft/add", kind="drop_answer")
    assert (await channel.publish(account, rendering, no_media, free)).state is State.RETRYING


async def test_a_mass_send_repeated_after_a_dropped_answer_reaches_everyone_once(
    platforms: Platforms, channel: WeChatChannel, account: AccountView
) -> None:
    mass = AccountView("w1", "wechat", "x", account.api_base, SECRETS, {"push": "mass"})
    rendering = channel.render(content())
    await _fault(platforms, "message/mass/sendall", kind="drop_answer")
    assert channel.resumable(mass)
    assert (await channel.publish(mass, rendering, no_media, free)).state is State.UNKNOWN
    again = await channel.publish(mass, rendering, no_media, free)
    assert again.state is State.SUBMITTED
    assert (await _settled(channel, mass, again.ref)).state is State.PUBLISHED
    citizen = await _citizen(platforms)
    found = await platforms.seen("messages", account="wxqinghe", citizen=citizen)
    assert len(found["messages"]) == 1


async def test_an_ended_token_is_renewed_exactly_once_for_four_workers(
    platforms: Platforms, account: AccountView
) -> None:
    cache = MemoryCache()
    workers = [WeChatChannel(cache, platforms.hosts) for _ in range(4)]
    rendering = workers[0].render(content())
    await workers[0].publish(account, rendering, no_media, free)
    await _fault(platforms, "draft/add", kind="invalidate_token")
    outcomes = await asyncio.gather(
        *(worker.publish(account, rendering, no_media, free) for worker in workers)
    )
    assert {outcome.state for outcome in outcomes} == {State.SUBMITTED}
    cards = (await platforms.seen("accounts"))["accounts"]
    card = next(one for one in cards if one["account"] == "wxqinghe")
    assert card["tokens_issued"]["stable_token"] == 2
    for worker in workers:
        await worker.close()


async def test_a_token_that_stays_refused_holds_the_account_after_one_renewal(
    platforms: Platforms, channel: WeChatChannel, account: AccountView
) -> None:
    await _fault(platforms, "draft/add", kind="refuse", code=40001, count=50)
    outcome = await channel.publish(account, channel.render(content()), no_media, free)
    assert outcome.state is State.HELD
    assert outcome.detail["scope"] == "account"
    assert (await platforms.seen("requests", method="draft/add", count="1"))["count"] == 2


@pytest.mark.parametrize(
    ("code", "state", "hold"),
    [
        (45047, State.HELD, "window"),
        (43101, State.ENDED, ""),
        (48001, State.HELD, "account"),
        (45009, State.RETRYING, ""),
        (-1, State.RETRYING, ""),
        (47001, State.HELD, "person"),
        (90001, State.UNKNOWN, ""),
    ],
)
async def test_each_refusal_of_a_message_has_its_own_end(
    platforms: Platforms,
    channel: WeChatChannel,
    account: AccountView,
    code: int,
    state: State,
    hold: str,
) -> None:
    await _fault(platforms, "message/custom/send", kind="refuse", code=code)
    words = "您订阅了就业"
    outcome = await channel.push(account, "someone", channel.render(content()), words, free)
    assert (outcome.state, outcome.code, outcome.held_by) == (state, str(code), hold)


async def test_a_push_inside_the_window_arrives_and_outside_it_is_held(
    platforms: Platforms, channel: WeChatChannel, account: AccountView
) -> None:
    citizen, rendering = await _citizen(platforms), channel.render(content())
    await platforms.control("say", account="wxqinghe", citizen=citizen, text="您好")
    assert (
        await channel.push(account, citizen, rendering, "您订阅了就业", free)
    ).state is State.PUBLISHED
    await platforms.control("clock", advance=49 * 3600)
    late = await channel.push(account, citizen, rendering, "您订阅了就业", free)
    assert (late.state, late.code, late.held_by) == (State.HELD, "45015", "window")
    await platforms.control("clock", offset_seconds=0)


async def test_a_long_reply_is_sent_in_messages_of_2048_bytes(
    platforms: Platforms, channel: WeChatChannel, account: AccountView
) -> None:
    citizen = await _citizen(platforms)
    await platforms.control("say", account="wxqinghe", citizen=citizen, text="您好")
    reply = Reply("w1", "c", "条文\n" * 400, ReplyBasis.QUOTE, ((Button("转人工", "person"),),))
    assert (await channel.reply(account, citizen, reply)).state is State.PUBLISHED
    sent = (await platforms.seen("requests", method="message/custom/send"))["requests"]
    assert len(sent) == 2
    assert all(len(one["parsed"]["text"]["content"].encode()) <= 2048 for one in sent)
    assert sent[-1]["parsed"]["text"]["content"].endswith("可回复：转人工")


async def test_no_call_goes_to_another_host_than_the_api_base(account: AccountView) -> None:
    channel = WeChatChannel(MemoryCache())
    client: AioWeChatClient = channel.client(account)
    mapped = client.address("https://api.weixin.qq.com/datacube/getusersummary?a=1")
    assert mapped == f"{account.api_base}/datacube/getusersummary?a=1"
    with pytest.raises(ValueError, match="拒绝访问"):
        client.address("https://evil.example/cgi-bin/token")


async def test_wechatpy_can_never_fetch_a_token_by_itself(
    channel: WeChatChannel, account: AccountView
) -> None:
    with pytest.raises(AttributeError):
        _ = channel.client(account).access_token
    with pytest.raises(WeChatRefused):
        await channel.client(account).post("draft/delete", data={"media_id": "none"})


def test_mass_events_without_url_or_with_unknown_status_are_read() -> None:
    channel = WeChatChannel(MemoryCache())
    raw = {"MsgID": "5", "Status": "err(20431)"}
    event = Inbound(
        "w1", "wechat", "x", InboundKind.RESULT, now(), "d", key="masssendjobfinish", raw=raw
    )
    told = channel.result(event)
    assert told is not None
    assert told[0] == "mass:5"
    assert told[1].state is State.UNKNOWN
    assert "err(20431)" in told[1].reason


def test_cdata_is_guarded_and_bytes_are_split_between_characters() -> None:
    assert guard_cdata("a]]>b") == "a]]]]><![CDATA[>b"
    parts = split_bytes("民" * 2000)
    assert "".join(parts) == "民" * 2000
    assert all(len(part.encode()) <= 2048 for part in parts)


async def test_a_lost_submission_that_is_in_no_list_is_for_a_person_and_not_before(
    platforms: Platforms, channel: WeChatChannel, account: AccountView
) -> None:
    fresh = lost("没有发出的标题")
    assert (await channel.settle(account, fresh.ref)).state is State.SUBMITTED
    old = f"lost:{int(now().timestamp()) - 3600}:{fresh.ref.split(':')[2]}"
    done = await channel.settle(account, old)
    assert done.state is State.UNKNOWN
    assert "请到公众平台核对" in done.reason


@pytest.mark.parametrize("code", [one for one in CODES if one.startswith("mass_")])
def test_every_status_of_a_mass_send_has_words_and_what_to_do(code: str) -> None:
    number = code.removeprefix("mass_")
    status = f"err({number})" if number.isdecimal() else number.replace("_", " ")
    done = mass_outcome("mass:1", status)
    assert (done.state, done.ref, done.code) == (State.FAILED, "mass:1", code)
    assert "请" in done.reason
    assert status in done.reason
    assert bool(done.detail.get("mend")) is (done.meaning is Meaning.REVIEW)


@pytest.mark.parametrize("number", ["20431", "99999"])
def test_a_status_nobody_listed_is_unknown_and_for_a_person(number: str) -> None:
    done = mass_outcome("mass:1", f"err({number})")
    assert (done.state, done.code) == (State.UNKNOWN, f"mass_{number}")
    assert f"err({number})" in done.reason
    assert "请登录平台核对" in done.reason


def test_only_the_platforms_own_success_of_a_mass_send_is_one() -> None:
    assert mass_outcome("mass:1", "send success").state is State.PUBLISHED
    assert mass_outcome("mass:1", "SEND_SUCCESS").state is State.PUBLISHED
    assert mass_outcome("mass:1", "SENDING").state is State.SUBMITTED
    for status in ("send fail", "SEND_FAIL", "DELETE"):
        assert mass_outcome("mass:1", status).state is State.FAILED
    assert mass_outcome("mass:1", "sendsuccess?").state is State.UNKNOWN
