"""A web page to an article: title, date, source, author, blocks, pictures, attachments.

Order of trust: a column's selectors, the government meta tags, the containers that government
site systems use, then readability, with gne for the title, time and source and for short notices
that fool readability. gne is asked only when something is still missing: it is the slowest.
"""

import asyncio
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property, partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from gne import GeneralNewsExtractor
from gne.exceptions import NoContentException
from lxml import etree
from lxml.cssselect import CSSSelector, SelectorError
from lxml.html import HtmlElement, document_fromstring

from config.clock import beijing, now
from content_sources.blocks import (
    HEADINGS,
    SILENT,
    Block,
    clean,
    is_file,
    links,
    plain,
    read_blocks,
    short_text,
)
from content_sources.body import container, generic, trimmed
from content_sources.dates import find_day
from content_sources.fetch import Fetcher, FetchError
from content_sources.policy_info import NUMBER, PolicyInfo, read_info
from content_sources.whitelist import Judge, SourceRule, judge
from documents.charset import decode, without_swollen_tags

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_LABELS = (
    "作者|编辑|责任|责编|审核|浏览|阅读|点击|访问|发布|时间|日期|来源|字号|字体|打印|分享|记者|稿源|点赞|收藏|"
    "【|\\[|大 中 小|大中小|纠错|关闭"
)
_VALUE = rf"\s*[:：]\s*(?!{_LABELS}|\d{{4}}[-年/])([^\s|｜:：<>【】\[\]]"
_SOURCE = re.compile(
    rf"(?:信息|稿件|文章|新闻|内容)?\s*(?:来\s*源|出\s*处|稿源|供稿单位|发布单位|发布机构){_VALUE}{{2,40}})"
)
_AUTHOR = re.compile(rf"(?<!责任)(?:作\s*者|撰稿人?|记者|供稿人?|通讯员){_VALUE}{{2,20}})")
_TODAY = re.compile(
    r"(?:今天|今日|现在)(?:是|为|：|:)?[^。]{0,6}?(?:19|20)\d{2}\s*[-/.年]\s*\d{1,2}\s*[-/.月]\s*\d{1,2}"
)
_PUBLISHED = re.compile(r"(?:发布|发表|发稿|刊发|公开|上网)\s*(?:时间|日期)\s*[:：]?\s*")
_UPDATED = re.compile(r"(?:更新|录入|添加|编辑)\s*(?:时间|日期)\s*[:：]?\s*")
_LABELLED = re.compile(r"(?<![\u4e00-\u9fff])(?:时\s*间|日\s*期)\s*[:：]\s*")
_IN_URL = re.compile(
    r"/(?:t|content_|c_)?((?:19|20)\d\d)[-/_]?(\d\d)[-/_]?(\d\d)(?=[/_.]|\d{0,6}_)"
)
_IN_ART = re.compile(r"/art/((?:19|20)\d\d)/(\d{1,2})/(\d{1,2})/")
_STAMP = re.compile(r"""\b(?:ct|oriCreateTime|createTime)\s*=\s*["'](1\d{9})["']""")
_LD_DAY = re.compile(r""""(?:datePublished|pubDate)"\s*:\s*"([^"]{8,40})\"""")
_SITE = re.compile(r"(?:政府|网|网站|门户|委员会|局|厅|首页|详情|正文|内容|新闻|公众平台)$")
_MEDIA = (
    r"([\u4e00-\u9fff]{2,14}(?:网|报|社|台|在线|中心|新闻|频道|客户端|政府|委员会|局|厅|办公室|"
    r"杂志|周刊))"
)
_BESIDE_DAY = re.compile(
    r"(?:19|20)\d{2}[-/.年]\d{1,2}[-/.月]\d{1,2}日?\s*(?:\d{1,2}:\d{2}(?::\d{2})?)?\s*[|｜/]?\s*"
    + _MEDIA
    + r"(?=\s|$|[|｜])"
)
_REPORTER = re.compile(
    r"(?:(?:本报|本网|本台|全媒体|见习|首席)?(?:记者|通讯员)|文/|文：)\s*([\u4e00-\u9fff]{2,4})(?=[\s）)、/|]|$)"
)
_TITLE_CLASS = re.compile(
    r"(?:^|[-_ ])(?:title|tit|bt|biaoti|headline|arttitle)(?:$|[-_ \d])", re.I
)
_SOURCE_CLASS = frozenset(
    {"source", "src", "laiyuan", "media", "origin", "source_baidu", "ly", "from", "article-source"}
)
_GNE_LONGEST = 500_000  # characters; gne's time grows faster than the page
_INLINE_TITLES = ("h1", "h2", "h3", "h4", "div", "p", "span", "td", "strong", "b", "font", "center")


