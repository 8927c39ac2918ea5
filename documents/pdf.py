"""PDF files: the text of each page, its annotations, its properties."""

import io
import re
from collections.abc import Iterator

import pypdf
from pypdf.generic import DictionaryObject

from documents.parts import AUTHOR, COMMENT, Notes, Unreadable, rows_of
from documents.persons import is_person

_MOST_PAGES = 500

_HAN = re.compile("[\u4e00-\u9fffA-Za-z0-9]")

PDF_ERRORS = (
    *(pypdf.errors.PyPdfError, ValueError, KeyError, TypeError, AttributeError, IndexError),
    *(RecursionError, OverflowError, NotImplementedError, AssertionError, OSError, MemoryError),
    pypdf.errors.DependencyError,
)

_GLYPHS = re.compile(r"(?:/[A-Za-z]{1,5}\d{1,5}){3,}")
_DEEPEST = 6


def page_text(page: pypdf.PageObject) -> str:
    """The text of a page; empty when its fonts do not say which characters their shapes are."""
    text = page.extract_text()
    shapes = sum(len(one[0]) for one in _GLYPHS.finditer(text))
    # The names of the shapes (/g18/g152) in place of characters would pass for text.
    return "" if shapes * 2 > len(text) else text


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
        _pdf_properties(reader, notes)
    except pypdf.errors.DependencyError as error:
        raise Unreadable("encrypted", "block", "文件已加密，无法检查") from error
    except PDF_ERRORS as error:
        reason = "PDF 文件不完整或不合规，打不开，请重新生成后上传"
        raise Unreadable("broken", "block", reason) from error


def _pdf_pages(reader: pypdf.PdfReader, notes: Notes) -> None:
    blind: list[int] = []
    for number, page in enumerate(reader.pages, 1):
        # A bound with words: what was not read must be said.
        if number > _MOST_PAGES:
            reason = f"超过 {_MOST_PAGES} 页，后面的没有检查，请把文件拆成几个"
            raise Unreadable("too-long", "block", reason)
        text = page_text(page)
        # Page numbers and stamps alone are left of a scanned page.
        if len(_HAN.findall(text)) < 5:
            blind.append(number)
        for line in text.splitlines():
            if line.strip():
                notes.add(f"第 {number} 页", line)
        for said in _annotations(page):
            index = notes.add(f"第 {number} 页的批注", said)
            notes.mark(index, COMMENT, said)
    if blind:
        reason = f"{rows_of(blind).replace('行', '页')}没有文字层，机器读不出内容，需要人工看"
        notes.fault("look", "warn", reason)


_LINKS = ("/Link", "/Popup", "/Widget")


def _annotations(page: pypdf.PageObject) -> Iterator[str]:
    for reference in page.get("/Annots") or ():
        note = reference.get_object()
        if isinstance(note, DictionaryObject) and note.get("/Subtype") not in _LINKS:
            said = str(note.get("/Contents") or "").strip()
            if said:
                yield said


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
