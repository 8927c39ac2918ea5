"""Word, Excel and PowerPoint files as addressed texts, what they hide included."""

import posixpath
import re
from typing import Any

from documents.beside import read_beside, read_descriptions
from documents.columns import Columns
from documents.parts import (
    AUTHOR,
    COMMENT,
    Archive,
    Notes,
    Unreadable,
    attribute,
    local,
    named,
)
from documents.persons import is_person
from documents.word_parts import WordParts

_PROPERTIES = {
    "creator": "作者",
    "lastModifiedBy": "最后修改者",
    "title": "标题",
    "subject": "主题",
    "description": "备注",
    "keywords": "标记",
    "category": "类别",
    "contentStatus": "状态",
    "identifier": "标识",
    "version": "版本",
    "Company": "单位",
    "Manager": "经理",
}
_INSIDE = re.compile(
    r"/(?:embeddings|activeX|ctrlProps)/[^/]+\.\w+$|(?:^|/)[^/]+\.(?:mht|mhtml|html?|rtf|txt|csv"
    r"|doc[xm]?|xls[xm]?|pp[ts][xm]?|pdf|ofd|wps|et|dps|zip|rar|7z|eml|msg)$",
    re.IGNORECASE,
)
_OBJECT = re.compile(
    r"/(?:activeX|ctrlProps)/|\.(?:bin|mht|mhtml|rtf|zip|rar|7z|eml|msg)$", re.IGNORECASE
)
# Parts that only describe an object are no object.
_DESCRIBES = re.compile(
    r"\.rels$|/(?:activeX|ctrlProps)/[^/]+\.xml$|\[Content_Types\]"
    r"|/(?:slideMasters|slideLayouts|notesMasters|handoutMasters|theme|styles|fontTable)"
    r"|/(?:tableStyles|presProps|viewProps|webSettings)\."
)
# By folder or by name, whatever the case; a small picture of the first page shows what it shows.
_PICTURE = re.compile(
    r"/media/[^/]+$|^(?!docProps/).*\.(?:png|jpe?g|jfif|gif|bmp|dib|tiff?|webp|hei[cf]|avif|jp2"
    r"|wdp|jxr|pcx|pict?|emf|wmf|emz|wmz|svgz?)$",
    re.IGNORECASE,
)
_DRAWN = re.compile(r"\.(?:emf|wmf|emz|wmz|svgz?|pict?)$", re.IGNORECASE)
_WORDS = re.compile(r"[\u4e00-\u9fff]{2}|\d{5}|[\w.]@[\w.]")
_PEOPLE = ("creator", "lastModifiedBy", "Manager")


def read_properties(archive: Archive, notes: Notes) -> None:
    """Document properties: who wrote and changed it, the office, custom fields."""
    for name in ("docProps/core.xml", "docProps/app.xml"):
        root = archive.xml(name)
        for node in root if root is not None else ():
            kind, text = local(node), (node.text or "").strip()
            if kind in _PROPERTIES and text:
                index = notes.add(f"文档属性“{_PROPERTIES[kind]}”", text)
                if kind in _PEOPLE and is_person(text):
                    notes.mark(index, AUTHOR, text)
    custom = archive.xml("docProps/custom.xml")
    for node in custom if custom is not None else ():
        text = "".join(node.itertext()).strip()
        # WPS writes its own version numbers there; they say nothing of the document.
        if text and not attribute(node, "name").startswith("KSO"):
            notes.add(f"文档属性“{attribute(node, 'name')}”", text)


def read_common(archive: Archive, notes: Notes) -> None:
    """What every office file may carry: macros, embedded files, pictures, properties."""
    if any(name.lower().endswith(("vbaproject.bin", "vbadata.xml")) for name in archive.names):
        notes.fault("macro", "block", "带有宏程序，不得发布，请另存为不带宏的文件")
    _embedded(archive, notes)
    tell_pictures(archive, notes)
    read_beside(archive, notes)
    read_properties(archive, notes)
    _unread(archive, notes)


def is_picture(name: str) -> bool:
    """Whether an entry of a file is a picture, of points or of lines."""
    return _PICTURE.search(name) is not None


def is_drawing(name: str) -> bool:
    """Whether it is drawn in lines: no reader of pictures opens those."""
    return _DRAWN.search(name) is not None


def tell_pictures(archive: Archive, notes: Notes, least: int = 0) -> None:
    """The pictures by what they are, wherever they lie: those of points, and drawings of lines.

    `least` were met on the pages. A drawing of lines keeps its words as words, or as shapes.
    """
    pictures = [name for name in archive.names if is_picture(name)]
    drawn = [name for name in pictures if is_drawing(name)]
    if count := max(len(pictures) - len(drawn), least):
        reason = f"含 {count} 张图片，机器读不出图中文字，需要人工看"
        notes.fault("look", "warn", reason)
    if drawn:
        reason = f"含 {len(drawn)} 张矢量图（EMF、WMF、SVG），读图也读不出其中文字，需要人工看"
        notes.fault("look", "warn", reason)
    for name in drawn:
        if name.lower().endswith(".svg") and (words := archive.words(name)):
            notes.add(f"矢量图 {posixpath.basename(name)}", words)


