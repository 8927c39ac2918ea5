"""A list page to entries, by a column's selectors or by its likest rows. Pure."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any
from urllib.parse import urlsplit

from lxml import etree
from lxml.cssselect import CSSSelector, SelectorError
from lxml.html import HtmlElement, document_fromstring, fragments_fromstring

from blocks.markup import without_swollen_tags
from config.clock import now
from content_sources.columns.entries import (
    LONGEST_TITLE,
    NOWHERE,
    ColumnError,
    Entry,
    text_of,
    web_address,
)
from content_sources.columns.rows import entry_of
from content_sources.columns.shape import LIKE
from documents.pages.dates import read_day

_NEXT = re.compile(r"^(?:下一?页|后一页|下一页\s*[>»›]*|[>»›]|next)$", re.IGNORECASE)
_TRS_PAGES = re.compile(
    r"createPageHTML\w*\(\s*['\"]?(\d+)['\"]?\s*,\s*['\"]?(\d+)['\"]?\s*,\s*['\"](\w+)['\"]\s*,\s*"
    r"['\"](\w+)['\"]"
)
_RECORD = re.compile(r"<record>\s*<!\[CDATA\[(.*?)\]\]>\s*</record>", re.DOTALL)

MOST_LINKS = 5000  # of a list page
MOST_IN_ROW = 12  # links of one row


def read_list(
    page: str, base_url: str, selectors: Mapping[str, Any]
) -> tuple[list[Entry], tuple[str, ...]]:
    """The entries of a list page and the address of its next page, if it has one. ColumnError."""
    try:
        whole = re.sub(r"^\s*<\?xml[^>]*\?>", "", page.replace("\x00", ""))
        tree = document_fromstring(without_swollen_tags(whole))
    except (etree.ParserError, etree.XMLSyntaxError, ValueError) as error:
        raise ColumnError(f"栏目 {base_url} 不是有效的网页") from error
    _unfold(tree, page)
    base = _base(tree, base_url)
    more = tuple(one for one in [_next_page(tree, page, base_url, selectors)] if one)
    if selectors.get("item"):
        entries = list(_selected(tree, base, selectors))
        if not entries:
            raise ColumnError(f"栏目 {base_url} 的选择器 {selectors['item']} 没有选中任何文章")
        return entries, more
    groups = [*_lists(tree, base), *_groups(tree, base)]
    if not groups:
        raise ColumnError(f"栏目 {base_url} 的页面里找不到文章列表：请为栏目填写选择器 item")
    return max(groups, key=_weight), more


def _base(tree: HtmlElement, base_url: str) -> str:
    given = next((one.get("href") or "" for one in tree.iter("base")), "")
    return web_address(base_url, given) or base_url


def _unfold(tree: HtmlElement, page: str) -> None:
    """Rows that a site keeps in CDATA records for its paging script become elements."""
    rows = [row for record in _RECORD.findall(page) for row in fragments_fromstring(record)]
    if rows:
        place = etree.SubElement(tree, "ul")
        place.extend([row for row in rows if isinstance(row, HtmlElement)])


def _selected(tree: HtmlElement, base_url: str, selectors: Mapping[str, Any]) -> Iterator[Entry]:
    names = ("item", "link", "title", "date")
    item, link, title, day = (_css(str(selectors.get(name) or "")) for name in names)
    for row in item(tree) if item else []:
        anchors = link(row) if link else ([row] if row.tag == "a" else row.xpath(".//a[@href]"))
        entry = entry_of(anchors[0], row, base_url) if anchors else None
        if entry is None:
            continue
        titles = title(row) if title else []
        dates = day(row) if day else []
        yield Entry(
            entry.url,
            text_of(titles[0])[:LONGEST_TITLE] if titles else entry.title,
            read_day(text_of(dates[0]), now()) if dates else entry.date,
        )


def _css(selector: str) -> Callable[[HtmlElement], list[Any]] | None:
    try:
        chosen: Any = CSSSelector(selector, translator="html") if selector else None
        return chosen  # type: ignore[no-any-return]  # lxml has no types
    except SelectorError as error:
        raise ColumnError(f"栏目的选择器写错了：{selector}") from error


def _lists(tree: HtmlElement, base_url: str) -> list[list[Entry]]:
    """Rows of one build under one parent, each with its best link: `li`, `tr`, `div`, `dd` ..."""
    counts: dict[Any, Counter[str]] = {}
    rows: dict[Any, list[HtmlElement]] = {}
    for anchor in islice(tree.iter("a"), MOST_LINKS):
        row = _repeated(anchor, counts)
        if row is not None and len(rows.setdefault(row, [])) < MOST_IN_ROW:
            rows[row].append(anchor)
    lists: dict[Any, list[Entry]] = {}
    for row, anchors in rows.items():
        made = [one for anchor in anchors if (one := entry_of(anchor, row, base_url))]
        if made:
            lists.setdefault(row.getparent(), []).append(max(made, key=lambda one: len(one.title)))
    return [group for group in _joined(lists) if len(group) >= LIKE]


def _joined(lists: Mapping[Any, list[Entry]]) -> Iterator[list[Entry]]:
    """Sites put a gap after every five lines: dated lists side by side are one."""
    joined: dict[Any, list[Entry]] = {}
    for parent, entries in lists.items():
        dated = sum(bool(entry.date) for entry in entries) * 2 > len(entries)
        if dated and parent.tag in ("ul", "tbody", "table", "dl"):
            key = (parent.getparent(), parent.tag, parent.get("class"))
            joined.setdefault(key, []).extend(entries)
        else:
            yield entries
    yield from joined.values()


def _repeated(anchor: HtmlElement, counts: dict[Any, Counter[str]]) -> HtmlElement | None:
    """The element around a link that stands among like ones that also hold links."""
    node = anchor
    while (parent := node.getparent()) is not None and parent.tag != "html":
        if parent not in counts:
            counts[parent] = Counter(
                str(child.tag) for child in parent if next(child.iter("a"), None) is not None
            )
        if counts[parent][str(node.tag)] >= LIKE:
            return node
        node = parent
    return None


def _groups(tree: HtmlElement, base_url: str) -> list[list[Entry]]:
    """Links that sit in like-built rows of one parent are one list, however few."""
    found: dict[tuple[Any, str], list[Entry]] = {}
    for anchor in islice(tree.iter("a"), MOST_LINKS):
        row = _row(anchor)
        entry = entry_of(anchor, row, base_url)
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
        if next((one for one in parent.iter("a") if one is not anchor), None) is not None:
            return row
        row = parent


def _weight(group: Sequence[Entry]) -> float:
    """Many long titles with dates make a list of articles; short ones make a menu."""
    dated = sum(bool(entry.date) for entry in group)
    long = sum(len(entry.title) >= 10 for entry in group)
    return dated * 3 + long + len(group) * 0.1


def _next_page(tree: HtmlElement, page: str, base_url: str, selectors: Mapping[str, Any]) -> str:
    """The address of the following page, or empty."""
    chosen = _css(str(selectors.get("next") or ""))
    marked = chosen(tree) if chosen else tree.xpath('//*[@rel="next"][@href]')
    by_text = [one for one in tree.iter("a") if _NEXT.match(text_of(one))]
    for link in [*marked, *by_text]:
        target = (link.get("href") or "").strip()
        if target and not target.lower().startswith(NOWHERE):
            url = web_address(base_url, target)
            if url and url != base_url and urlsplit(url).netloc == urlsplit(base_url).netloc:
                return url
    if match := _TRS_PAGES.search(page):
        total, current, name, ending = match.groups()
        if int(current) + 1 < int(total):
            return web_address(base_url, f"{name}_{int(current) + 1}.{ending}")
    return ""
