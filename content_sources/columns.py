"""A polled column to its entries: feeds (RSS, Atom, JSON), list pages, sitemaps. Pure.

A reading says what was found and what is odd about it. `alarm` compares a reading with the shape
of earlier ones: a list page that was rebuilt must be noticed, not read as "nothing new".
"""

import json
import re
from calendar import timegm
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from typing import Any
from urllib.parse import urljoin, urlsplit

import feedparser
from lxml import etree
from lxml.cssselect import CSSSelector, SelectorError
from lxml.html import HtmlElement, document_fromstring, fragments_fromstring

from config.clock import beijing, now
from content_sources.blocks import plain
from content_sources.dates import find_day, read_day
from documents.charset import decode, without_swollen_tags
from documents.unpack import PackedError, TooLarge, Unpacker

_SPACE = re.compile(r"[\s\u3000\u00a0]+")
_IN_URL = re.compile(
    r"/(?:t|content_|c_)?((?:19|20)\d\d)[-/_]?(\d\d)[-/_]?(\d\d)(?=[/_.]|\d{0,6}_)"
)
_LAST_DAY = re.compile(
    r"[\[(（【]?\s*(?:(?:19|20)\d{2}[-/.年])?\d{1,2}[-/.月]\d{1,2}日?\s*[\])）】]?\s*$"
)
_NEXT = re.compile(r"^(?:下一?页|后一页|下一页\s*[>»›]*|[>»›]|next)$", re.IGNORECASE)
_TRS_PAGES = re.compile(
    r"createPageHTML\w*\(\s*['\"]?(\d+)['\"]?\s*,\s*['\"]?(\d+)['\"]?\s*,\s*['\"](\w+)['\"]\s*,\s*"
    r"['\"](\w+)['\"]"
)
_RECORD = re.compile(r"<record>\s*<!\[CDATA\[(.*?)\]\]>\s*</record>", re.DOTALL)
_TITLE_FIELD = re.compile(r"标\s*题\s*[:：]\s*([^\n\r]+)")
_NOWHERE = ("#", "javascript:", "mailto:", "tel:", "data:")
SHORTEST_TITLE = 5
LONGEST_TITLE = 300
MOST = 200  # entries of one reading
MOST_SITEMAPS = 5  # parts of a sitemap index
LARGEST_SITEMAP = 20 * 1024 * 1024  # bytes, unpacked
MOST_LINKS = 5000  # of a list page
MOST_IN_ROW = 12  # links of one row
LIKE = 3  # rows of one build that make a list


class ColumnError(ValueError):
    """The column could not be read; the message is one Chinese line that says where."""


@dataclass(frozen=True)
class Entry:
    """One line of a column. `date` is YYYY-MM-DD of Beijing or empty; all text is plain."""

    url: str
    title: str
    date: str
    summary: str = field(default="", compare=False)


@dataclass(frozen=True)
class Reading:
    """What a column holds. `problems` are Chinese lines; `more` further pages, nearest first."""

    kind: str
    entries: tuple[Entry, ...]
    problems: tuple[str, ...] = ()
    more: tuple[str, ...] = ()


