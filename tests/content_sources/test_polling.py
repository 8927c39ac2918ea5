"""Columns that fail, change or never end: a clear state each, and the others go on."""

import asyncio
from datetime import timedelta

import pytest
from aiohttp import web
from sqlalchemy import func, select

from config.clock import now
from content_sources import ingest as ingest_module
from content_sources.models import Article, Column
from content_sources.preview import read_fetched
from ledger.models import Incident
from review_queue.models import Item
from storage.database import new_id
from tests.content_sources.conftest import Desk, Site


def story(number: int) -> str:
    words = "".join(chr(0x4E00 + (number * 97 + step * 31) % 6000) for step in range(90))
    return (
        f"<html><head><title>第{number}号惠民举措公布实施</title></head><body>"
        f"<div id='zoom'><p>{words}。</p></div></body></html>"
    )


def rows(numbers: range, *, dated: bool = True) -> str:
    return "".join(
        f"<li><a href='/s/{n}.html'>第{n}号惠民举措公布实施</a>"
        f"{'<span>2026-11-20</span>' if dated else ''}</li>"
        for n in numbers
    )


def page(inside: str, more: str = "") -> str:
    return f"<html><body><ul>{inside}</ul>{more}</body></html>"


@pytest.fixture
def stories(site: Site) -> None:
    for number in range(60):
        site.serve(f"/s/{number}.html", story(number))


async def column_of(desk: Desk) -> Column:
    async with desk.db.session() as session:
        column = await session.get(Column, desk.column_id)
        assert column is not None
        return column


async def point(desk: Desk, url: str, kind: str = "list", **selectors: str) -> None:
    async with desk.db.session() as session:
        column = await session.get(Column, desk.column_id)
        assert column is not None
        column.url, column.kind, column.selectors = url, kind, selectors


async def incidents(desk: Desk) -> list[Incident]:
    async with desk.db.session() as session:
        return list((await session.scalars(select(Incident))).all())


@pytest.mark.usefixtures("stories")
async def test_a_rebuilt_list_is_an_alarm_and_an_incident_and_files_nothing(
    desk: Desk, site: Site
) -> None:
    await point(desk, site.serve("/list.html", page(rows(range(5)))))
    assert (await desk.ingest.poll_column(desk.column_id)).items == 5
    assert (await column_of(desk)).state == "ok"
    menu = "".join(f"<li><a href='/menu/{n}/'>政务公开栏目之{n}</a></li>" for n in range(9))
    site.serve("/list.html", page(menu))
    for _ in range(3):
        result = await desk.ingest.poll_column(desk.column_id)
        assert "改版" in result.error
    column = await column_of(desk)
    assert (column.state, column.last_error) == ("alarm", result.error)
    found = await incidents(desk)
    assert [(one.kind, one.subject) for one in found] == [
        ("column_alarm", f"column:{desk.column_id}")
    ]
    assert not [hit for hit in site.hits if hit.startswith("/menu")]


@pytest.mark.usefixtures("stories")
@pytest.mark.parametrize(
    "after", ["<p>页面维护中，请稍后访问</p>", "", page(rows(range(5), dated=False))]
)
async def test_a_list_without_entries_or_days_is_not_taken_for_no_news(
    desk: Desk, site: Site, after: str
) -> None:
    await point(desk, site.serve("/list.html", page(rows(range(5)))))
    await desk.ingest.poll_column(desk.column_id)
    site.serve("/list.html", after or " ")
    await desk.ingest.poll_column(desk.column_id)
    assert (await column_of(desk)).state == "alarm"
    assert len(await incidents(desk)) == 1


@pytest.mark.usefixtures("stories")
async def test_the_alarm_ends_when_the_page_is_itself_again_or_a_person_accepts(
    desk: Desk, site: Site
) -> None:
    await point(desk, site.serve("/list.html", page(rows(range(5)))))
    await desk.ingest.poll_column(desk.column_id)
    site.serve("/list.html", page(rows(range(5), dated=False)))
    await desk.ingest.poll_column(desk.column_id)
    site.serve("/list.html", page(rows(range(6))))
    assert (await desk.ingest.poll_column(desk.column_id)).items == 1
    assert (await column_of(desk)).state == "ok"
    site.serve("/list.html", page(rows(range(8), dated=False)))
    await desk.ingest.poll_column(desk.column_id)
    assert (await column_of(desk)).state == "alarm"
    await desk.ingest.accept_layout(desk.column_id)
    assert (await desk.ingest.poll_column(desk.column_id)).items == 2
    assert (await column_of(desk)).state == "ok"


