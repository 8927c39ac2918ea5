"""A real publisher on 127.0.0.1, and an office that takes its articles."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from bot.contract import Content
from bot.models import Account
from config.clock import now
from content_sources.fetch import Fetcher
from content_sources.ingest import Ingest
from content_sources.models import Column, Source
from content_sources.whitelist import Judge, SourceRule, judge
from gates.finding import Finding
from ledger.append import Ledger, load_signing_key
from review_queue.canonical import Draft
from review_queue.desk import Queue
from review_queue.workflow import load_workflows
from sandbox.site.routes import add_site
from storage.database import Database, new_id
from tests.content_sources.reposting import Relay, open_relay

ROOT = Path(__file__).parents[2]
DAY = datetime(2026, 11, 24, 4, tzinfo=UTC)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Site:
    """A web server under test; `serve` answers a path, `hits` counts what was asked."""

    def __init__(self) -> None:
        self.hits: list[str] = []
        self.port = 0
        self._pages: dict[str, Handler] = {}

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    def serve(self, path: str, body: bytes | str, mime: str = "text/html", **headers: str) -> str:
        data = body.encode() if isinstance(body, str) else body

        async def answer(_: web.Request) -> web.Response:
            return web.Response(body=data, headers={"Content-Type": mime, **headers})

        return self.answer(path, answer)

    def redirect(self, path: str, target: str) -> str:
        async def answer(_: web.Request) -> web.Response:
            return web.Response(status=302, headers={"Location": target})

        return self.answer(path, answer)

    def answer(self, path: str, handler: Handler) -> str:
        self._pages[path] = handler
        return self.base + path

    async def handle(self, request: web.Request) -> web.StreamResponse:
        handler = self._pages.get(request.path)
        if handler is None:
            raise web.HTTPNotFound
        return await handler(request)

    def rule(self, **changed: Any) -> SourceRule:
        fields = {
            "id": "s1",
            "organisation": "青禾县人民政府",
            "hosts": (self.host,),
            "allow_http": True,
            "valid_from": DAY - timedelta(days=30),
            "valid_to": None,
        }
        return SourceRule(**{**fields, **changed})

    def judge(self, *rules: SourceRule) -> Judge:
        return partial(judge, sources=rules or (self.rule(),), as_of=DAY)


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    made = Site()

    @web.middleware
    async def count(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path != "/robots.txt":
            made.hits.append(request.path)
        return await handler(request)

    app = web.Application(middlewares=[count])
    add_site(app)
    app.router.add_get("/{path:.*}", made.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.port = runner.addresses[0][1]
    yield made
    await runner.cleanup()


@pytest.fixture
async def fetcher(site: Site) -> AsyncIterator[Fetcher]:
    made = Fetcher(frozenset({site.host}))
    yield made
    await made.close()


@dataclass
class Desk:
    """The ingest under test with its database, one active source and its feed column."""

    db: Database
    ingest: Ingest
    source_id: str
    column_id: str


def render(accounts: Sequence[Account], content: Content) -> tuple[dict[str, Any], list[str]]:
    return {row.id: {"text": content.body} for row in accounts}, []


async def check(_: Draft) -> tuple[str, list[Finding]]:
    return "rules-1", []


@pytest.fixture
async def desk(tmp_path: Path, database: Database, site: Site, fetcher: Fetcher) -> Desk:
    ledger = Ledger(database, load_signing_key(tmp_path / "keys/l.key"), tmp_path / "anchors.jsonl")
    queue = Queue.of(ledger, load_workflows(ROOT / "config/workflows.yaml"), render, check)
    source = Source(
        id=new_id(),
        organisation="青禾县人民政府",
        hosts=[site.host],
        allow_http=True,
        basis="青禾县网信办稿源名单2026年第1号",
        valid_from=now() - timedelta(days=1),
        valid_to=None,
        state="active",
        proposed_by="init",
        approved_by="init",
    )
    column = Column(
        id=new_id(),
        source_id=source.id,
        name="县内要闻",
        url=f"{site.base}/site/news/rss.xml",
        kind="feed",
        selectors={},
        next_at=now() - timedelta(minutes=1),
        last_ok_at=None,
    )
    async with database.session() as session:
        session.add_all([source, column])
    ingest = Ingest(database, ledger, queue, fetcher)
    return Desk(database, ingest, source.id, column.id)


@pytest.fixture
async def relay(tmp_path: Path, database: Database) -> Relay:
    return await open_relay(tmp_path, database)
