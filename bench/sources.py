"""`shenfa bench sources`: columns polled, pages extracted, near duplicates found."""

import asyncio
import os
import statistics
import time
from datetime import timedelta

import feedparser
from lxml.html import document_fromstring
from readability import Document as Readability
from rensa import RMinHash, RMinHashLSH
from sqlalchemy import insert, select, update

from app import Shenfa
from bench.figures import (
    SENTENCES,
    Measured,
    Row,
    figure,
    milliseconds,
    percentile,
    resident,
    word_of,
)
from bench.office import new_office, new_sandbox
from bot.http import open_session
from config.clock import now
from config.setup import AccountSetup
from content_sources.duplicates import bands_of, find
from content_sources.ingest import AT_ONCE
from content_sources.models import Article, Band, Column, Sketch, Source
from documents.pages.extract import extract_page
from gates.alike import sketch
from sandbox.site.routes import MANY
from storage.database import new_id


def _article_html(kilobytes: int, *, known: bool) -> str:
    """A page of about so many kilobytes; `known` has meta tags and a known container."""
    menu = "".join(f'<li><a href="/c{n}/">栏目{n}</a></li>' for n in range(200))
    line = "".join(SENTENCES)
    count = max(1, (kilobytes * 1024 - 12_000) // len(line.encode()))
    body = "".join(f"<p>{line}</p>" for _ in range(count))
    meta = (
        '<meta name="ArticleTitle" content="就业补贴通知"><meta name="PubDate" content="20261120">'
    )
    head = f"{meta if known else ''}<title>就业补贴通知_青禾县人民政府</title>"
    place = '<div class="TRS_Editor">' if known else "<div>"
    return (
        f"<html><head>{head}</head><body><ul>{menu}</ul><h1>就业补贴通知</h1>"
        f"<div>来源：县就业局 发布时间：2026-11-20</div>{place}{body}</div></body></html>"
    )


def _extraction(n: int) -> list[Row]:
    rows = []
    for known, target in ((True, 30.0), (False, 120.0)):
        page = _article_html(100, known=known)

        def ours(page: str = page) -> object:
            return extract_page(page, "https://q.example/a.html")

        def bare(page: str = page, known: bool = known) -> object:  # noqa: FBT001  defaults bind it
            if known:
                return document_fromstring(page).xpath('string(//div[@class="TRS_Editor"])')
            return Readability(page).summary()

        name = "meta tags" if known else "generic fallback"
        figures = Measured(
            statistics.median(milliseconds(ours, n)),
            statistics.median(milliseconds(bare, n)),
            target,
        )
        rows.append(figure("sources", f"p50 of extracting 100 KB, {name}", "ms", figures, n))
        begun = time.process_time()
        for _ in range(n):
            ours()
        spent = (time.process_time() - begun) * 1000 / n
        rows[-1]["detail"] = {"bytes": len(page.encode()), "cpu_ms": round(spent, 1)}
    return rows


BASE = 1_000_000  # sketches of the bench are numbered from here


async def _near(shenfa: Shenfa, n: int, articles: int) -> Row:
    """Look up texts among `articles` others; the bare limit is rensa's own index in memory."""
    real = ["".join(word_of(number * 31 + step, 6) for step in range(100)) for number in range(n)]
    signatures = [sketch(text) for text in real]
    index = RMinHashLSH(0.7, 125, 25)
    async with shenfa.db.session() as session:
        rows, bands = [], []
        for number in range(articles):
            signature = signatures[number] if number < n else os.urandom(500)
            rows.append(
                {"number": BASE + number, "article_id": f"a{number}", "signature": signature}
            )
            bands += [{"key": key, "number": BASE + number} for key in bands_of(signature)]
        await session.execute(insert(Sketch), rows)
        await session.execute(insert(Band), bands)
        for number, text in enumerate(real):
            session.add(_article_row(f"a{number}", text, "item"))
    minhashes = []
    for number, text in enumerate(real):
        minhash = RMinHash(num_perm=125, seed=20)
        minhash.update([text[at : at + 3] for at in range(len(text) - 2)])
        minhashes.append(minhash)
        index.insert(number, minhash)
    taken, hits = [], 0
    for number, text in enumerate(real):
        changed = text[: 300 + number % 100] + "改动" + text[302 + number % 100 :]
        begun = time.perf_counter()
        async with shenfa.db.session() as session:
            found = await find(session, changed, sketch(changed))
        taken.append((time.perf_counter() - begun) * 1000)
        hits += bool(found) and found[0].article_id == f"a{number}"
    waiting = iter(minhashes)
    bare = statistics.median(milliseconds(lambda: index.query(next(waiting)), n))
    row = figure(
        "sources",
        "p95 of a near-duplicate check",
        "ms",
        Measured(percentile(taken, 95), bare, 10.0),
        n,
    )
    row["detail"] = {"articles": articles, "found": hits, "p50": round(percentile(taken, 50), 2)}
    return row


def _article_row(key: str, text: str, state: str, url: str = "") -> Article:
    return Article(
        id=key,
        source_id="bench",
        column_id=None,
        url=url or f"https://q.example/{key}",
        title=key,
        published_on=None,
        text=text,
        images=[],
        attachments=[],
        headers={},
        snapshot="",
        text_hash=key,
        duplicate_of=None,
        item_id=None,
        state=state,
        fetched_at=now(),
    )


async def _columns(shenfa: Shenfa, url: str, columns: int) -> list[str]:
    """A source with that many columns at the sandbox, half of them feeds; the addresses."""
    host = url.removeprefix("http://")
    source = Source(
        id=new_id(),
        organisation="青禾县",
        hosts=[host],
        allow_http=True,
        basis="测速",
        valid_from=now() - timedelta(days=1),
        valid_to=None,
        state="active",
        proposed_by="bench",
        approved_by="bench",
    )
    names = ["rss.xml" if number % 2 else "list.html" for number in range(columns)]
    addresses = [f"{url}/site/many/{number}/{name}" for number, name in enumerate(names)]
    async with shenfa.ledger.transaction() as tx:
        tx.session.add(source)
        for number, address in enumerate(addresses):
            tx.session.add(
                Column(
                    id=new_id(),
                    source_id=source.id,
                    name=f"栏目{number}",
                    url=address,
                    kind="feed" if number % 2 else "list",
                    selectors={},
                    next_at=now(),
                    last_ok_at=None,
                )
            )
            for entry in range(1, MANY):  # the newest entry, number 0, is new
                known = f"{url}/site/many/{number}/{entry}.html"
                tx.session.add(_article_row(f"k{number}-{entry}", "旧", "item", known))
    return addresses


async def _poll_all(shenfa: Shenfa) -> tuple[float, int]:
    """Seconds to poll every column once, and the items made."""
    async with shenfa.db.session() as session:
        await session.execute(update(Column).values(next_at=now(), etag="", last_modified=""))
    begun = time.perf_counter()
    made = await shenfa.ingest.poll_due()
    return time.perf_counter() - begun, made


async def _bare_poll(addresses: list[str], host: str) -> float:
    """Fetch and parse the same pages with the same libraries, judging and keeping nothing."""
    async with open_session(frozenset({host})) as session:
        waiting = iter(addresses)

        async def client() -> None:
            for address in waiting:
                async with session.get(address) as answer:
                    body = await answer.read()
                if address.endswith(".xml"):
                    await asyncio.to_thread(feedparser.parse, body)
                else:
                    tree = await asyncio.to_thread(document_fromstring, body)
                    tree.xpath("//li/a/@href")

        begun = time.perf_counter()
        await asyncio.gather(*(client() for _ in range(24)))
        return time.perf_counter() - begun


async def sources(columns: int = 500, articles: int = 100_000, n: int = 100) -> list[Row]:
    """Columns polled against the sandbox by one process, extraction, near-duplicates."""
    account = AccountSetup(
        slug="bench",
        platform="telegram",
        name="青禾发布",
        api_base="https://api.telegram.org",
        secrets={"token": "7:bench", "webhook_secret": "bench", "chat": "@bench"},
        assessment_ref="bench",
    )
    extraction = _extraction(min(n, 40))
    async with new_sandbox() as url:
        host = url.removeprefix("http://")
        async with new_office(account, dev_allow=host) as shenfa:
            addresses = await _columns(shenfa, url, columns)
            first, made = await _poll_all(shenfa)
            memory = [resident()]
            steady = []
            for _ in range(3):
                steady.append((await _poll_all(shenfa))[0])
                memory.append(resident())
            async with shenfa.db.session() as session:
                states = (await session.scalars(select(Column.state).distinct())).all()
            if set(states) != {"ok"} or made != columns:
                raise RuntimeError(f"{made} items of {columns} columns, states {sorted(states)}")
            near = await _near(shenfa, n, articles)
        bare = await _bare_poll(addresses, host)
    filled = figure(
        "sources", "columns polled, one new article each", "s", Measured(first, bare, 60.0), columns
    )
    filled["detail"] = {"items": made}
    quiet = figure(
        "sources", "columns polled, nothing new", "s", Measured(min(steady), bare, 60.0), columns
    )
    quiet["detail"] = {"megabytes": [round(one) for one in memory], "at_once": AT_ONCE}
    return [filled, quiet, *extraction, near]