@dataclass(frozen=True)
class Page:
    """One article. `date` is YYYY-MM-DD or empty; `text` is paragraphs joined by newlines.

    `images` are (url, alt), `links` and `attachments` (url, text), in the order of the page;
    `marked` is `text` with a line `![alt](url)` where each picture stands; `blocks` is the whole
    document; `policy` what the information box of a policy page says.
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
    blocks: tuple[Block, ...] = ()
    policy: PolicyInfo = field(default_factory=PolicyInfo)


class _Sheet:
    """One parsed page and what was found out about it so far."""

    def __init__(self, html: str, url: str, selectors: Mapping[str, Any]) -> None:
        whole = re.sub(r"^\s*<\?xml[^>]*\?>", "", _CONTROL.sub("", html))
        self.html = without_swollen_tags(whole)
        self.url = url
        try:
            self.tree: HtmlElement = document_fromstring(self.html)
        except (etree.ParserError, etree.XMLSyntaxError, ValueError) as error:
            raise ValueError("网页无法解析：内容不是 HTML 或者为空") from error
        self.chosen = _chosen(self.tree, selectors)
        self.meta = _meta(self.tree) | {
            name: clean(one.text_content()) for name, one in self.chosen.items()
        }
        self.tokens = _tokens(self.tree)
        self.head = " ".join(self.tokens)

    @cached_property
    def guess(self) -> dict[str, Any]:
        """gne's reading; empty for a very long page, for no article, or where gne stumbles."""
        if len(self.html) > _GNE_LONGEST:
            return {}
        try:
            return dict(GeneralNewsExtractor().extract(self.html, with_body_html=True))
        except (NoContentException, etree.LxmlError, ValueError, IndexError, KeyError):
            return {}
        except (AttributeError, TypeError, RecursionError):  # gne on odd markup
            return {}

    @cached_property
    def info(self) -> PolicyInfo:
        """The information box of a policy page."""
        known = {
            "doc_number": _number(_first(self.meta, "docnumber", "filenum", "wenhao")),
            "index_number": _first(self.meta, "indexnumber", "indexno"),
        }
        given = {name: value for name, value in known.items() if value}
        return read_info(self.tokens, given)


def extract_page(body: bytes | str, url: str, selectors: Mapping[str, Any] | None = None) -> Page:
    """Read one HTML page; ValueError in Chinese when it holds no article.

    `selectors` are CSS of a column whose pages need them: title, date, source, author, body (all
    optional); what they find goes before everything else.
    """
    html = decode(body) if isinstance(body, bytes) else body
    sheet = _Sheet(html, url, selectors or {})
    node = sheet.chosen.get("body")
    if node is None:
        node = container(sheet.tree)
    known = node is not None
    if node is None:
        node = generic(sheet.tree, sheet.html, lambda: str(sheet.guess.get("body_html") or ""))
    if node is None:
        raise ValueError(_NO_BODY)
    title = plain(_title(sheet))
    blocks = trimmed(read_blocks(node, url), title)
    lines = list(_lines(blocks))
    text = "\n".join(line for line in lines if not line.startswith("!["))
    if not text:
        raise ValueError(_NO_BODY)
    found = tuple(links(node, url))
    source = plain(_source(sheet))
    number = sheet.info.doc_number or _number(title) or _number(text[:600])
    return Page(
        title=title,
        date=_date(sheet, title),
        source=source,
        author=plain(_author(sheet, source, text)),
        text=text,
        images=tuple(dict.fromkeys((one.url, one.text) for one in blocks if one.kind == "image")),
        links=found,
        attachments=tuple(_attachments(node, found, url, known=known)),
        doc_number=number,
        marked="\n".join(lines),
        blocks=tuple(blocks),
        policy=sheet.info,
    )


