"""Attachments: bytes and a name in, addressed texts and faults out; findings that name the place.

Pure. Nothing a file contains is run, resolved or fetched; every cap ends in a fault a person sees.
"""

import csv
import io
import re
import warnings
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import pairwise
from pathlib import PurePath
from typing import Any

import charset_normalizer
import lxml.etree
import lxml.html
import pypdf
from PIL import Image
from pypdf.generic import DictionaryObject

from review_queue.gates.engine import Draft, Facts, RuleSet, run_gates
from review_queue.gates.finding import Finding
from review_queue.gates.office_files import (
    is_person,
    read_excel,
    read_ofd,
    read_slides,
    read_word,
)
from review_queue.gates.reading import (
    AUTHOR,
    COMMENT,
    HIDDEN,
    LARGEST,
    Archive,
    Columns,
    Fault,
    Notes,
    Reading,
    Unreadable,
    rows_of,
)

_BASIS = (
    "《保守国家秘密法实施条例》第四十二条（逐项审查）；"
    "《政府信息公开条例》第十五条、第十六条"
)  # fmt: skip
_MOST_PAGES = 500
_MOST_PIXELS = 50_000_000
_GPS = 0x8825
_OLE = bytes.fromhex("d0cf11e0a1b11ae1")
_HAN = re.compile("[\u4e00-\u9fffA-Za-z0-9]")
_PDF_ERRORS = (
    *(pypdf.errors.PyPdfError, ValueError, KeyError, TypeError, AttributeError, IndexError),
    *(RecursionError, OverflowError, NotImplementedError, AssertionError, OSError, MemoryError),
)
_STRUCTURE_ERRORS = (
    *(ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError, OverflowError),
    *(AssertionError, lxml.etree.LxmlError),
)


def read_attachment(name: str, content: bytes) -> Reading:
    """What one file says and hides. Never raises for what is in the file: that is a fault."""
    notes = Notes()
    try:
        if len(content) > LARGEST:
            limit = LARGEST // 1_000_000
            raise Unreadable("too-large", "block", f"文件超过 {limit} MB，无法检查，请拆分")
        suffix = PurePath(name).suffix.lower()
        suffix = suffix if suffix in SUFFIXES else _sniffed(content) or suffix
        _reader(suffix, content)(content, notes)
    except Unreadable as refused:
        notes.faults.append(refused.fault)
    except _STRUCTURE_ERRORS:
        notes.fault("malformed", "block", "文件结构不合规，打不开，请另存后重新上传")
    return notes.reading()


_STARTS = {
    b"%PDF": ".pdf",
    b"\x89PNG": ".png",
    b"\xff\xd8\xff": ".jpg",
    b"GIF8": ".gif",
    _OLE: ".doc",
}
_INSIDE = {"word/document.xml": ".docx", "xl/workbook.xml": ".xlsx", "OFD.xml": ".ofd",
           "ppt/presentation.xml": ".pptx"}  # fmt: skip


def _sniffed(content: bytes) -> str:
    """The suffix a file without one should have; fetched attachments are named by their link."""
    for start, suffix in _STARTS.items():
        if content.startswith(start):
            return suffix
    if content.startswith(b"PK"):
        names = set(Archive(content).names)
        return next((suffix for name, suffix in _INSIDE.items() if name in names), "")
    return ""


def _reader(suffix: str, content: bytes) -> Callable[[bytes, Notes], None]:
    """By suffix, once the first bytes agree with it."""
    if not content:
        raise Unreadable("broken", "block", "文件是空的，请重新上传")
    if content.startswith(_OLE):
        if suffix in _ZIPPED:
            raise Unreadable("encrypted", "block", "文件已加密，无法检查，请上传没有密码的文件")
        if suffix in _OLD:
            reason = "旧格式文件机器读不了，请另存为 .docx 或 .xlsx，或由人打开逐页查看"
            raise Unreadable("unreadable", "warn", reason)
    readers = _ZIPPED | _PLAIN
    if suffix not in readers:
        reason = f"不认识的文件类型 {suffix or '（没有后缀）'}，机器没有检查，请由人打开查看"
        raise Unreadable("unreadable", "warn", reason)
    starts = _MAGIC.get(suffix, ())
    if starts and not content.startswith(starts):
        reason = f"文件内容与后缀 {suffix} 不符，可能损坏或改过名，请重新上传"
        raise Unreadable("disguised", "block", reason)
    return readers[suffix]


# --- plain texts ----------------------------------------------------------------------------


def decoded(content: bytes) -> str:
    """The text of a plain file in whatever encoding; Unreadable when that cannot be told."""
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    best = charset_normalizer.from_bytes(content[:100_000]).best()
    if best is None:
        raise Unreadable("unreadable", "warn", "认不出文字编码，请另存为 UTF-8，或由人打开查看")
    return content.decode(best.encoding, "replace")


def _text(content: bytes, notes: Notes) -> None:
    for number, line in enumerate(decoded(content).splitlines(), 1):
        if line.strip():
            notes.add(f"第 {number} 行", line)


