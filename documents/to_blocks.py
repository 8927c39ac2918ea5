"""A file or the clipboard to a document: one door for .docx, .html, .md, .txt, .pdf and .ofd."""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePath

import pypdf

from blocks.document import Paragraph, plain
from blocks.from_html import from_html
from blocks.markdown import from_markdown
from blocks.taken import LeftOut, Taken, document_of, split_title
from blocks.text import from_plain
from documents.charset import decode
from documents.lines import Line, paragraphs
from documents.markup import SWOLLEN_PAGE, is_swollen
from documents.ofd import ofd_text
from documents.parts import LARGEST, Archive, Notes, Unreadable
from documents.pdf import MOST_PAGES, PDF_ERRORS, page_text, pictures_of
from documents.pdf_damage import damage_told
from documents.pictures import STRUCTURE_ERRORS
from documents.sniff import kind_of
from documents.whole import tell_damage
from documents.word_blocks import word_blocks
from storage.media import marker

_PICTURES = frozenset({"png", "jpeg", "gif", "webp"})
_OLD = (".doc", ".wps", ".wpt", ".dot", ".rtf")
_ZIPPED = (".docx", ".docm", ".dotx")
_OTHER = {
    **dict.fromkeys((".odt", ".uof", ".pages"), "请另存为 .docx 再导入"),
    **dict.fromkeys(
        (".xls", ".xlsx", ".et", ".csv"), "请打开后复制表格，粘贴到正文，或作为附件上传"
    ),
    **dict.fromkeys((".ppt", ".pptx"), "请另存为 .pdf 再导入，或作为附件上传"),
}
_PLAIN_PAGES = "%s 里没有标题、表格和列表的记号，只带来了文字，请核对分段"
_UNREAD = {
    "blind": "{} 页没有文字层（扫描页），没有带过来：请改用文字版",
    "garbled": "{} 页的文字读出来是乱码，没有带过来：请改用文字版",
    "partly": "{} 页有些文字的字体没有说明是什么字，没有带过来：请对照原文补上",
}
_RESAVE = "旧格式文件读不了：请用 Word 或 WPS 打开，另存为 .docx 再导入"


@dataclass(frozen=True)
class Brought:
    """What was taken over, and the bytes of its pictures by their marker."""

    taken: Taken
    pictures: dict[str, bytes] = field(default_factory=dict)


@dataclass
class _Kept:
    pictures: dict[str, bytes] = field(default_factory=dict)

    def __call__(self, content: bytes, name: str) -> str | None:
        if kind_of(content) not in _PICTURES:
            return None
        found = marker(content)
        self.pictures[found] = content
        return found


def bring_html(text: str) -> Brought:
    """The clipboard's HTML."""
    kept = _Kept()
    return Brought(from_html(text, kept), kept.pictures)


def bring_file(name: str, content: bytes) -> Brought:
    """One file by its suffix; Unreadable in words when nothing can be taken from it."""
    suffix = PurePath(name).suffix.lower()
    kept = _Kept()
    if len(content) > LARGEST:
        limit = LARGEST // 1_000_000
        raise Unreadable("too-large", "block", f"文件超过 {limit} MB，请拆分后再导入")
    # Office programs wrap an encrypted document in the old container format.
    if suffix in _ZIPPED and kind_of(content) == "ole":
        raise Unreadable("encrypted", "block", "文件已加密，读不了，请换没有密码的文件")
    if suffix in _OLD or kind_of(content) == "ole":
        raise Unreadable("old", "block", _RESAVE)
    if not content:
        raise Unreadable("broken", "block", "文件是空的，请重新选择")
    try:
        taken = _taken(suffix, content, kept)
    except STRUCTURE_ERRORS as error:
        reason = "文件结构不合规，打不开，请另存后再导入"
        raise Unreadable("malformed", "block", reason) from error
    taken = split_title(taken)
    return Brought(replace(taken, title=taken.title or PurePath(name).stem), kept.pictures)


def read_file(name: str, content: bytes) -> Brought | str:
    """The same, or why nothing can be taken; plain data that another process can send."""
    try:
        return bring_file(name, content)
    except Unreadable as unreadable:
        return unreadable.fault.reason


def _taken(suffix: str, content: bytes, keep: _Kept) -> Taken:
    if suffix in _ZIPPED:
        return _with_damage(content, word_blocks(Archive(content), keep))
    if suffix in (".html", ".htm"):
        return from_html(_page(content), keep, page=True)
    if suffix in (".md", ".markdown"):
        return from_markdown(decode(content))
    if suffix == ".txt":
        return Taken(from_plain(decode(content)))
    if suffix == ".pdf":
        return _pdf(content)
    if suffix == ".ofd":
        return _with_damage(content, _ofd(content))
    known = ".docx、.html、.pdf、.ofd、.md、.txt"
    remedy = f"：{_OTHER[suffix]}" if suffix in _OTHER else ""
    raise Unreadable("unreadable", "block", f"读不了这种文件{remedy}；可以导入 {known}")


def _page(content: bytes) -> str:
    text = decode(content)
    if is_swollen(text):
        raise Unreadable("too-long", "block", SWOLLEN_PAGE)
    return text


def _with_damage(content: bytes, taken: Taken) -> Taken:
    """What was taken, and in words the parts of the package that could not be."""
    notes = Notes()
    tell_damage(Archive(content, read_on="past-damage"), notes)
    told = [one.reason for one in notes.faults if one.severity != "hint"]
    return replace(taken, left_out=(*taken.left_out, *told))


def _pdf(content: bytes) -> Taken:
    """The text of a PDF; its lines end where the page ends, not where a sentence does."""
    left_out, notes = LeftOut(), Notes()
    try:
        with damage_told(notes):
            found = _pdf_text(content, left_out)
    except PDF_ERRORS as error:
        reason = "PDF 文件不完整或不合规，打不开，请重新生成"
        raise Unreadable("broken", "block", reason) from error
    for one in notes.faults:
        left_out.add(one.reason)
    if found:
        left_out.add(_PLAIN_PAGES % "PDF")
    blocks = [Paragraph(runs=plain(text)) for text in found]
    return Taken(document_of(blocks, left_out), left_out.said())


def _pdf_text(content: bytes, left_out: LeftOut) -> list[str]:
    reader = pypdf.PdfReader(io.BytesIO(content))
    if reader.is_encrypted and not reader.decrypt(""):
        raise Unreadable("encrypted", "block", "文件已加密，读不了，请换没有密码的文件")
    return [text for _, text in paragraphs(_pages(reader, left_out))]


def _ofd(content: bytes) -> Taken:
    left_out, notes = LeftOut(), Notes()
    found = ofd_text(Archive(content), notes)
    if found:
        left_out.add(_PLAIN_PAGES % "OFD")
    for place in dict.fromkeys(part.place for part in notes.parts):
        left_out.add(f"{place}没有带过来，请核对")
    blocks = [Paragraph(runs=plain(text)) for text in found]
    return Taken(document_of(blocks, left_out), left_out.said())


def _pages(reader: pypdf.PdfReader, left_out: LeftOut) -> Iterator[tuple[int, Sequence[Line]]]:
    for number, page in enumerate(reader.pages, 1):
        if number > MOST_PAGES:
            left_out.add("{} 页没有带过来：文件太长，请拆分", len(reader.pages) - MOST_PAGES)
            return
        text = page_text(page)
        if how := text.unread:
            left_out.add(_UNREAD[how])
        if count := pictures_of(page):
            left_out.add("{} 张图片没有带过来：请把图片文件拖进来", count)
        yield number, text.lines