_NO_BODY = "网页里找不到正文：请换一个文章页面，或为这个栏目设置选择器"


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
        fetched = await fetcher.fetch(url, typed_judge(url))
    except FetchError as error:
        raise ValueError(f"字段 url：{error.message}") from error
    page = await asyncio.to_thread(extract_page, fetched.text, fetched.final_url)
    return page_record(record.get("id"), page)


def typed_judge(url: str) -> Judge:
    """Allows the host of an address that a person typed, and no other."""
    return partial(judge, sources=_named(url), as_of=now())


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
        name = (tag.get("name") or tag.get("property") or tag.get("itemprop") or "").strip().lower()
        if name and clean(tag.get("content")):
            found.setdefault(name, clean(tag.get("content")))
    return found


def _first(meta: Mapping[str, str], *names: str) -> str:
    return next((meta[name] for name in names if meta.get(name)), "")


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


def _tokens(tree: HtmlElement) -> list[str]:
    """The visible pieces of text of the page in order; a colon belongs to what is before it."""
    found: list[str] = []
    stack: list[HtmlElement | str] = [tree]
    while stack:
        one = stack.pop()
        if isinstance(one, str):
            _add_token(found, clean(one))
        elif isinstance(one.tag, str) and one.tag not in SILENT:
            _add_token(found, clean(one.text))
            for child in reversed(one):
                if child.tail:
                    stack.append(child.tail)
                stack.append(child)
    return found


def _add_token(found: list[str], piece: str) -> None:
    if piece and found and piece[0] in ":：" and len(found[-1]) <= 12:
        found[-1] += piece
    elif piece:
        found.append(piece)


def _title(sheet: _Sheet) -> str:
    if given := _first(sheet.meta, ":title", "articletitle"):
        return given
    page = clean(" ".join(sheet.tree.xpath("//title/text()")[:1]))
    whole = [part for part in re.split(r"\s*[_|｜]\s*|\s+[-–—]+\s+|--+|\s*>>?\s*", page) if part]
    visible = list(_visible_titles(sheet.tree, page, whole))
    if visible:
        return max(visible, key=len)
    if given := _first(sheet.meta, "og:title", "twitter:title"):
        return given
    main = {clean(one.text_content()) for one in sheet.tree.xpath("//h1")} - {""}
    if len(main) == 1 and (not whole or _SITE.search(whole[0])):
        alone = main.pop()
        return alone if not whole or len(alone) > len(whole[0]) else whole[0]
    other = (sheet.info.title if sheet.info.is_policy else "") or _marked_title(sheet.tree)
    if len(other) >= 6 and (not whole or _SITE.search(whole[0])):
        return other
    other = clean(str(sheet.guess.get("title", "")))
    if whole and len(other) >= 8 and other in whole[0]:
        return other
    return whole[0] if whole else other


def _marked_title(tree: HtmlElement) -> str:
    """The longest line that the page itself calls its title."""
    found = [
        short_text(node, 80)
        for node in tree.iter("h1", "h2", "h3", "div", "p", "span", "td")
        if len(node) <= 2 and _TITLE_CLASS.search(f"{node.get('class', '')} {node.get('id', '')}")
    ]
    return max((one for one in found if len(one) >= 6), key=len, default="")


def _visible_titles(tree: HtmlElement, page: str, whole: Sequence[str]) -> Iterator[str]:
    """Lines of the page that its <title> begins with or, for headings, contains."""
    for node in tree.iter(*_INLINE_TITLES):
        if len(node) > 4 and node.tag not in HEADINGS:
            continue
        text = short_text(node, 200)
        if not len(text) >= 5 or text not in page or text in whole[1:]:
            continue
        if node.tag in ("h1", "h2", "h3") or (page.startswith(text) and _ends(page, text)):
            yield text


def _ends(page: str, text: str) -> bool:
    """Whether the page's title ends after `text`, or goes on with a separator and a site's name."""
    rest = page[len(text) :]
    return not rest or rest[0] in " _-–—|｜>,，·" or (len(rest) < 16 and bool(_SITE.search(rest)))


def _source(sheet: _Sheet) -> str:
    given = clean(_first(sheet.meta, ":source", "contentsource", "source", "og:article:source"))
    given = re.sub(r"^(?:信息|稿件|文章)?来源\s*[:：]\s*", "", given)
    if given and not re.fullmatch(r"[\d\W]+|https?:\S*", given):
        return given
    if found := _find(_SOURCE, sheet.head):
        return found
    name = sheet.tree.xpath('//*[@id="js_name"]')
    if name:
        return clean(name[0].text_content())
    if sheet.info.is_policy and sheet.info.issuer:
        return sheet.info.issuer
    return _find(_BESIDE_DAY, _TODAY.sub(" ", sheet.head)) or _marked_source(sheet.tree)


