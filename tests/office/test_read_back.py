"""What stands on the platform is what was released; otherwise an incident names the block."""

from typing import Any

import pytest

from bot.takedown import Standing
from bot.wechat.reading_back import altered, article_on, blocks_of, differences
from config.clock import now
from demo.cast import WECHAT
from sandbox.wechat.pages import ARTICLE
from supervision.standing import ALTERED, read_back, read_back_due
from tests.office.test_once import (  # noqa: F401  the office and its platforms
    Office,
    home,
    office,
    platforms,
)
from tests.office.test_takedown import published

APP = WECHAT["appid"]


async def test_a_word_changed_in_the_back_office_is_an_incident(office: Office) -> None:  # noqa: F811
    item = await published(office, "县图书馆周末照常开放。\n办理时间为上午九点到下午五点。")
    shenfa = office.shenfa
    asked = (shenfa.ledger, shenfa.channels, shenfa.accounts.open)
    assert await read_back_due(*asked) == 0
    assert await office.incidents() == {}
    words = {"find": "下午五点", "put": "下午三点"}
    told = await office.platforms.control("back_office", account=APP, title="周末办理时间", **words)
    assert told["altered"] == 1
    assert await read_back(*asked) == 1
    assert await read_back_due(*asked) == 1
    found = await office.incidents()
    assert list(found) == [ALTERED]
    row = await office.row(item, await office.only("wechat"))
    assert found[ALTERED] == f"publication:{row.id}"
    # An account that is off is asked nothing.
    await office.only("telegram")
    assert await read_back(*asked) == 0


async def test_a_mass_send_is_read_by_its_page() -> None:
    """Of which the platform told the address when it was done; no list holds it."""
    nobody: Any = None  # no call of the interface is spent
    content = "<p>周末照常开放</p><p>上午九点到下午五点</p><img src='a'>"
    released = {"article": {"title": "周末办理时间", "content": content}}
    url, opened = "https://mp.weixin.qq.com/s/1", list[str]()
    sent = [(Standing("mass:1", url, now()), released), (Standing("mass:2", "", now()), released)]

    async def look(said: str) -> list[list[str]]:
        async def page(address: str) -> str:
            opened.append(address)
            title = "周末办理时间"
            return ARTICLE.format(title=title, name="青禾", date="", content=said, source="")

        return [faults for _, faults in await altered(nobody, page, sent)]

    assert await look(content.replace("src='a'", "data-src='https://mmbiz.example/b'")) == []
    assert await look(content.replace("下午五点", "下午三点")) == [
        ["第 2 段不同，放行的是“上午九点到下午五点”"]
    ]
    assert await look(content.partition("<img")[0]) == [["放行时有 1 张图片，现在是 0 张"]]
    assert opened == [url] * 3


def test_a_page_that_is_no_article_concludes_nothing() -> None:
    assert article_on("<html><h1>环境异常</h1>完成验证后即可继续访问 js_content</html>") is None
    assert article_on("") is None


@pytest.mark.parametrize(
    ("stands", "told"),
    [
        ('<section><p style="x">一 &amp; 二</p><p>三</p><img data-src="y"></section>', []),
        ("<p>一&amp;二</p><p>四</p><img>", ["第 2 段不同，放行的是“三”"]),
        ("<p>一&amp;二</p><p>三</p>", ["放行时有 1 张图片，现在是 0 张"]),
        ("<p>三</p><img>", ["第 1 段不同，放行的是“一&二”"]),
        ("<p>一&amp;二</p><p>三</p><p>扫码</p><img>", ["第 3 段不同，放行的是“”"]),
    ],
)
def test_words_and_pictures_are_compared_and_styles_are_not(stands: str, told: list[str]) -> None:
    released = {"title": "题", "content": "<p>一&amp;二</p><p>三</p><p><img src='a'></p>"}
    assert differences(released, {"title": "题 ", "content": stands}) == told
    assert blocks_of("<p> </p><h2>甲</h2>乙<br>丙") == ["甲", "乙", "丙"]
