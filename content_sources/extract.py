"""A web page to an article: title, date, source, author, paragraphs, pictures, attachments.

Order of trust: the government meta tags, the containers that government site systems use, then
readability, with gne for the title, time and source and for short notices that fool readability.
"""

import asyncio
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

from gne import GeneralNewsExtractor
from gne.exceptions import NoContentException
from lxml import etree
from lxml.cssselect import CSSSelector, SelectorError
from lxml.html import HtmlElement, document_fromstring, fromstring
from readability import Document
from readability.readability import Unparseable

from config.clock import now
from content_sources.charset import decode
from content_sources.fetch import Fetcher, FetchError
from content_sources.whitelist import SourceRule, judge

_BLOCKS = frozenset(
    [
        "p",
        "div",
        "section",
        "article",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "li",
        "ul",
        "ol",
        "table",
        "tr",
        "br",
        "blockquote",
        "dd",
        "dt",
        "dl",
        "figure",
        "figcaption",
        "center",
        "pre",
        "hr",
        "header",
        "main",
    ]
)
_SILENT = frozenset(
    [
        "script",
        "style",
        "noscript",
        "iframe",
        "template",
        "svg",
        "form",
        "button",
        "select",
        "textarea",
        "head",
    ]
)
_CONTAINERS = (
    '//*[@id="UCAP-CONTENT" or @id="zoom" or @id="Zoom" or @id="zoomcon" or @id="artibody"]',
    '//*[contains(@class,"TRS_Editor") or contains(@class,"TRS_UEDITOR")]',
    '//*[contains(@class,"trs_editor_view") or contains(@class,"pages_content")]',
    '//*[contains(@class,"article-content") or contains(@class,"article_content")]',
    '//*[contains(@class,"wzzw") or contains(@class,"xxgk_content")]',
)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_DATE = re.compile(r"((?:19|20)\d{2})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})(?!\d)")
_COMPACT = re.compile(r"^((?:19|20)\d{2})(\d{2})(\d{2})(?:\d{6})?$")
_LABELS = (
    "作者|编辑|责任|责编|审核|浏览|阅读|点击|访问|发布|时间|日期|来源|字号|字体|打印|分享|记者"
)
_VALUE = rf"\s*[:：]\s*(?!{_LABELS}|\d{{4}}[-年/])([^\s|｜:：<>【】\[\]]"
_SOURCE = re.compile(rf"(?:信息|稿件|文章)?(?:来源|出处){_VALUE}{{2,40}})")
_AUTHOR = re.compile(rf"(?<!责任)(?:作者|撰稿|记者){_VALUE}{{2,20}})")
_TODAY = re.compile(r"(?:今天|今日|现在)(?:是|为|：|:)?[^。]{0,6}?" + _DATE.pattern)
_PUBLISHED = re.compile(
    r"(?:发布|发表|发稿|刊发|更新|公开)(?:时间|日期)\s*[:：]\s*" + _DATE.pattern
)
_LABELLED = re.compile(r"(?<![\u4e00-\u9fff])(?:时间|日期)\s*[:：]\s*" + _DATE.pattern)
_IN_URL = re.compile(r"/(?:t|content_)?((?:19|20)\d\d)[-/_]?(\d\d)[-/_]?(\d\d)(?=[/_.]|\d{0,6}_)")
_SITE = re.compile(r"(?:政府|网|网站|门户|委员会|局|厅|首页|详情|正文|内容|新闻)$")
_FOOT = re.compile(
    r"ICP备|公网安备|版权所有|网站标识码|Copyright|主办单位[:：]|承办单位[:：]", re.IGNORECASE
)
_NOISE = re.compile(r"nav|menu|crumb|footer|sidebar|share|related|recommend|pager|copyright", re.I)
_INFO = re.compile(
    r"^(?:首页\s*[>›»＞]|(?:您|你)?(?:的|现在|当前)?(?:的)?位置|今天是|(?:发布|更新|发稿)(?:时间|日期)\s*[:：]|"
    r"(?:时间|日期)\s*[:：][^来浏]*(?:来源|浏览)|(?:信息|文章|稿件)?来源\s*[:：]|作者\s*[:：]|"
    r"字号|字体|浏览|阅读|点击|分享到|【?打印|\d{4}-\d\d-\d\d)"
)
_NUMBER = re.compile(r"[\u4e00-\u9fff]{2,12}[〔\[［(（]((?:19|20)\d\d)[〕\]］)）]第?\d{1,5}号")
_FILES = (".pdf", ".doc", ".docx", ".xls", ".xlsx", ".ppt", ".pptx", ".zip", ".rar", ".txt", ".wps",
          ".ofd")  # fmt: skip
_GNE_LONGEST = 500_000  # characters; gne's time grows faster than the page
_LEAST = 120  # characters; below this a readability text is compared with gne's


