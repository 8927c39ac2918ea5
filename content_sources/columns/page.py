"""A polled column to its entries: feeds (RSS, Atom, JSON), list pages, sitemaps. Pure.

A reading says what was found and what is odd about it. `alarm` compares a reading with the shape
of earlier ones: a list page that was rebuilt must be noticed, not read as "nothing new".
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from content_sources.columns.entries import (
    ColumnError,
    Entry,
    Faults,
    Reading,
)
from content_sources.columns.feeds import read_feed
from content_sources.columns.lists import read_list
from content_sources.columns.opendata import Record, read_records
from content_sources.columns.sitemaps import read_sitemap
from documents.charset import decode

MOST = 200  # entries of one reading


def read_column(
    kind: str,
    body: bytes,
    base_url: str,
    selectors: Mapping[str, Any] | None = None,
    content_type: str = "",
) -> list[Entry]:
    """The entries of a feed or list page, each address once, at most MOST. See `read_page`."""
    return list(read_page(kind, body, base_url, selectors, content_type).entries)


def read_page(
    kind: str,
    body: bytes,
    base_url: str,
    selectors: Mapping[str, Any] | None = None,
    content_type: str = "",
) -> Reading:
    """One page of a column.

    `kind` is feed, list, sitemap, opendata; empty: the content tells. `selectors` of a list: item,
    and inside it link, title and date (all CSS, all optional), next (CSS of the link to the next
    page); of a sitemap: match, a part the addresses must contain. `content_type` is the header of
    the answer. A feed may be empty; ColumnError when it is no feed, when its entries lead nowhere,
    or when a page holds no list.
    """
    if not body.strip():
        raise ColumnError(f"栏目 {base_url} 返回的内容是空的")
    chosen = kind or kind_of_column(body)
    faults = Faults()
    more: tuple[str, ...] = ()
    if chosen == "feed":
        found: Iterable[Entry] = read_feed(body, base_url, content_type, faults)
    elif chosen == "opendata":
        found = [_entry(one) for one in read_records(body, base_url).records]
    elif chosen == "sitemap":
        found, more = read_sitemap(body, base_url, str((selectors or {}).get("match") or ""))
    else:
        found, more = read_list(decode(body, content_type), base_url, selectors or {})
    entries = _once(found, faults)
    problems = tuple(faults.lines(entries)) if chosen != "sitemap" else ()
    return Reading(chosen, entries, problems, more)


def kind_of_column(body: bytes) -> str:
    """feed, sitemap or list, by the beginning of the content."""
    if body.startswith(b"\x1f\x8b"):
        return "sitemap"
    start = decode(body[:4000]).lstrip("\ufeff \r\n\t")
    if start.startswith("{"):
        return "feed"
    if re.search(r"<(?:urlset|sitemapindex)\b", start):
        return "sitemap"
    return "feed" if re.search(r"<(?:rss|feed|rdf:RDF|channel)\b", start) else "list"


def _entry(record: Record) -> Entry:
    """A record of open data as a person sees it in a preview."""
    return Entry(record.url, record.title, record.modified[:10], record.text[:300])


def _once(found: Iterable[Entry], faults: Faults) -> tuple[Entry, ...]:
    once: dict[str, Entry] = {}
    for entry in found:
        if entry.url in once:
            faults.repeated += 1
        once.setdefault(entry.url, entry)
    return tuple(once.values())[:MOST]


# --- what changed since the last time ---------------------------------------------------


# --- feeds ------------------------------------------------------------------------------


# --- list pages -------------------------------------------------------------------------


# --- sitemaps ---------------------------------------------------------------------------
