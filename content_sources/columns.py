"""A polled column to its entries: RSS and Atom feeds, and the list pages of sites without one."""

import re
from calendar import timegm
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urljoin, urlsplit

import feedparser
from lxml import etree
from lxml.cssselect import CSSSelector, SelectorError
from lxml.html import HtmlElement, document_fromstring

from config.clock import beijing
from content_sources.charset import decode, header_charset

_DATE = re.compile(r"((?:19|20)\d{2})[-/.年](\d{1,2})[-/.月](\d{1,2})(?!\d)")
_SPACE = re.compile(r"[\s\u3000\u00a0]+")
SHORTEST_TITLE = 5
MOST = 200


class ColumnError(ValueError):
    """The column could not be read; the message is one Chinese line that says where."""


@dataclass(frozen=True)
class Entry:
    """One line of a column. `date` is YYYY-MM-DD of Beijing or empty."""

    url: str
    title: str
    date: str


def read_column(
    kind: str,
    body: bytes,
    base_url: str,
    selectors: Mapping[str, Any] | None = None,
    content_type: str = "",
) -> list[Entry]:
    """The entries of a feed or list page, each address once, at most MOST.

    `kind` is feed or list. `selectors` of a list: item, and inside it link and date (all CSS,
    all optional). `content_type` is the header of the answer. A feed may be empty; ColumnError
    when it is no feed, when its entries lead nowhere, or when a page holds no list.
    """
    if not body.strip():
        raise ColumnError(f"栏目 {base_url} 返回的内容是空的")
    if kind == "feed":
        found = _feed(body, base_url, content_type)
    else:
        found = _list(decode(body, content_type), base_url, selectors or {})
    once: dict[str, Entry] = {}
    for entry in found:
        once.setdefault(entry.url, entry)
    return list(once.values())[:MOST]


# --- feeds ------------------------------------------------------------------------------


def _feed(body: bytes, base_url: str, content_type: str) -> list[Entry]:
    charset = header_charset(content_type)  # text/xml alone would mean ASCII to the parser
    headers = {
        "content-location": base_url,
        "content-type": f"application/xml; charset={charset}" if charset else "application/xml",
    }
    parsed = feedparser.parse(body, response_headers=headers, sanitize_html=False)
    if not parsed.version and not parsed.entries:
        raise ColumnError(f"栏目 {base_url} 不是有效的 RSS 或 Atom{_where(parsed, body)}")
    entries = [
        Entry(url, _clean(_plain(row.get("title", ""))), _feed_day(row))
        for row in parsed.entries
        if (url := _link(row, base_url))
    ]
    if not entries and _where(parsed, body):
        raise ColumnError(f"栏目 {base_url} 的 RSS 格式有错{_where(parsed, body)}")
    if not entries and parsed.entries:
        raise ColumnError(f"栏目 {base_url} 的 {len(parsed.entries)} 个条目都没有可用的链接 link")
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
    return _web(base_url, link) if link else _web("", guid)


def _web(base_url: str, target: str) -> str:
    """The whole address, or empty when it is no web address (one bad link stops no column)."""
    try:
        url = urljoin(base_url, target)
        return url if urlsplit(url).scheme in ("http", "https") else ""
    except ValueError:
        return ""


def _feed_day(row: Mapping[str, Any]) -> str:
    stamp = row.get("published_parsed") or row.get("updated_parsed")
    if stamp:
        try:
            moment = datetime.fromtimestamp(timegm(stamp), UTC)
        except (ValueError, OverflowError):
            return ""
        return beijing(moment).date().isoformat()
    return _day(str(row.get("published") or row.get("updated") or ""))


def _plain(title: str) -> str:
    return re.sub(r"<[^<>]+>", "", title)


# --- list pages -------------------------------------------------------------------------


def _list(page: str, base_url: str, selectors: Mapping[str, Any]) -> list[Entry]:
    try:
        tree = document_fromstring(re.sub(r"^\s*<\?xml[^>]*\?>", "", page))
    except (etree.ParserError, etree.XMLSyntaxError, ValueError) as error:
        raise ColumnError(f"栏目 {base_url} 不是有效的网页") from error
    if selectors.get("item"):
        entries = list(_selected(tree, base_url, selectors))
        if not entries:
            raise ColumnError(f"栏目 {base_url} 的选择器 {selectors['item']} 没有选中任何文章")
        return entries
    groups = _groups(tree, base_url)
    if not groups:
        raise ColumnError(f"栏目 {base_url} 的页面里找不到文章列表：请为栏目填写选择器 item")
    return max(groups, key=_weight)


def _selected(tree: HtmlElement, base_url: str, selectors: Mapping[str, Any]) -> Iterator[Entry]:
    item, link, day = (_css(str(selectors.get(name) or "")) for name in ("item", "link", "date"))
    for row in item(tree) if item else []:
        anchors = link(row) if link else ([row] if row.tag == "a" else row.xpath(".//a[@href]"))
        entry = _entry(anchors[0], row, base_url) if anchors else None
        if entry is None:
            continue
        dates = day(row) if day else []
        yield Entry(entry.url, entry.title, _day(_text(dates[0])) if dates else entry.date)


def _css(selector: str) -> Callable[[HtmlElement], list[Any]] | None:
    try:
        chosen: Any = CSSSelector(selector, translator="html") if selector else None
        return chosen  # type: ignore[no-any-return]
    except SelectorError as error:
        raise ColumnError(f"栏目的选择器写错了：{selector}") from error


def _groups(tree: HtmlElement, base_url: str) -> list[list[Entry]]:
    """Links that sit in like-built rows of one parent are one list."""
    found: dict[tuple[Any, str], list[Entry]] = {}
    for anchor in tree.xpath("//a[@href]"):
        row = _row(anchor)
        entry = _entry(anchor, row, base_url)
        parent = row.getparent()
        if entry and parent is not None:
            found.setdefault((parent, str(row.tag)), []).append(entry)
    return list(found.values())


def _row(anchor: HtmlElement) -> HtmlElement:
    """The widest element around a link that is still about this link alone."""
    row = anchor
    while True:
        parent = row.getparent()
        if parent is None or parent.tag in ("body", "html", "ul", "ol", "tbody", "table"):
            return row
        if len(parent.xpath(".//a[@href]")) > 1:
            return row
        row = parent


def _weight(group: Sequence[Entry]) -> float:
    """Many long titles with dates make a list of articles; short ones make a menu."""
    dated = sum(bool(entry.date) for entry in group)
    long = sum(len(entry.title) >= 10 for entry in group)
    return dated * 3 + long + len(group) * 0.1


def _entry(anchor: HtmlElement, row: HtmlElement, base_url: str) -> Entry | None:
    target = (anchor.get("href") or "").strip()
    if not target or target.lower().startswith(("#", "javascript:", "mailto:", "tel:")):
        return None
    title = _clean(anchor.get("title")) or _text(anchor)
    url = _web(base_url, target)
    if len(title) < SHORTEST_TITLE or not url:
        return None
    return Entry(url, title, _day(_text(row)) or _day(_text(anchor)))


def _text(node: HtmlElement) -> str:
    return _clean(" ".join(str(part) for part in node.itertext()))


def _day(text: str) -> str:
    for match in _DATE.finditer(text):
        year, month, day = (int(part) for part in match.groups())
        if 1 <= month <= 12 and 1 <= day <= 31:
            return f"{year:04}-{month:02}-{day:02}"
    return ""


def _clean(text: str | None) -> str:
    return _SPACE.sub(" ", text or "").strip()