def _csv(content: bytes, notes: Notes) -> None:
    text = decoded(content)
    head = text[:4096]
    delimiter = max(",\t;", key=head.count)
    columns = Columns()
    try:
        for number, row in enumerate(csv.reader(io.StringIO(text), delimiter=delimiter), 1):
            told = {at: cell.strip() for at, cell in enumerate(row, 1) if cell.strip()}
            for at, cell in columns.row(told).items():
                notes.add(f"第 {number} 行第 {at} 列", cell, f"第 {at} 列", number)
    except csv.Error:
        _text(content, notes)


_LINE_ENDS = ("p", "div", "br", "tr", "li", "h1", "h2", "h3", "h4", "table", "section", "article")
_UNSEEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0", re.IGNORECASE)


def _html(content: bytes, notes: Notes) -> None:
    root: Any = lxml.html.document_fromstring(decoded(content) or "<p/>", ensure_head_body=True)
    for node in root.xpath("//comment()"):
        if text := (node.text or "").strip():
            notes.add("网页源码的注释", text)
        _drop(node)
    for node in root.xpath("//*[@style or @hidden]"):
        unseen = node.get("hidden") is not None or _UNSEEN.search(node.get("style", ""))
        if unseen and (text := str(node.text_content()).strip()):
            index = notes.add("网页里看不见的文字", text)
            notes.mark(index, HIDDEN, text)
            for child in list(node):
                node.remove(child)
            node.text = ""
    for node in root.xpath("//script|//style"):
        _drop(node)
    _html_tables(root, notes)
    for node in root.iter(*_LINE_ENDS):
        node.tail = "\n" + (node.tail or "")
    lines = [line.strip() for line in str(root.text_content()).split("\n") if line.strip()]
    for number, line in enumerate(lines, 1):
        notes.add(f"第 {number} 段", line)


def _html_tables(root: Any, notes: Notes) -> None:
    """Tables cell by cell, and out of the running text."""
    for number, table in enumerate(root.xpath("//table[not(.//table)]"), 1):
        columns = Columns()
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


# --- PDF and pictures -----------------------------------------------------------------------


def _pdf(content: bytes, notes: Notes) -> None:
    try:
        reader = pypdf.PdfReader(io.BytesIO(content))
        if reader.is_encrypted and not reader.decrypt(""):
            raise Unreadable("encrypted", "block", "文件已加密，无法检查，请上传没有密码的文件")
        _pdf_pages(reader, notes)
        _pdf_properties(reader, notes)
    except _PDF_ERRORS as error:
        reason = "PDF 文件不完整或不合规，打不开，请重新生成后上传"
        raise Unreadable("broken", "block", reason) from error
    except pypdf.errors.DependencyError as error:
        raise Unreadable("encrypted", "block", "文件已加密，无法检查") from error


def _pdf_pages(reader: pypdf.PdfReader, notes: Notes) -> None:
    blind: list[int] = []
    for number, page in enumerate(reader.pages, 1):
        if number > _MOST_PAGES:
            reason = f"超过 {_MOST_PAGES} 页，后面的没有检查，请拆分或由人逐页查看"
            raise Unreadable("too-long", "warn", reason)
        text = page.extract_text()
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


def _picture(content: bytes, notes: Notes) -> None:
    _picture_faults(content, notes)
    notes.fault("look", "warn", "图片没有文字层，机器读不出图中文字，需要人工看")


