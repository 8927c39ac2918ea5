"""The originals of what we republished, looked at again: a change or an end opens a task.

Looks slow down: 1 h, 6 h, 1 d, 3 d, 7 d, 30 d after publication, then once a month.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from config.clock import now
from content_sources.answers import PAGES, Fetched, FetchError
from content_sources.articles import page_selectors
from content_sources.fetch import Fetcher
from content_sources.list_models import Watched
from content_sources.models import Article, Column, Source
from content_sources.reposts import article_of
from content_sources.tasks import owner_of
from content_sources.whitelist import Refusal, SourceRule, host_of, judge, source_rules
from content_sources.whole import whole_article
from documents.no_article import ERROR_PAGE
from documents.pages.extract import NoArticle, Page
from ledger.append import Ledger, Transaction
from review_queue.canonical import Draft
from review_queue.models import Item, Revision
from review_queue.states import ItemState
from staff.tasks import NewTask, Tell, open_task, waiting

AFTER = (
    timedelta(hours=1),
    timedelta(hours=6),
    timedelta(days=1),
    timedelta(days=3),
    timedelta(days=7),
    timedelta(days=30),
)
MONTH = timedelta(days=30)
CORRECT_WITHIN = timedelta(hours=24)
PATIENCE = 6  # failed looks in a row before a person is asked
MOST = 50  # originals of one run
_GONE = re.compile(r"状态码 (?:404|410)\b")
_NOISE = re.compile(
    r"(?:浏览|阅读|点击|访问)(?:次数|量|数)?[:：]?\d*次?|字号[:：]?[大中小]*|分享到?[:：]?|【?打印】?|"
    r"今天是\d{4}年\d{1,2}月\d{1,2}日(?:星期.)?"
)
Seen = dict[str, int]


@dataclass(frozen=True)
class _Finding:
    """What a look found: state, what to tell, and the page when there is one."""

    state: str  # same | changed | gone | unreachable
    problem: str = ""
    fetched: Fetched | None = None
    page: Page | None = None


@dataclass
class _Home:
    """Judges hops of a look: the source must still be listed, and the host must stay the same."""

    url: str
    rules: list[SourceRule]
    moved: str = field(default="")

    def __call__(self, here: str) -> SourceRule | Refusal:
        home, place = host_of(self.url), host_of(here)
        if home is not None and (place is None or place[1] != home[1]):
            self.moved = here
            return Refusal("host", f"原文跳转到了别的网站：{here[:200]}")
        return judge(here, self.rules, now())


class OriginalWatch:
    """Looks at originals when their time comes."""

    def __init__(self, ledger: Ledger, fetcher: Fetcher, tell: Tell | None = None) -> None:
        """`tell` is given by the composition root and reaches the person a task is for."""
        self._ledger = ledger
        self._db = ledger.db
        self._fetcher = fetcher
        self._tell = tell

    async def look_due(self) -> Seen:
        """Job: take up what was published since, look at what is due; how many of each outcome."""
        await self._enrol()
        async with self._db.session() as session:
            query = select(Watched.item_id).where(Watched.next_at <= now())
            due = (await session.scalars(query.order_by(Watched.next_at).limit(MOST))).all()
        seen: Seen = {}
        for item_id in due:
            state = await self.look(item_id)
            seen[state] = seen.get(state, 0) + 1
        return seen

    async def look(self, item_id: str) -> str:
        """Look at one original now: same, changed, gone or unreachable. ValueError when unknown."""
        async with self._db.writing() as session:
            row = await session.get(Watched, item_id)
            if row is None:
                raise ValueError("这篇稿件的原文不在监测中：只监测已发布的转载")
            row.next_at = now() + timedelta(minutes=30)  # a second worker leaves it alone
            article = await session.get(Article, row.article_id)
            column = (
                await session.get(Column, article.column_id)
                if article and article.column_id
                else None
            )
            rules = await source_rules(session)
        found = await self._find(row, column, rules)
        return await self._note(item_id, found)

    async def _find(self, row: Watched, column: Column | None, rules: list[SourceRule]) -> _Finding:
        conditions = {}
        if row.etag:
            conditions["If-None-Match"] = row.etag
        if row.last_modified:
            conditions["If-Modified-Since"] = row.last_modified
        home = _Home(row.url, rules)
        try:
            fetched = await self._fetcher.fetch(row.url, home, PAGES, conditions)
        except FetchError as error:
            if home.moved:
                return _Finding("gone", f"原文跳转到了别的网站：{home.moved[:200]}")
            if _GONE.search(error.message):
                return _Finding("gone", "原文已撤下或打不开了（网站答复：没有这个网页）")
            return _Finding("unreachable", error.message)
        if fetched.status == 304:
            return _Finding("same", fetched=fetched)
        return await self._read(row, fetched, column, home)

    async def _read(
        self, row: Watched, fetched: Fetched, column: Column | None, home: _Home
    ) -> _Finding:
        try:
            further = partial(self._fetcher.fetch, judge=home, accept=PAGES)
            page = await whole_article(fetched, further, page_selectors(column))
        except FetchError as error:
            return _Finding("unreachable", error.message)
        except NoArticle as error:
            # A captcha for our robot or a redirection says nothing of the original.
            if error.kind != ERROR_PAGE:
                return _Finding("unreachable", str(error))
            return _Finding("gone", "原文的网址现在是一张报错页", fetched)
        except ValueError:
            return _Finding("gone", "原文的网页还在，但已没有正文", fetched)
        return _Finding(_compared(row, page), "", fetched, page)

    async def _note(self, item_id: str, found: _Finding) -> str:
        told: tuple[str, str] | None = None
        async with self._ledger.transaction() as tx:
            row = await tx.session.get_one(Watched, item_id)
            fresh = found.state != row.state or found.state == "changed"
            row.seen_at, row.problem = now(), found.problem
            if found.state == "unreachable":
                row.failures += 1
                row.next_at = now() + min(timedelta(hours=2**row.failures), timedelta(hours=24))
                if row.failures == PATIENCE:
                    told = await _ask(tx, row, {"problem": f"原文连续打不开：{found.problem}"})
                row.state = found.state
                return found.state
            row.next_at = now() + _pause(row.looks)
            row.looks, row.failures, row.state = row.looks + 1, 0, found.state
            if found.state == "gone" and fresh:
                told = await _ask(tx, row, {"problem": found.problem})
            if found.state == "changed" and found.page is not None:
                told = await _ask(tx, row, _difference(row, found.page))
                row.title, row.text = found.page.title[:300], found.page.text
            if found.fetched is not None and found.state in ("same", "changed"):
                _remember(row, found.fetched)
        if told is not None and self._tell is not None:
            await self._tell(*told)
        return found.state

    async def _enrol(self) -> int:
        """Reposts that are out and have an original we fetched are watched from now on."""
        async with self._db.writing() as session:
            query = (
                select(Item)
                .outerjoin(Watched, Watched.item_id == Item.id)
                .where(
                    Item.state == ItemState.PUBLISHED,
                    Item.kind == "转载",
                    Watched.item_id.is_(None),
                )
                .order_by(Item.id)
                .limit(200)
            )
            items = (await session.scalars(query)).all()
            taken = 0
            for item in items:
                article = await _original_of(session, item)
                # What came as a record has no page to look at: its office tells when it ends.
                if article is None or "record" in article.policy:
                    continue
                session.add(_new_watch(item, article))
                taken += 1
        return taken


async def _original_of(session: AsyncSession, item: Item) -> Article | None:
    if item.article_id:
        return await session.get(Article, item.article_id)
    query = select(Revision.canonical).where(Revision.item_id == item.id)
    text = (await session.scalars(query.order_by(Revision.number.desc()).limit(1))).one()
    return await article_of(session, Draft.from_canonical(text))


def _new_watch(item: Item, article: Article) -> Watched:
    """Compared with the snapshot, so what changed before publication is found too."""
    headers: Mapping[str, Any] = article.headers
    return Watched(
        item_id=item.id,
        article_id=article.id,
        url=article.final_url or article.url,
        title=article.title,
        text=article.text,
        etag=str(headers.get("etag", ""))[:200],
        last_modified=str(headers.get("last-modified", ""))[:80],
        next_at=now() + AFTER[0],
        seen_at=None,
        state="same",
    )


def _pause(looks: int) -> timedelta:
    """How long until the look after this one."""
    if looks + 1 < len(AFTER):
        return AFTER[looks + 1] - AFTER[looks]
    return MONTH


def _remember(row: Watched, fetched: Fetched) -> None:
    if fetched.status == 200:
        row.etag = fetched.headers.get("etag", "")[:200]
        row.last_modified = fetched.headers.get("last-modified", "")[:80]


def _compared(row: Watched, page: Page) -> str:
    same = _words(row.text) == _words(page.text) and _words(row.title) == _words(page.title[:300])
    return "same" if same else "changed"


def _words(text: str) -> str:
    """A text without what changes from visit to visit: counters, widths, spaces."""
    return _NOISE.sub("", "".join(unicodedata.normalize("NFKC", text).split()))


def _difference(row: Watched, page: Page) -> dict[str, object]:
    """Before and after, the title as the first paragraph."""
    return {
        "problem": "原文在发布之后有改动，请对照决定是否更正",
        "before": f"{row.title}\n{row.text}",
        "after": f"{page.title}\n{page.text}",
    }


async def _ask(tx: Transaction, row: Watched, detail: dict[str, object]) -> tuple[str, str] | None:
    """One open task an item: a further change is added to it. Whom to tell what, or None."""
    task = await waiting(tx.session, "correction", item_id=row.item_id)
    if task is not None:
        before = task.detail.get("before", detail.get("before"))
        task.detail = dict(task.detail) | detail | ({"before": before} if before else {})
    else:
        item = await tx.session.get_one(Item, row.item_id)
        article = await tx.session.get(Article, row.article_id)
        source = await tx.session.get(Source, article.source_id) if article else None
        editor = item.last_editor_id if item.last_editor_id != "robot" else None
        owner = await owner_of(tx.session, source.owner) if source else None
        new = NewTask(
            kind="correction",
            title=f"原文有变：{item.said_title}"[:300],
            due_at=now() + CORRECT_WITHIN,
            url=row.url,
            item_id=row.item_id,
            source_id=article.source_id if article else None,
            assignee=owner or editor,
            detail=detail,
        )
        task = await open_task(tx, new)
    if task.assignee is None:
        return None
    return task.assignee, f"{task.title}（请在 24 小时内到控制台“任务”处理）"
