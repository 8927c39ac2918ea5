"""A part of a web page as clean blocks: headings, paragraphs, lists, tables, pictures. Pure.

What is neither text nor picture is dropped: scripts, forms, styles. The blocks are the document
that is kept; `text` of a block is what a reader sees, one line.
"""

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import unquote, urljoin, urlsplit

import nh3
from lxml.html import HtmlElement

from blocks.markup import BLOCKS, HEADINGS

SILENT = frozenset(
    {
        *("script", "style", "noscript", "iframe", "template", "svg", "form", "button", "select"),
        *("textarea", "head", "object", "embed", "video", "audio", "canvas", "map", "input"),
    }
)
_FILES = (".pdf", ".doc", ".docx", ".xls", ".xlsx", ".ppt", ".pptx", ".zip", ".rar", ".txt", ".wps",
          ".et", ".ofd", ".7z", ".csv")  # fmt: skip
_NOWHERE = ("#", "javascript:", "mailto:", "tel:", "data:")
_SMALL = 40  # pixels; smaller pictures are icons
_CELL_LONGEST = 300  # characters; a table with a longer cell is there for the layout
_SPACE = re.compile(r"[\s\u3000\u00a0\u200b\ufeff\u2028\u2029]+")
_CAPTION = re.compile(
    r"[(（]?(?:图片?来源|图源|供图|摄影|(?:记者|通讯员|图/?)?\s*[\u4e00-\u9fff·]{2,4}\s*摄)"
    r"\s*[:：]?\s*[^)）。]{0,30}[)）]?"
)
_ICON = re.compile(r"icon|filetype|/(?:blank|spacer|dot|line|logo|qrcode|ewm|weixin)\b", re.I)


class Link(NamedTuple):
    """An address with the text, or the alt text of the picture, that the page gives it."""

    url: str
    text: str


Row = tuple[str, ...]
"""The cells of one line of a table."""


@dataclass(frozen=True)
class Block:
    """One block. Which fields are filled depends on `kind`.

    heading (text, level), paragraph (text), item (text, level: depth of the list, ordered),
    table (text: rows as lines, rows), image (url, text: its alt text, origin, licence).
    `linked` is the share of the text that is links, `file` whether a link leads to a file.
    """

    kind: str
    text: str
    level: int = 0
    ordered: bool = False
    rows: tuple[Row, ...] = ()
    url: str = ""
    origin: str = ""
    licence: str = ""
    linked: float = 0.0
    file: bool = False

    def record(self) -> dict[str, object]:
        """The block as plain data, without what is empty."""
        fields = ("kind", "text", "level", "ordered", "rows", "url", "origin", "licence")
        found: dict[str, object] = {
            name: getattr(self, name) for name in fields if getattr(self, name)
        }
        if self.kind == "image":
            found |= {"origin": self.origin, "licence": self.licence}
        if self.rows:
            found["rows"] = [list(row) for row in self.rows]
        return found


class _Builder:
    """Collects text until a block ends."""

    def __init__(self, base: str) -> None:
        self.base = base
        self.blocks: list[Block] = []
        self.kind, self.level, self.ordered = "paragraph", 0, False
        self._parts: list[str] = []
        self._linked = 0
        self._file = False
        self.in_link = 0

    def add(self, text: str) -> None:
        self._parts.append(text)
        if self.in_link:
            self._linked += len(clean(text))

    def link(self, url: str) -> None:
        self._file = self._file or is_file(url)

    def end(self) -> None:
        """The block so far is finished; nothing happens when it is empty."""
        text = clean("".join(self._parts))
        if text:
            self.blocks.append(
                Block(
                    self.kind,
                    text,
                    level=self.level,
                    ordered=self.ordered,
                    linked=self._linked / len(text),
                    file=self._file,
                )
            )
        self._parts.clear()
        self._linked, self._file = 0, False

    def picture(self, node: HtmlElement) -> None:
        found = picture(node, self.base)
        if found:
            self.end()
            self.blocks.append(Block("image", found.text, url=found.url, origin=_site(found.url)))


def read_blocks(node: HtmlElement, base: str) -> list[Block]:
    """The blocks of `node` in reading order; addresses joined to `base`."""
    builder = _Builder(base)
    _walk(node, builder)
    builder.end()
    return _with_captions(builder.blocks)


def _walk(root: HtmlElement, builder: _Builder) -> None:
    """Depth first with a stack of our own: no page is nested too deep."""
    stack: list[tuple[HtmlElement, bool]] = [(root, False)]
    while stack:
        node, leaving = stack.pop()
        if leaving:
            _leave(node, builder)
            if node is not root and node.tail:
                builder.add(node.tail)
            continue
        if not isinstance(node.tag, str) or node.tag in SILENT or _hidden(node):
            if node is not root and node.tail:
                builder.add(node.tail)
            continue
        if node.tag == "table" and (rows := _data_table(node)):
            builder.end()
            builder.blocks.append(_table(node, rows))
            if node is not root and node.tail:
                builder.add(node.tail)
            continue
        _enter(node, builder)
        stack.append((node, True))
        stack.extend((child, False) for child in reversed(node))


def _enter(node: HtmlElement, builder: _Builder) -> None:
    tag = node.tag
    if tag in BLOCKS:
        builder.end()
    if tag in HEADINGS:
        builder.kind, builder.level = "heading", HEADINGS[tag]
    elif tag == "li":
        builder.kind = "item"
        builder.ordered = node.getparent() is not None and node.getparent().tag == "ol"
        builder.level = sum(1 for one in node.iterancestors("ul", "ol"))
    elif tag == "a":
        builder.in_link += 1
        builder.link(join(builder.base, (node.get("href") or "").strip()))
    elif tag == "img":
        builder.picture(node)
    elif tag in ("td", "th"):
        builder.add(" ")
    if node.text:
        builder.add(node.text)


