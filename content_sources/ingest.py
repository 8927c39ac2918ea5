"""From a column to the review queue: poll, judge, fetch, extract, snapshot, drop duplicates, file.

Network first, then one transaction for article, media and item: nothing half-done stays.
"""

import asyncio
import hashlib
import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.contract import Content
from config.clock import now
from content_sources.columns import ColumnError, Entry, Reading, alarm, shape_of
from content_sources.duplicates import SAME, Likeness, find, remember, sketch
from content_sources.extract import Page, extract_page
from content_sources.fetch import FILES, PAGES, PICTURES, Fetched, Fetcher, FetchError
from content_sources.manners import back_off
from content_sources.models import Article, Column
from content_sources.preview import ACCEPTED, Preview, preview_column, read_fetched
from content_sources.snapshots import take
from content_sources.whitelist import Judge, Refusal, SourceRule, judge, judging, source_rules
from documents.sniff import true_mime
from ledger.append import Ledger, Transaction
from review_queue import drafting
from review_queue.desk import ROBOT, Queue
from review_queue.drafting import Origin
from storage.database import Database, new_id
from storage.media import keep

_log = logging.getLogger(__name__)

KLASS = "重要"  # fetched items pass every level until an editor lowers the class
FOREVER = frozenset({"refused", "private", "redirects", "content_type", "too_large"})
AT_ONCE = 24  # columns that are read at the same time
MOST_PAGES = 5  # of a list whose first page is all new
FAILING = 5  # failures in a row that make an incident
LONGEST_REST = 86400.0  # seconds between two tries of a column that fails
MOST_NEW = 30  # articles of one poll; the rest waits for the next
MOST_MEDIA = 20  # pictures, and as many attachments, of one article
_PICTURE = re.compile(r"^!\[([^\]]*)\]\((.+)\)$")

Suggest = Callable[[str, str], Mapping[str, list[str]] | None]
"""Title and text in; the audience a new draft starts with, or None."""


@dataclass(frozen=True)
class PollResult:
    """What one poll brought. `waiting` is left for the next; `error` is empty or a Chinese line."""

    items: int = 0
    duplicates: int = 0
    refused: int = 0
    waiting: int = 0
    error: str = ""


@dataclass(frozen=True)
class _Look:
    """One look at a column: what came, or the `problem`; `alarm` when it is not to be trusted."""

    fetched: Fetched | None = None
    reading: Reading | None = None
    problem: str = ""
    alarm: str = ""
    wait: float = 0.0  # seconds the site asked for
    resting: bool = False  # the site was not asked at all


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


