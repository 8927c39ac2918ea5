"""What is pinned to the pages of a PDF: notes, links, files, fields; and what of it is lost."""

import re
from bisect import bisect_right
from collections.abc import Iterator
from typing import Any

import pypdf
from pypdf.generic import ArrayObject, DictionaryObject, StreamObject

from documents.parts import COMMENT, Notes, Wrong

PINNED: Wrong = ("embedded", "block", "页面上附有文件，请改为单独的附件；机器读不了的由人打开查看")
_LOST = "有批注、链接或表单域读不全（可能损坏），需要人工打开核对"
_NO_VALUE = "有一个表单栏显示着文字，却没有存下它的值（可能损坏），机器没有读到，需要人工看"
_DEEPEST = 10
_MOST = 20_000
_WRITES = re.compile(rb"[)>]\s*Tj|\]\s*TJ")
_TAG = re.compile(r"<[^<>]*>")
_OBJECT = re.compile(rb"(?<![0-9])([0-9]{1,8})\s+[0-9]{1,5}\s+obj\b")
_LIKE_ONE = re.compile(
    rb"/Subtype\s*/(?:Widget|FreeText|FileAttachment)\b|/URI\s*\(mailto:|/FT\s*/(?:Tx|Ch)\b"
)


class Annotations:
    """The annotations of one file as they are read, and by their numbers which were met."""

    def __init__(self, notes: Notes) -> None:
        """What they say goes into `notes`."""
        self._notes = notes
        self._met: set[int] = set()
        self._values: list[tuple[str, str]] = []

    def read(self, page: pypdf.PageObject, number: int) -> None:
        """Notes that people left, the addresses behind links, and files pinned to the page."""
        place = f"第 {number} 页"
        self._meet(page)
        held = page.get("/Annots")
        self._meet(held)
        found = held.get_object() if held is not None else ArrayObject()
        if not isinstance(found, ArrayObject):
            self._lost(place)
            return
        for reference in found:
            self._meet(reference)
            one = reference.get_object()
            if isinstance(one, DictionaryObject):
                self._meet(one)
                self._one(one, page, place)
            else:
                self._lost(place)

    def _one(self, one: DictionaryObject, page: pypdf.PageObject, place: str) -> None:
        kind = one.get("/Subtype")
        if kind == "/Link":
            self._link(one, place)
        elif kind == "/FileAttachment":
            self._pinned(one, f"{place}的附件")
        elif kind == "/Widget":
            self._widget(one, place)
        elif kind is None:
            self._lost(place)
        elif said := _said(one, page):
            index = self._notes.add(f"{place}的批注", said)
            self._notes.mark(index, COMMENT, said)

    def _link(self, one: DictionaryObject, place: str) -> None:
        target = str(dictionary(one.get("/A")).get("/URI") or "")
        if "@" in target or target.startswith(("mailto:", "tel:")):
            self._notes.add(f"{place}的超链接", target)
        elif not {"/A", "/Dest", "/PA", "/AA"} & set(one):
            self._lost(place)

    def _pinned(self, one: DictionaryObject, place: str) -> None:
        """A file pinned to a page: its name, and what is in it."""
        held = dictionary(one.get("/FS"))
        name = str(held.get("/UF") or held.get("/F") or "未命名")
        index = self._notes.add(place, name)
        self._notes.mark(index, PINNED, name)
        content = dictionary(held.get("/EF")).get("/F")
        content = content.get_object() if content is not None else None
        if isinstance(content, StreamObject):
            self._notes.inside(name, content.get_data())
        elif held.get("/FS") != "/URL":
            self._lost(place)

    def _widget(self, one: DictionaryObject, place: str) -> None:
        value, kind = "", ""
        for each in _upwards(one):
            self._meet(each)
            value = value or str(each.get("/V") or "").strip()
            kind = kind or str(each.get("/FT") or "")
        if value and not value.startswith("/"):
            self._values.append((place, value))
        elif not value and kind != "/Btn" and _writes(one):
            self._notes.fault("look", "warn", f"{place}{_NO_VALUE}")

    def finish(self, reader: pypdf.PdfReader, content: bytes, told: set[str]) -> None:
        """Values that the form itself does not know, and objects that no page leads to."""
        for place, value in dict.fromkeys(self._values):
            if value not in told:
                self._notes.add(f"{place}的表单栏", value)
        for each in _form(reader):
            self._meet(each)
        if any(number not in self._met for number in _written(reader, content)):
            self._lost("文件里")

    def _meet(self, one: Any) -> None:
        for each in (one, getattr(one, "indirect_reference", None)):
            number = getattr(each, "idnum", None)
            if isinstance(number, int):
                self._met.add(number)

    def _lost(self, place: str) -> None:
        reason = f"{place}{_LOST}"
        if not any(one.reason == reason for one in self._notes.faults):
            self._notes.fault("look", "warn", reason)


def _said(one: DictionaryObject, page: pypdf.PageObject) -> str:
    """What a note says, plain or set in type; else what it shows."""
    if one.get("/Subtype") == "/Popup":
        return ""
    plain = str(one.get("/Contents") or "").strip()
    if plain:
        return plain
    rich = " ".join(_TAG.sub(" ", str(one.get("/RC") or "")).split())
    shown = _shown(one)
    return rich or (page.extract_xform_text(shown).strip() if shown is not None else "")


def dictionary(value: Any) -> DictionaryObject:
    """What is meant, when it is a dictionary; else an empty one."""
    found = value.get_object() if value is not None else None
    return found if isinstance(found, DictionaryObject) else DictionaryObject()


def _upwards(one: DictionaryObject) -> Iterator[DictionaryObject]:
    """A field and those that it is a part of."""
    for _ in range(_DEEPEST):
        yield one
        if "/Parent" not in one:
            return
        one = dictionary(one.get("/Parent"))


def _writes(widget: DictionaryObject) -> bool:
    """Whether a field shows words."""
    shown = _shown(widget)
    return shown is not None and _WRITES.search(shown.get_data()) is not None


def _shown(one: DictionaryObject) -> Any:
    """What is drawn in its place; None when nothing is."""
    shown = dictionary(one.get("/AP")).get("/N")
    shown = shown.get_object() if shown is not None else None
    return shown if isinstance(shown, StreamObject) else None


def _form(reader: pypdf.PdfReader) -> Iterator[Any]:
    """All that the form of a file is made of."""
    root = dictionary(reader.trailer.get("/Root"))
    yield root
    yield root.get("/AcroForm")
    waiting: list[Any] = [dictionary(root.get("/AcroForm")).get("/Fields")]
    for _ in range(_MOST):
        if not waiting:
            return
        one = waiting.pop()
        yield one
        one = one.get_object() if one is not None else None
        if isinstance(one, ArrayObject):
            waiting += one
        elif isinstance(one, DictionaryObject):
            waiting.append(one.get("/Kids"))


def _written(reader: pypdf.PdfReader, content: bytes) -> Iterator[int]:
    """The numbers of the objects in use that look like an annotation or a field with words."""
    found = [one.start() for one in _LIKE_ONE.finditer(content)]
    if not found:
        return
    starts = [(one.start(), int(one[1])) for one in _OBJECT.finditer(content)]
    used = {number for some in reader.xref.values() for number in some}
    for place in found:
        at = bisect_right(starts, (place, 0)) - 1
        if at >= 0 and starts[at][1] in used:
            yield starts[at][1]