def _leave(node: HtmlElement, builder: _Builder) -> None:
    if node.tag in BLOCKS:
        builder.end()
    if node.tag in HEADINGS or node.tag == "li":
        builder.kind, builder.level, builder.ordered = "paragraph", 0, False
    elif node.tag == "a":
        builder.in_link -= 1


def _hidden(node: HtmlElement) -> bool:
    style = (node.get("style") or "").replace(" ", "").lower()
    return "display:none" in style or node.get("hidden") is not None


# --- tables -----------------------------------------------------------------------------


def _data_table(node: Any) -> tuple[Row, ...]:
    """The rows of a table that holds data; empty for one that only places things."""
    if any(one is not node for one in node.iter("table")):
        return ()
    if next(node.iter("img"), None) is not None:
        return ()
    rows = []
    for line in node.iter("tr"):
        cells = tuple(clean(_words(cell)) for cell in line if cell.tag in ("td", "th"))
        if any(cells):
            rows.append(cells)
    if len(rows) < 2 or max(len(row) for row in rows) < 2:
        return ()
    longest = max(len(cell) for row in rows for cell in row)
    filled = sum(bool(cell) for row in rows for cell in row)
    return tuple(rows) if longest <= _CELL_LONGEST and filled * 2 > len(rows) else ()


def _table(node: HtmlElement, rows: tuple[Row, ...]) -> Block:
    caption = "".join(clean(_words(one)) for one in node.iter("caption"))
    lines = [caption] if caption else []
    lines += [" ".join(cell for cell in row if cell) for row in rows]
    linked = sum(len(clean(_words(one))) for one in node.iter("a"))
    text = "\n".join(line for line in lines if line)
    file = any(is_file(one.get("href") or "") for one in node.iter("a"))
    return Block("table", text, rows=rows, linked=linked / len(text), file=file)


def _words(node: HtmlElement) -> str:
    """All visible text inside, breaks as spaces."""
    parts: list[str] = []
    stack: list[HtmlElement | str] = [node]
    while stack:
        one = stack.pop()
        if isinstance(one, str):
            parts.append(one)
            continue
        if isinstance(one.tag, str) and one.tag not in SILENT and not _hidden(one):
            if one.tag in ("br", "p", "div", "li") and one is not node:
                parts.append(" ")
            if one.text:
                parts.append(one.text)
            for child in reversed(one):
                if child.tail:
                    stack.append(child.tail)
                stack.append(child)
    return "".join(parts)


# --- pictures and links -----------------------------------------------------------------


def _with_captions(blocks: list[Block]) -> list[Block]:
    """A line under a picture that names its maker is the picture's origin."""
    made: list[Block] = []
    for at, block in enumerate(blocks):
        after = blocks[at + 1] if at + 1 < len(blocks) else None
        if block.kind == "image" and after is not None and len(after.text) <= 80:
            match = _CAPTION.search(after.text)
            if match:
                block = Block(**{**block.__dict__, "origin": match[0].strip("()（） ")})
        made.append(block)
    return made


def picture(node: HtmlElement, base: str) -> Link | None:
    """Address and alt text of an img that is more than an icon."""
    if any(_pixels(node.get(side)) < _SMALL for side in ("width", "height")):
        return None
    for name in ("data-original", "data-src", "data-lazy-src", "oldsrc", "src"):
        given = (node.get(name) or "").strip()
        url = join(base, given)
        if given and url and not url.startswith(("data:", "blob:", "file:", "javascript:")):
            if _ICON.search(urlsplit(url).path):
                return None
            alt = re.sub(r"[\[\]()]", "", clean(node.get("alt") or node.get("title") or ""))
            return Link(url, alt)
    return None


def _pixels(value: str | None) -> int:
    match = re.match(r"\s*(\d{1,5})(?:px)?\s*$", value or "")
    return int(match[1]) if match else _SMALL


def links(node: HtmlElement, base: str) -> Iterator[Link]:
    """Address and text of every link of `node`, each address once."""
    seen = set()
    for link in node.iter("a"):
        target = (link.get("href") or "").strip()
        if not target or target.lower().startswith(
            ("#", "javascript:", "mailto:", "tel:", "data:")
        ):
            continue
        url = join(base, target)
        if url and url not in seen:
            seen.add(url)
            yield Link(url, clean(link.text_content()) or clean(link.get("title")))


def join(base: str, target: str) -> str:
    """The absolute address, empty when the page wrote something that is none."""
    try:
        return urljoin(base, target)
    except ValueError:
        return ""


def is_file(url: str) -> bool:
    """Whether an address names a document rather than a page."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    names = [parts.path, *(part.split("=", 1)[-1] for part in parts.query.split("&"))]
    return any(unquote(name).lower().endswith(_FILES) for name in names)


def _site(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def clean(text: str | None) -> str:
    """One line without needless space."""
    return _SPACE.sub(" ", text or "").strip()


def plain(text: str) -> str:
    """Text without any markup, also markup that was escaped once or twice."""
    for _ in range(3):
        cleaned = html.unescape(nh3.clean(text, tags=set()))
        if cleaned == text:
            break
        text = cleaned
    return clean(re.sub(r"</?[a-zA-Z!][^<>]*>?", "", text))


def short_text(node: HtmlElement, longest: int) -> str:
    """The text of an element, empty when it is longer; long ones are not read to their end."""
    parts, size = [], 0
    for part in node.itertext():
        parts.append(str(part))
        size += len(parts[-1])
        if size > longest * 4:
            return ""
    text = clean("".join(parts))
    return text if len(text) <= longest else ""
