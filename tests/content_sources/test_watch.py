"""An original that changes or goes away after publication becomes somebody's task."""

from dataclasses import dataclass, field
from datetime import timedelta

import aiohttp
import pytest
from aiohttp import web
from sqlalchemy import select

from config.clock import now
from content_sources.changes import revoke
from content_sources.fetch import Fetcher
from content_sources.ingest import Ingest
from content_sources.list_models import Watched
from content_sources.tasks import settle
from content_sources.watch import PATIENCE, OriginalWatch
from review_queue.models import Item
from staff.models import Task
from staff.refusal import Refused
from staff.tasks import Settlement
from tests.content_sources.conftest import Site
from tests.content_sources.reposting import Relay

PAGE = (
    "<html><head><meta name='ArticleTitle' content='{title}'></head><body>"
    "<p>浏览次数：{count}</p><div id='zoom'>{body}<p>浏览次数：{count}</p></div></body></html>"
)
BODY = "<p>青禾县城东公园将于十二月开放，市民可以步行前往。</p><p>公园内设有健身步道三条。</p>"


@dataclass
class Lookout:
    """A watched repost of one page."""

    relay: Relay
    site: Site
    watch: OriginalWatch
    ingest: Ingest
    source_id: str
    told: list[tuple[str, str]] = field(default_factory=list)

    async def published(self, url: str) -> str:
        """The id of an item taken from `url` that is out."""
        article = await self.ingest.fetch_article(url)
        assert article.item_id is not None
        async with self.relay.db.session() as session:
            item = await session.get_one(Item, article.item_id)
            item.state = "published"
        assert await self.watch.look_due() == {}
        return article.item_id

    async def look(self) -> dict[str, int]:
        """What the next look finds, as if its time had come."""
        async with self.relay.db.session() as session:
            for row in (await session.scalars(select(Watched))).all():
                row.next_at = now() - timedelta(seconds=1)
        return await self.watch.look_due()

    async def tasks(self) -> list[Task]:
        async with self.relay.db.session() as session:
            return list((await session.scalars(select(Task))).all())

    async def row(self) -> Watched:
        async with self.relay.db.session() as session:
            return (await session.scalars(select(Watched))).one()


@pytest.fixture
async def lookout(relay: Relay, site: Site, fetcher: Fetcher) -> Lookout:
    source_id = await relay.source(hosts=(site.host,), allow_http=True)
    told: list[tuple[str, str]] = []

    async def tell(staff_id: str, text: str) -> None:
        told.append((staff_id, text))

    watch = OriginalWatch(relay.ledger, fetcher, tell)
    ingest = Ingest(relay.db, relay.ledger, relay.queue, fetcher)
    return Lookout(relay, site, watch, ingest, source_id, told)


def serve(lookout: Lookout, body: str = BODY, title: str = "公园开放", count: int = 1) -> str:
    text = PAGE.format(body=body, title=title, count=count)
    return lookout.site.serve("/park.html", text)


async def test_a_page_changed_on_the_sandbox_site_opens_a_task_with_the_difference(
    lookout: Lookout,
) -> None:
    path = "/site/news/gongshui-gaizao.html"
    item_id = await lookout.published(lookout.site.base + path)
    assert await lookout.look() == {"same": 1}
    async with aiohttp.ClientSession() as session:
        body = {"path": path, "text": "工程更换老旧管道9.9公里，居民用上了新管网。\n其余不变。"}
        await session.post(f"{lookout.site.base}/_control/site", json=body)
    assert await lookout.look() == {"changed": 1}
    task = (await lookout.tasks())[0]
    assert (task.kind, task.item_id, task.state) == ("correction", item_id, "open")
    assert task.assignee == lookout.relay.people["editor"]
    assert timedelta(0) < task.due_at - now() <= timedelta(hours=24)
    assert "7.4公里" in task.detail["before"]
    assert "9.9公里" in task.detail["after"]
    assert lookout.told[0][0] == task.assignee
    assert await lookout.look() == {"same": 1}
    assert len(await lookout.tasks()) == 1


async def test_a_second_change_joins_the_open_task(lookout: Lookout) -> None:
    await lookout.published(serve(lookout))
    serve(lookout, BODY.replace("三条", "四条"))
    await lookout.look()
    serve(lookout, BODY.replace("三条", "五条"))
    assert await lookout.look() == {"changed": 1}
    (task,) = await lookout.tasks()
    assert "三条" in task.detail["before"]
    assert "五条" in task.detail["after"]


