"""Plain files: text in whatever encoding, comma-separated tables, saved web pages."""

import csv
import io
import re
from typing import Any

import charset_normalizer
import lxml.etree
import lxml.html

from documents.columns import Columns
from documents.markup import SWOLLEN_PAGE, is_swollen
from documents.parts import HIDDEN, Notes, Unreadable
from documents.unseen import unseen_nodes

CUT = "\ufffd"
"""What a text ends with that was cut off in the middle of a character."""
_CUT_TEXT = "文件在一个字的中间断了，后面的可能没有存全，请核对结尾后重新上传"
_OPENS, _CLOSES = (re.compile(one, re.IGNORECASE) for one in ("<html[ >]", "</(?:html|body)\\s*>"))
_CUT_PAGE = "网页没有结尾（</html>），可能没有存全，请核对后重新保存"


def decoded(content: bytes) -> str:
    """The text of a plain file in whatever encoding; Unreadable when that cannot be told."""
    # UTF-8 first: it fails on anything else, while GB18030 reads nearly any bytes.
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError as error:
            # Whole up to its last character: the file was cut within it.
            if 0 < len(content) - 4 <= error.start:
                return content[: error.start].decode(encoding) + CUT
    best = charset_normalizer.from_bytes(content[:100_000]).best()
    if best is None:
        raise Unreadable("unreadable", "warn", "认不出文字编码，请另存为 UTF-8，或由人打开查看")
    return content.decode(best.encoding, "replace")


def read_text(content: bytes, notes: Notes) -> None:
    for number, line in enumerate(_told(content, notes).splitlines(), 1):
        if line.strip():
            notes.add(f"第 {number} 行", line)


def _told(content: bytes, notes: Notes) -> str:
    """The text, with a word where it was cut."""
    text = decoded(content)
    if text.endswith(CUT):
        notes.fault("damaged", "warn", _CUT_TEXT)
    return text.removesuffix(CUT)


def read_table(content: bytes, notes: Notes) -> None:
    text = _told(content, notes)
    head = text[:4096]
    # Spreadsheets save with any of the three, and the file does not say which.
    delimiter = max(",\t;", key=head.count)
    columns = Columns()
    try:
        for number, row in enumerate(csv.reader(io.StringIO(text), delimiter=delimiter), 1):
            told = {at: cell.strip() for at, cell in enumerate(row, 1) if cell.strip()}
            for at, cell in columns.row(told).items():
                notes.add(f"第 {number} 行第 {at} 列", cell, f"第 {at} 列", number)
    # A broken table is still text that may hold a name.
    except csv.Error:
        read_text(content, notes)


_LINE_ENDS = (
    *("p", "div", "br", "tr", "li", "h1", "h2", "h3", "h4", "h5", "h6", "table", "section"),
    *("article", "summary", "details", "dt", "dd", "option", "figcaption", "caption", "legend"),
    *("header", "footer", "aside", "blockquote", "pre", "address", "noscript", "dialog", "iframe"),
)


def read_page(content: bytes, notes: Notes) -> None:
    # As bytes: a text that begins with an XML declaration is refused.
    text = _told(content, notes)
    if _OPENS.search(text) and not _CLOSES.search(text):
        notes.fault("damaged", "warn", _CUT_PAGE)
    if is_swollen(text):
        raise Unreadable("too-long", "block", SWOLLEN_PAGE)
    page = (text or "<p/>").encode("utf-8", "ignore")
    parser = lxml.html.HTMLParser(encoding="utf-8")
    root: Any = lxml.html.document_fromstring(page, parser=parser, ensure_head_body=True)
    _beside(root, notes)
    _attributes(root, notes)
    _framed(root, notes)
    for node in unseen_nodes(root):
        if text := str(node.text_content()).strip():
            index = notes.add("网页里看不见的文字", text)
            notes.mark(index, HIDDEN, text)
            for child in list(node):
                node.remove(child)
            node.text = ""
    _styled(root, notes)
    _html_tables(root, notes)
    for node in root.iter(*_LINE_ENDS):
        node.tail = "\n" + (node.tail or "")
    lines = [line.strip() for line in str(root.text_content()).split("\n") if line.strip()]
    for number, line in enumerate(lines, 1):
        notes.add(f"第 {number} 段", line)


