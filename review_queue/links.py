"""Looks behind the links of drafts, keeps what was seen for a while, never waits long.

A look before a decision may be a few minutes old. At sending every link is looked at again, under
a cap; only when the site is slower than the cap does a recent good look count instead. Links of
scheduled items are looked at beforehand by a job.
"""

import asyncio
import hashlib
import json
import re
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from sqlalchemy import select

from blocks.text import linked
from config.clock import now
from config.signals import end
from gates.finding import Finding, LinkFact
from gates.links import Words, behind_findings, disguised, link_findings, links_in
from review_queue.beside import beside
from review_queue.canonical import Draft
from review_queue.link_models import LinkCheck
from review_queue.models import Item, Revision
from review_queue.states import ItemState
from storage.database import Database

Look = Callable[[str], Awaitable[LinkFact]]
"""Follows one address through every redirect and says what is there; politeness is its own."""

FOR_REVIEW = timedelta(minutes=10)
FAULTY = timedelta(minutes=1)  # a fault may be mended: it is looked at again soon
FOR_SENDING = timedelta(seconds=20)
RECENT = timedelta(minutes=15)  # how old a good look may be when the site is slow at sending
CAP = 4.0  # seconds a check waits for all links of a draft together
_REMEMBERED = 5_000  # looks in memory; the oldest go first
MOST = 50  # links of one draft
AHEAD = timedelta(minutes=10)  # scheduled items whose links the job looks at
_SCHEME = re.compile(r"https?://", re.IGNORECASE)
_ENDING = re.compile(r"[\s<>\"'（）()，。；、！？《》【】“”]")  # where gates.links.LINK stops


