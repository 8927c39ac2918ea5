"""Links: looked at before decisions and again at sending; slow ones hold up nobody for long."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from blocks.document import read_document
from gates.finding import LinkFact
from gates.links import links_in
from review_queue import links as links_module
from review_queue.canonical import Draft
from review_queue.link_models import LinkCheck
from review_queue.links import Links
from storage.database import Database

MOMENT = datetime(2026, 11, 24, 4, tzinfo=UTC)
URL = "https://rsj.qinghe.gov.cn/a.html"
DRAFT = Draft("原创", "日常", "题", f"申请入口：{URL}。", (), MOMENT, MOMENT)


class World:
    """What is behind every link, how long it takes, and who asked."""

    def __init__(self) -> None:
        self.fact = LinkFact("ok")
        self.asked: list[str] = []
        self.gate: asyncio.Event | None = None

    async def look(self, url: str) -> LinkFact:
        self.asked.append(url)
        if self.gate is not None:
            await self.gate.wait()
        return self.fact


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Set the clock to so many minutes past the start."""

    def move(minutes: float) -> None:
        monkeypatch.setattr(links_module, "now", lambda: MOMENT + timedelta(minutes=minutes))

    move(0)
    return move


def test_an_address_ends_where_the_sentence_goes_on() -> None:
    text = "见https://a.example/x?y=1，和（http://b.example/）。末尾 https://c.example/d."
    assert [url for _, _, url in links_in(text)] == [
        "https://a.example/x?y=1",
        "http://b.example/",
        "https://c.example/d",
    ]
    assert all(text[start:end] == url for start, end, url in links_in(text))


@pytest.mark.parametrize(
    ("outcome", "rule", "severity"),
    [
        ("off_list", "law.link-off-list", "block"),
        ("private", "secrecy.link-private", "block"),
        ("dead", "wording.link-dead", "block"),
        ("unsure", "wording.link-unsure", "warn"),
    ],
)
async def test_what_is_wrong_with_a_link_is_told_where_it_stands(
    database: Database, world: World, outcome: str, rule: str, severity: str
) -> None:
    world.fact = LinkFact(outcome, "网址 evil.example 不在白名单内")
    (one,) = await Links(database, world.look).findings(DRAFT)
    assert (one.rule, one.severity, one.text) == (rule, severity, URL)
    assert DRAFT.body[one.start : one.end] == URL
    assert "evil.example" in one.reason


async def test_a_good_link_and_a_text_without_links_have_no_finding(
    database: Database, world: World
) -> None:
    links = Links(database, world.look)
    assert await links.findings(DRAFT) == []
    assert await links.findings(replace(DRAFT, body="没有链接")) == []
    assert world.asked == [URL]


async def test_the_source_of_a_repost_is_a_link_too(database: Database, world: World) -> None:
    world.fact = LinkFact("dead", "打不开")
    draft = replace(DRAFT, body="正文", attribution={"url": URL})
    (one,) = await Links(database, world.look).findings(draft)
    assert one.field == "attribution"


async def test_a_look_is_kept_for_review_but_sending_looks_again(
    database: Database, world: World, at: Callable[[float], None]
) -> None:
    links = Links(database, world.look)
    await links.findings(DRAFT)
    at(5)
    await links.findings(DRAFT)
    assert len(world.asked) == 1
    world.fact = LinkFact("dead", "连不上")
    (one,) = await links.findings(DRAFT, sending=True)
    assert (one.rule, one.severity) == ("wording.link-dead", "block")
    await links.findings(DRAFT, sending=True)
    assert len(world.asked) == 2  # many deliveries of one item ask once
    at(16)
    await links.findings(DRAFT)
    assert len(world.asked) == 3


async def test_a_mended_link_is_seen_as_mended_soon(
    database: Database, world: World, at: Callable[[float], None]
) -> None:
    links = Links(database, world.look)
    world.fact = LinkFact("dead", "连不上")
    assert len(await links.findings(DRAFT)) == 1
    world.fact = LinkFact("ok")
    assert len(await links.findings(DRAFT)) == 1
    at(2)
    assert await links.findings(DRAFT) == []


async def test_a_look_made_for_review_a_moment_ago_does_not_count_at_sending(
    database: Database, world: World, at: Callable[[float], None]
) -> None:
    links = Links(database, world.look)
    assert await links.findings(DRAFT) == []
    world.fact = LinkFact("dead", "连不上")
    assert [one.rule for one in await links.findings(DRAFT, sending=True)] == ["wording.link-dead"]