def _marked_source(tree: HtmlElement) -> str:
    """A short piece of text that the page itself calls its source."""
    for node in tree.iter("span", "div", "a", "p", "em", "i", "td"):
        names = {*(node.get("class") or "").lower().split(), (node.get("id") or "").lower()}
        if names & _SOURCE_CLASS:
            text = short_text(node, 20)
            if len(text) >= 2 and not re.search(r"\d|[:：，。]", text):
                return text
    return ""


def _date(sheet: _Sheet, title: str) -> str:
    """The day of publication. The date a page says of today is no date."""
    for text in _day_hints(sheet, title):
        if found := find_day(text):
            return found
    return ""


def _day_hints(sheet: _Sheet, title: str) -> Iterator[str]:
    tags = (
        ":date", "pubdate", "publishdate", "article:published_time", "og:published_time",
        "datepublished", "og:release_date", "weibo: article:create_at", "date",
    )  # fmt: skip
    yield from (sheet.meta[name] for name in tags if name in sheet.meta)
    if stamp := _STAMP.search(sheet.html):
        yield beijing(datetime.fromtimestamp(int(stamp[1]), UTC)).date().isoformat()
    yield from (match[1] for match in [_LD_DAY.search(sheet.html)] if match)
    head = _TODAY.sub(" ", sheet.head)
    start = max(head.find(title), 0)
    near = head[start : start + 600]
    yield from _after(_PUBLISHED, near)
    yield from _after(_PUBLISHED, head)
    yield sheet.info.published_on
    for pattern in (_IN_URL, _IN_ART):
        yield from ("-".join(match.groups()) for match in [pattern.search(sheet.url)] if match)
    yield from (one.get("datetime") or "" for one in sheet.tree.iter("time"))
    yield from _after(_UPDATED, near)
    yield from _after(_LABELLED, near)
    yield near
    yield str(sheet.guess.get("publish_time", ""))
    yield head


def _after(label: re.Pattern[str], text: str) -> Iterator[str]:
    """What follows each label, as far as a date reaches."""
    return (text[match.end() : match.end() + 24] for match in label.finditer(text))


def _author(sheet: _Sheet, source: str, text: str) -> str:
    given = _first(sheet.meta, ":author", "author", "og:article:author", "article:author")
    given = re.sub(r"^(?:作者|记者)\s*[:：]\s*", "", given)
    if given and not given.startswith("http") and given != source:
        return given
    if found := _find(_AUTHOR, sheet.head):
        return "" if "转载" in found else found
    if found := _find(_REPORTER, text[:200]) or _find(_REPORTER, text[-60:]):
        return found
    if "guess" not in sheet.__dict__:  # not worth gne's time alone
        return ""
    other = clean(str(sheet.guess.get("author", "")))  # gne takes the source for an author at times
    wrong = "转载" in other or (source and other.startswith(source))
    editor = re.search(rf"编辑\s*[:：]\s*{re.escape(other)}", sheet.head)
    return "" if wrong or editor else other


def _find(pattern: re.Pattern[str], text: str) -> str:
    match = pattern.search(text)
    return match[1].strip("，。；;,)）") if match else ""


def _number(text: str) -> str:
    match = NUMBER.search(text)
    return re.sub(r"\s", "", match[0]) if match else ""


def _lines(blocks: Iterable[Block]) -> Iterator[str]:
    for block in blocks:
        if block.kind == "image":
            yield f"![{block.text}]({block.url})"
        else:
            yield from block.text.split("\n")


def _attachments(
    node: HtmlElement, inside: Sequence[tuple[str, str]], url: str, *, known: bool
) -> Iterator[tuple[str, str]]:
    """Files linked in the body, and in what stands beside it on the page."""
    found = {target: text for target, text in inside if is_file(target)}
    parent = node.getparent() if known else None
    for _ in range(2):
        if parent is None or parent.tag in ("body", "html"):
            break
        for target, text in links(parent, url):
            if is_file(target):
                found.setdefault(target, text)
        parent = parent.getparent()
    yield from found.items()
