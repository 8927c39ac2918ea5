"""Word documents: paragraphs, tables, notes, boxes, tracked changes, comments."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any, NamedTuple

from blocks.taken import LeftOut
from documents.beside import field_words, read_controls, read_descriptions
from documents.columns import Columns
from documents.office import link_targets, read_common
from documents.parts import (
    COMMENT,
    HIDDEN,
    Archive,
    Notes,
    Unreadable,
    Wrong,
    attribute,
    local,
    named,
)
from documents.unseen import run_unseen, shaded
from documents.word_marks import characters
from documents.word_parts import WordParts
from documents.word_styles import Numbers, Styles, child, counted, value


class _Piece(NamedTuple):
    kind: str  # plain, inserted, deleted, hidden, code, field, reading, object
    text: str
    author: str


# Fields whose code holds words of its own, asks for them, or says where they come from.
_WORDED = re.compile(
    r"\b(?:HYPERLINK|MACROBUTTON|QUOTE|FILLIN|ASK|SET|IF|INCLUDETEXT|INCLUDEPICTURE|DATABASE|LINK)\b",
    re.IGNORECASE,
)
_QUOTED = re.compile(r'"[^"]*[\u4e00-\u9fff]{2}')
_TRACKED = {"ins": "inserted", "moveTo": "inserted", "del": "deleted", "moveFrom": "deleted"}

_TEXTS = {"t": None, "delText": "deleted", "instrText": "code", "delInstrText": "deleted"}

_BREAKS = {"tab": "\t", "br": " ", "cr": " ", "noBreakHyphen": "-"}

_FORMAT = frozenset({"rPrChange", "pPrChange", "tblPrChange", "sectPrChange", "cellIns", "cellDel"})

_CHANGE_WORDS = {"inserted": "插入", "deleted": "删除"}

_OBJECTS = frozenset({"drawing", "pict", "object"})

_MOST_CHANGES = 50

_UNSETTLED: Wrong = (
    "tracked-change",
    "block",
    "修订没有处理，读者能看到修改经过，发布前请接受或拒绝全部修订",
)


@dataclass
class _Word:
    archive: Archive
    notes: Notes
    hidden_styles: frozenset[str]
    styles: Styles
    numbers: Numbers
    paragraphs: int = 0
    tables: int = 0
    changes: int = 0
    grounded: bool = False  # a shade may lie under what is being read

    def block(self, node: Any, where: str) -> None:
        """Paragraphs and tables in reading order; `where` is empty in the body."""
        for each in node:
            name = local(each)
            if name == "p":
                self.paragraph(each, where)
            elif name == "tbl":
                self.table(each, where)
            elif name != "Fallback":
                self.block(each, where)

    def paragraph(self, node: Any, where: str) -> None:
        """One paragraph: what is seen, what was deleted, what is hidden, its text boxes."""
        if where:
            place = where
        else:
            self.paragraphs += 1
            place = f"第 {self.paragraphs} 段"
        before = self.grounded
        self.grounded = before or any(shaded(one) for one in node if local(one) == "pPr")
        self.told(list(self.pieces(node, "plain", "")), place, "", 0)
        self.ended(node, place)
        self.grounded = True  # a box may be filled
        for box in _boxes(node):
            self.block(box, f"{place}的文本框")
        self.grounded = before

    def told(self, pieces: list[_Piece], place: str, column: str, row: int, head: str = "") -> None:
        """Keep the pieces of one paragraph or cell under its place."""
        pieces = list(_with_fields(pieces))
        seen = "".join(one.text for one in pieces if one.kind in ("plain", "inserted"))
        seen = seen.strip()
        index = self.notes.add(place, head + seen, column, row) if seen else -1
        for one in _joined(pieces):
            if one.kind == "inserted" and one.text.strip():
                self.change(one, place, index)
            elif one.kind == "deleted" and one.text.strip():
                deleted = self.notes.add(f"{place}的修订（{one.author}删除的文字）", one.text)
                self.change(one, place, deleted)
            elif one.kind == "hidden" and one.text.strip():
                hidden = self.notes.add(f"{place}的隐藏文字", one.text)
                self.notes.mark(hidden, HIDDEN, one.text)
            elif one.kind == "object":
                self.change(one, place, -1)
            elif one.kind == "reading" and one.text.strip():
                self.notes.add(f"{place}的拼音或注文", one.text)
            elif one.kind == "code" and (_WORDED.search(one.text) or _QUOTED.search(one.text)):
                self.notes.add(f"{place}的域代码", one.text.strip())

    def change(self, one: _Piece, place: str, index: int) -> None:
        """A tracked change that was neither accepted nor refused."""
        self.changes += 1
        if self.changes > _MOST_CHANGES:
            return
        if one.kind in _CHANGE_WORDS:
            words, text = f"{one.author}{_CHANGE_WORDS[one.kind]}", one.text
        else:
            words, text = f"{one.author}{one.text}", ""
        self.notes.mark(index, _UNSETTLED, text, f"{place}的修订（{words}）")

    def ended(self, node: Any, place: str) -> None:
        """A paragraph whose end was inserted or deleted: two become one, or one two."""
        for properties in (each for each in node if local(each) == "pPr"):
            for mark in (each for one in properties if local(one) == "rPr" for each in one):
                if local(mark) in _TRACKED:
                    words = f"{_CHANGE_WORDS[_TRACKED[local(mark)]]}的段落标记"
                    author = attribute(mark, "author") or "未具名"
                    self.change(_Piece("object", words, author), place, -1)

    def table(self, node: Any, where: str) -> None:
        """A table cell by cell, each read with its heading."""
        self.tables += 1
        name, columns = f"{where}表格 {self.tables}", Columns()
        before, self.grounded = self.grounded, self.grounded or shaded(node)
        for number, row in enumerate((each for each in node if local(each) == "tr"), 1):
            cells: dict[int, list[_Piece]] = {}
            at = 0
            for cell in named(row, "tc"):
                cells[at] = list(self.pieces(cell, "plain", ""))
                span = next((attribute(each, "val") for each in named(cell, "gridSpan")), "1")
                at += int(span) if span.isdigit() and len(span) < 4 else 1
            texts = {at: "".join(one.text for one in cells[at]).strip() for at in cells}
            headed = columns.row({at: text for at, text in texts.items() if text})
            for at, pieces in cells.items():
                head = headed.get(at, "").removesuffix(texts[at]) if texts[at] else ""
                column = f"{name} 第 {at + 1} 列"
                self.told(pieces, f"{column}第 {number} 行", column, number, head)
            for box in _boxes(row):
                self.block(box, f"{name} 第 {number} 行的文本框")
        self.grounded = before

    def pieces(self, node: Any, kind: str, author: str) -> Iterator[_Piece]:
        """The texts under a node in order, each with how it is shown."""
        name = local(node)
        if name in _TEXTS:
            yield _Piece(_TEXTS[name] or kind, node.text or "", author)
        elif name in _BREAKS or name == "sym":
            yield _Piece(kind, _BREAKS.get(name) or characters(node, LeftOut()), author)
        elif name == "fldChar":
            yield _Piece("field", "", author)  # the codes of two fields are not one
        elif name in _OBJECTS and kind in _CHANGE_WORDS:
            yield _Piece("object", f"{_CHANGE_WORDS[kind]}的图片或对象", author)
        elif name not in ("txbxContent", "Fallback", "rPr", "pPr"):
            kind, author = self.shown(node, kind, author)
            if name == "p":
                yield _Piece(kind, self.number(node), author)
            elif name == "fldSimple":
                yield _Piece("code", attribute(node, "instr"), author)
            for each in node:
                yield from self.pieces(each, kind, author)
            if name == "p":
                yield _Piece(kind, " ", author)

    def shown(self, node: Any, kind: str, author: str) -> tuple[str, str]:
        """How what lies in a node is shown, and by whom it was changed."""
        name = local(node)
        if name in _TRACKED:
            return _TRACKED[name], attribute(node, "author") or "未具名"
        if name == "rt":
            return "reading", author
        if name in ("r", "p") and kind == "plain" and self.vanishes(node):
            return "hidden", author
        return kind, author

    def number(self, node: Any) -> str:
        """What Word counts before a paragraph: 第三条, （一）; empty when it counts nothing."""
        properties = child(node, "pPr")
        style = self.styles.of(value(properties, "pStyle"))
        point = counted(properties, style, self.numbers)
        if point is None or (not point.mark and point.number is None):
            return ""
        return point.mark or f"{point.number}. "

    def vanishes(self, node: Any) -> bool:
        """Whether a run, or the style of a run or paragraph, is set to be hidden."""
        for properties in node:
            if local(properties) not in ("rPr", "pPr"):
                continue
            written = local(node) == "r" and local(properties) == "rPr"
            if written and run_unseen(properties, on_ground=self.grounded):
                return True
            for one in properties:
                name, value = local(one), attribute(one, "val")
                if name == "vanish" and local(properties) == "rPr" and value not in ("0", "false"):
                    return True
                if name in ("rStyle", "pStyle") and value in self.hidden_styles:
                    return True
        return False


def _boxes(node: Any) -> Iterator[Any]:
    """The text boxes under a node, each once (not its copy for old programs)."""
    for each in node:
        name = local(each)
        if name == "txbxContent":
            yield each
        elif name == "AlternateContent":
            # The copy for old programs says the same, or is all there is.
            kept = [*_boxes([one for one in each if local(one) != "Fallback"])]
            yield from kept or _boxes([one for each_ in each for one in each_])
        elif name != "Fallback":
            yield from _boxes(each)


def _joined(pieces: list[_Piece]) -> Iterator[_Piece]:
    """Neighbours of the same kind and author as one."""
    for (kind, author), run in groupby(pieces, key=lambda one: (one.kind, one.author)):
        yield _Piece(kind, "".join(one.text for one in run), author)


def _with_fields(pieces: list[_Piece]) -> Iterator[_Piece]:
    """The pieces, with what fields show in the place of their codes."""
    for one in _joined(pieces):
        shown = field_words(one.text) if one.kind == "code" else ""
        yield _Piece("plain", shown, one.author) if shown else one


def _hidden_styles(parts: WordParts) -> frozenset[str]:
    root = parts.xml("styles")
    if root is None:
        return frozenset()
    return frozenset(
        attribute(style, "styleId")
        for style in named(root, "style")
        if any(attribute(each, "val") not in ("0", "false") for each in named(style, "vanish"))
    )


def _style_names(parts: WordParts, notes: Notes) -> None:
    """Names that the office gave to styles, where they say more than 公文正文."""
    root = parts.xml("styles")
    for style in named(root, "style") if root is not None else ():
        name = value(style, "name")
        if attribute(style, "customStyle") == "1" and re.search("密|[\u4e00-\u9fff]{6}", name):
            notes.add("样式的名称（看不见但随文件发布）", name)


_STORIES = (("header", "页眉"), ("footer", "页脚"), ("footnotes", "脚注"), ("endnotes", "尾注"))


def read_word(archive: Archive, notes: Notes) -> None:
    """A .docx: text, tables, headers, comments, tracked changes, hidden text, properties."""
    parts = WordParts(archive)
    root = parts.text()
    # What has no text was not read; silence must not pass for "nothing found".
    if root is None:
        reason = "文件里没有 Word 正文，可能损坏或改过后缀，请重新上传"
        raise Unreadable("broken", "block", reason)
    word = _Word(archive, notes, _hidden_styles(parts), Styles(parts), Numbers(parts))
    word.block(root, "")
    for mark in named(root, "textpath"):
        notes.add("艺术字", attribute(mark, "string"))
    trees = [root]
    for kind, where in _STORIES:
        for name in parts.names(kind):
            story = archive.xml(name)
            trees.append(story)
            word.block(story, where)
            for mark in named(story, "textpath"):
                notes.add(f"{where}里的水印", attribute(mark, "string"))
    read_descriptions(trees, notes)
    read_controls(trees, notes)
    _style_names(parts, notes)
    _word_comments(parts, notes)
    if word.changes > _MOST_CHANGES:
        reason = f"另有 {word.changes - _MOST_CHANGES} 处修订没有处理"
        notes.fault("tracked-change", "block", reason)
    marks = named(root, *_FORMAT)
    if authors := {attribute(each, "author") or "未具名" for each in marks}:
        people = "、".join(sorted(authors))
        reason = f"有格式修订没有处理（{people}），发布前请接受全部修订"
        notes.fault("tracked-format", "warn", reason)
    link_targets(archive, notes, parts.relations)
    read_common(archive, notes)


def _word_comments(parts: WordParts, notes: Notes) -> None:
    root = parts.xml("comments")
    for number, node in enumerate(named(root, "comment") if root is not None else (), 1):
        text = "".join(each.text or "" for each in named(node, "t"))
        index = notes.add(f"第 {number} 条批注（{attribute(node, 'author') or '未具名'}）", text)
        notes.mark(index, COMMENT, text)
