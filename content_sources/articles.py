"""One article: fetched, extracted, kept with its media and snapshot, and filed as a draft.

Network first, then one transaction for article, media and item: nothing half-done stays.
"""

import asyncio
import hashlib
import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.contract import Content
from config.clock import now
from content_sources.answers import FILES, PAGES, PICTURES, Fetched, FetchError
from content_sources.duplicates import SAME, Likeness, find, remember
from content_sources.fetch import Fetcher
from content_sources.models import Article, Column
from content_sources.snapshots import take
from content_sources.whitelist import Judge, Refusal, SourceRule, judge, judging, source_rules
from content_sources.whole import whole_article
from documents.normalise_picture import brought_in
from documents.pages.blocks import Link
from documents.pages.document import document_of
from documents.pages.extract import NoArticle, Page
from documents.parts import Fault
from documents.sniff import true_mime
from gates.alike import sketch
from gates.work import NotDone, Work
from ledger.append import Ledger, Transaction
from review_queue import drafting
from review_queue.desk import ROBOT, Queue
from review_queue.drafting import Origin
from storage.database import new_id
from storage.media import keep

_log = logging.getLogger(__name__)

KLASS = "重要"  # fetched items pass every level until an editor lowers the class
FOREVER = frozenset({"refused", "private", "redirects", "content_type", "too_large"})
MOST_MEDIA = 20  # pictures, and as many attachments, of one article


@dataclass(frozen=True)
class Intake:
    """What filing an article needs."""

    ledger: Ledger
    queue: Queue
    fetcher: Fetcher


@dataclass(frozen=True)
class _Blob:
    """A picture or attachment that was fetched: its address, its name or alt text, its bytes."""

    url: str
    name: str
    fetched: Fetched


@dataclass(frozen=True)
class _Found:
    """Everything one article needs, before anything is written."""

    url: str
    column: Column | None
    fetched: Fetched
    page: Page
    pictures: tuple[_Blob, ...]
    files: tuple[_Blob, ...]
    signature: bytes


async def fetch_article(intake: Intake, url: str, column: Column | None = None) -> Article:
    """Fetch one page now; the article is an item, a duplicate, or known already.

    A page that may not be used leaves an article in state refused with the problem, and
    FetchError is raised; so it is for a page without an article (code `extract`).
    """
    known = await _known(intake, url)
    if known is not None and known.state != "refused":
        return known
    try:
        found = await _gather(intake, url, column)
        return await _file(intake, found)
    except FetchError as error:
        if error.code in FOREVER or error.code == "extract":
            await _refuse(intake, url, column, error.message)
        raise


async def _known(intake: Intake, url: str) -> Article | None:
    async with intake.ledger.db.session() as session:
        return (await session.scalars(select(Article).where(Article.url == url))).first()


async def _gather(intake: Intake, url: str, column: Column | None) -> _Found:
    """All network work of one article. FetchError with code extract when it holds none."""
    if len(url) > 500:  # the width of the column that keeps it, and its unique index
        raise FetchError("extract", "网址超过 500 个字符，不能登记")
    allowed = await judging(intake.ledger.db)
    fetched = await intake.fetcher.fetch(url, allowed, PAGES)
    try:
        further = partial(intake.fetcher.fetch, judge=allowed, accept=PAGES)
        page = await whole_article(fetched, further, page_selectors(column))
    except NoArticle as error:  # of today; the article itself may be there tomorrow
        raise FetchError("not_article", str(error)) from error
    except ValueError as error:
        raise FetchError("extract", str(error)) from error
    if not page.title:
        raise FetchError("extract", "网页里找不到标题，请人工转录")
    fetched_pictures = await _media(intake, page.images, allowed, PICTURES)
    pictures = await _as_sent(intake, fetched_pictures)
    files = await _media(intake, page.attachments, allowed, FILES)
    signature = await asyncio.to_thread(sketch, page.text)
    return _Found(url, column, fetched, page, pictures, files, signature)


async def _media(
    intake: Intake, links: Sequence[Link], allowed: Judge, accept: frozenset[str]
) -> tuple[_Blob, ...]:
    """What can be had of the pictures or attachments; the rest stays a link."""
    blobs = []
    for url, name in links[:MOST_MEDIA]:
        try:
            blobs.append(_Blob(url, name, await intake.fetcher.fetch(url, allowed, accept)))
        except FetchError as error:
            _log.info("media not taken: %s", error.code)
    return tuple(blobs)


async def _as_sent(intake: Intake, pictures: Sequence[_Blob]) -> tuple[_Blob, ...]:
    """The pictures as they will be reviewed and sent; one that cannot be is left a link."""
    brought = []
    for one in pictures:
        try:
            work = Work(brought_in, (one.fetched.body,))
            ready = await intake.queue.runner.run(work)
        except NotDone as failed:
            _log.info("picture not taken: %s", failed.rule)
            continue
        if isinstance(ready, Fault):
            _log.info("picture not taken: %s", ready.rule)
            continue
        brought.append(replace(one, fetched=replace(one.fetched, body=ready.data)))
    return tuple(brought)