async def test_a_counter_is_no_change_and_a_title_is(lookout: Lookout) -> None:
    await lookout.published(serve(lookout))
    serve(lookout, count=20_315)
    assert await lookout.look() == {"same": 1}
    serve(lookout, title="公园推迟开放")
    assert await lookout.look() == {"changed": 1}


@pytest.mark.parametrize("status", [404, 410])
async def test_a_page_that_is_gone_is_told_once(lookout: Lookout, status: int) -> None:
    url = serve(lookout)
    await lookout.published(url)

    async def gone(_: web.Request) -> web.Response:
        return web.Response(status=status)

    lookout.site.answer("/park.html", gone)
    assert await lookout.look() == {"gone": 1}
    assert await lookout.look() == {"gone": 1}
    (task,) = await lookout.tasks()
    assert "撤下" in task.detail["problem"]
    assert "before" not in task.detail


async def test_a_redirect_to_another_host_is_an_end_and_is_not_followed(lookout: Lookout) -> None:
    await lookout.published(serve(lookout))
    lookout.site.redirect("/park.html", "http://elsewhere.example.com/park.html")
    assert await lookout.look() == {"gone": 1}
    assert "跳转到了别的网站" in (await lookout.tasks())[0].detail["problem"]


async def test_an_unchanged_page_is_asked_for_only_if_it_changed(lookout: Lookout) -> None:
    asked: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.headers.get("If-None-Match", ""))
        if asked[-1]:
            return web.Response(status=304)
        text = PAGE.format(body=BODY, title="公园开放", count=1)
        return web.Response(text=text, content_type="text/html", headers={"ETag": '"v1"'})

    url = lookout.site.answer("/park.html", answer)
    await lookout.published(url)
    assert await lookout.look() == {"same": 1}
    assert asked == ["", '"v1"']


async def test_looks_slow_down(lookout: Lookout) -> None:
    await lookout.published(serve(lookout))
    pauses = []
    first = (await lookout.row()).next_at - now()
    for _ in range(7):
        await lookout.look()
        pauses.append(round(((await lookout.row()).next_at - now()) / timedelta(hours=1)))
    assert round(first / timedelta(hours=1)) == 1
    assert pauses == [5, 18, 48, 96, 552, 720, 720]


async def test_a_site_that_is_down_is_asked_later_and_in_the_end_a_person(
    lookout: Lookout,
) -> None:
    await lookout.published(serve(lookout))

    async def down(_: web.Request) -> web.Response:
        return web.Response(status=500)

    lookout.site.answer("/park.html", down)
    for _ in range(PATIENCE - 1):
        assert await lookout.look() == {"unreachable": 1}
    assert await lookout.tasks() == []
    await lookout.look()
    assert "连续打不开" in (await lookout.tasks())[0].detail["problem"]


async def test_a_revoked_source_is_not_asked_again(lookout: Lookout) -> None:
    await lookout.published(serve(lookout))
    await revoke(lookout.relay.ledger, lookout.relay.people["admin1"], lookout.source_id)
    before = list(lookout.site.hits)
    assert await lookout.look() == {"unreachable": 1}
    assert lookout.site.hits == before


async def changed_task(lookout: Lookout) -> Task:
    await lookout.published(serve(lookout))
    serve(lookout, BODY.replace("三条", "四条"))
    await lookout.look()
    return (await lookout.tasks())[0]


async def test_a_correction_settles_the_task_and_starts_a_draft(lookout: Lookout) -> None:
    task = await changed_task(lookout)
    editor = lookout.relay.people["editor"]
    task = await settle(lookout.relay.queue, task.id, editor, Settlement("corrected", "按原文改"))
    async with lookout.relay.db.session() as session:
        item = await session.get_one(Item, task.detail["item"])
    assert (item.kind, item.state, item.author_id) == ("更正", "draft", editor)
    assert (task.state, task.outcome) == ("done", "corrected")


async def test_no_change_needed_wants_a_reason(lookout: Lookout) -> None:
    task = await changed_task(lookout)
    editor = lookout.relay.people["editor"]
    with pytest.raises(Refused, match="理由"):
        await settle(lookout.relay.queue, task.id, editor, Settlement("no_change", " "))
    task = await settle(
        lookout.relay.queue, task.id, editor, Settlement("no_change", "只改了错字，不影响内容")
    )
    assert task.outcome == "no_change"