@dataclass
class _Faults:
    """What was left out, counted."""

    without_link: int = 0
    without_title: int = 0
    repeated: int = 0

    def lines(self, entries: Sequence[Entry]) -> Iterator[str]:
        if self.without_link:
            yield f"{self.without_link} 个条目没有可用的链接，已略去"
        if self.without_title:
            yield f"{self.without_title} 个条目没有标题，标题以文章页为准"
        if self.repeated:
            yield f"{self.repeated} 个条目的网址重复，只取一次"
        undated = sum(not entry.date for entry in entries)
        if undated:
            yield f"{undated} 个条目没有日期，日期以文章页为准"
        same = Counter(entry.title for entry in entries if entry.title).most_common(1)
        if same and same[0][1] > 1:
            yield f"标题“{same[0][0][:30]}”出现了 {same[0][1]} 次"


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

    `kind` is feed, list, sitemap, or empty to tell from the content. `selectors` of a list: item,
    and inside it link, title and date (all CSS, all optional), next (CSS of the link to the next
    page); of a sitemap: match, a part the addresses must contain. `content_type` is the header of
    the answer. A feed may be empty; ColumnError when it is no feed, when its entries lead nowhere,
    or when a page holds no list.
    """
    if not body.strip():
        raise ColumnError(f"栏目 {base_url} 返回的内容是空的")
    chosen = kind or kind_of_column(body)
    faults = _Faults()
    more: tuple[str, ...] = ()
    if chosen == "feed":
        found: Iterable[Entry] = _feed(body, base_url, content_type, faults)
    elif chosen == "sitemap":
        found, more = _sitemap(body, base_url, str((selectors or {}).get("match") or ""))
    else:
        found, more = _list(decode(body, content_type), base_url, selectors or {})
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


def _once(found: Iterable[Entry], faults: _Faults) -> tuple[Entry, ...]:
    once: dict[str, Entry] = {}
    for entry in found:
        if entry.url in once:
            faults.repeated += 1
        once.setdefault(entry.url, entry)
    return tuple(once.values())[:MOST]


# --- what changed since the last time ---------------------------------------------------


def shape_of(entries: Sequence[Entry]) -> dict[str, Any]:
    """What later readings are compared with: how many, how many with a date, kinds of address."""
    return {
        "entries": len(entries),
        "dated": sum(bool(entry.date) for entry in entries),
        "links": sorted({_link_shape(entry.url) for entry in entries})[:40],
    }


def alarm(before: Mapping[str, Any] | None, entries: Sequence[Entry]) -> str:
    """Why this reading cannot be the same column in its old build, as a Chinese line; or empty."""
    if not before or int(before.get("entries", 0)) < LIKE:
        return ""
    count = int(before["entries"])
    if not entries:
        return f"以前读到 {count} 条，现在一条也没有：网页可能改版了，请预览并更新选择器"
    now_shape = shape_of(entries)
    if int(before.get("dated", 0)) * 2 >= count and not now_shape["dated"]:
        return "以前的条目有日期，现在都没有了：网页可能改版了，请预览并更新选择器"
    if not set(now_shape["links"]) & set(before.get("links", [])):
        return "条目的链接与以前完全不同：网页可能改版了，请预览并更新选择器"
    if len(entries) >= LIKE and len({entry.title for entry in entries}) == 1:
        return "所有条目的标题都一样：网页可能改版了，请预览并更新选择器"
    return ""


def _link_shape(url: str) -> str:
    """Host, folder and ending, with every number as #."""
    parts = urlsplit(url)
    folder, _, name = parts.path.rpartition("/")
    ending = name.rpartition(".")[2] if "." in name else ""
    query = "&".join(part.split("=")[0] for part in parts.query.split("&"))
    return f"{parts.netloc}{re.sub(r'[0-9]+', '#', folder)}/*.{ending}?{query}"


# --- feeds ------------------------------------------------------------------------------


def _feed(body: bytes, base_url: str, content_type: str, faults: _Faults) -> list[Entry]:
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
    rows: Iterable[Mapping[str, Any]], base_url: str, faults: _Faults
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


def _json_feed(text: str, base_url: str, faults: _Faults) -> list[Entry]:
    try:
        data = json.loads(text)
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
    return _web(base_url, link) if link else _web("", guid)


def _web(base_url: str, target: str) -> str:
    """The whole address, or empty when it is no web address (one bad link stops no column)."""
    try:
        url = urljoin(base_url, target)
        good = urlsplit(url).scheme in ("http", "https") and bool(urlsplit(url).hostname)
    except ValueError:
        return ""
    return url.partition("#")[0] if good and not re.search(r"[\s<>\"\x00-\x1f]", url) else ""


def _feed_day(row: Mapping[str, Any]) -> str:
    stamp = row.get("published_parsed") or row.get("updated_parsed")
    if stamp:
        try:
            moment = datetime.fromtimestamp(timegm(stamp), UTC)
        except (ValueError, OverflowError):
            return ""
        return beijing(moment).date().isoformat()
    given = str(row.get("published") or row.get("updated") or "")
    try:
        return beijing(datetime.fromisoformat(given).astimezone(UTC)).date().isoformat()
    except ValueError:
        return read_day(given, now())


# --- list pages -------------------------------------------------------------------------


def _list(
    page: str, base_url: str, selectors: Mapping[str, Any]
) -> tuple[list[Entry], tuple[str, ...]]:
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
    return _web(base_url, given) or base_url


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
        entry = _entry(anchors[0], row, base_url) if anchors else None
        if entry is None:
            continue
        titles = title(row) if title else []
        dates = day(row) if day else []
        yield Entry(
            entry.url,
            _text(titles[0])[:LONGEST_TITLE] if titles else entry.title,
            read_day(_text(dates[0]), now()) if dates else entry.date,
        )


def _css(selector: str) -> Callable[[HtmlElement], list[Any]] | None:
    try:
        chosen: Any = CSSSelector(selector, translator="html") if selector else None
        return chosen  # type: ignore[no-any-return]
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
        made = [one for anchor in anchors if (one := _entry(anchor, row, base_url))]
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
        if next((one for one in parent.iter("a") if one is not anchor), None) is not None:
            return row
        row = parent