@dataclass(frozen=True)
class Page:
    """One article. `date` is YYYY-MM-DD or empty; `text` is paragraphs joined by newlines.

    `images` are (url, alt), `links` and `attachments` (url, text), in the order of the page;
    `marked` is `text` with a line `![alt](url)` where each picture stands.
    """

    title: str
    date: str
    source: str
    author: str
    text: str
    images: tuple[tuple[str, str], ...]
    links: tuple[tuple[str, str], ...]
    attachments: tuple[tuple[str, str], ...]
    doc_number: str
    marked: str


def extract_page(body: bytes | str, url: str, selectors: Mapping[str, Any] | None = None) -> Page:
    """Read one HTML page; ValueError in Chinese when it holds no article.

    `selectors` are CSS of a column whose pages need them: title, date, source, author, body (all
    optional); what they find goes before everything else.
    """
    html = decode(body) if isinstance(body, bytes) else body
    html = _CONTROL.sub("", html)
    html = re.sub(r"^\s*<\?xml[^>]*\?>", "", html)
    try:
        tree = document_fromstring(html)
    except (etree.ParserError, etree.XMLSyntaxError, ValueError) as error:
        raise ValueError("网页无法解析：内容不是 HTML 或者为空") from error
    chosen = _chosen(tree, selectors or {})
    meta = _meta(tree) | {name: _clean(one.text_content()) for name, one in chosen.items()}
    guess = _gne(html)
    node = chosen.get("body")
    if node is None:
        node = _container(tree)
    if node is None:
        node = _generic(html, guess)
    if node is None:
        raise ValueError("网页里找不到正文：请换一个文章页面，或为这个栏目设置选择器")
    title = _title(tree, meta, guess)
    lines = _without_head([line for line in _lines(node, url) if line != title])
    text = "\n".join(line for line in lines if not line.startswith("!["))
    if not text:
        raise ValueError("网页里找不到正文：请换一个文章页面，或为这个栏目设置选择器")
    links = tuple(_links(node, url))
    head = _visible(tree)
    source = _clean(_first(meta, ":source", "contentsource", "source")) or _find(_SOURCE, head)
    number = _NUMBER.search(title) or _NUMBER.search(text[:600])
    return Page(
        title=title,
        date=_date(meta, head, (title, url, str(guess.get("publish_time", "")))),
        source=source,
        author=_author(meta, guess, head, source),
        text=text,
        images=tuple(_images(node, url)),
        links=links,
        attachments=tuple(link for link in links if _is_file(link[0])),
        doc_number=number[0] if number else "",
        marked="\n".join(lines),
    )


def extract_record(record: Mapping[str, Any]) -> dict[str, Any]:
    """One line of `shenfa extract`: id, path (HTML file) and url (its base) in, the fields out."""
    path = record.get("path")
    if not isinstance(path, str) or not path:
        raise ValueError("字段 path 缺失：请写 HTML 文件的路径")
    try:
        body = Path(path).read_bytes()
    except OSError as error:
        raise ValueError(f"字段 path 指向的文件无法读取：{path}") from error
    page = extract_page(body, str(record.get("url") or ""))
    return page_record(record.get("id"), page)


async def fetch_record(record: Mapping[str, Any], fetcher: Fetcher) -> dict[str, Any]:
    """The same for `--fetch`: id and url in. Only the named host is asked, redirects included.

    ValueError in one Chinese line when the address is wrong, refused or without an article.
    """
    url = record.get("url")
    if not isinstance(url, str) or not url:
        raise ValueError("字段 url 缺失：请写要抓取的网址")
    try:
        fetched = await fetcher.fetch(url, partial(judge, sources=_named(url), as_of=now()))
    except FetchError as error:
        raise ValueError(f"字段 url：{error.message}") from error
    page = await asyncio.to_thread(extract_page, fetched.text, fetched.final_url)
    return page_record(record.get("id"), page)


def _named(url: str) -> list[SourceRule]:
    """The person who types an address stands for its host, and for no other."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return []
    listed = f"{host}:{port}" if port else host
    return [SourceRule("typed", host, (listed,), allow_http=True, valid_from=now(), valid_to=None)]


def page_record(record_id: Any, page: Page) -> dict[str, Any]:
    """A page in the shape of the `extract` contract: what the page does not say is None."""
    return {
        "id": record_id,
        "title": page.title or None,
        "date": page.date or None,
        "source": page.source or None,
        "author": page.author or None,
        "text": page.text,
        "images": [{"url": url, "alt": alt} for url, alt in page.images],
        "links": [{"url": url, "text": text} for url, text in page.links],
    }


# --- the head of the page ---------------------------------------------------------------


def _meta(tree: HtmlElement) -> dict[str, str]:
    found: dict[str, str] = {}
    for tag in tree.iter("meta"):
        name = (tag.get("name") or tag.get("property") or "").strip().lower()
        if name and _clean(tag.get("content")):
            found.setdefault(name, _clean(tag.get("content")))
    return found


def _first(meta: Mapping[str, str], *names: str) -> str:
    return next((meta[name] for name in names if meta.get(name)), "")


def _gne(html: str) -> dict[str, Any]:
    """gne's reading; empty for a very long page, for no article, or where gne stumbles."""
    if len(html) > _GNE_LONGEST:
        return {}
    try:
        return dict(GeneralNewsExtractor().extract(html, with_body_html=True))
    except (NoContentException, etree.LxmlError, ValueError, IndexError, KeyError, AttributeError):
        return {}


