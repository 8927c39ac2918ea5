"""What another office's open data says, filed: policies for an editor, items as drafts.

A record is an article whose address is the collection's with the record's id behind #. Nothing of
it takes effect by itself: policies lie before an editor (office/superior.py), items are drafts.
"""

import asyncio
import hashlib
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import select, update

from bot.contract import Content
from config.clock import now
from content_sources.answers import Fetched
from content_sources.articles import KLASS, is_copy
from content_sources.columns.opendata import Record
from content_sources.duplicates import remember
from content_sources.models import Article, Column, Source
from content_sources.snapshots import take
from content_sources.tasks import owner_of
from content_sources.whitelist import Refusal, judge, source_rules
from gates.alike import sketch
from ledger.append import Ledger, Transaction
from review_queue import drafting
from review_queue.desk import ROBOT, Queue
from review_queue.drafting import Origin
from staff.tasks import NewTask, open_task, waiting
from storage.database import new_id

WAITS = "superior"
"""Where a policy's record is before it was held against the library (office/superior.py)."""
RECORD = "record"
"""What an article of a record has in `policy`: what the record says of itself."""
_WITHIN = timedelta(hours=24)
_ENDED = {"recalled": "上级已撤回", "corrected": "上级已更正", "removed": "上级已撤下"}


@dataclass(frozen=True)
class Superior:
    """A column of open data, and the page of it that is being filed."""

    ledger: Ledger
    queue: Queue
    column: Column
    fetched: Fetched

    def address(self, record: Record) -> str:
        """What stands for a record among the articles."""
        return f"{self.column.url.partition('?')[0]}#{record.id}"


async def file_record(page: Superior, record: Record) -> str:
    """Take one record in, once: policy, item, duplicate, ended, refused or known."""
    if record.state == "unproved" or len(page.address(record)) > 440:
        return "refused"
    async with page.ledger.transaction() as tx:
        source = judge(page.fetched.final_url, await source_rules(tx.session), now())
        if isinstance(source, Refusal):
            return "refused"
        if record.kind == "policy":
            return await _policy(page, tx, record, source.organisation)
        if record.state != "open":
            return await _ended(page, tx, record)
        return await _item(page, tx, record, source.organisation)


async def _known(tx: Transaction, address: str) -> Article | None:
    return (await tx.session.scalars(select(Article).where(Article.url == address))).first()


async def _article(page: Superior, tx: Transaction, record: Record, address: str) -> Article:
    article = Article(
        id=new_id(),
        url=address,
        final_url=record.url,
        source_id=page.column.source_id,
        column_id=page.column.id,
        title=record.title,
        text=record.text,
        blocks=[],
        images=[],
        attachments=[],
        headers={},
        policy={RECORD: dict(record.said)},
        text_hash=hashlib.sha256(re.sub(r"\s+", "", record.text).encode()).hexdigest(),
        state="new",
        fetched_at=page.fetched.fetched_at,
    )
    article.snapshot = (await take(tx.session, page.fetched, article.id)).media
    tx.session.add(article)
    return article


async def _policy(page: Superior, tx: Transaction, record: Record, organisation: str) -> str:
    """Laid down for the library; an older word about the same policy that nobody took up goes."""
    base = page.address(record)
    address = f"{base}@{record.modified}"
    if await _known(tx, address) is not None:
        return "known"
    older = Article.url.startswith(f"{base}@", autoescape=True)
    open_still = Article.library.in_((WAITS, "offered"))
    await tx.session.execute(update(Article).where(older, open_still).values(library="known"))
    article = await _article(page, tx, record, address)
    said = record.said
    article.source_name = organisation
    article.published_on = said["issued_on"]
    article.policy = {
        RECORD: dict(said),
        "doc_number": said["doc_number"],
        "issuer": said["issuer"],
        "written_on": said["issued_on"] or "",
        "effective_from": said["effective_from"] or "",
        "effective_to": said["effective_to"] or "",
        "url": said["url"],
    }
    article.library = WAITS
    return "policy"


async def _item(page: Superior, tx: Transaction, record: Record, organisation: str) -> str:
    address = page.address(record)
    if await _known(tx, address) is not None:
        return "known"
    article = await _article(page, tx, record, address)
    said: dict[str, Any] = dict(record.said)
    article.source_name = (said["source"] or organisation)[:120]
    article.author = said["original_author"][:120]
    signature = await asyncio.to_thread(sketch, record.text)
    if await is_copy(tx.session, article, signature):
        return "duplicate"
    content = Content(
        kind="转载",
        title=record.title,
        body=record.text,
        attribution={
            "source": article.source_name,
            "original_author": said["original_author"],
            "original_title": said["original_title"] or record.title,
            "editor": "",
            "url": record.url,
        },
    )
    origin = Origin(editor_id=ROBOT, klass=KLASS, article_id=article.id)
    item = await drafting.create_item_in(page.queue, tx, content, origin)
    article.state, article.item_id = "item", item.id
    await remember(tx.session, article.id, signature)
    return "item"


async def _ended(page: Superior, tx: Transaction, record: Record) -> str:
    """What was taken from there and is no more there: its editor decides, within a day."""
    article = await _known(tx, page.address(record))
    if article is None or article.item_id is None:
        return "known"
    why = _ENDED.get(record.state, "上级的记录有变")
    if article.problem == why or await waiting(tx.session, "correction", item_id=article.item_id):
        return "known"
    article.problem = why
    source = await tx.session.get(Source, article.source_id)
    task = NewTask(
        kind="correction",
        title=f"{why}：{article.title}"[:300],
        due_at=now() + _WITHIN,
        url=record.url,
        item_id=article.item_id,
        source_id=article.source_id,
        assignee=await owner_of(tx.session, source.owner) if source is not None else None,
        detail={"problem": f"{why}，请决定撤回还是更正"},
    )
    await open_task(tx, task)
    return "ended"