def _weight(group: Sequence[Entry]) -> float:
    """Many long titles with dates make a list of articles; short ones make a menu."""
    dated = sum(bool(entry.date) for entry in group)
    long = sum(len(entry.title) >= 10 for entry in group)
    return dated * 3 + long + len(group) * 0.1


def _entry(anchor: HtmlElement, row: HtmlElement, base_url: str) -> Entry | None:
    target = (anchor.get("href") or "").strip()
    if not target or target.lower().startswith(_NOWHERE):
        return None
    title, url = _title(anchor), _web(base_url, target)
    if len(title) < SHORTEST_TITLE or not url:
        return None
    return Entry(url, title[:LONGEST_TITLE], _row_day(row, anchor, url, title))


def _title(anchor: HtmlElement) -> str:
    """The title attribute when the text is cut short; without a date at its end."""
    text, given = _text(anchor), anchor.get("title") or ""
    labelled = _TITLE_FIELD.search(given)
    given = _clean(labelled[1] if labelled else given)
    cut = text.endswith(("…", "...", "..")) or len(text) < SHORTEST_TITLE
    best = given if given and (cut or len(given) >= len(text)) else text
    best = _LAST_DAY.sub("", best).strip() or best
    return re.sub(r"^[·•●▪■◆*>»\-\s]+", "", best)


def _row_day(row: HtmlElement, anchor: HtmlElement, url: str, title: str) -> str:
    """The date beside the link; a date within the title is the last choice."""
    whole = _text(row)
    beside = whole.replace(_text(anchor), " ", 1) if anchor is not row else ""
    if day := read_day(beside, now()) if beside.strip() else "":
        return day
    inside = _LAST_DAY.search(_text(anchor))
    if inside and (day := read_day(inside[0], now())):
        return day
    if match := _IN_URL.search(url):
        return find_day("-".join(match.groups()))
    return find_day(whole.replace(title, " ", 1)) or find_day(whole)


def _next_page(tree: HtmlElement, page: str, base_url: str, selectors: Mapping[str, Any]) -> str:
    """The address of the following page, or empty."""
    chosen = _css(str(selectors.get("next") or ""))
    marked = chosen(tree) if chosen else tree.xpath('//*[@rel="next"][@href]')
    by_text = [one for one in tree.iter("a") if _NEXT.match(_text(one))]
    for link in [*marked, *by_text]:
        target = (link.get("href") or "").strip()
        if target and not target.lower().startswith(_NOWHERE):
            url = _web(base_url, target)
            if url and url != base_url and urlsplit(url).netloc == urlsplit(base_url).netloc:
                return url
    if match := _TRS_PAGES.search(page):
        total, current, name, ending = match.groups()
        if int(current) + 1 < int(total):
            return _web(base_url, f"{name}_{int(current) + 1}.{ending}")
    return ""


def _text(node: HtmlElement) -> str:
    parts = (str(part) for part in node.xpath(".//text()[not(parent::script or parent::style)]"))
    return _clean(" ".join(parts))


def _clean(text: str | None) -> str:
    return _SPACE.sub(" ", text or "").strip()


# --- sitemaps ---------------------------------------------------------------------------


def _sitemap(body: bytes, base_url: str, match: str) -> tuple[list[Entry], tuple[str, ...]]:
    """The addresses of a sitemap, newest first; of an index, its newest parts as `more`."""
    try:
        if body.startswith(b"\x1f\x8b"):
            unpacker = Unpacker("gzip", LARGEST_SITEMAP)
            unpacker.feed(body)
            body = unpacker.finish()
        parser = etree.XMLParser(
            resolve_entities=False, no_network=True, load_dtd=False, recover=True
        )
        root = etree.fromstring(body, parser)
    except (TooLarge, PackedError, etree.XMLSyntaxError, ValueError) as error:
        raise ColumnError(f"栏目 {base_url} 不是有效的网站地图 sitemap") from error
    name = etree.QName(root).localname if root is not None else ""
    if name not in ("urlset", "sitemapindex"):
        raise ColumnError(f"栏目 {base_url} 不是有效的网站地图 sitemap")
    rows = [_sitemap_row(node, base_url) for node in root]
    rows.sort(key=lambda one: one.date, reverse=True)
    if name == "sitemapindex":
        return [], tuple(one.url for one in rows if one.url)[:MOST_SITEMAPS]
    return [one for one in rows if one.url and match in one.url], ()


def _sitemap_row(node: etree._Element, base_url: str) -> Entry:
    texts = {
        etree.QName(one).localname: _clean(one.text)
        for one in node.iter()
        if isinstance(one.tag, str)
    }
    day = find_day(texts.get("lastmod", "") or texts.get("publication_date", ""))
    url = _web(base_url, texts["loc"]) if texts.get("loc") else ""
    return Entry(url, plain(texts.get("title", ""))[:LONGEST_TITLE], day)