def _chosen(tree: HtmlElement, selectors: Mapping[str, Any]) -> dict[str, HtmlElement]:
    """The first element of each selector that matches; keys are body and `:title`, `:date` ..."""
    found: dict[str, HtmlElement] = {}
    for name in ("title", "date", "source", "author", "body"):
        selector = str(selectors.get(name) or "")
        try:
            match: Any = CSSSelector(selector, translator="html") if selector else None
            nodes = match(tree) if match else []
        except SelectorError as error:
            raise ValueError(f"栏目的选择器 {name} 写错了：{selector}") from error
        if nodes:
            found[name if name == "body" else f":{name}"] = nodes[0]
    return found


def _title(tree: HtmlElement, meta: Mapping[str, str], guess: Mapping[str, Any]) -> str:
    if given := _first(meta, ":title", "articletitle"):
        return given
    page = _clean(" ".join(tree.xpath("//title/text()")[:1]))
    whole = [part for part in re.split(r"\s*[_|｜]\s*|\s+[-–—]+\s+", page) if part]
    headings = [_clean(one.text_content()) for one in tree.xpath("//h1 | //h2 | //h3")]
    inside = [one for one in headings if len(one) >= 5 and one in page and one not in whole[1:]]
    if inside:
        return max(inside, key=len)
    if given := _first(meta, "og:title"):
        return given
    main = {_clean(one.text_content()) for one in tree.xpath("//h1")} - {""}
    if len(main) == 1 and whole and _SITE.search(whole[0]):
        alone = main.pop()
        return alone if len(alone) > len(whole[0]) else whole[0]
    other = _clean(str(guess.get("title", "")))
    if whole and len(other) >= 8 and other in whole[0]:
        return other
    return whole[0] if whole else other


def _date(meta: Mapping[str, str], head: str, hints: tuple[str, str, str]) -> str:
    """`hints` are title, address and gne's time. The date a page says of today is no date."""
    title, url, guess = hints
    tags = (
        ":date",
        "pubdate",
        "publishdate",
        "article:published_time",
        "og:published_time",
        "date",
    )
    given = [meta[name] for name in tags if name in meta]
    head = _TODAY.sub(" ", head)
    start = max(head.find(title), 0)
    near = head[start : start + 600]
    named = [match[0] for match in [_PUBLISHED.search(head)] if match]
    address = ["-".join(match.groups()) for match in [_IN_URL.search(url)] if match]
    labelled = [match[0] for match in [_LABELLED.search(near)] if match]
    for text in (*given, *named, *address, *labelled, near, guess, head):
        if found := _day(text):
            return found
    return ""


def _day(text: str) -> str:
    """The first possible date in `text` as YYYY-MM-DD, else empty."""
    compact = _COMPACT.match(text.strip())
    for match in [compact] if compact else _DATE.finditer(text):
        year, month, day = (int(part) for part in match.groups())
        if 1 <= month <= 12 and 1 <= day <= 31:
            return f"{year:04}-{month:02}-{day:02}"
    return ""


def _author(meta: Mapping[str, str], guess: Mapping[str, Any], head: str, source: str) -> str:
    if given := _first(meta, ":author", "author"):
        return given
    if found := _find(_AUTHOR, head):
        return "" if "转载" in found else found
    other = _clean(str(guess.get("author", "")))  # gne takes the source for an author at times
    wrong = "转载" in other or (source and other.startswith(source))
    editor = re.search(rf"编辑\s*[:：]\s*{re.escape(other)}", head)
    return "" if wrong or editor else other


def _find(pattern: re.Pattern[str], text: str) -> str:
    match = pattern.search(text)
    return match[1].strip("，。；;,)）") if match else ""


def _visible(tree: HtmlElement) -> str:
    """All text a reader sees, with a space between any two elements."""
    return _clean(" ".join(value for kind, value in _events(tree) if kind == "text"))


# --- the body ---------------------------------------------------------------------------


def _container(tree: HtmlElement) -> HtmlElement | None:
    """The text container of a known government site system, when it holds enough text."""
    for query in _CONTAINERS:
        nodes = [one for one in tree.xpath(query) if len(_clean(one.text_content())) >= 40]
        if nodes:
            return max(nodes, key=lambda one: len(one.text_content()))
    return None