def _picture_faults(content: bytes, notes: Notes) -> Image.Image | None:
    """Damage, size and where it was taken; the opened picture when it can be looked at."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            picture = Image.open(io.BytesIO(content))
            if picture.width * picture.height > _MOST_PIXELS:
                raise Unreadable("bomb", "block", "图片尺寸异常地大，已拒绝读取，请不要使用")
            exif = picture.getexif()
            if exif.get_ifd(_GPS):
                reason = "照片里记着拍摄地点的经纬度，发布前请去除（另存或截图即可）"
                notes.fault("gps", "warn", reason)
            for tag, word in ((0x013B, "作者"), (0x010E, "说明"), (0x9C9C, "备注")):
                if text := str(exif.get(tag) or "").strip("\0 "):
                    notes.add(f"照片属性“{word}”", text)
    except (OSError, SyntaxError, *_STRUCTURE_ERRORS) as error:
        raise Unreadable("broken", "block", "图片不完整或已损坏，打不开，请重新上传") from error
    return picture


def read_picture(content: bytes) -> Reading:
    """A picture inside the text: its place and damage, and whether it looks like written paper."""
    notes = Notes()
    try:
        picture = _picture_faults(content, notes)
        if picture is not None and _looks_written(picture):
            notes.fault("look", "warn", "图片里像有文字，机器读不出，需要人工看")
    except Unreadable as refused:
        notes.faults.append(refused.fault)
    return notes.reading()


def _looks_written(picture: Image.Image) -> bool:
    """Whether several bands of rows alternate sharply between two tones, as printed lines do."""
    try:
        picture.draft("L", (800, 800))
        grey = picture.convert("L")
    except (OSError, SyntaxError, *_STRUCTURE_ERRORS):
        return True  # nobody but a person can tell
    grey.thumbnail((800, 800))
    width, height = grey.size
    data = grey.tobytes()
    sharp = 0
    for top in range(0, height, 2):
        row = data[top * width : (top + 1) * width]
        jumps = sum(abs(a - b) > 70 for a, b in pairwise(row))
        sharp += jumps >= 12
    return sharp >= 6


# --- the table of readers -------------------------------------------------------------------


def _zipped(read: Callable[[Archive, Notes], None]) -> Callable[[bytes, Notes], None]:
    return lambda content, notes: read(Archive(content), notes)


_ZIPPED = {
    **dict.fromkeys((".docx", ".docm", ".dotx"), _zipped(read_word)),
    **dict.fromkeys((".xlsx", ".xlsm", ".xltx"), _zipped(read_excel)),
    **dict.fromkeys((".pptx", ".ppsx", ".pptm"), _zipped(read_slides)),
    ".ofd": _zipped(read_ofd),
}
PICTURES = (".png", ".jpg", ".jpeg", ".gif", ".webp", ".bmp", ".tif", ".tiff")
_PLAIN: dict[str, Callable[[bytes, Notes], None]] = {
    **dict.fromkeys((".txt", ".md"), _text),
    ".csv": _csv,
    **dict.fromkeys((".html", ".htm"), _html),
    ".pdf": _pdf,
    **dict.fromkeys(PICTURES, _picture),
}
_OLD = frozenset((".doc", ".xls", ".ppt", ".wps", ".et", ".dps"))
_MAGIC = dict.fromkeys(_ZIPPED, (b"PK",)) | {".pdf": (b"%PDF", b"\xef\xbb\xbf%PDF")}
SUFFIXES = frozenset(_ZIPPED) | frozenset(_PLAIN) | _OLD


# --- findings -------------------------------------------------------------------------------


@dataclass(frozen=True)
class FileDraft:
    """One attachment ready to be checked on a day."""

    name: str
    reading: Reading
    kind: str
    as_of: date


def file_findings(
    file: FileDraft, ruleset: RuleSet, facts: Facts, *, include_hints: bool = False
) -> list[Finding]:
    """Findings of all gates in one attachment, and its faults, each with its place in words.

    Offsets count in the text that was read, all parts joined by newlines.
    """
    parts = file.reading.parts
    starts, text = _laid_out([part.text for part in parts])
    draft = Draft("", "", file.kind, file.as_of, attachments=((file.name, text),))
    found = run_gates(draft, ruleset, facts, include_hints=include_hints)
    faults = [_fault_finding(file, fault, starts) for fault in file.reading.faults]
    kept = [one for one in faults if include_hints or one.severity != "hint"]
    return kept + list(_placed(found, file.reading, starts))


def _laid_out(texts: Sequence[str]) -> tuple[list[int], str]:
    starts, at = [], 0
    for text in texts:
        starts.append(at)
        at += len(text) + 1
    return starts, "\n".join(texts)


# What makes a file unfit to be checked or published at all: nobody may wave it through.
_UNFIT = frozenset(
    f"secrecy.attachment-{rule}"
    for rule in ("bomb", "malformed", "broken", "disguised", "encrypted", "macro", "lost")
)


def _fault_finding(file: FileDraft, fault: Fault, starts: Sequence[int]) -> Finding:
    start, reason = 0, fault.reason
    if fault.part >= 0:
        part = file.reading.parts[fault.part]
        start = starts[fault.part] + max(part.text.find(fault.text), 0)
        reason = f"{fault.place or part.place}：{reason}"
    return Finding(
        gate="secrecy",
        rule=fault.rule,
        severity=fault.severity,
        field=f"attachment:{file.name}",
        start=start,
        end=start + len(fault.text),
        text=fault.text,
        reason=reason,
        basis=_BASIS,
        waivable=fault.rule not in _UNFIT,
    )


def _placed(found: Sequence[Finding], reading: Reading, starts: Sequence[int]) -> Iterator[Finding]:
    """Each finding with its place; those of one rule in one column as one."""
    groups: dict[tuple[object, ...], list[tuple[Finding, int]]] = {}
    for number, one in enumerate(found):
        part = bisect_right(starts, one.start) - 1
        column = reading.parts[part].column
        key = (column, one.gate, one.rule, one.severity) if column else (number,)
        groups.setdefault(key, []).append((one, part))
    for group in groups.values():
        first, part = group[0]
        place = reading.parts[part].place
        if reading.parts[part].column:
            rows = [reading.parts[each].row for _, each in group]
            place = f"{reading.parts[part].column}{rows_of(rows)}"
        count = f"（共 {len(group)} 处）" if len(group) > 1 else ""
        yield replace(first, reason=f"{place}：{first.reason}{count}")