class Ingest:
    """Reads determined sources into drafts for review."""

    def __init__(
        self,
        db: Database,
        ledger: Ledger,
        queue: Queue,
        fetcher: Fetcher,
        suggest_audience: Suggest | None = None,
    ) -> None:
        """`suggest_audience` is given by the composition root."""
        self.db = db
        self._ledger = ledger
        self._queue = queue
        self._fetcher = fetcher
        self._suggest = suggest_audience

    async def poll_due(self) -> int:
        """Poll every enabled column whose time has come; how many items were made.

        Columns are read side by side; one that goes wrong in whatever way leaves the others alone.
        """
        async with self.db.session() as session:
            query = select(Column.id, Column.url).where(
                Column.enabled.is_(True), Column.next_at <= now()
            )
            due = [
                (row[0], row[1]) for row in await session.execute(query.order_by(Column.next_at))
            ]
        places = asyncio.Semaphore(AT_ONCE)
        at_host: dict[str, asyncio.Semaphore] = {}  # a slow host must not hold every place

        async def one(column_id: str, url: str) -> PollResult:
            host = url.split("/")[2] if url.count("/") > 1 else url
            mine = at_host.setdefault(host, asyncio.Semaphore(self._fetcher.at_once(url)))
            async with mine, places:
                column = await self._take(column_id, only_due=True)
                return await self._poll(column) if column else PollResult()

        results = await asyncio.gather(*(one(*row) for row in due), return_exceptions=True)
        made = 0
        for (column_id, _), result in zip(due, results, strict=True):
            if isinstance(result, PollResult):
                made += result.items
            elif isinstance(result, Exception):
                _log.error("column %s failed", column_id, exc_info=result)
                problem = (
                    f"读取时程序出错（{type(result).__name__}），其他栏目不受影响，请联系管理员"
                )
                await self._finish(column_id, _Look(problem=problem), PollResult(error=problem))
            else:
                raise result
        return made

    async def poll_column(self, column_id: str) -> PollResult:
        """Read one column now and file its new articles. ValueError when there is no column."""
        column = await self._take(column_id, only_due=False)
        if column is None:
            raise ValueError("没有这个栏目")
        return await self._poll(column)

    async def preview(
        self, url: str, kind: str = "", selectors: Mapping[str, str] | None = None
    ) -> Preview:
        """What a column at this address would bring now; nothing is stored. Never raises."""
        return await preview_column(
            self._fetcher, await judging(self.db), url, kind, selectors or {}
        )

    async def accept_layout(self, column_id: str) -> None:
        """A person has looked: the column's new build is right, read it anew at the next poll."""
        async with self.db.writing() as session:
            column = await session.get(Column, column_id)
            if column is None:
                raise ValueError("没有这个栏目")
            column.shape, column.state, column.last_error = {}, "new", ""
            column.etag, column.last_modified, column.next_at = "", "", now()

    async def fetch_article(self, url: str, column: Column | None = None) -> Article:
        """Fetch one page now; the article is an item, a duplicate, or known already.

        A page that may not be used leaves an article in state refused with the problem, and
        FetchError is raised; so it is for a page without an article (code `extract`).
        """
        known = await self._known(url)
        if known is not None and known.state != "refused":
            return known
        try:
            found = await self._gather(url, column)
            return await self._file(found)
        except FetchError as error:
            if error.code in FOREVER or error.code == "extract":
                await self._refuse(url, column, error.message)
            raise

    # --- columns ------------------------------------------------------------------------

    async def _take(self, column_id: str, *, only_due: bool) -> Column | None:
        """Set the next time first, so that a crash or a second worker does not repeat the poll."""
        async with self.db.writing() as session:
            column = await session.get(Column, column_id)
            if column is None or (only_due and column.next_at > now()):
                return None
            column.next_at = now() + timedelta(minutes=column.every_minutes)
            return column

    async def _poll(self, column: Column) -> PollResult:
        look = await self._look(column)
        if look.problem or look.alarm:
            return await self._finish(column.id, look, PollResult(error=look.alarm or look.problem))
        entries = list(look.reading.entries) if look.reading else []
        new = await self._unknown(entries)
        paged = len(entries) > 0 and look.reading is not None and bool(look.reading.more)
        if paged and len(new) == len(entries) and column.shape:
            entries += await self._further(column, look.reading)
            new = (await self._unknown(entries))[::-1]  # the oldest first: the rest stays in front
        result = PollResult()
        for entry in new[:MOST_NEW]:
            result = await self._file_entry(entry, column, result)
        result = replace(result, waiting=len(new[MOST_NEW:]))
        return await self._finish(column.id, look, result)

    async def _look(self, column: Column) -> _Look:
        """Fetch and read the column's first page; a problem is told, never raised."""
        conditions = {}
        if column.etag:
            conditions["If-None-Match"] = column.etag
        if column.last_modified:
            conditions["If-Modified-Since"] = column.last_modified
        accept = ACCEPTED.get(column.kind, PAGES)
        try:
            fetched = await self._fetcher.fetch(
                column.url, await judging(self.db), accept, conditions
            )
            if fetched.status == 304:
                return _Look(fetched)
            reading = await read_fetched(fetched, column.kind, column.selectors)
            if column.kind == "sitemap" and reading.more:
                reading = replace(
                    reading, entries=tuple(await self._further(column, reading)), more=()
                )
        except FetchError as error:
            return _Look(problem=error.message, wait=error.wait, resting=error.code == "later")
        except ColumnError as error:
            rebuilt = alarm(column.shape, ()) if column.kind != "feed" else ""
            return _Look(problem=str(error), alarm=f"{error}；{rebuilt}" if rebuilt else "")
        return _Look(fetched, reading, alarm=alarm(column.shape, reading.entries))

    async def _further(self, column: Column, reading: Reading | None) -> list[Entry]:
        """The entries of following pages, or of the parts of a sitemap, up to MOST_PAGES."""
        waiting = list(reading.more) if reading else []
        entries: list[Entry] = []
        seen = {column.url}
        while waiting and len(seen) < MOST_PAGES:
            url = waiting.pop(0)
            if url in seen:
                continue
            seen.add(url)
            try:
                fetched = await self._fetcher.fetch(
                    url, await judging(self.db), ACCEPTED.get(column.kind, PAGES)
                )
                page = await read_fetched(fetched, column.kind, column.selectors)
            except (FetchError, ColumnError) as error:
                _log.warning("following page not read: %s", error)
                break
            entries += page.entries
            if column.kind != "sitemap" and len(await self._unknown(list(page.entries))) == len(
                page.entries
            ):
                waiting += page.more
        return entries

    async def _unknown(self, entries: list[Entry]) -> list[Entry]:
        async with self.db.session() as session:
            query = select(Article.url).where(Article.url.in_([entry.url for entry in entries]))
            known = set((await session.scalars(query)).all())
        return [entry for entry in entries if entry.url not in known]

    async def _file_entry(self, entry: Entry, column: Column, so_far: PollResult) -> PollResult:
        try:
            article = await self.fetch_article(entry.url, column)
        except FetchError as error:
            _log.warning("article not taken: %s", error.code)
            if error.code in FOREVER:
                return replace(so_far, refused=so_far.refused + 1)
            return replace(so_far, error=error.message)
        if article.state == "duplicate":
            return replace(so_far, duplicates=so_far.duplicates + 1)
        return replace(so_far, items=so_far.items + 1)

    async def _finish(self, column_id: str, look: _Look, result: PollResult) -> PollResult:
        """Write the column's new state; an alarm or a long failure becomes an incident."""
        async with self.db.writing() as session:
            column = await session.get(Column, column_id)
            if column is None:
                return result
            column.last_error = result.error
            column.read_count += result.items
            if look.alarm:
                column.state = "alarm"
            elif look.problem:
                _note_failure(column, look)
            else:
                _note_success(column, look, result)
            name, url, failures = column.name, column.url, column.failures
        if look.alarm or failures == FAILING:
            await self._ledger.open_incident(
                "column_alarm" if look.alarm else "column_failing",
                subject=f"column:{column_id}",
                message=f"栏目“{name}”：{result.error}",
                detail={"url": url, "failures": failures},
            )
        return result

    # --- one article --------------------------------------------------------------------

    async def _known(self, url: str) -> Article | None:
        async with self.db.session() as session:
            return (await session.scalars(select(Article).where(Article.url == url))).first()

    async def _gather(self, url: str, column: Column | None) -> _Found:
        """All network work of one article. FetchError with code extract when it holds none."""
        if len(url) > 500:
            raise FetchError("extract", "网址超过 500 个字符，不能登记")
        allowed = await judging(self.db)
        fetched = await self._fetcher.fetch(url, allowed, PAGES)
        try:
            page = await asyncio.to_thread(
                extract_page, fetched.text, fetched.final_url, page_selectors(column)
            )
        except ValueError as error:
            raise FetchError("extract", str(error)) from error
        if not page.title:
            raise FetchError("extract", "网页里找不到标题，请人工转录")
        pictures = await self._media(page.images, allowed, PICTURES)
        files = await self._media(page.attachments, allowed, FILES)
        signature = await asyncio.to_thread(sketch, page.text)
        return _Found(url, column, fetched, page, pictures, files, signature)

    async def _media(
        self, links: tuple[tuple[str, str], ...], allowed: Judge, accept: frozenset[str]
    ) -> tuple[_Blob, ...]:
        """What can be had of the pictures or attachments; the rest stays a link."""
        blobs = []
        for url, name in links[:MOST_MEDIA]:
            try:
                blobs.append(_Blob(url, name, await self._fetcher.fetch(url, allowed, accept)))
            except FetchError as error:
                _log.info("media not taken: %s", error.code)
        return tuple(blobs)

    async def _file(self, found: _Found) -> Article:
        """Write article, media and item at once, after judging the address once more."""
        async with self._ledger.transaction() as tx:
            rules = await source_rules(tx.session)
            source = judge(found.fetched.final_url, rules, now())
            if isinstance(source, Refusal):
                raise FetchError("refused", source.message)
            query = select(Article).where(Article.url == found.url)
            known = (await tx.session.scalars(query)).first()
            if known is not None and known.state != "refused":
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
            if await _is_copy(tx.session, article, found.signature):
                return article
            await self._make_item(tx, article, found, media)
            await remember(tx.session, article.id, found.signature)
            return article

    async def _make_item(
        self, tx: Transaction, article: Article, found: _Found, media: Mapping[str, str]
    ) -> None:
        page = found.page
        content = Content(
            kind="转载",
            title=page.title,
            body=_body(page, media),
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
        origin = Origin(
            editor_id=ROBOT,
            klass=KLASS,
            article_id=article.id,
            audience=self._suggest(page.title, page.text) if self._suggest else None,
        )
        item = await drafting.create_item_in(self._queue, tx, content, origin)
        article.state, article.item_id = "item", item.id

    async def _refuse(self, url: str, column: Column | None, problem: str) -> None:
        async with self.db.writing() as session:
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


async def _is_copy(session: AsyncSession, article: Article, signature: bytes) -> bool:
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


def _note_failure(column: Column, look: _Look) -> None:
    """Longer and longer pauses, or the pause the site asked for."""
    column.state = "failing"
    if not look.resting:
        column.failures += 1
    usual = column.every_minutes * 60.0
    rest = back_off(max(column.failures - 1, 0), usual, max(LONGEST_REST, usual))
    column.next_at = now() + timedelta(seconds=max(rest, min(look.wait, LONGEST_REST)))


def _note_success(column: Column, look: _Look, result: PollResult) -> None:
    column.state, column.failures = "ok", 0
    if look.fetched is not None:
        column.last_ok_at = now()
    if look.fetched is None or look.reading is None:
        return
    column.notes = list(look.reading.problems)
    if look.reading.entries:
        column.shape = shape_of(look.reading.entries)
    done = not result.error and not result.waiting  # else all is read once more
    column.etag = look.fetched.headers.get("etag", "")[:200] if done else ""
    column.last_modified = look.fetched.headers.get("last-modified", "")[:80] if done else ""


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


def _body(page: Page, media: Mapping[str, str]) -> str:
    """The text with a line for each picture that was stored; other pictures are left out."""
    lines = []
    for line in page.marked.split("\n"):
        picture = _PICTURE.match(line)
        if picture is None:
            lines.append(line)
        elif marker := media.get(picture[2]):
            lines.append(f"![{picture[1]}]({marker})")
    return "\n".join(lines)
