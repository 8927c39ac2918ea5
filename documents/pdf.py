"""PDF files: the text of each page, its annotations, its properties."""

import io
import re
from typing import Any, NamedTuple

import pypdf
from pypdf.generic import DictionaryObject

from documents.parts import AUTHOR, COMMENT, Notes, Unreadable, Wrong, rows_of
from documents.persons import is_person
from documents.radicals import without_radicals

_MOST_PAGES = 500

PINNED: Wrong = ("embedded", "block", "页面上附有文件，机器没有检查，请改为单独的附件")

_HAN = re.compile("[\u4e00-\u9fffA-Za-z0-9]")

PDF_ERRORS = (
    *(pypdf.errors.PyPdfError, ValueError, KeyError, TypeError, AttributeError, IndexError),
    *(RecursionError, OverflowError, NotImplementedError, AssertionError, OSError, MemoryError),
    pypdf.errors.DependencyError,
)

_GLYPHS = re.compile(r"(?:/[A-Za-z]{1,5}\d{1,5}){3,}")
_DEEPEST = 6
# The tables of characters that pypdf has; `-H` and `-V` follow.
_ENCODINGS = frozenset(
    (
        *("90ms-RKSJ", "ETen-B5", "ETenms-B5", "GB-EUC", "GBK-EUC", "GBK2K", "GBpc-EUC"),
        *("Identity", "UniCNS-UTF16", "UniGB-UTF16", "UniJIS-UTF16"),
    )
)
_ENDS = re.compile(r"[。！？；：!?;:…”）)》】]$")
_BEGINS = re.compile(
    r"^(?:[一二三四五六七八九十]+、|（[一二三四五六七八九十]+）|\d{1,2}[.．、]|第.{1,4}[章节条])"
)


class PageText(NamedTuple):
    """The text of a page, and whether all its fonts say which characters their shapes are."""

    text: str
    whole: bool


def page_text(page: pypdf.PageObject) -> PageText:
    """The text of a page, without what its fonts do not say the characters of."""
    pieces: list[tuple[str, bool]] = []

    def keep(text: str, _: Any, __: Any, font: Any, ___: Any) -> None:
        pieces.append((text, not (text.strip() and _unread_encoding(font))))

    text = page.extract_text(visitor_text=keep)
    whole = all(read for _, read in pieces)
    text = without_radicals(text if whole else "".join(one for one, read in pieces if read))
    shapes = sum(len(one[0]) for one in _GLYPHS.finditer(text))
    # The names of the shapes (/g18/g152) in place of characters would pass for text.
    return PageText("" if shapes * 2 > len(text) else text, whole)


def _is_cut(line: str, following: str) -> bool:
    """Whether the end of a line cut an identity number or a telephone number in two."""
    start, end = re.search(r"\d+$", line), re.match(r"\d+[Xx]?(?![\dA-Za-z])", following)
    return start is not None and end is not None and len(start[0] + end[0]) in (11, 18)


def _unread_encoding(font: Any) -> bool:
    """Whether a font writes in a table that the reader lacks: it would guess."""
    if not isinstance(font, DictionaryObject) or "/Encoding" not in font or "/ToUnicode" in font:
        return False
    encoding = font["/Encoding"]
    # Every table of UCS-2 is Unicode itself.
    if not isinstance(encoding, str) or "-UCS2-" in encoding:
        return False
    name, _, way = encoding.removeprefix("/").rpartition("-")
    return way in ("H", "V") and name not in _ENCODINGS


