"""From a publisher's page to a draft for review, or to a recorded refusal."""

import json
from datetime import timedelta

import pytest
from aiohttp import web
from sqlalchemy import func, select

from config.clock import now
from content_sources import ingest as ingest_module
from content_sources.answers import FetchError
from content_sources.models import Article, Column, Source
from documents.normalise_picture import normalise
from review_queue import drafting
from review_queue.models import Item, Revision
from storage.media import Blob, load, marker
from tests.content_sources.conftest import Desk, Site
from tests.documents import made_pictures as made

NOTICE = "青禾县关于发放高校毕业生就业补贴的通知"


async def count(desk: Desk, table: type[Item | Article | Blob]) -> int:
    async with desk.db.session() as session:
        return (await session.scalar(select(func.count()).select_from(table))) or 0


async def test_every_feed_article_becomes_a_draft_with_its_attribution(desk: Desk) -> None:
    assert await desk.ingest.poll_due() == 4
    async with desk.db.session() as session:
        item = (await session.scalars(select(Item).where(Item.title == NOTICE))).one()
        revision = (
            await session.scalars(select(Revision).where(Revision.item_id == item.id))
        ).one()
        article = await session.get(Article, item.article_id)
    assert article is not None
    assert (item.kind, item.klass, item.state, item.author_id) == ("转载", "重要", "draft", "robot")
    draft = json.loads(revision.canonical)
    assert draft["attribution"]["source"] == "青禾县人力资源和社会保障局"
    assert draft["attribution"]["original_title"] == NOTICE
    assert draft["attribution"]["url"] == article.url
    # Whom it is for is a person's choice; what its words suggest stands beside the form.
    assert draft["audience"] is None
    assert "![办事现场](sha256:" in draft["body"]
    assert draft["attachments"][0]["name"] == "补贴申请表"
    assert article.published_on == "2026-11-23"


async def test_the_snapshot_is_the_page_as_it_was_served(desk: Desk, site: Site) -> None:
    article = await desk.ingest.fetch_article(f"{site.base}/site/news/jiuye-butie.html")
    async with desk.db.session() as session:
        kept = await load(session, article.snapshot)
    assert kept is not None
    assert kept[1] == "text/html"
    assert '<meta name="ArticleTitle"' in kept[0].decode()


async def test_a_fetched_picture_is_kept_as_it_will_be_sent_and_a_harmful_one_left_out(
    desk: Desk, site: Site
) -> None:
    photo = made.phone_photo()
    site.serve("/p/1.jpg", photo, "image/jpeg")
    site.serve("/p/2.png", made.bomb(), "image/png")
    text = "<p>青禾县城东公园将于十二月开放，市民可以步行前往，公园内设有健身步道。</p>" * 2
    pictures = "<p><img src='/p/1.jpg' alt='公园'></p><p><img src='/p/2.png' alt='地图'></p>"
    head = "<html><head><meta name='ArticleTitle' content='公园开放'></head>"
    page = f"{head}<body><div id='zoom'>{text}{pictures}</div></body></html>"
    article = await desk.ingest.fetch_article(site.serve("/park.html", page))
    brought = normalise(photo).data
    async with desk.db.session() as session:
        query = select(Revision.canonical).where(Revision.item_id == article.item_id)
        draft = json.loads((await session.scalars(query)).one())
        kept = await load(session, marker(brought))
        assert await load(session, marker(photo)) is None
    assert f"![公园]({marker(brought)})" in draft["body"]
    assert draft["media"] == [marker(brought)]
    assert [one["media"] for one in article.images] == [marker(brought), ""]
    assert kept is not None
    assert kept[1] == "image/jpeg"
    assert b"Zhang" not in kept[0]


async def test_a_second_poll_makes_nothing_twice(desk: Desk) -> None:
    await desk.ingest.poll_column(desk.column_id)
    again = await desk.ingest.poll_column(desk.column_id)
    assert (again.items, again.duplicates, again.error) == (0, 0, "")
    assert await count(desk, Item) == 4


async def test_a_column_waits_for_its_time(desk: Desk) -> None:
    await desk.ingest.poll_due()
    async with desk.db.session() as session:
        column = await session.get(Column, desk.column_id)
        assert column is not None
        assert column.next_at > now() + timedelta(minutes=29)
        assert column.last_ok_at is not None
    assert await desk.ingest.poll_due() == 0


async def test_the_same_words_at_another_address_are_dropped(desk: Desk, site: Site) -> None:
    page = "<html><head><meta name='ArticleTitle' content='{}'></head><body><div id='zoom'>{}</div>"
    text = "<p>青禾县城东公园将于十二月开放，市民可以步行前往，公园内设有健身步道。</p>" * 2
    first = await desk.ingest.fetch_article(site.serve("/a.html", page.format("公园开放", text)))
    second = await desk.ingest.fetch_article(site.serve("/b.html", page.format("转发公园", text)))
    assert (first.state, second.state) == ("item", "duplicate")
    assert second.duplicate_of == first.id
    assert await count(desk, Item) == 1