def _generic(html: str, guess: Mapping[str, Any]) -> HtmlElement | None:
    """readability's body; gne's where readability found little and gne found more."""
    bodies = []
    try:
        bodies.append(_without_noise(fromstring(Document(html).summary(html_partial=True))))
    except (Unparseable, etree.LxmlError, ValueError, TypeError):
        bodies.clear()
    size = _size(bodies[0]) if bodies else 0
    other = str(guess.get("body_html") or "")
    if other and size < _LEAST:
        second = _without_noise(fromstring(other))
        if _size(second) > size:
            bodies.insert(0, second)
    return bodies[0] if bodies else None


def _without_noise(body: HtmlElement) -> HtmlElement:
    """Drop menus, lists of other articles and the foot of the page from a guessed body."""
    blocks = body.iter("div", "ul", "ol", "nav", "footer", "table", "section", "aside", "p")
    for node in reversed(list(blocks)):  # the inner ones first, so that wrappers get lighter
        if node is not body and _is_noise(node):
            node.drop_tree()
    return body


def _is_noise(node: HtmlElement) -> bool:
    size = _size(node)
    links = node.xpath(".//a[@href]")
    if size > 400 or any(_is_file(link.get("href")) for link in links) or node.xpath(".//img"):
        return False
    if node.tag in ("nav", "footer", "aside") or _FOOT.search(node.text_content()):
        return True
    linked = sum(len(_clean(link.text_content())) for link in links)
    share = linked / size if size else 0
    named = _NOISE.search(f"{node.get('class', '')} {node.get('id', '')}")
    return len(links) >= 2 and (share > 0.7 or (bool(named) and share > 0.4))


def _without_head(lines: list[str]) -> list[str]:
    """The body without the line of time and source that some pages keep above it."""
    head = [line for line in lines[:4] if len(line) > 90 or not _INFO.match(line)]
    return head + lines[4:]


def _size(node: etree._Element) -> int:
    return len(_clean("".join(str(part) for part in node.itertext())))


def _lines(node: HtmlElement, base: str) -> list[str]:
    return list(_walk(node, base, pictures=True))


def _walk(node: HtmlElement, base: str, *, pictures: bool) -> Iterator[str]:
    """Block by block the text of `node`; with `pictures` a line for each picture."""
    buffer: list[str] = []
    for kind, value in _events(node):
        if kind == "text":
            buffer.append(value)
            continue
        if kind == "image" and not pictures:
            continue
        if line := _clean("".join(buffer)):
            yield line
        buffer.clear()
        if kind == "image" and (picture := _picture(value, base)):
            yield f"![{picture[1]}]({picture[0]})"
    if line := _clean("".join(buffer)):
        yield line


def _events(node: HtmlElement) -> Iterator[tuple[str, Any]]:
    if not isinstance(node.tag, str) or node.tag in _SILENT:
        return
    block = node.tag in _BLOCKS
    if block:
        yield "break", ""
    elif node.tag == "img":
        yield "image", node
    elif node.tag in ("td", "th"):
        yield "text", " "
    if node.text:
        yield "text", node.text
    for child in node:
        yield from _events(child)
        if child.tail:
            yield "text", child.tail
    if block:
        yield "break", ""


def _picture(node: HtmlElement, base: str) -> tuple[str, str] | None:
    for name in ("data-original", "data-src", "src"):
        url = _join(base, (node.get(name) or "").strip())
        if url and not url.startswith(("data:", "blob:")) and node.get(name):
            alt = re.sub(r"[\[\]()]", "", _clean(node.get("alt") or node.get("title") or ""))
            return url, alt
    return None


def _images(node: HtmlElement, base: str) -> Iterator[tuple[str, str]]:
    seen = set()
    for image in node.iter("img"):
        picture = _picture(image, base)
        if picture and picture[0] not in seen:
            seen.add(picture[0])
            yield picture


def _links(node: HtmlElement, base: str) -> Iterator[tuple[str, str]]:
    seen = set()
    for link in node.iter("a"):
        target = (link.get("href") or "").strip()
        if not target or target.lower().startswith(("#", "javascript:", "mailto:", "tel:")):
            continue
        url = _join(base, target)
        if url and url not in seen:
            seen.add(url)
            yield url, _clean(link.text_content())


def _join(base: str, target: str) -> str:
    """The absolute address, empty when the page wrote something that is none."""
    try:
        return urljoin(base, target)
    except ValueError:
        return ""


def _is_file(url: str) -> bool:
    return unquote(urlsplit(url).path).lower().endswith(_FILES)


def _clean(text: str | None) -> str:
    return re.sub(r"[\s\u3000\u00a0\u200b\ufeff]+", " ", text or "").strip()