async def _file(intake: Intake, found: _Found) -> Article:
    """Write article, media and item at once, after judging the address once more."""
    async with intake.ledger.transaction() as tx:
        rules = await source_rules(tx.session)
        source = judge(found.fetched.final_url, rules, now())
        if isinstance(source, Refusal):
            raise FetchError("refused", source.message)
        query = select(Article).where(Article.url == found.url)
        known = (await tx.session.scalars(query)).first()
        if known is not None and known.state != "refused":  # filed by another worker meanwhile
            return known
        media = {
            blob.url: await keep(tx.session, blob.fetched.body, _mime_of(blob.fetched))
            for blob in (*found.pictures, *found.files)
        }
        article = known or Article(id=new_id(), url=found.url)
        _fill(article, found, source, media)
        snapshot = await take(tx.session, found.fetched, article.id)
        article.snapshot = snapshot.media
        tx.session.add(article)
        if await is_copy(tx.session, article, found.signature):
            return article
        await _make_item(intake, tx, article, found, media)
        await remember(tx.session, article.id, found.signature)
        return article


async def _make_item(
    intake: Intake, tx: Transaction, article: Article, found: _Found, media: Mapping[str, str]
) -> None:
    page = found.page
    content = Content(
        kind="转载",
        title=page.title,
        body="",
        blocks=document_of([block.record() for block in page.blocks], media),
        attribution={
            "source": article.source_name,
            "original_author": page.author,
            "original_title": page.title,
            "editor": "",
            "url": found.fetched.final_url,
        },
        attachments=tuple(
            {"name": blob.name or "附件", "media": media[blob.url]} for blob in found.files
        ),
    )
    # For nobody yet: whom its words suggest stands beside the form until a person chooses.
    origin = Origin(editor_id=ROBOT, klass=KLASS, article_id=article.id)
    item = await drafting.create_item_in(intake.queue, tx, content, origin)
    article.state, article.item_id = "item", item.id


async def _refuse(intake: Intake, url: str, column: Column | None, problem: str) -> None:
    async with intake.ledger.db.writing() as session:
        known = (await session.scalars(select(Article).where(Article.url == url[:500]))).first()
        if known is not None:
            known.problem, known.fetched_at = problem, now()
            return
        session.add(
            Article(
                id=new_id(),
                source_id=column.source_id if column else "",
                column_id=column.id if column else None,
                url=url[:500],
                title="",
                text="",
                images=[],
                attachments=[],
                headers={},
                snapshot="",
                text_hash="",
                state="refused",
                problem=problem,
                fetched_at=now(),
            )
        )


def _mime_of(fetched: Fetched) -> str:
    return true_mime(fetched.mime, fetched.body)


def page_selectors(column: Column | None) -> dict[str, str]:
    """A column's selectors for its articles: page_title, page_date, page_source, page_body ..."""
    given = column.selectors.items() if column else ()
    return {key.removeprefix("page_"): css for key, css in given if key.startswith("page_")}


async def is_copy(session: AsyncSession, article: Article, signature: bytes) -> bool:
    """Link the article to the one it repeats; True when it brings nothing of its own.

    A near copy with other numbers (another day, another sum) may be news of its own, and so may a
    notice the same office writes every week: those become items, with the likeness explained.
    """
    query = select(Article).where(
        Article.text_hash == article.text_hash, Article.state == "item", Article.id != article.id
    )
    twin = (await session.scalars(query.limit(1))).first()
    if twin is not None:
        article.state, article.duplicate_of = "duplicate", twin.id
        article.likeness = f"与《{twin.title}》（{twin.source_name}）文字完全相同"
        return True
    article.duplicate_of, article.likeness = None, ""
    near = await find(session, article.text, signature)
    if near:
        article.duplicate_of, article.likeness = near[0].article_id, near[0].explanation
        if _same_news(article, near[0]):
            article.state = "duplicate"
            return True
    return False


def _same_news(article: Article, like: Likeness) -> bool:
    elsewhere = article.source_id != like.source_id or article.title == like.title
    return not like.numbers and (elsewhere or like.share >= SAME)


def _fill(article: Article, found: _Found, source: SourceRule, media: Mapping[str, str]) -> None:
    page = found.page
    article.source_id = source.id
    article.final_url = found.fetched.final_url[:500]
    article.column_id = found.column.id if found.column else None
    article.title = page.title[:300]
    article.author = page.author[:120]
    article.source_name = (page.source or source.organisation)[:120]
    article.published_on = page.date or None
    article.text = page.text
    article.blocks = [block.record() for block in page.blocks]
    article.images = [
        {
            "url": block.url,
            "alt": block.text,
            "media": media.get(block.url, ""),
            "origin": block.origin,
            "licence": block.licence,
        }
        for block in page.blocks
        if block.kind == "image"
    ]
    article.policy = page.policy.record() | {"doc_number": page.doc_number}
    article.library = "waiting" if page.policy.is_policy else ""
    article.attachments = [
        {"url": url, "name": name, "media": media.get(url, "")} for url, name in page.attachments
    ]
    article.headers = dict(found.fetched.headers)
    article.text_hash = hashlib.sha256(re.sub(r"\s+", "", page.text).encode()).hexdigest()
    article.state, article.problem = "new", ""
    article.fetched_at = found.fetched.fetched_at
