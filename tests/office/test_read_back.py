"""What stands on the platform is what was released; otherwise an incident names the block."""

import base64
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from bot.contract import AccountView
from bot.models import Publication
from bot.read_back import Asked, ReadBack
from bot.takedown import Standing
from bot.wechat.live_pictures import Compared, Pictures, compare, compare_cover, pictures_of
from bot.wechat.reading_back import altered, article_on, blocks_of, differences
from config.clock import now
from demo.cast import WECHAT
from ledger.models import Incident
from sandbox.wechat.pages import ARTICLE
from storage.database import Database, new_id
from storage.media import keep
from supervision.standing import ALTERED, first_digests, note, read_back, read_back_due
from supervision.standing import PICTURES as SIGNED
from tests.documents.made_pictures import saved, scene
from tests.ledger.conftest import open_ledger
from tests.office.test_once import (  # noqa: F401  the office and its platforms
    Office,
    home,
    office,
    platforms,
)
from tests.office.test_takedown import published

APP = WECHAT["appid"]
PICTURES = [scene(800, 600), scene(700, 900), scene(700, 900)]


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


async def test_an_exchanged_picture_is_an_incident_that_names_both(office: Office) -> None:  # noqa: F811
    shenfa = office.shenfa
    async with shenfa.db.session() as session:
        hall, desk = [await keep(session, saved(one, "PNG"), "image/png") for one in PICTURES[:2]]
        await session.commit()
    body = f"县图书馆周末照常开放。\n![大厅]({hall})\n办理时间为上午九点。\n![窗口]({desk})"
    item = await published(office, body)
    asked = (shenfa.ledger, shenfa.channels, shenfa.accounts.open)

    async def digests() -> list[Any]:
        facts = await shenfa.ledger.facts(f"item:{item.id}")
        return [one.body["digests"] for one in facts if one.kind == SIGNED]

    async def act(**what: Any) -> None:
        told = await office.platforms.control(
            "back_office", account=APP, title="周末办理时间", **what
        )
        assert told["altered"] == 1

    # What cannot be read is no incident, and is read later.
    address = f"/{desk.removeprefix('sha256:')[:32]}/"
    await act(find=f"{address}640", put=f"{address}0")
    assert await read_back_due(*asked) == 0
    assert [set(one) for one in await digests()] == [{"1", "cover"}]
    await act(find=f"{address}0", put=f"{address}640")
    assert await read_back_due(*asked) == 0
    assert [set(one) for one in await digests()] == [{"1", "cover"}, {"2"}]
    assert await read_back(*asked) == 0
    assert len(await digests()) == 2  # the same digests: nothing is signed again
    assert await office.incidents() == {}

    await act(picture=2, data=base64.b64encode(saved(PICTURES[2], "PNG")).decode())
    assert await read_back(*asked) == 1
    async with shenfa.db.session() as session:
        (incident,) = (await session.scalars(select(Incident))).all()
    assert incident.kind == ALTERED
    assert "第 2 张图片被换成另一张，放行的是“窗口”" in incident.message


async def test_a_mass_send_is_read_by_its_page() -> None:
    """Of which the platform told the address when it was done; no list holds it."""
    nobody: Any = None  # no call of the interface is spent
    content = "<p>周末照常开放</p><p>上午九点到下午五点</p><img src='a'>"
    released = {"article": {"title": "周末办理时间", "content": content}}
    url, opened = "https://mp.weixin.qq.com/s/1", list[str]()
    sent = [
        Asked(Standing("mass:1", url, now()), released),
        Asked(Standing("mass:2", "", now()), released),
    ]

    async def look(said: str) -> list[list[str]]:
        async def page(address: str) -> str:
            opened.append(address)
            title = "周末办理时间"
            return ARTICLE.format(title=title, name="青禾", date="", content=said, source="")

        read = await altered(nobody, page, sent, Pictures(nobody, nobody))
        return [list(one.faults) for one in read if one.faults]

    assert await look(content.replace("src='a'", "data-src='https://mmbiz.example/b'")) == []
    assert await look(content.replace("下午五点", "下午三点")) == [
        ["第 2 段不同，放行的是“上午九点到下午五点”"]
    ]
    assert await look(content.partition("<img")[0]) == [["放行时有 1 张图片，现在是 0 张"]]
    assert opened == [url] * 3


