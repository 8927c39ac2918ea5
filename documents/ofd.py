"""OFD files (GB/T 33190): the text of each page as it is laid out, templates, annotations."""

import math
import posixpath
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from documents.lines import Line, Piece, in_order, lines_of, paragraphs, width_of
from documents.office import tell_pictures
from documents.parts import (
    AUTHOR,
    COMMENT,
    HIDDEN,
    Archive,
    Notes,
    Unreadable,
    attribute,
    local,
    named,
)
from documents.persons import is_person

_ROOT = "OFD.xml"
_MOST_STEPS = 10_000
_PROPERTIES = {"Title": "标题", "Author": "作者", "Subject": "主题", "Abstract": "摘要",
               "Keyword": "关键字", "CustomData": "自定义"}  # fmt: skip


@dataclass
class _File:
    """One OFD as it is read: the lines of each page, how many pictures and files it holds."""

    archive: Archive
    notes: Notes
    number: int = 0
    pictures: int = 0
    attached: int = 0
    apart: bool = True  # what templates show is told apart from the text of the page
    pages: dict[str, int] = field(default_factory=dict)


def read_ofd(archive: Archive, notes: Notes) -> None:
    """An .ofd: every document in it, page by page in its own order."""
    file = _File(archive, notes)
    for number, text in paragraphs(_sheets(file)):
        notes.add(f"第 {number} 页", text)
    _properties(archive, notes)
    # A scanned page says nothing to a machine; silence must not pass for "nothing found".
    if not any(part.text.strip() for part in notes.parts):
        notes.fault("look", "warn", "没有文字层，机器读不出内容，需要人工看")
    tell_pictures(archive, notes, file.pictures)
    if file.attached:
        reason = f"嵌有 {file.attached} 个文件，请改为单独的附件；机器读不了的由人打开查看"
        notes.fault("embedded", "warn", reason)


def ofd_text(archive: Archive, notes: Notes) -> list[str]:
    """The paragraphs of the pages alone; what else is in the file goes into the notes."""
    return [text for _, text in paragraphs(_sheets(_File(archive, notes, apart=False)))]


def _sheets(file: _File) -> Iterator[tuple[int, Sequence[Line]]]:
    for root in _roots(file.archive):
        yield from _document(file, root)
    if not file.number:
        raise Unreadable("broken", "block", "文件里没有 OFD 页面，可能损坏，请重新上传")


def _roots(archive: Archive) -> Iterator[str]:
    tree = archive.xml(_ROOT)
    for node in named(tree, "DocRoot") if tree is not None else ():
        path = archive.actual(_place(_ROOT, node.text or ""))
        if path in archive.names:
            yield path


def _place(file: str, written: str) -> str:
    """The entry a place written in `file` means: from the root with a slash, else beside it."""
    path = posixpath.join("/", posixpath.dirname(file), written.strip())
    return posixpath.normpath(path).lstrip("/")


def _document(file: _File, root: str) -> Iterator[tuple[int, Sequence[Line]]]:
    """The pages of one document, then what lies beside them."""
    tree = file.archive.xml(root)
    # Only templates are meant by their number: pages may share one, or one of a template.
    templates = {
        attribute(node, "ID"): _place(root, attribute(node, "BaseLoc"))
        for node in named(tree, "TemplatePage")
    }
    file.pages.clear()
    for node in named(tree, "Page"):
        file.number += 1
        file.pages[attribute(node, "ID")] = file.number
        where = f"第 {file.number} 页"
        page = _page(file, _place(root, attribute(node, "BaseLoc")), where)
        if page is None:
            continue
        lines: list[Line] = []
        for template in named(page, "Template"):
            place = templates.get(attribute(template, "TemplateID"), "")
            found = _page(file, place, f"{where}的模板")
            lines += _lines(found) if found is not None else []
        if file.apart:
            for _, text in paragraphs([(0, in_order(lines))]):
                file.notes.add(f"{where}的模板", text)
            lines = []
        yield file.number, in_order([*lines, *_lines(page)])
    for node in named(tree, "PublicRes", "DocumentRes"):
        _units(file, _place(root, node.text or ""))
    _annotations(file, root, tree)
    _attachments(file, root, tree)


def _page(file: _File, name: str, where: str) -> Any:
    """The tree of a page or template, or None when it is not there; what is unseen is marked."""
    tree = file.archive.passing(name)
    if tree is None:
        reason = f"{where}的内容不在文件里，机器没有检查，需要人工看"
        file.notes.fault("look", "warn", reason)
        return None
    file.pictures += sum(1 for _ in named(tree, "ImageObject"))
    for one in [each for each in tree.iter() if attribute(each, "Visible") == "false"]:
        for line in _lines(one):
            index = file.notes.add(f"{where}里看不见的文字", line.text)
            file.notes.mark(index, HIDDEN, line.text)
        for child in list(one):
            one.remove(child)
    return tree


