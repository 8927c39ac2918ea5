"""What a column would bring, read without storing anything: before it is switched on."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from content_sources.answers import FEEDS, PAGES, SITEMAPS, Fetched, FetchError
from content_sources.columns.entries import ColumnError, Entry, Reading
from content_sources.columns.page import read_page
from content_sources.fetch import Fetcher
from content_sources.whitelist import Judge, Refusal

OPEN_DATA = "opendata"
ACCEPTED = {"feed": FEEDS, "list": PAGES, "sitemap": SITEMAPS, OPEN_DATA: FEEDS, "": SITEMAPS}


@dataclass(frozen=True)
class Preview:
    """The entries, what is odd about them, and `error` when there are none to show."""

    url: str
    final_url: str = ""
    kind: str = ""
    entries: tuple[Entry, ...] = ()
    problems: tuple[str, ...] = ()
    more: tuple[str, ...] = ()
    error: str = ""

    def record(self) -> Mapping[str, Any]:
        """As plain data."""
        return {
            "url": self.url,
            "final_url": self.final_url or None,
            "kind": self.kind or None,
            "entries": [
                {"url": one.url, "title": one.title, "date": one.date or None}
                for one in self.entries
            ],
            "problems": list(self.problems),
            "more": list(self.more),
            "error": self.error or None,
        }


async def preview_column(
    fetcher: Fetcher, judge: Judge, url: str, kind: str, selectors: Mapping[str, str]
) -> Preview:
    """Read a column once. `kind` may be empty: then the content tells. Never raises."""
    try:
        fetched = await fetcher.fetch(url, judge, ACCEPTED.get(kind, PAGES))
        reading = await read_fetched(fetched, kind, selectors)
    except FetchError as error:
        return Preview(url, kind=kind, error=error.message)
    except ColumnError as error:
        return Preview(url, kind=kind, error=str(error))
    outside = sum(isinstance(judge(one.url), Refusal) for one in reading.entries)
    problems = list(reading.problems)
    if outside:
        problems.append(f"{outside} 个条目的网址不在稿源名单内，不会抓取")
    if not reading.entries and not reading.more:
        problems.append("现在没有条目")
    return Preview(
        url, fetched.final_url, reading.kind, reading.entries, tuple(problems), reading.more
    )


async def read_fetched(fetched: Fetched, kind: str, selectors: Mapping[str, Any]) -> Reading:
    """The entries of an answer, read in a thread. ColumnError."""
    content_type = fetched.headers.get("content-type", "")
    return await asyncio.to_thread(
        read_page, kind, fetched.body, fetched.final_url, selectors, content_type
    )
