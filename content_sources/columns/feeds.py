"""RSS, Atom and JSON feeds to entries. Pure."""

import json
from calendar import timegm
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import feedparser

from config.clock import beijing, now
from content_sources.columns.entries import (
    LONGEST_TITLE,
    ColumnError,
    Entry,
    Faults,
    keepable,
    web_address,
)
from documents.charset import decode
from documents.pages.blocks import plain
from documents.pages.dates import read_day


def read_feed(body: bytes, base_url: str, content_type: str, faults: Faults) -> list[Entry]:
    """The entries of a feed in its order; what is left out is counted in `faults`. ColumnError."""
    text = decode(body, content_type)
    if text.lstrip("\ufeff \r\n\t").startswith("{"):
        return _json_feed(text, base_url, faults)
    readable = "<" in text[:2000] and "\x00" not in text[:2000] and "\ufffd" not in text
    headers = {"content-location": base_url, "content-type": "application/xml"}
    if readable:  # the parser would believe a wrong declaration
        headers["content-type"] += "; charset=utf-8"
    data = text.encode("utf-8", "replace") if readable else body
    parsed = feedparser.parse(data, response_headers=headers, sanitize_html=False)
    if not parsed.version and not parsed.entries:
        raise ColumnError(f"栏目 {base_url} 不是有效的 RSS 或 Atom{_where(parsed, body)}")
    entries = list(_feed_entries(parsed.entries, base_url, faults))
    if not entries and _where(parsed, body):
        raise ColumnError(f"栏目 {base_url} 的 RSS 格式有错{_where(parsed, body)}")
    if not entries and parsed.entries:
        raise ColumnError(f"栏目 {base_url} 的 {len(parsed.entries)} 个条目都没有可用的链接 link")
    return entries


def _feed_entries(
    rows: Iterable[Mapping[str, Any]], base_url: str, faults: Faults
) -> Iterator[Entry]:
    for row in rows:
        url = _link(row, base_url)
        title = plain(str(row.get("title") or ""))
        faults.without_link += not url
        faults.without_title += bool(url) and not title
        if url:
            content = row.get("summary") or next(
                (part.get("value") for part in row.get("content") or []), ""
            )
            yield Entry(url, title[:LONGEST_TITLE], _feed_day(row), plain(str(content or ""))[:300])


def _json_feed(text: str, base_url: str, faults: Faults) -> list[Entry]:
    try:
        data = json.loads(text, object_hook=keepable)
        rows = data["items"] if "jsonfeed.org" in str(data["version"]) else None
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ColumnError(f"栏目 {base_url} 不是有效的 JSON Feed") from error
    if not isinstance(rows, list):
        raise ColumnError(f"栏目 {base_url} 不是有效的 JSON Feed")
    renamed = [
        {
            "link": row.get("url") or row.get("external_url"),
            "id": row.get("id"),
            "title": row.get("title"),
            "published": row.get("date_published") or row.get("date_modified"),
            "summary": row.get("summary") or row.get("content_text") or row.get("content_html"),
        }
        for row in rows
        if isinstance(row, dict)
    ]
    entries = list(_feed_entries(renamed, base_url, faults))
    if not entries and rows:
        raise ColumnError(f"栏目 {base_url} 的 {len(rows)} 个条目都没有可用的链接 url")
    return entries


def _where(parsed: Any, body: bytes) -> str:
    error = parsed.get("bozo_exception")
    if error is None or not hasattr(error, "getLineNumber"):
        return ""
    added = 0 if body.lstrip().startswith(b"<?xml") else 1  # the parser puts a declaration before
    line = max(error.getLineNumber() - added, 1)
    return f"：第 {line} 行第 {error.getColumnNumber()} 列附近有语法错误"


def _link(row: Mapping[str, Any], base_url: str) -> str:
    """The entry's web address or empty; a guid that is an address stands in for a missing link."""
    link = str(row.get("link") or "").strip()
    guid = str(row.get("id") or "").strip()
    return web_address(base_url, link) if link else web_address("", guid)


def _feed_day(row: Mapping[str, Any]) -> str:
    """The day an entry says in whatever form; an hour without a zone is Beijing's.

    The parser's own reading comes last: it takes 2026.11.03 for the first of the month, and an
    hour without a zone for one of Greenwich.
    """
    given = str(row.get("published") or row.get("updated") or "").strip()
    try:
        moment = datetime.fromisoformat(given)
    except ValueError:
        if day := read_day(given, now()):
            return day
    else:
        return (beijing(moment) if moment.tzinfo else moment).date().isoformat()
    stamp = row.get("published_parsed") or row.get("updated_parsed")
    try:
        return (
            beijing(datetime.fromtimestamp(timegm(stamp), UTC)).date().isoformat() if stamp else ""
        )
    except (ValueError, OverflowError):
        return ""