def _units(file: _File, name: str) -> None:
    """Drawings that pages show by their number, with words in them."""
    tree = file.archive.xml(name)
    for unit in named(tree, "CompositeGraphicUnit") if tree is not None else ():
        for line in _lines(unit):
            file.notes.add("页面引用的图元", line.text)


def _lines(tree: Any) -> list[Line]:
    return lines_of(_pieces(tree))


def _pieces(tree: Any) -> Iterator[Piece]:
    for one in named(tree, "TextObject"):
        left, top = (*_numbers(attribute(one, "Boundary")), 0.0, 0.0)[:2]
        size = _number(attribute(one, "Size")) or 5
        turn = _numbers(attribute(one, "CTM"))
        turn = turn if len(turn) == 6 else [1.0, 0.0, 0.0, 1.0, 0.0, 0.0]
        tall = size * (math.hypot(turn[2], turn[3]) or 1.0)
        x = y = 0.0
        for code in (each for each in one if local(each) == "TextCode"):
            x = _number(attribute(code, "X")) if attribute(code, "X") else x
            y = _number(attribute(code, "Y")) if attribute(code, "Y") else y
            for text, dx, dy, width in _stretches(code, size):
                across, down = x + dx, y + dy
                yield Piece(
                    text,
                    left + across * turn[0] + down * turn[2] + turn[4],
                    top + across * turn[1] + down * turn[3] + turn[5],
                    tall,
                    width * (math.hypot(turn[0], turn[1]) or 1.0),
                )


def _stretches(code: Any, size: float) -> Iterator[tuple[str, float, float, float]]:
    """What is written in one go with its place and width: cut where a step is wide or goes down."""
    text = (code.text or "").strip("\r\n")
    steps, falls = _steps(attribute(code, "DeltaX")), _steps(attribute(code, "DeltaY"))
    if not text:
        return
    if not any(falls) and all(abs(step) <= size * 1.8 for step in steps):
        last = width_of(text[-1], size)
        known = len(steps) >= len(text) - 1 and len(text) > 1
        yield text, 0.0, 0.0, sum(steps) + last if known else width_of(text, size)
        return
    x = y = 0.0
    for at, char in enumerate(text):
        wide = width_of(char, size)
        yield char, x, y, wide
        x += steps[at] if at < len(steps) else 0.0 if falls else wide
        y += falls[at] if at < len(falls) else 0.0


def _steps(written: str) -> list[float]:
    """The steps from character to character; `g 3 2.5` is three steps of 2.5."""
    found: list[float] = []
    words = iter(written.split())
    for word in words:
        if word == "g":
            count = min(int(_number(next(words, "0"))), _MOST_STEPS)
            found += [_number(next(words, "0"))] * max(count, 0)
        else:
            found.append(_number(word))
    return found[:_MOST_STEPS]


def _numbers(written: str) -> list[float]:
    return [_number(each) for each in written.split()]


def _number(written: str) -> float:
    try:
        found = float(written)
    except ValueError:
        return 0.0
    return found if math.isfinite(found) else 0.0


def _annotations(file: _File, root: str, document: Any) -> None:
    """What was noted or stamped on the pages: its remark and what it shows."""
    archive, notes = file.archive, file.notes
    for node in named(document, "Annotations"):
        name = _place(root, node.text or "")
        tree = archive.xml(name)
        for page in named(tree, "Page") if tree is not None else ():
            number = file.pages.get(attribute(page, "PageID"), 0)
            for place in named(page, "FileLoc"):
                found = archive.xml(_place(name, place.text or ""))
                for one in named(found, "Annot") if found is not None else ():
                    _annotation(notes, one, f"第 {number} 页的批注" if number else "批注")


def _annotation(notes: Notes, one: Any, where: str) -> None:
    who = attribute(one, "Creator").strip()
    place = f"{where}（{who}）" if who else where
    remarks = [(node.text or "").strip() for node in named(one, "Remark", "Parameter")]
    said = [text for text in (*remarks, *(line.text for line in _lines(one))) if text]
    for text in said:
        index = notes.add(place, text)
        notes.mark(index, COMMENT, text)


def _attachments(file: _File, root: str, document: Any) -> None:
    """Files that lie in this one, read where that is possible."""
    archive = file.archive
    for node in named(document, "Attachments"):
        name = _place(root, node.text or "")
        tree = archive.xml(name)
        for one in named(tree, "Attachment") if tree is not None else ():
            file.attached += 1
            for place in named(one, "FileLoc"):
                held = archive.actual(_place(name, place.text or ""))
                if held in archive.names:
                    file.notes.inside(posixpath.basename(held), archive.bytes(held))


def _properties(archive: Archive, notes: Notes) -> None:
    for node in named(archive.xml(_ROOT), *_PROPERTIES):
        text = (node.text or "").strip()
        if text:
            index = notes.add(f"文档属性“{_PROPERTIES[local(node)]}”", text)
            if local(node) == "Author" and is_person(text):
                notes.mark(index, AUTHOR, text)