async def test_a_slow_link_is_cut_off_and_a_recent_good_look_counts_at_sending(
    database: Database, world: World, at: Callable[[float], None]
) -> None:
    links = Links(database, world.look, cap=60)
    assert await links.findings(DRAFT) == []
    world.gate, links._cap = asyncio.Event(), 0.2
    at(12)
    # The look is held up until the end: without a cap this would never come back.
    assert await links.findings(DRAFT, sending=True) == []
    at(40)
    (one,) = await links.findings(DRAFT, sending=True)
    assert (one.rule, one.severity) == ("wording.link-slow", "block")
    (one,) = await links.findings(DRAFT)
    assert (one.rule, one.severity) == ("wording.link-unsure", "warn")
    world.gate.set()
    await asyncio.gather(*links._running.values())
    assert await links.findings(DRAFT) == []  # the look went on and was kept
    await links.close()


async def test_many_links_wait_together_not_one_after_another(
    database: Database, world: World
) -> None:
    world.gate = asyncio.Event()
    links = Links(database, world.look, cap=0.2)
    body = "\n".join(f"https://rsj.qinghe.gov.cn/{number}" for number in range(30))
    found = await links.findings(replace(DRAFT, body=body))
    assert (len(found), len(world.asked)) == (30, 30)  # all were asked before one had answered
    await links.close()


async def test_looking_writes_nothing_and_the_job_puts_the_last_look_into_the_table(
    database: Database, world: World
) -> None:
    links = Links(database, world.look)
    await links.findings(DRAFT)
    world.fact = LinkFact("dead", "连不上")
    await links.seen([URL], timedelta(seconds=-1))
    assert await _rows(database) == []
    await links.refresh_due()
    assert await _rows(database) == [(URL, "dead", "连不上")]
    # Another process, or this one after a start, knows it without looking.
    asked = len(world.asked)
    assert len(await Links(database, world.look).findings(DRAFT)) == 1
    assert len(world.asked) == asked


async def _rows(database: Database) -> list[tuple[str, str, str]]:
    async with database.session() as session:
        rows = (await session.scalars(select(LinkCheck))).all()
    return [(row.url, row.outcome, row.message) for row in rows]


def _worded(said: str, url: str) -> Draft:
    runs = [{"text": "请从"}, {"text": said, "link": url}, {"text": "进入"}]
    blocks = read_document([{"kind": "paragraph", "runs": runs}])
    return DRAFT.changed({"blocks": blocks})


async def test_an_address_behind_words_is_looked_at_and_found_at_its_words(
    database: Database, world: World
) -> None:
    world.fact = LinkFact("off_list", "不在名单内")
    found = await Links(database, world.look).findings(_worded("这里", URL))
    assert world.asked == [URL]
    assert [(one.rule, one.start, one.end, one.text) for one in found] == [
        ("law.link-off-list", 2, 4, "这里")
    ]


async def test_words_that_are_one_address_and_lead_to_another_block(
    database: Database, world: World
) -> None:
    shown, real = "https://www.gov.cn/", "https://www.gov.cn.evil.example/"
    found = await Links(database, world.look).findings(_worded(shown, real))
    assert [one.rule for one in found if one.severity == "block"] == ["law.link-disguised"]
    same = await Links(database, world.look).findings(_worded(shown, "https://www.gov.cn/a/b"))
    assert same == []


@pytest.mark.parametrize(
    ("url", "opened"),
    [
        ("HTTPS://evil.example/a", "https://evil.example/a"),
        ("https://www.gov.cn。evil.example/", "https://www.gov.cn%E3%80%82evil.example/"),
        ("https://www.gov.cn'.evil.example/", "https://www.gov.cn%27.evil.example/"),
        ("https://evil.example\\@www.gov.cn/", "https://evil.example/@www.gov.cn/"),
        ("https://www.gov.cn/通知（一）.pdf", "https://www.gov.cn/通知%EF%BC%88一%EF%BC%89.pdf"),
    ],
)
@pytest.mark.parametrize("said", ["这里", ""])
async def test_an_address_is_followed_to_its_end_as_a_browser_reads_it(
    database: Database, world: World, url: str, opened: str, said: str
) -> None:
    world.fact = LinkFact("off_list", "不在名单内")
    found = await Links(database, world.look).findings(_worded(said or url, url))
    assert opened in world.asked
    assert any(one.severity == "block" for one in found)
    world.asked.clear()
    await Links(database, world.look).findings(replace(DRAFT, body="", attribution={"url": url}))
    assert world.asked == [opened]


@pytest.mark.parametrize("place", ["summary", "author"])
async def test_an_address_beside_the_text_is_looked_at(
    database: Database, world: World, place: str
) -> None:
    world.fact = LinkFact("off_list", "不在名单内")
    draft = replace(DRAFT, body="正文").changed({place: "见 HTTP://evil.example"})
    (one,) = await Links(database, world.look).findings(draft)
    assert (one.field, one.rule) == (place, "law.link-off-list")