def joined(lines: list[str], *, latin: str | None = " ") -> list[str]:
    """Paragraphs of lines: one goes on where a long line ends without the end of a sentence.

    `latin` stands between letters or figures that met at the end of a line; None leaves them apart.
    """
    usual = sorted(len(line) for line in lines)[len(lines) * 3 // 4] if lines else 0
    found: list[str] = []
    goes_on = False
    for line in lines:
        both = bool(found) and found[-1][-1].isascii() and line[0].isascii()
        cut = both and latin is None and _is_cut(found[-1], line)
        if cut:
            found[-1] += line
        elif goes_on and not _BEGINS.match(line) and not (both and latin is None):
            found[-1] += ((latin or "") if both else "") + line
        else:
            found.append(line)
        goes_on = len(line) >= usual * 0.85 and not _ENDS.search(line)
    return found


def pictures_of(page: pypdf.PageObject) -> int:
    """How many pictures a page shows, without unpacking any of them."""
    seen: set[int] = set()
    waiting = [(page.get("/Resources"), 0)]
    while waiting:
        resources, depth = waiting.pop()
        resources = resources.get_object() if resources is not None else None
        objects = resources.get("/XObject") if isinstance(resources, DictionaryObject) else None
        objects = objects.get_object() if objects is not None else None
        for reference in objects.values() if isinstance(objects, DictionaryObject) else ():
            one = reference.get_object()
            if not isinstance(one, DictionaryObject):
                continue
            if one.get("/Subtype") == "/Image":
                seen.add(id(one))
            elif depth < _DEEPEST:
                waiting.append((one.get("/Resources"), depth + 1))
    return len(seen)


def read_pdf(content: bytes, notes: Notes) -> None:
    try:
        reader = pypdf.PdfReader(io.BytesIO(content))
        # Many PDF files only forbid printing: their password for reading is empty.
        if reader.is_encrypted and not reader.decrypt(""):
            raise Unreadable("encrypted", "block", "文件已加密，无法检查，请上传没有密码的文件")
        _pdf_pages(reader, notes)
        _pdf_fields(reader, notes)
        _pdf_properties(reader, notes)
    except pypdf.errors.DependencyError as error:
        raise Unreadable("encrypted", "block", "文件已加密，无法检查") from error
    except PDF_ERRORS as error:
        reason = "PDF 文件不完整或不合规，打不开，请重新生成后上传"
        raise Unreadable("broken", "block", reason) from error


def _pdf_pages(reader: pypdf.PdfReader, notes: Notes) -> None:
    blind: list[int] = []
    partly: list[int] = []
    for number, page in enumerate(reader.pages, 1):
        # A bound with words: what was not read must be said.
        if number > _MOST_PAGES:
            reason = f"超过 {_MOST_PAGES} 页，后面的没有检查，请把文件拆成几个"
            raise Unreadable("too-long", "block", reason)
        text, whole = page_text(page)
        # Page numbers and stamps alone are left of a scanned page.
        if len(_HAN.findall(text)) < 5:
            blind.append(number)
        elif not whole:
            partly.append(number)
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        # Where two figures met at the end of a line, cells of a column may have.
        for line in joined(lines, latin=None):
            notes.add(f"第 {number} 页", line)
        _annotations(page, number, notes)
    if blind:
        reason = f"{rows_of(blind).replace('行', '页')}没有文字层，机器读不出内容，需要人工看"
        notes.fault("look", "warn", reason)
    if partly:
        pages = rows_of(partly).replace("行", "页")
        reason = f"{pages}有些文字的字体没有说明是什么字，机器读不出，需要人工看"
        notes.fault("look", "warn", reason)


def _annotations(page: pypdf.PageObject, number: int, notes: Notes) -> None:
    """Notes that people left, the addresses behind links, and files pinned to the page."""
    for reference in page.get("/Annots") or ():
        one = reference.get_object()
        kind = one.get("/Subtype") if isinstance(one, DictionaryObject) else None
        if kind == "/Link":
            action = one.get("/A", DictionaryObject()).get_object()
            target = str(action.get("/URI") or "")
            if target.startswith("mailto:"):
                notes.add(f"第 {number} 页的超链接", target)
        elif kind == "/FileAttachment":
            _pinned(one, f"第 {number} 页的附件", notes)
        elif kind not in (None, "/Popup", "/Widget"):
            said = str(one.get("/Contents") or "").strip()
            if said:
                index = notes.add(f"第 {number} 页的批注", said)
                notes.mark(index, COMMENT, said)


def _pinned(one: DictionaryObject, place: str, notes: Notes) -> None:
    """A file pinned to a page: its name; what is in it is for a person."""
    held = one.get("/FS", DictionaryObject()).get_object()
    held = held if isinstance(held, DictionaryObject) else DictionaryObject()
    name = str(held.get("/UF") or held.get("/F") or "未命名")
    index = notes.add(place, name)
    notes.mark(index, PINNED, name)


def _pdf_fields(reader: pypdf.PdfReader, notes: Notes) -> None:
    """What was filled into a form: it is shown, and belongs to no page's text."""
    for name, one in (reader.get_fields() or {}).items():
        said = str(one.get("/V") or "").strip()
        # The states of boxes are names: /Yes, /Off.
        if said and not said.startswith("/"):
            notes.add(f"表单栏“{name}”", said)


def _pdf_properties(reader: pypdf.PdfReader, notes: Notes) -> None:
    words = {"/Author": "作者", "/Title": "标题", "/Subject": "主题", "/Keywords": "关键字"}
    for key, value in (reader.metadata or {}).items():
        text = str(value).strip()
        if key in words and text:
            index = notes.add(f"文档属性“{words[key]}”", text)
            if key == "/Author" and is_person(text):
                notes.mark(index, AUTHOR, text)
    if reader.attachments:
        reason = f"嵌有 {len(reader.attachments)} 个文件，机器没有检查，请改为单独的附件"
        notes.fault("embedded", "warn", reason)