async def test_each_failure_waits_longer_and_the_fifth_is_an_incident(
    desk: Desk, site: Site
) -> None:
    await point(desk, f"{site.base}/gone.html")
    pauses = []
    for _ in range(5):
        await desk.ingest.poll_column(desk.column_id)
        column = await column_of(desk)
        pauses.append((column.next_at - now()).total_seconds() / 60)
    assert column.state == "failing"
    assert column.failures == 5
    assert "404" in column.last_error
    for pause, usual in zip(pauses, (30, 60, 120, 240, 480), strict=True):
        assert 0.75 * usual < pause < 1.25 * usual
    assert [one.kind for one in await incidents(desk)] == ["column_failing"]


async def test_the_rest_a_site_asks_for_is_kept_by_its_column(desk: Desk, site: Site) -> None:
    async def busy(_: web.Request) -> web.Response:
        return web.Response(status=503, headers={"Retry-After": "7200"})

    await point(desk, site.answer("/busy.html", busy))
    for _ in range(2):
        await desk.ingest.poll_column(desk.column_id)
    column = await column_of(desk)
    assert column.next_at > now() + timedelta(minutes=119)
    assert column.failures == 1
    assert len(site.hits) == 1


@pytest.mark.usefixtures("stories")
async def test_one_bad_column_of_each_kind_leaves_the_others_alone(
    desk: Desk, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = {
        "broken.xml": site.serve("/broken.xml", "<rss><channel><item", "text/xml"),
        "loop": site.redirect("/loop", "/loop"),
        "program": site.serve("/program", b"MZ\x90\x00\x03", "text/html"),
        "empty": site.serve("/empty", b" ", "text/html"),
        "no list": site.serve("/nolist", "<p>没有列表</p>"),
        "elsewhere": f"http://localhost:{site.port}/list.html",
        "crash": site.serve("/crash.html", page(rows(range(3)))),
    }
    good = site.serve("/good.html", page(rows(range(4))))
    await point(desk, good)
    async with desk.db.session() as session:
        for name, url in bad.items():
            session.add(
                Column(
                    id=new_id(),
                    source_id=desk.source_id,
                    name=name,
                    url=url,
                    kind="feed" if name.endswith("xml") else "list",
                    selectors={},
                    next_at=now() - timedelta(minutes=1),
                    last_ok_at=None,
                )
            )
    read = read_fetched

    async def crash(fetched, kind, selectors):
        if "crash" in fetched.url:
            raise RecursionError
        return await read(fetched, kind, selectors)

    monkeypatch.setattr(ingest_module, "read_fetched", crash)
    assert await desk.ingest.poll_due() == 4
    async with desk.db.session() as session:
        columns = {row.name: row for row in (await session.scalars(select(Column))).all()}
    assert columns.pop("县内要闻").state == "ok"
    for name, column in columns.items():
        assert column.state == "failing", name
        assert column.last_error, name
        assert "\n" not in column.last_error
    assert "RecursionError" in columns["crash"].last_error
    assert await desk.ingest.poll_due() == 0


@pytest.mark.usefixtures("stories")
async def test_pages_are_followed_only_when_the_first_is_all_new(desk: Desk, site: Site) -> None:
    following = "<a href='/list_2.html'>下一页</a>"
    site.serve("/list_2.html", page(rows(range(3, 6))))
    await point(desk, site.serve("/list.html", page(rows(range(3)), following)))
    assert (await desk.ingest.poll_column(desk.column_id)).items == 3
    assert "/list_2.html" not in site.hits
    site.serve("/list.html", page(rows(range(10, 14)), following))
    site.serve("/list_2.html", page(rows(range(14, 17)) + rows(range(2))))
    assert (await desk.ingest.poll_column(desk.column_id)).items == 7
    site.serve("/list.html", page(rows(range(20, 22)) + rows(range(10, 14)), following))
    site.hits.clear()
    assert (await desk.ingest.poll_column(desk.column_id)).items == 2
    assert "/list_2.html" not in site.hits


@pytest.mark.usefixtures("stories")
async def test_endless_pages_end(desk: Desk, site: Site) -> None:
    asked = []

    async def endless(request: web.Request) -> web.Response:
        number = int(request.query.get("p", "0"))
        asked.append(number)
        body = page(
            rows(range(number * 3 % 57, number * 3 % 57 + 3)),
            f"<a href='/endless?p={number + 1}'>下一页</a>",
        )
        return web.Response(text=body, content_type="text/html")

    url = site.answer("/endless", endless)
    await point(desk, url)
    await desk.ingest.poll_column(desk.column_id)
    await point(desk, url + "?p=2")
    await desk.ingest.poll_column(desk.column_id)
    assert max(asked) <= 2 + ingest_module.MOST_PAGES


@pytest.mark.usefixtures("stories")
async def test_a_sitemap_index_is_read_part_by_part(desk: Desk, site: Site) -> None:
    locs = "".join(f"<url><loc>{site.base}/s/{n}.html</loc></url>" for n in range(3))
    part = site.serve("/part.xml", f"<urlset>{locs}</urlset>", "application/xml")
    index = f"<sitemapindex><sitemap><loc>{part}</loc></sitemap></sitemapindex>"
    await point(desk, site.serve("/sitemap.xml", index, "text/xml"), "sitemap")
    assert (await desk.ingest.poll_column(desk.column_id)).items == 3


@pytest.mark.usefixtures("stories")
async def test_a_preview_shows_what_would_be_read_and_stores_nothing(
    desk: Desk, site: Site
) -> None:
    odd = "<li><a href='https://elsewhere.example/x.html'>外站的一篇文章标题</a></li>"
    url = site.serve("/list.html", page(rows(range(3)) + odd))
    shown = await desk.ingest.preview(url)
    assert (shown.kind, shown.error, len(shown.entries)) == ("list", "", 4)
    assert shown.record()["entries"][0] == {
        "url": f"{site.base}/s/0.html",
        "title": "第0号惠民举措公布实施",
        "date": "2026-11-20",
    }
    text = "\n".join(shown.problems)
    assert "1 个条目的网址不在稿源名单内" in text
    assert "1 个条目没有日期" in text
    async with desk.db.session() as session:
        for table in (Article, Item):
            assert await session.scalar(select(func.count()).select_from(table)) == 0


@pytest.mark.parametrize(
    ("path", "kind", "said"),
    [
        ("/nothing.html", "", "404"),
        ("/site/window.png", "", "内容类型"),
        ("/p.html", "feed", "RSS"),
    ],
)
async def test_a_preview_that_fails_says_why(
    desk: Desk, site: Site, path: str, kind: str, said: str
) -> None:
    site.serve("/p.html", "<p>网页</p>")
    shown = await desk.ingest.preview(site.base + path, kind)
    assert said in shown.error
    assert shown.entries == ()
    assert "不在稿源白名单内" in (await desk.ingest.preview("https://elsewhere.example/")).error


@pytest.mark.usefixtures("stories")
async def test_a_host_that_answers_slowly_does_not_hold_the_places_of_the_others(
    desk: Desk, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingest_module, "AT_ONCE", 3)
    monkeypatch.setattr(desk.ingest._fetcher, "at_once", lambda url: 1 if "slow" in url else 3)
    fast = site.serve("/fast.html", page(rows(range(3))))
    await point(desk, fast)
    answered: list[str] = []
    first = asyncio.Event()
    look = desk.ingest._look

    async def watched(column: Column):
        if "slow" in column.url:
            await first.wait()
        answered.append(column.url)
        if column.url == fast:
            first.set()
        return await look(column)

    monkeypatch.setattr(desk.ingest, "_look", watched)
    async with desk.db.session() as session:
        for number in range(5):
            session.add(
                Column(
                    id=new_id(),
                    source_id=desk.source_id,
                    name=f"slow{number}",
                    url=f"http://slow.example/{number}.html",
                    kind="list",
                    selectors={},
                    next_at=now() - timedelta(hours=1),  # they come first
                    last_ok_at=None,
                )
            )
    assert await asyncio.wait_for(desk.ingest.poll_due(), 30) == 3
    assert len(answered) == 6