async def test_an_address_off_the_list_is_recorded_and_never_asked(desk: Desk, site: Site) -> None:
    url = f"http://localhost:{site.port}/unlisted/news.html"
    with pytest.raises(FetchError, match="不在稿源白名单内") as refused:
        await desk.ingest.fetch_article(url)
    assert refused.value.code == "refused"
    assert site.hits == []
    async with desk.db.session() as session:
        article = (await session.scalars(select(Article).where(Article.url == url))).one()
    assert article.state == "refused"
    assert "白名单" in article.problem
    assert await count(desk, Item) == 0


async def test_a_redirect_off_the_list_stops_before_the_other_host(desk: Desk, site: Site) -> None:
    with pytest.raises(FetchError, match="跳转而来"):
        await desk.ingest.fetch_article(f"{site.base}/site/offsite-redirect")
    assert site.hits == ["/site/offsite-redirect"]


async def test_a_revoked_source_gives_nothing_more(desk: Desk) -> None:
    async with desk.db.session() as session:
        source = await session.get(Source, desk.source_id)
        assert source is not None
        source.state = "revoked"
    result = await desk.ingest.poll_column(desk.column_id)
    assert "不在稿源白名单内" in result.error
    assert await count(desk, Item) == 0


async def test_a_broken_feed_is_one_line_on_the_column(desk: Desk, site: Site) -> None:
    url = site.serve("/broken.xml", '<?xml version="1.0"?><rss><channel><item', "text/xml")
    async with desk.db.session() as session:
        column = await session.get(Column, desk.column_id)
        assert column is not None
        column.url = url
    result = await desk.ingest.poll_column(desk.column_id)
    assert "RSS" in result.error
    async with desk.db.session() as session:
        column = await session.get(Column, desk.column_id)
        assert column is not None
        assert column.last_error == result.error
        assert column.last_ok_at is None


async def test_a_failure_while_filing_leaves_nothing(
    desk: Desk, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise RuntimeError("disk full")

    monkeypatch.setattr(drafting, "create_item_in", fail)
    with pytest.raises(RuntimeError):
        await desk.ingest.fetch_article(f"{site.base}/site/news/jiuye-butie.html")
    assert await count(desk, Article) == 0
    assert await count(desk, Blob) == 0


async def test_a_server_error_is_tried_again_at_the_next_poll(desk: Desk, site: Site) -> None:
    with pytest.raises(FetchError) as failed:
        await desk.ingest.fetch_article(f"{site.base}/missing.html")
    assert failed.value.code == "status"
    assert await count(desk, Article) == 0


async def test_a_column_may_say_where_its_pages_keep_the_body(desk: Desk, site: Site) -> None:
    long = "<p>这里是与文章无关的说明文字，比正文还要长，读者不需要看到它。</p>" * 5
    url = site.serve("/odd.html", f"<h1>停水公告</h1>{long}<div class='m'><p>今夜停水。</p></div>")
    async with desk.db.session() as session:
        column = await session.get(Column, desk.column_id)
        assert column is not None
        column.selectors = {"page_body": "div.m", "page_title": "h1"}
    article = await desk.ingest.fetch_article(url, column)
    assert (article.title, article.text) == ("停水公告", "今夜停水。")


async def test_what_one_poll_leaves_over_comes_with_the_next_though_the_feed_is_the_same(
    desk: Desk, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingest_module, "MOST_NEW", 3)
    pages = [site.serve(f"/n{n}.html", article_page(n)) for n in range(5)]
    rows = "".join(
        f"<item><title>第{n}篇</title><link>{url}</link></item>" for n, url in enumerate(pages)
    )
    feed = f'<rss version="2.0"><channel>{rows}</channel></rss>'

    async def answer(request: web.Request) -> web.Response:
        if request.headers.get("If-None-Match") == '"v1"':
            return web.Response(status=304)
        return web.Response(text=feed, content_type="application/xml", headers={"ETag": '"v1"'})

    async with desk.db.session() as session:
        column = await session.get(Column, desk.column_id)
        assert column is not None
        column.url = site.answer("/many.xml", answer)
    first, second, third = [await desk.ingest.poll_column(desk.column_id) for _ in range(3)]
    assert (first.items, first.waiting) == (3, 2)
    assert (second.items, second.waiting) == (2, 0)
    assert (third.items, third.waiting, third.error) == (0, 0, "")


def article_page(number: int) -> str:
    lines = f"<p>第{number}个社区食堂今天开门，为附近的老年人提供早餐和午餐，菜单每周更换一次。</p>"
    return (
        f"<html><title>第{number}个社区食堂开门</title><body><div>{lines * 2}</div></body></html>"
    )
