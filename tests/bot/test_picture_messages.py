"""图片消息: pictures in order with a text, as both platforms are sent them."""

import hashlib
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

from bot.contract import AccountView, Content, State
from bot.picture_message import KIND, message_faults, message_text, picture_fault, unshown
from bot.telegram.pictures import pictures_calls
from bot.telegram.rendering import problems_telegram, render_telegram, shown_telegram
from bot.wechat.channel import WeChatChannel
from bot.wechat.rendering import problems_wechat, render_wechat, shown_wechat
from review_queue.canonical import KINDS
from storage.cache import MemoryCache
from tests.bot.conftest import AES_KEY, Platforms, free
from tests.bot.made import article, words
from tests.documents import made_pictures as made

TEXT = "汛期将至，请照图检查房前屋后。"


def marker(number: int) -> str:
    return f"sha256:{number:064x}"


def picture(media: str, **more: Any) -> dict[str, Any]:
    return {"kind": "picture", "media": media, "alt": "", **more}


def message(count: int = 3, *extra: dict[str, Any], text: str = TEXT, **changes: Any) -> Content:
    """`count` pictures, the text between the first and the second."""
    placed = [picture(marker(number)) for number in range(count)]
    blocks = [*placed[:1], words(text), *placed[1:], *extra]
    return article(blocks, **({"kind": KIND, "title": "防汛海报"} | changes))


def rules(content: Content) -> list[str]:
    return [one.rule for one in message_faults(content)]


def test_the_kind_is_one_that_an_editor_may_choose() -> None:
    assert KIND in KINDS


def test_wechat_is_given_the_pictures_in_their_order_and_words_alone() -> None:
    content = message(
        2,
        words("指南", link="https://zw.qinghe.example/b/2.html"),
        picture(marker(9), alt="第三张", caption="转移路线", origin="县应急局", made="generated"),
        attribution={"editor": "李雪"},
    )
    sent = render_wechat(content)["article"]
    assert sent["article_type"] == "newspic"
    assert sent["pictures"] == [marker(0), marker(1), marker(9)]
    assert sent["content"] == (
        f"{TEXT}\n\n指南（https://zw.qinghe.example/b/2.html）\n\n"
        "图3 ［图片：第三张］转移路线（图片来源：县应急局；图片由人工智能生成）\n\n编辑：李雪"
    )
    assert problems_wechat(render_wechat(content), content) == []


def test_a_crop_goes_with_the_first_picture_and_with_no_other() -> None:
    crops = {"wide": (0, 250_000, 1_000_000, 750_000), "square": (100_000, 0, 900_000, 1_000_000)}
    own = render_wechat(message(cover=marker(0), crops=crops))["article"]
    assert own["crops"] == {
        "2.35_1": ["0.000000", "0.250000", "1.000000", "0.750000"],
        "1_1": ["0.100000", "0.000000", "0.900000", "1.000000"],
    }
    other = message(cover=marker(1), crops=crops)
    assert render_wechat(other)["article"]["crops"] == {}
    assert rules(other) == ["pictures.cover"]


@pytest.mark.parametrize(
    ("count", "sizes"), [(1, [1]), (2, [2]), (10, [10]), (11, [10, 1]), (20, [10, 10])]
)
def test_telegram_is_given_albums_of_at_most_ten_in_order_with_the_text_below_the_first(
    count: int, sizes: list[int]
) -> None:
    parts = render_telegram(message(count))["parts"]
    assert [len(part["pictures"]) for part in parts] == sizes
    placed = [one for part in parts for one in part["pictures"]]
    assert placed == [marker(number) for number in range(count)]
    assert parts[0]["text"] == f"防汛海报\n\n{TEXT}"
    assert [part["text"] for part in parts[1:]] == [""] * (len(parts) - 1)
    assert problems_telegram(render_telegram(message(count)), message(count)) == []


@pytest.mark.parametrize(("length", "alone"), [(1018, False), (1019, True)])
def test_a_text_too_long_for_a_caption_comes_first_as_a_message_of_its_own(
    length: int, *, alone: bool
) -> None:
    told = message(12, text="汛" * length)  # title and gap are six signs more
    parts = render_telegram(told)["parts"]
    assert [len(part.get("pictures", ())) for part in parts] == ([0] if alone else []) + [10, 2]
    assert parts[0]["text"].endswith("汛" * length)
    assert not problems_telegram(render_telegram(told), told)