def _styled(root: Any, notes: Notes) -> None:
    """What style sheets write on a page; they and its scripts go out of it."""
    for style in root.xpath("//style/text()"):
        for shown in _SHOWN.findall(str(style)):
            notes.add("样式表写在网页上的文字", shown)
    for node in root.xpath("//script|//style"):
        _drop(node)


def _framed(root: Any, notes: Notes) -> None:
    """The pages that are written into a frame of this one."""
    for inner in root.xpath("//iframe/@srcdoc"):
        page: Any = lxml.html.document_fromstring(f"<div>{inner}</div>")
        if words := str(page.text_content()).strip():
            notes.add("内嵌网页里的文字", words)


def _beside(root: Any, notes: Notes) -> None:
    """The title and the comments of a page, and out of it."""
    for node in root.xpath("//title"):
        if text := str(node.text_content()).strip():
            notes.add("网页的标题", text)
        _drop(node)
    for node in root.xpath("//comment()"):
        text = (node.text or "").strip()
        # The parser takes the declaration of XHTML for a comment.
        if text and not text.startswith("?xml "):
            notes.add("网页源码的注释", text)
        _drop(node)


_KEPT = (
    (
        "网页的关键词和描述",
        "//meta[@name='keywords' or @name='description' or @name='author']/@content",
    ),
    (
        "网页的说明",
        "//meta[starts-with(@property, 'og:') or starts-with(@name, 'twitter:')]/@content",
    ),
    ("图片的替代文字", "//img/@alt|//area/@alt"),
    ("鼠标停留才显示的文字", "//body//@title"),
    ("读屏软件读出的文字", "//@aria-label|//@aria-description|//table/@summary|//@label"),
    ("表单里的值", "//input/@value|//@placeholder"),
    ("模板里的文字", "//template//text()"),
)


def _attributes(root: Any, notes: Notes) -> None:
    """What a page says in its attributes, each once."""
    for place, path in _KEPT:
        for text in dict.fromkeys(" ".join(str(one).split()) for one in root.xpath(path)):
            if text:
                notes.add(f"{place}（看不见但随文件发布）", text)
    # What scripts keep in data- attributes is mostly of machines: only what holds a number.
    for text in dict.fromkeys(str(one) for one in root.xpath("//@*[starts-with(name(), 'data-')]")):
        if _LONG.search(text) and not text.startswith(_ADDRESSES):
            notes.add("网页元素附带的数据（看不见但随文件发布）", text[:_MOST_DATA])


_SHOWN = re.compile(r"""content\s*:\s*["']([^"'{}]{0,60}[\u4e00-\u9fff]{2}[^"'{}]{0,60})["']""")
_LONG = re.compile(r"(?<![0-9A-Za-z.])\d(?:[ -]?\d){10,18}(?![0-9A-Za-z.])")
_ADDRESSES = ("http:", "https:", "//", "/", "data:")
_MOST_DATA = 2_000


def _html_tables(root: Any, notes: Notes) -> None:
    """Tables cell by cell, and out of the running text."""
    for number, table in enumerate(root.xpath("//table[not(.//table)]"), 1):
        columns = Columns()
        for caption in table.xpath("./caption"):
            if words := str(caption.text_content()).strip():
                notes.add(f"表格 {number} 的标题", words)
        for at, row in enumerate(table.xpath(".//tr"), 1):
            texts = [str(cell.text_content()).strip() for cell in row.xpath("./td|./th")]
            told = {column: text for column, text in enumerate(texts, 1) if text}
            for column, text in columns.row(told).items():
                words = f"表格 {number} 第 {column} 列"
                notes.add(f"{words}第 {at} 行", text, words, at)
        _drop(table)


def _drop(node: Any) -> None:
    """Take a node out, its following text kept; one beside the root stays where it does no harm."""
    if node.getparent() is not None:
        node.drop_tree()