def _embedded(archive: Archive, notes: Notes) -> None:
    """Files and objects inside: read where that is possible, else told."""
    named_so = [name for name in archive.names if _INSIDE.search(name)]
    inside = [name for name in named_so if not _DESCRIBES.search(name)]
    left = 0
    for name in inside:
        opens = not _OBJECT.search(name)
        left += not (opens and notes.inside(posixpath.basename(name), archive.bytes(name)))
    if opened := len(inside) - left:
        notes.fault("embedded", "warn", f"嵌有 {opened} 个文件，读者能打开，请确认可以公开")
    if left:
        reason = f"嵌有 {left} 个文件或对象，机器没有检查，请由人打开查看，或改为单独的附件"
        notes.fault("embedded", "warn", reason)


def _unread(archive: Archive, notes: Notes) -> None:
    """Words in what no reader asked for: custom data, building blocks, what a program added."""
    for name in archive.names:
        written = name.lower().endswith((".xml", ".vml"))
        if not written or name in archive.read or _DESCRIBES.search(name):
            continue
        words = archive.words(name)
        if _WORDS.search(words):
            notes.add(f"文件内部的 {name}（看不见但随文件发布）", words)


def link_targets(archive: Archive, notes: Notes, name: str) -> None:
    """Where the links of a file lead: a mail address there is as public as one in the text."""
    root = archive.xml(name)
    for node in root if root is not None else ():
        target = attribute(node, "Target")
        if attribute(node, "TargetMode") == "External" and target.startswith("mailto:"):
            notes.add("超链接", target)


def read_slides(archive: Archive, notes: Notes) -> None:
    """A .pptx: slides in the order of the presentation, notes and comments."""
    parts = WordParts(archive, "ppt/presentation.xml")
    root = parts.text()
    if root is None:
        raise Unreadable("broken", "block", "文件里没有演示文稿，可能损坏或改过后缀，请重新上传")
    for one in named(root, "section", "custShow"):
        if name := attribute(one, "name").strip():
            notes.add("幻灯片分节和放映的名称", name)
    shown = [parts.place(attribute(one, "id")) for one in named(root, "sldId")]
    slides = [*dict.fromkeys(filter(None, (*shown, *parts.names("slide"))))]
    rest = archive.matching(r"ppt/slides/slide\d+\.xml")
    for number, name in enumerate(dict.fromkeys((*slides, *rest)), 1):
        _slide(archive, notes, name, f"第 {number} 张幻灯片")
        beside = WordParts(archive, name)
        for note in beside.names("notesSlide"):
            _slide(archive, notes, note, f"第 {number} 张的备注")
        for comment in beside.names("comments"):
            _slide(archive, notes, comment, f"第 {number} 张的批注")
    for number, name in enumerate(archive.matching(r"ppt/(?:notesSlides|comments)/[^/]+\.xml"), 1):
        if name not in archive.read:
            _slide(archive, notes, name, f"第 {number} 组备注或批注")
    _masters(archive, notes)
    read_common(archive, notes)


def _masters(archive: Archive, notes: Notes) -> None:
    """What masters and layouts write on every slide; what asks to be clicked they show nobody."""
    for name in archive.matching(r"ppt/(?:slide|notes|handout)(?:Master|Layout)s/[^/]+\.xml"):
        for shape in named(archive.passing(name), "sp", "cxnSp", "graphicFrame"):
            if not any(named(shape, "ph")):
                words = " ".join(each.text or "" for each in named(shape, "t"))
                if words.strip():
                    notes.add("母版上的文字", words)


def _slide(archive: Archive, notes: Notes, name: str, place: str) -> None:
    root = archive.passing(name)
    if attribute(root, "show") == "0":
        notes.fault("hidden", "warn", f"{place}是隐藏的，发布前请删除")
    tables = 0
    inside: set[Any] = set()
    for node in named(root, "p", "text", "tbl"):
        if local(node) == "tbl":
            tables += 1
            _table(node, notes, f"{place}表格 {tables}")
            inside.update(named(node, "p"))
        elif node not in inside and (text := _words_of(node)).strip():
            index = notes.add(place, text)
            if place.endswith("批注"):
                notes.mark(index, COMMENT, text)
    read_descriptions([root], notes)


def _words_of(paragraph: Any) -> str:
    """What a paragraph says; the end of a line in it is one in the text."""
    said = ((one.text or "") if local(one) == "t" else "\n" for one in named(paragraph, "t", "br"))
    return "".join(said) or (paragraph.text or "")


def _table(table: Any, notes: Notes, place: str) -> None:
    """A table of a slide cell by cell, each read with its heading."""
    columns = Columns()
    for number, row in enumerate(named(table, "tr"), 1):
        cells = ("\n".join(map(_words_of, named(cell, "p"))) for cell in named(row, "tc"))
        told = {at: text.strip() for at, text in enumerate(cells, 1) if text.strip()}
        for at, text in columns.row(told).items():
            column = f"{place} 第 {at} 列"
            notes.add(f"{column}第 {number} 行", text, column, number)