def test_what_a_picture_says_stands_in_the_text_of_both() -> None:
    content = message(1, picture(marker(5), alt="二维码", origin="县应急局"))
    line = "图2 ［图片：二维码］图片来源：县应急局"
    assert line in render_wechat(content)["article"]["content"]
    assert line in render_telegram(content)["parts"][0]["text"]


def test_twenty_pictures_go_out_and_a_twenty_first_is_named_with_its_place_and_the_remedy() -> None:
    assert rules(message(20)) == []
    [fault] = message_faults(message(21))
    assert (fault.rule, fault.block) == ("pictures.count", 21)  # the text is one block
    assert fault.words == ("图片消息最多 20 张图片，正文里有 21 张：请去掉 1 张，或分成两篇")


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (message(0), "pictures.none"),
        (article([picture(marker(0))], kind=KIND), "pictures.text"),
        (message(1, {"kind": "heading", "runs": [{"text": "一、"}]}), "pictures.block"),
        (message(1, {"kind": "divider"}), "pictures.block"),
        (message(text="请看<b>图</b>"), "pictures.markup"),
        (message(1, picture(marker(5), caption="<br>")), "pictures.markup"),
    ],
)
def test_what_no_platform_could_send_is_told(content: Content, rule: str) -> None:
    assert rules(content) == [rule]


@pytest.mark.parametrize(
    ("form", "sides", "rule"),
    [
        ("JPEG", (900, 1600), None),
        ("PNG", (600, 1800), None),
        ("PNG", (600, 1801), "pictures.long"),
        ("GIF", (300, 300), "pictures.form"),
        ("WEBP", (300, 300), "pictures.form"),
        ("", (1, 1), "pictures.form"),
    ],
)
def test_a_picture_that_does_not_stand_in_the_row_is_named_by_its_number(
    form: str, sides: tuple[int, int], rule: str | None
) -> None:
    fault = picture_fault(7, form, *sides)
    assert (fault.rule if fault else None) == rule
    assert fault is None or "第 7 张" in fault.words


def test_what_goes_out_without_its_look_is_said_before() -> None:
    assert unshown(message()) == []
    bold = message(1, words("重点", bold=True), author="李雪")
    assert [one[:8] for one in unshown(bold)] == ["微信的图片消息只", "图片消息没有地方"]
    assert unshown(message(1, words("重点", bold=True), kind="原创", author="李雪")) == []


def test_signs_of_comparison_are_no_mark_up() -> None:
    assert rules(message(text="水位<3 米，风力>6 级")) == []


def test_both_previews_show_the_order() -> None:
    content = message(12, cover=marker(0), crops={"square": (0, 0, 500_000, 500_000)})
    ids = [marker(number)[7:] for number in range(12)]
    wechat = shown_wechat(render_wechat(content))
    assert wechat is not None
    assert wechat.pictures == tuple(ids)
    assert (wechat.cover, wechat.text) == (ids[0], message_text(content, content.blocks))  # type: ignore[arg-type]
    assert wechat.crops == {"square": (0.0, 0.0, 0.5, 0.5)}
    assert [(one.label, one.used) for one in wechat.gauges][1] == ("图片", 12)
    telegram = shown_telegram(render_telegram(content))
    assert telegram is not None
    shown = [media for one in telegram.messages for media in (one.photo, *one.album)]
    assert shown == ids


def test_a_title_that_is_too_long_is_told_as_of_an_article() -> None:
    told = message(title="字" * 33)
    assert problems_wechat(render_wechat(told), told) == [
        "微信标题有 33 字，超过 32 字：请缩短标题"
    ]


