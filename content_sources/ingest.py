"""Columns polled when their time has come: what is new in them is filed (articles.py)."""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from sqlalchemy import select
from yarl import URL

from config.clock import now
from content_sources.answers import PAGES, Fetched, FetchError
from content_sources.articles import FOREVER, Intake, fetch_article
from content_sources.columns.entries import ColumnError, Entry, Reading
from content_sources.columns.opendata import Page, read_records
from content_sources.columns.shape import alarm, shape_of
from content_sources.fetch import Fetcher
from content_sources.manners import back_off
from content_sources.models import Article, Column
from content_sources.preview import (
    ACCEPTED,
    OPEN_DATA,
    Preview,
    preview_column,
    read_fetched,
)
from content_sources.superior import Superior, file_record
from content_sources.whitelist import judging
from ledger.append import Ledger
from review_queue.desk import Queue
from storage.database import Database

_log = logging.getLogger(__name__)

AT_ONCE = 24  # columns that are read at the same time
MOST_PAGES = 5  # of a list whose first page is all new
FAILING = 5  # failures in a row that make an incident
LONGEST_REST = 86400.0  # seconds between two tries of a column that fails
MOST_NEW = 30  # articles of one poll; the rest waits for the next


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


class Ingest:
    """Reads determined sources into drafts for review."""

    def __init__(
        self,
        db: Database,
        ledger: Ledger,
        queue: Queue,
        fetcher: Fetcher,
    ) -> None:
        """Every item that is made waits as a draft, for nobody yet."""
        self.db = db
        self._ledger = ledger
        self._queue = queue
        self._fetcher = fetcher

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
        """Fetch one page now; see `articles.fetch_article`."""
        intake = Intake(self._ledger, self._queue, self._fetcher)
        return await fetch_article(intake, url, column)

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
        if column.kind == OPEN_DATA:
            return await self._follow(column)
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

    async def _follow(self, column: Column) -> PollResult:
        """Read another office's open data on from where it was read to, a few pages a time."""
        look, result = _Look(), PollResult()
        for _ in range(MOST_PAGES):
            try:
                fetched, page = await self._records(column)
            except (FetchError, ColumnError) as error:
                late = isinstance(error, FetchError) and error.code == "later"
                wait = error.wait if isinstance(error, FetchError) else 0.0
                look = _Look(problem=str(error), wait=wait, resting=late)
                result = replace(result, error=str(error))
                break
            if page is None:
                look = _Look(fetched)
                break
            superior = Superior(self._ledger, self._queue, column, fetched)
            for record in page.records:
                result = _counted(result, await file_record(superior, record))
            notes = (f"{page.left_out} 条记录的格式不对，已略去",) if page.left_out else ()
            look = _Look(fetched, Reading(OPEN_DATA, (), notes))
            # Only now: what was not filed whole is read once more, and each record is filed once.
            await self._read_to(column, page.cursor)
            if not page.more:
                break
        else:
            result = replace(result, waiting=1)
        return await self._finish(column.id, look, result)

    async def _records(self, column: Column) -> tuple[Fetched, Page | None]:
        """The next page; None when nothing is new."""
        url = (
            str(URL(column.url).update_query(cursor=column.cursor)) if column.cursor else column.url
        )
        conditions = {"If-None-Match": column.etag} if column.etag else {}
        judged = await judging(self.db)
        fetched = await self._fetcher.fetch(url, judged, ACCEPTED[OPEN_DATA], conditions)
        if fetched.status == 304:
            return fetched, None
        return fetched, await asyncio.to_thread(read_records, fetched.body, fetched.final_url)

    async def _read_to(self, column: Column, cursor: str) -> None:
        moved = column.cursor != cursor
        column.cursor = cursor
        if moved:
            column.etag = ""  # of another page
        async with self.db.writing() as session:
            row = await session.get(Column, column.id)
            if row is not None:
                row.cursor, row.etag = column.cursor, column.etag

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


def _counted(so_far: PollResult, filed: str) -> PollResult:
    if filed == "duplicate":
        return replace(so_far, duplicates=so_far.duplicates + 1)
    if filed == "refused":
        return replace(so_far, refused=so_far.refused + 1)
    return replace(so_far, items=so_far.items + (filed != "known"))


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