class Links:
    """What is behind the links of drafts."""

    def __init__(self, db: Database, look: Look, cap: float = CAP) -> None:
        """`look` is given by the root; `cap` is in seconds."""
        self._db = db
        self._look = look
        self._cap = cap
        self._running: dict[str, asyncio.Task[LinkFact]] = {}
        self._looks: OrderedDict[str, tuple[LinkFact, datetime]] = OrderedDict()
        self._unwritten: set[str] = set()
        self._for_sending: dict[str, tuple[LinkFact, datetime]] = {}

    async def findings(self, draft: Draft, *, sending: bool = False) -> list[Finding]:
        """Findings of all links in title, body and beside them; at sending by a look of now."""
        fields = [("title", draft.title), ("text", draft.body)]
        fields += [(one.field, one.words) for one in beside(draft)]
        fields = [(name, _lowered(text)) for name, text in fields]
        fields.append(("attribution", _whole(draft.attribution.get("url", ""))))
        behind = _behind(draft)
        found = list(disguised(behind))
        urls = {url for _, text in fields for _, _, url in links_in(text)}
        urls |= {url for one in behind for _, _, url in links_in(one.url)}
        if not urls:
            return found
        chosen = sorted(urls)[:MOST]
        if sending:
            seen = await self._seen_now(chosen)
        else:
            seen = await self.seen(chosen, FOR_REVIEW)
            late = LinkFact("unsure", "链接还没有答复，没有查完，稍后再打开本页就有结果")
            seen = {url: late if fact.outcome == "slow" else fact for url, fact in seen.items()}
        if len(urls) > MOST:
            rest = LinkFact("unsure", f"链接超过 {MOST} 个，后面的没有检查")
            seen |= dict.fromkeys(sorted(urls)[MOST:], rest)
        found += [one for name, text in fields for one in link_findings(name, text, seen)]
        return found + list(behind_findings(behind, seen))

    async def seen(self, urls: Iterable[str], age: timedelta) -> dict[str, LinkFact]:
        """What is behind each address: a kept good look no older than `age`, else one of now."""
        kept = await self._kept(urls)
        moment = now()
        facts = {
            url: fact
            for url, (fact, at) in kept.items()
            if timedelta(0) <= moment - at <= (age if fact.outcome == "ok" else min(age, FAULTY))
        }
        return facts | await self._looked([url for url in urls if url not in facts])

    async def _seen_now(self, urls: list[str]) -> dict[str, LinkFact]:
        """For sending: looks of now, or made for another sending a moment ago.

        What was seen at review does not count, unless the site is only slow and was well lately.
        """
        kept, moment = await self._kept(urls), now()
        fresh = {
            url: fact
            for url, (fact, at) in self._for_sending.items()
            if timedelta(0) <= moment - at <= FOR_SENDING
        }
        self._for_sending = {url: self._for_sending[url] for url in fresh}
        missing = [url for url in urls if url not in fresh]
        looked = await self._looked(missing)
        for url, fact in looked.items():
            known, at = kept.get(url, (fact, moment))
            if fact.outcome == "slow" and known.outcome == "ok" and moment - at <= RECENT:
                looked[url] = known
            self._for_sending[url] = looked[url], moment
        return {url: fact for url, fact in (fresh | looked).items() if url in urls}

    async def _looked(self, urls: list[str]) -> dict[str, LinkFact]:
        """Look at all at once; what the cap cuts off goes on and is kept when it comes."""
        tasks = {url: self._task(url) for url in urls}
        if tasks:
            await asyncio.wait(tasks.values(), timeout=self._cap)
        late = LinkFact("slow", f"链接没有在 {self._cap:.0f} 秒内答复")
        return {url: task.result() if task.done() else late for url, task in tasks.items()}

    def _task(self, url: str) -> asyncio.Task[LinkFact]:
        task = self._running.get(url)
        if task is None:
            task = asyncio.create_task(self._look_and_keep(url))
            self._running[url] = task
            task.add_done_callback(lambda _: self._running.pop(url, None))
        return task

    async def _look_and_keep(self, url: str) -> LinkFact:
        fact = await self._look(url)
        # In memory only: whoever opens a page sets this off, and looking must not write.
        self._looks[url] = fact, now()
        self._unwritten.add(url)
        self._looks.move_to_end(url)
        while len(self._looks) > _REMEMBERED:
            self._unwritten.discard(self._looks.popitem(last=False)[0])
        return fact

    async def _kept(self, urls: Iterable[str]) -> dict[str, tuple[LinkFact, datetime]]:
        wanted = list(urls)
        query = select(LinkCheck).where(LinkCheck.key.in_([_key(url) for url in wanted]))
        async with self._db.session() as session:
            rows = (await session.scalars(query)).all()
        kept = {row.url: (LinkFact(row.outcome, row.message), row.checked_at) for row in rows}
        # What another process looked at meanwhile stands in the table and may be newer.
        for url in wanted:
            own = self._looks.get(url)
            if own is not None and (url not in kept or kept[url][1] <= own[1]):
                kept[url] = own
        return kept

    async def _write(self) -> None:
        """What was seen since the last time, for other processes and the next start."""
        urls, self._unwritten = self._unwritten, set()
        async with self._db.session() as session:
            for url in sorted(urls):
                fact, moment = self._looks[url]
                await session.merge(
                    LinkCheck(
                        key=_key(url),
                        url=url,
                        outcome=fact.outcome,
                        message=fact.message,
                        checked_at=moment,
                    )
                )

    async def refresh_due(self) -> int:
        """Look at the links of items that go out soon; how many addresses were looked at.

        All that was seen since the last time is written down then.
        """
        query = (
            select(Revision.canonical)
            .join(Item, Item.id == Revision.item_id)
            .where(Item.state == ItemState.SCHEDULED, Item.scheduled_at <= now() + AHEAD)
            .where(Revision.number == Item.revision)
        )
        async with self._db.session() as session:
            texts = (await session.scalars(query.limit(200))).all()
        urls = sorted({url for text in texts for url in _links_of(json.loads(text))})
        seen = await self.seen(urls, AHEAD / 5)
        await self._write()
        return len(seen)

    async def close(self) -> None:
        """Stop looks that are under way."""
        await end(*self._running.values())


def _behind(draft: Draft) -> list[Words]:
    """The words of the body that lead somewhere; what is its own address is in the text already."""
    if draft.blocks is None:
        return []
    told = ((one, draft.body[one.start : one.end]) for one in linked(draft.blocks))
    words = [Words(_whole(one.url), one.start, one.end, said) for one, said in told]
    return [one for one in words if one.said != one.url]


def _lowered(text: str) -> str:
    """The text with http:// and https:// as they are looked for; every offset stays."""
    return _SCHEME.sub(lambda match: match[0].lower(), text)


def _whole(url: str) -> str:
    """An address that stands for itself, so written that it is read to its end.

    In running text it would end at a bracket or a full stop; a browser goes on, and takes a
    backslash for a slash: what is followed must be what it opens.
    """
    plain = _lowered(url).replace("\\", "/")
    return _ENDING.sub(lambda match: quote(match[0], safe=""), plain)


def _links_of(canonical: Mapping[str, Any]) -> set[str]:
    fields = (canonical["title"], canonical["body"], *map(_whole, canonical["links"]))
    return {url for text in fields for _, _, url in links_in(text)}


def _key(url: str) -> str:
    return hashlib.sha256(url.encode()).hexdigest()