class Bot:
    """Keeps what it was asked to send."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, list[str]]] = []

    async def send_photo(self, chat: str, content: bytes, **more: Any) -> None:
        self.sent.append(("photo", [str(more["caption"])]))

    async def send_document(self, chat: str, content: bytes, **more: Any) -> None:
        self.sent.append(("document", [str(more["caption"])]))

    async def send_media_group(self, chat: str, media: Sequence[Any]) -> None:
        self.sent.append(("group", [str(one.caption) for one in media]))


async def test_the_text_stands_below_the_first_pictures_where_a_long_one_parts_them() -> None:
    bot, short, long = Bot(), made.picture(), made.picture(100, 400)
    part = {"text": TEXT, "entities": [], "pictures": [], "lead": True}
    for call in pictures_calls("@qinghe", [short, short, long, short], part):
        await call(bot)  # type: ignore[arg-type]
    assert bot.sent == [("group", [TEXT, "None"]), ("document", ["None"]), ("photo", ["None"])]


# --- at WeChat ---------------------------------------------------------------------------------


@pytest.fixture
async def channel(platforms: Platforms) -> AsyncIterator[WeChatChannel]:
    one = WeChatChannel(MemoryCache(), platforms.hosts)
    yield one
    await one.close()


@pytest.fixture
async def account(platforms: Platforms) -> AccountView:
    secrets = {"appid": "wxnews", "secret": "s", "token": "t", "aes_key": AES_KEY}
    await platforms.control(
        "accounts", platform="wechat", name="青禾政务", kind="service", **secrets
    )
    return AccountView("acc-wx", "wechat", "青禾", f"{platforms.url}/wechat", secrets, {})


BYTES = [made.picture(40 + number, 30) for number in range(4)]
MARKERS = ["sha256:" + hashlib.sha256(one).hexdigest() for one in BYTES]


async def load(name: str) -> tuple[bytes, str]:
    return BYTES[MARKERS.index(name)], "image/png"


def posters(order: Sequence[int]) -> Content:
    blocks = [words(TEXT), *(picture(MARKERS[number]) for number in order)]
    return article(blocks, kind=KIND, title="防汛海报")


async def test_a_message_is_drafted_with_permanent_pictures_in_order_and_read_back(
    platforms: Platforms, channel: WeChatChannel, account: AccountView
) -> None:
    rendering = channel.render(posters([2, 0, 3, 1]))
    outcome = await channel.publish(account, rendering, load, free)
    assert outcome.state is State.SUBMITTED, outcome
    uploads = (await platforms.seen("requests", method="material/add_material"))["requests"]
    names = {one["response"]["media_id"]: one["response"]["url"] for one in uploads}
    [drafted] = (await platforms.seen("requests", method="draft/add"))["requests"]
    [sent] = drafted["parsed"]["articles"]
    received = []
    for one in sent["image_info"]["image_list"]:
        async with platforms.http.get(names[one["image_media_id"]]) as answer:
            received.append(await answer.read())
    assert received == [BYTES[number] for number in (2, 0, 3, 1)]
    assert set(sent) == {
        "article_type", "title", "content", "image_info", "need_open_comment"
    }  # fmt: skip
    assert (await platforms.seen("requests", method="draft/get"))["requests"]
    assert not (await platforms.seen("requests", method="media/uploadimg"))["requests"]


@pytest.mark.parametrize("kept", ["swapped", "article"])
async def test_a_draft_that_the_platform_keeps_otherwise_is_not_published(
    channel: WeChatChannel,
    account: AccountView,
    platforms: Platforms,
    monkeypatch: pytest.MonkeyPatch,
    kept: str,
) -> None:
    real = type(channel.client(account)).post

    async def post(self: Any, url: str, **more: Any) -> Any:
        answer = await real(self, url, **more)
        if url == "draft/get":
            [one] = answer["news_item"]
            one["image_info"]["image_list"].reverse()
            if kept == "article":
                one["image_info"]["image_list"].reverse()
                one["article_type"] = "news"
        return answer

    monkeypatch.setattr(type(channel.client(account)), "post", post)
    outcome = await channel.publish(account, channel.render(posters([0, 1])), load, free)
    assert outcome.state is State.FAILED
    assert "没有发布" in outcome.reason
    assert outcome.detail == {"mend": True}
    assert not (await platforms.seen("requests", method="freepublish/submit"))["requests"]
