"""OFD files (GB/T 33190): the text of each page as it is laid out, templates, annotations."""

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from documents.parts import COMMENT, Archive, Notes, Unreadable, attribute, local, named

_ROOT = "OFD.xml"
_WIDEST_GAP = 1.2  # sizes of a character between two pieces of one word, or line


@dataclass
class _Lines:
    """Pieces of text joined where one goes on from the other on the same line."""

    lines: list[str] = field(default_factory=list)
    _right: float = 0
    _base: float = 0

    def add(self, text: str, x: float, y: float, size: float, width: float) -> None:
        """The next piece in reading order, `y` being its base line."""
        same = bool(self.lines) and abs(y - self._base) < size / 2 and x > self._right - size
        if same:
            gap = " " if x - self._right > size * _WIDEST_GAP else ""
            self.lines[-1] += gap + text
        else:
            self.lines.append(text)
        self._right, self._base = x + width, y


def read_ofd(archive: Archive, notes: Notes) -> None:
    """An .ofd: every document in it, page by page in its own order."""
    roots = list(_roots(archive))
    pages = 0
    for root in roots:
        pages = _document(archive, notes, root, pages)
    if not roots or not pages:
        raise Unreadable("broken", "block", "文件里没有 OFD 页面，可能损坏，请重新上传")
    # A scanned page says nothing to a machine; silence must not pass for "nothing found".
    if not any(part.text.strip() for part in notes.parts):
        notes.fault("look", "warn", "没有文字层，机器读不出内容，需要人工看")


def _roots(archive: Archive) -> Iterator[str]:
    tree = archive.xml(_ROOT)
    for node in named(tree, "DocRoot") if tree is not None else ():
        path = _place(_ROOT, node.text or "")
        if path in archive.names:
            yield path


def _place(file: str, written: str) -> str:
    """The entry a place written in `file` means: from the root with a slash, else beside it."""
    path = posixpath.join("/", posixpath.dirname(file), written.strip())
    return posixpath.normpath(path).lstrip("/")


def _document(archive: Archive, notes: Notes, root: str, number: int) -> int:
    """The pages of one document; how many there were until now."""
    tree = archive.xml(root)
    # Only templates are meant by their number: pages may share one, or one of a template.
    templates = {
        attribute(node, "ID"): _place(root, attribute(node, "BaseLoc"))
        for node in named(tree, "TemplatePage")
    }
    pages = {}
    pictures = 0
    for node in named(tree, "Page"):
        number += 1
        pages[attribute(node, "ID")] = number
        where = f"第 {number} 页"
        page = _page(archive, notes, _place(root, attribute(node, "BaseLoc")), where)
        if page is None:
            continue
        for template in named(page, "Template"):
            key = attribute(template, "TemplateID")
            found = _page(archive, notes, templates.get(key, ""), f"{where}的模板")
            pictures += _pictures(found)
        pictures += _pictures(page)
    _annotations(archive, notes, root, pages)
    if pictures:
        reason = f"含 {pictures} 张图片，机器读不出图中文字，需要人工看"
        notes.fault("look", "warn", reason)
    if attached := _attachments(archive, root):
        reason = f"嵌有 {attached} 个文件，机器没有检查，请改为单独的附件"
        notes.fault("embedded", "warn", reason)
    return number


def _page(archive: Archive, notes: Notes, name: str, where: str) -> Any:
    """Keep the text of a page or template; its tree, or None when it is not there."""
    tree = archive.xml(name)
    if tree is None:
        notes.fault("look", "warn", f"{where}的内容不在文件里，机器没有检查，需要人工看")
        return None
    for line in _text(tree):
        notes.add(where, line)
    return tree


def _pictures(tree: Any) -> int:
    return 0 if tree is None else sum(1 for _ in named(tree, "ImageObject"))


def _text(tree: Any) -> list[str]:
    lines = _Lines()
    for one in named(tree, "TextObject"):
        left, top = (*_numbers(attribute(one, "Boundary")), 0.0, 0.0)[:2]
        size = _number(attribute(one, "Size")) or 5
        x = y = 0.0
        for code in (each for each in one if local(each) == "TextCode"):
            x = _number(attribute(code, "X")) if attribute(code, "X") else x
            y = _number(attribute(code, "Y")) if attribute(code, "Y") else y
            text = (code.text or "").strip("\r\n")
            if text:
                width = _width(text, size, attribute(code, "DeltaX"))
                lines.add(text, left + x, top + y, size, width)
    return [line for line in lines.lines if line.strip()]


def _width(text: str, size: float, deltas: str) -> float:
    """How far a piece reaches: by its steps where they are given, else by its characters."""
    widths = [size if ord(char) > 0x2E80 else size / 2 for char in text]
    steps = [] if "g" in deltas else _numbers(deltas)
    return sum(steps) + widths[-1] if len(steps) >= len(text) - 1 else sum(widths)


def _numbers(written: str) -> list[float]:
    return [_number(each) for each in written.split()]


def _number(written: str) -> float:
    try:
        return float(written)
    except ValueError:
        return 0.0


def _annotations(archive: Archive, notes: Notes, root: str, pages: dict[str, int]) -> None:
    """What was noted or stamped on the pages: its remark and what it shows."""
    for node in named(archive.xml(root), "Annotations"):
        name = _place(root, node.text or "")
        tree = archive.xml(name)
        for page in named(tree, "Page") if tree is not None else ():
            number = pages.get(attribute(page, "PageID"), 0)
            for place in named(page, "FileLoc"):
                found = archive.xml(_place(name, place.text or ""))
                for one in named(found, "Annot") if found is not None else ():
                    _annotation(notes, one, f"第 {number} 页的批注" if number else "批注")


def _annotation(notes: Notes, one: Any, where: str) -> None:
    who = attribute(one, "Creator").strip()
    place = f"{where}（{who}）" if who else where
    remarks = [(node.text or "").strip() for node in named(one, "Remark", "Parameter")]
    said = [text for text in (*remarks, *_text(one)) if text]
    for text in said:
        index = notes.add(place, text)
        notes.mark(index, COMMENT, text)


def _attachments(archive: Archive, root: str) -> int:
    found = 0
    for node in named(archive.xml(root), "Attachments"):
        tree = archive.xml(_place(root, node.text or ""))
        found += sum(1 for _ in named(tree, "Attachment")) if tree is not None else 0
    return found
