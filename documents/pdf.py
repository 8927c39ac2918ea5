"""PDF files: the text of each page, and which of it was not read."""

import io
import math
import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import pypdf
from pypdf.generic import DictionaryObject

from documents.lines import Line, Piece, lines_of, paragraphs, width_of
from documents.parts import Notes, Unreadable, rows_of
from documents.pdf_annotations import Annotations
from documents.pdf_beside import read_beside_pages
from documents.pdf_damage import damage_told
from documents.pdf_ink import Ink
from documents.pdf_sweep import sweep_pdf
from documents.radicals import without_radicals

MOST_PAGES = 500

_HAN = re.compile("[\u4e00-\u9fffA-Za-z0-9]")

PDF_ERRORS = (
    *(pypdf.errors.PyPdfError, ValueError, KeyError, TypeError, AttributeError, IndexError),
    *(RecursionError, OverflowError, NotImplementedError, AssertionError, OSError, MemoryError),
    pypdf.errors.DependencyError,
)

_LIGATURES = dict(
    zip(range(0xFB00, 0xFB07), ("ff", "fi", "fl", "ffi", "ffl", "st", "st"), strict=True)
)
_GLYPHS = re.compile(r"(?:/[A-Za-z]{1,5}\d{1,5}){3,}")
_DEEPEST = 6
_TINY, _SOME = 1.5, 4  # points of type nobody can read, characters of it that are no accident
# The tables of characters that pypdf has; `-H` and `-V` follow.
_ENCODINGS = frozenset(
    (
        *("90ms-RKSJ", "ETen-B5", "ETenms-B5", "GB-EUC", "GBK-EUC", "GBK2K", "GBpc-EUC"),
        *("Identity", "UniCNS-UTF16", "UniGB-UTF16", "UniJIS-UTF16"),
    )
)
_FOREIGN = re.compile("[\uac00-\ud7af\ue000-\uf8ff\ufffd]")  # Hangul, private use, unknown
# What a spoilt table of a font leaves in place of characters: no text, and nothing to search.
_LOST = re.compile("[\ufffd\x80-\x9f]|/[A-Za-z]{1,3}[0-9A-F]{4}(?![0-9A-Za-z])")


class PageText(NamedTuple):
    """The lines of a page, and whether all its fonts say which characters their shapes are."""

    lines: list[Line]
    whole: bool
    faint: bool = False  # some of it is white, inkless or too small to be seen

    @property
    def unread(self) -> str:
        """How its words were not read: blind, garbled, partly; empty when they were."""
        # Page numbers and stamps alone are left of a scanned page.
        if sum(len(_HAN.findall(line.text)) for line in self.lines) >= 5:
            return "" if self.whole else "partly"
        return "blind" if self.whole else "garbled"


def page_text(page: pypdf.PageObject) -> PageText:
    """The lines of a page, without what its fonts do not say the characters of."""
    pieces: list[Piece] = []
    unread: list[str] = []
    known: dict[int, bool] = {}
    started = (0.0, 0.0, "")
    ink = Ink()

    def keep(text: str, cm: Any, tm: Any, font: Any, size: float) -> None:
        nonlocal started
        text = without_radicals(text.strip("\n")).translate(_LIGATURES)
        if not text:
            return
        if id(font) not in known:
            known[id(font)] = not _unread_encoding(font)
        if not known[id(font)] and text.strip():
            unread.append(text)
            return
        one = _piece(text, cm, tm, size)
        start = (one.left, one.base, text)
        # It tells where the pen was put: what is written on without moving it tells the same.
        if start[:2] == started[:2] and pieces and start != started:
            one = one._replace(left=pieces[-1].left + pieces[-1].width)
        if start != started:
            pieces.append(one)
        started = start

    page.extract_text(visitor_text=keep, visitor_operand_before=ink.follow)
    lines = lines_of(pieces)
    text = "".join(line.text for line in lines)
    shapes = sum(len(one[0]) for one in _GLYPHS.finditer(text))
    # The names of the shapes (/g18/g152) in place of characters would pass for text, and so would
    # what a reader guesses where a font says nothing.
    if shapes * 2 > len(text) or len(_FOREIGN.findall(text)) * 3 > len(text):
        return PageText([], not text.strip())
    tiny = sum(len(one.text.strip()) for one in pieces if one.size < _TINY)
    whole = not unread and not _LOST.search(text)
    return PageText(lines, whole, ink.faint or tiny >= _SOME)