def test_a_page_that_is_no_article_concludes_nothing() -> None:
    assert article_on("<html><h1>环境异常</h1>完成验证后即可继续访问 js_content</html>") is None
    assert article_on("") is None
    assert article_on("<!-- js_content -->") is None
    told = '<?xml version="1.0" encoding="gbk"?><h1 id="activity-name">甲</h1><p id="js_content">乙'
    assert article_on(told) == {"title": "甲", "content": '<p id="js_content">乙</p>'}


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


async def test_pictures_added_moved_missing_or_unread_are_told_apart() -> None:
    ours = {f"sha256:{number:064x}": saved(one, "PNG") for number, one in enumerate(PICTURES)}
    live = {f"/{number}": saved(one, "JPEG", quality=70) for number, one in enumerate(PICTURES)}
    (a, b, other), released = live, list(ours)[:2]
    opened = list[str]()

    async def fetch(address: str) -> bytes:
        opened.append(address)
        return live.get(address, b"")

    async def media(marker: str) -> tuple[bytes, str]:
        return ours[marker], "image/png"

    def article(*addresses: str) -> list[Any]:
        tags = "".join(f"<img src='x' data-src='{one}' alt='图{one}'>" for one in addresses)
        return pictures_of({"content": tags})

    async def told(*stands: str, digests: Any = None) -> list[str]:
        pictures = Pictures(fetch, media)
        read = await compare(pictures, article(*released), article(*stands), digests or {})
        return read.faults

    first = await compare(Pictures(fetch, media), article(*released), article(a, b), {})
    assert (first.faults, sorted(first.digests)) == ([], ["1", "2"])
    assert await told(a, b, digests=first.digests) == []
    assert await told("/dead", b) == await told("/dead") == []
    (missing,) = await told(b)
    assert missing.startswith("放行的第 1 张图片不见了")
    (added,) = await told(a, other, b)
    assert added.startswith("第 2 张图片不是放行的：“图/2”")
    (moved,) = await told(b, a, digests=first.digests)
    assert moved.endswith("现在依次是放行的第 2、1 张")
    # The first picture again in the place of the second: its bytes are known, and not there.
    (twice,) = await told(a, a, digests=first.digests)
    assert twice.startswith("第 2 张图片被换成另一张")
    ours.clear()  # nothing to hold it against: nothing is concluded
    assert await told(a, other) == []


async def test_a_cover_that_was_known_once_and_is_another_now_is_told() -> None:
    whole, other = (saved(one, "PNG") for one in PICTURES[1:])
    cut = saved(PICTURES[1].crop((0, 90, 700, 388)), "JPEG", quality=70)
    article = {"thumb": f"sha256:{0:064x}", "pic_crop_235_1": "0.000000_0.100000_1.000000_0.431111"}

    async def told(stands: bytes, digests: dict[str, str]) -> Compared:
        async def fetch(address: str) -> bytes:
            return stands

        async def ours(marker: str) -> tuple[bytes, str]:
            return whole, "image/png"

        return await compare_cover(Pictures(fetch, ours), article, "/x", digests)

    first = await told(cut, {})
    assert (first.faults, list(first.digests)) == ([], ["cover"])
    assert await told(cut, first.digests) == Compared()
    assert await told(other, {}) == Compared(unread=["封面"])
    assert await told(b"", first.digests) == Compared(unread=["封面"])
    (fault,) = (await told(other, first.digests)).faults
    assert fault.startswith("封面被换成另一张")


async def test_the_first_digest_of_a_picture_stays(database: Database, tmp_path: Path) -> None:
    ledger, item = open_ledger(tmp_path, database), new_id()
    row, account = (
        Publication(id=new_id(), item_id=item),
        AccountView("a", "wechat", "青禾", "", {}, {}),
    )
    standing = Standing("publish:1", "https://mp.weixin.qq.com/s/1", now())
    await note(ledger, account, row, ReadBack(standing, digests={"1": "a"}))
    await note(ledger, account, row, ReadBack(standing, digests={"1": "b", "2": "c"}))
    await note(ledger, account, row, ReadBack(standing, ("换了",), unread=("第 3 张图片",)))
    other = Publication(id=new_id(), item_id=item)
    assert await first_digests(ledger, row) == {"1": "a", "2": "c"}
    assert await first_digests(ledger, other) == {}
    async with database.session() as session:
        (incident,) = (await session.scalars(select(Incident))).all()
    assert "换了（第 3 张图片没有读到）" in incident.message