def _piece(text: str, cm: Any, tm: Any, size: float) -> Piece:
    """A text with its place as it reads, also where the page or the writing is turned."""
    across = tm[0] * cm[0] + tm[1] * cm[2], tm[0] * cm[1] + tm[1] * cm[3]
    up = tm[2] * cm[0] + tm[3] * cm[2], tm[2] * cm[1] + tm[3] * cm[3]
    x, y = tm[4] * cm[0] + tm[5] * cm[2] + cm[4], tm[4] * cm[1] + tm[5] * cm[3] + cm[5]
    reach = math.hypot(*across) or 1.0
    dx, dy = across[0] / reach, across[1] / reach
    tall = abs(size) * (math.hypot(*up) or 1.0)
    width = width_of(text, abs(size) * reach)
    return Piece(text, x * dx + y * dy, x * dy - y * dx, tall, width)


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
        with damage_told(notes):
            _read(content, notes)
    except pypdf.errors.DependencyError as error:
        raise Unreadable("encrypted", "block", "文件已加密，无法检查") from error
    except PDF_ERRORS as error:
        reason = "PDF 文件不完整或不合规，打不开，请重新生成后上传"
        raise Unreadable("broken", "block", reason) from error


def _read(content: bytes, notes: Notes) -> None:
    reader = pypdf.PdfReader(io.BytesIO(content))
    # Many PDF files only forbid printing: their password for reading is empty.
    if reader.is_encrypted and not reader.decrypt(""):
        raise Unreadable("encrypted", "block", "文件已加密，无法检查，请上传没有密码的文件")
    pinned = Annotations(notes)
    _pdf_pages(reader, notes, pinned)
    read_beside_pages(reader, notes)
    told = {part.text for part in notes.parts if part.place.startswith("表单栏")}
    pinned.finish(reader, content, told)
    sweep_pdf(reader, content, notes)


_FAINT = "faint"
_FIND = "读者看不见但能找出来，发布前请删除"
_UNREAD = {
    "blind": "没有文字层，机器读不出内容，需要人工看",
    "garbled": "有文字，但字体没有说明是什么字（复制出来是乱码），机器读不出，需要人工看",
    "partly": "有些文字的字体没有说明是什么字，机器读不出，需要人工看",
}


def _pdf_pages(reader: pypdf.PdfReader, notes: Notes, pinned: Annotations) -> None:
    unread: dict[str, list[int]] = {}
    for number, text in paragraphs(_pages(reader, unread)):
        notes.add(f"第 {number} 页", text)
    for number, page in enumerate(reader.pages, 1):
        pinned.read(page, number)
    if faint := unread.pop(_FAINT, []):
        pages = rows_of(faint).replace("行", "页")
        notes.fault("hidden", "warn", f"{pages}有白色、透明或极小的文字，{_FIND}")
    for how, numbers in unread.items():
        notes.fault("look", "warn", rows_of(numbers).replace("行", "页") + _UNREAD[how])


def _pages(
    reader: pypdf.PdfReader, unread: dict[str, list[int]]
) -> Iterator[tuple[int, Sequence[Line]]]:
    """The lines of each page; pages of which nothing, or not all, was read are noted."""
    for number, page in enumerate(reader.pages, 1):
        # A bound with words: what was not read must be said.
        if number > MOST_PAGES:
            reason = f"超过 {MOST_PAGES} 页，后面的没有检查，请把文件拆成几个"
            raise Unreadable("too-long", "block", reason)
        text = page_text(page)
        if how := text.unread:
            unread.setdefault(how, []).append(number)
        if text.faint:
            unread.setdefault(_FAINT, []).append(number)
        yield number, text.lines
