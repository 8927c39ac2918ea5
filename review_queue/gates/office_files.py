"""Word, Excel and PowerPoint files as addressed texts, what they hide included."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from posixpath import join, normpath
from typing import Any, NamedTuple

from review_queue.gates.personal import PERSON
from review_queue.gates.reading import (
    AUTHOR,
    COMMENT,
    HIDDEN,
    Archive,
    Columns,
    Notes,
    Wrong,
    attribute,
    local,
    named,
    rows_of,
)

_PROPERTIES = {
    "creator": "作者",
    "lastModifiedBy": "最后修改者",
    "title": "标题",
    "subject": "主题",
    "description": "备注",
    "keywords": "标记",
    "category": "类别",
    "Company": "单位",
    "Manager": "经理",
}
_PEOPLE = ("creator", "lastModifiedBy", "Manager")


def is_person(text: str) -> bool:
    """Whether a short text is a Chinese personal name."""
    return PERSON.fullmatch(text.strip()) is not None


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
        if text and not attribute(node, "name").startswith("KSO"):
            notes.add(f"文档属性“{attribute(node, 'name')}”", text)


def read_common(archive: Archive, notes: Notes) -> None:
    """What every office file may carry: macros, embedded files, pictures, properties."""
    if any(name.lower().endswith(("vbaproject.bin", "vbadata.xml")) for name in archive.names):
        notes.fault("macro", "block", "带有宏程序，不得发布，请另存为不带宏的文件")
    embedded = archive.matching(
        r"(?:word|xl|ppt)/(?:(?:embeddings|activeX|ctrlProps)/[^/]+\.\w+|[^/]+\.(?:mht|html?|rtf))"
    )
    if objects := [name for name in embedded if not name.endswith((".xml", ".rels"))]:
        reason = f"嵌有 {len(objects)} 个文件或对象，机器没有检查，请由人打开查看，或改为单独的附件"
        notes.fault("embedded", "warn", reason)
    if pictures := archive.matching(r"(?:word|xl|ppt)/media/[^/]+"):
        reason = f"含 {len(pictures)} 张图片，机器读不出图中文字，需要人工看"
        notes.fault("look", "warn", reason)
    read_properties(archive, notes)


# --- Word -----------------------------------------------------------------------------------


class _Piece(NamedTuple):
    kind: str  # plain, inserted, deleted, hidden, code
    text: str
    author: str


_TRACKED = {"ins": "inserted", "moveTo": "inserted", "del": "deleted", "moveFrom": "deleted"}
_TEXTS = {"t": None, "delText": "deleted", "instrText": "code", "delInstrText": "deleted"}
_BREAKS = {"tab": "\t", "br": " ", "cr": " ", "noBreakHyphen": "-"}
_FORMAT = frozenset({"rPrChange", "pPrChange", "tblPrChange", "sectPrChange", "cellIns", "cellDel"})
_CHANGE_WORDS = {"inserted": "插入", "deleted": "删除"}
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
    paragraphs: int = 0
    tables: int = 0
    changes: int = 0

    def block(self, node: Any, where: str) -> None:
        """Paragraphs and tables in reading order; `where` is empty in the body."""
        for child in node:
            name = local(child)
            if name == "p":
                self.paragraph(child, where)
            elif name == "tbl":
                self.table(child, where)
            elif name != "Fallback":
                self.block(child, where)

    def paragraph(self, node: Any, where: str) -> None:
        """One paragraph: what is seen, what was deleted, what is hidden, its text boxes."""
        if where:
            place = where
        else:
            self.paragraphs += 1
            place = f"第 {self.paragraphs} 段"
        self.told(list(self.pieces(node, "plain", "")), place, "", 0)
        for box in _boxes(node):
            self.block(box, f"{place}的文本框")

    def told(self, pieces: list[_Piece], place: str, column: str, row: int, head: str = "") -> None:
        """Keep the pieces of one paragraph or cell under its place."""
        seen = "".join(one.text for one in pieces if one.kind in ("plain", "inserted"))
        index = self.notes.add(place, head + seen, column, row) if seen.strip() else -1
        for one in _joined(pieces):
            if one.kind == "inserted" and one.text.strip():
                self.change(one, place, index)
            elif one.kind == "deleted" and one.text.strip():
                deleted = self.notes.add(f"{place}的修订（{one.author}删除的文字）", one.text)
                self.change(one, place, deleted)
            elif one.kind == "hidden" and one.text.strip():
                hidden = self.notes.add(f"{place}的隐藏文字", one.text)
                self.notes.mark(hidden, HIDDEN, one.text)
            elif one.kind == "code" and "HYPERLINK" in one.text:
                self.notes.add(f"{place}的域代码", one.text.strip())

    def change(self, one: _Piece, place: str, index: int) -> None:
        """A tracked change that was neither accepted nor refused."""
        self.changes += 1
        if self.changes > _MOST_CHANGES:
            return
        words = f"{place}的修订（{one.author}{_CHANGE_WORDS[one.kind]}）"
        self.notes.mark(index, _UNSETTLED, one.text, words)

    def table(self, node: Any, where: str) -> None:
        """A table cell by cell, each read with its heading."""
        self.tables += 1
        name, columns = f"{where}表格 {self.tables}", Columns()
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

    def pieces(self, node: Any, kind: str, author: str) -> Iterator[_Piece]:
        """The texts under a node in order, each with how it is shown."""
        name = local(node)
        if name in _TEXTS:
            yield _Piece(_TEXTS[name] or kind, node.text or "", author)
        elif name in _BREAKS:
            yield _Piece(kind, _BREAKS[name], author)
        elif name not in ("txbxContent", "Fallback", "rPr", "pPr"):
            if name in _TRACKED:
                kind, author = _TRACKED[name], attribute(node, "author") or "未具名"
            elif name in ("r", "p") and kind == "plain" and self.vanishes(node):
                kind = "hidden"
            for child in node:
                yield from self.pieces(child, kind, author)
            if name == "p":
                yield _Piece(kind, " ", author)

    def vanishes(self, node: Any) -> bool:
        """Whether a run, or the style of a run or paragraph, is set to be hidden."""
        for properties in node:
            if local(properties) not in ("rPr", "pPr"):
                continue
            for one in properties:
                name, value = local(one), attribute(one, "val")
                if name == "vanish" and local(properties) == "rPr" and value not in ("0", "false"):
                    return True
                if name in ("rStyle", "pStyle") and value in self.hidden_styles:
                    return True
        return False


def _boxes(node: Any) -> Iterator[Any]:
    """The text boxes under a node, each once (not its copy for old programs)."""
    for child in node:
        name = local(child)
        if name == "txbxContent":
            yield child
        elif name != "Fallback":
            yield from _boxes(child)


def _joined(pieces: list[_Piece]) -> Iterator[_Piece]:
    """Neighbours of the same kind and author as one."""
    last: _Piece | None = None
    for one in pieces:
        if last is not None and (one.kind, one.author) == (last.kind, last.author):
            last = _Piece(one.kind, last.text + one.text, one.author)
            continue
        if last is not None:
            yield last
        last = one
    if last is not None:
        yield last


def _hidden_styles(archive: Archive) -> frozenset[str]:
    root = archive.xml("word/styles.xml")
    if root is None:
        return frozenset()
    return frozenset(
        attribute(style, "styleId")
        for style in named(root, "style")
        if any(attribute(each, "val") not in ("0", "false") for each in named(style, "vanish"))
    )


_STORIES = (
    (r"word/header\d*\.xml", "页眉"),
    (r"word/footer\d*\.xml", "页脚"),
    (r"word/footnotes\.xml", "脚注"),
    (r"word/endnotes\.xml", "尾注"),
)


def read_word(archive: Archive, notes: Notes) -> None:
    """A .docx: text, tables, headers, comments, tracked changes, hidden text, properties."""
    root = archive.xml("word/document.xml")
    word = _Word(archive, notes, _hidden_styles(archive))
    word.block(root if root is not None else (), "")
    for pattern, where in _STORIES:
        for name in archive.matching(pattern):
            story = archive.xml(name)
            word.block(story, where)
            for mark in named(story, "textpath"):
                notes.add(f"{where}里的水印", attribute(mark, "string"))
    _word_comments(archive, notes)
    if word.changes > _MOST_CHANGES:
        reason = f"另有 {word.changes - _MOST_CHANGES} 处修订没有处理"
        notes.fault("tracked-change", "block", reason)
    marks = named(root, *_FORMAT) if root is not None else ()
    if authors := {attribute(each, "author") or "未具名" for each in marks}:
        people = "、".join(sorted(authors))
        reason = f"有格式修订没有处理（{people}），发布前请接受全部修订"
        notes.fault("tracked-format", "warn", reason)
    _addresses(archive, notes, "word/_rels/document.xml.rels")
    read_common(archive, notes)


def _word_comments(archive: Archive, notes: Notes) -> None:
    root = archive.xml("word/comments.xml")
    for number, node in enumerate(named(root, "comment") if root is not None else (), 1):
        text = "".join(each.text or "" for each in named(node, "t"))
        index = notes.add(f"第 {number} 条批注（{attribute(node, 'author') or '未具名'}）", text)
        notes.mark(index, COMMENT, text)


def _addresses(archive: Archive, notes: Notes, name: str) -> None:
    """Where the links of a file lead: a mail address there is as public as one in the text."""
    root = archive.xml(name)
    for node in root if root is not None else ():
        target = attribute(node, "Target")
        if attribute(node, "TargetMode") == "External" and target.startswith("mailto:"):
            notes.add("超链接", target)


# --- Excel ----------------------------------------------------------------------------------


_CELL_COMMENT: Wrong = ("cell-comment", "warn", "单元格带有批注，请确认可以公开")


@dataclass
class _Sheet:
    name: str
    path: str
    state: str

    @property
    def title(self) -> str:
        """工作表 名单, with 隐藏 where the sheet is hidden."""
        hidden = {"hidden": "（隐藏）", "veryHidden": "（深度隐藏）"}.get(self.state, "")
        return f"工作表 {self.name}{hidden}"


_CELL = re.compile(r"([A-Z]{1,3})(\d{1,7})")


def _column_number(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number


def _column_letters(number: int) -> str:
    letters = ""
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def read_excel(archive: Archive, notes: Notes) -> None:
    """A .xlsx: every sheet, hidden ones too, hidden rows and columns, comments, names, caches."""
    shared = _shared_strings(archive)
    for sheet in _sheets(archive):
        _read_sheet(archive, notes, sheet, shared)
    book = archive.xml("xl/workbook.xml")
    for node in named(book, "definedName") if book is not None else ():
        name = attribute(node, "name")
        if node.text and not name.startswith("_xlnm"):
            notes.add(f"定义的名称 {name}", node.text)
    for name in archive.matching(r"xl/pivotCache/pivotCache(?:Definition|Records)\d*\.xml"):
        for node in named(archive.xml(name), "s"):
            if text := attribute(node, "v"):
                notes.add("数据透视表缓存（看不见但随文件发布）", text)
    for name in archive.matching(r"xl/externalLinks/externalLink\d*\.xml"):
        for node in named(archive.xml(name), "v"):
            if node.text:
                notes.add("外部链接缓存（看不见但随文件发布）", _plain_number(node.text))
    read_common(archive, notes)


def _shared_strings(archive: Archive) -> list[str]:
    root = archive.xml("xl/sharedStrings.xml")
    return [_rich_text(node) for node in root] if root is not None else []


def _rich_text(node: Any) -> str:
    """The text of runs, without the reading aids (rPh)."""
    if local(node) == "rPh":
        return ""
    if local(node) == "t":
        return node.text or ""
    return "".join(_rich_text(child) for child in node)


def _sheets(archive: Archive) -> Iterator[_Sheet]:
    """The sheets the workbook names, then any part it does not mention."""
    book, rels = archive.xml("xl/workbook.xml"), archive.xml("xl/_rels/workbook.xml.rels")
    related = rels if rels is not None else ()
    targets = {attribute(one, "Id"): attribute(one, "Target") for one in related}
    named_paths = set()
    for node in named(book, "sheet") if book is not None else ():
        target = targets.get(attribute(node, "id"), "")
        path = target.lstrip("/") if target.startswith("/") else normpath(join("xl", target))
        if path in archive.names:
            named_paths.add(path)
            yield _Sheet(attribute(node, "name"), path, attribute(node, "state"))
    for path in archive.matching(r"xl/(?:work|chart|dialog|macro)sheets/[^/]+\.xml"):
        if path not in named_paths:
            yield _Sheet(path.rpartition("/")[2], path, "veryHidden")


def _read_sheet(archive: Archive, notes: Notes, sheet: _Sheet, shared: list[str]) -> None:
    reader = _SheetReader(sheet, notes, shared)
    try:
        for node in archive.walk(sheet.path):
            reader.take(node)
    finally:  # also when there is too much of it
        reader.finish()
    folder, _, file = sheet.path.rpartition("/")
    rels = archive.xml(f"{folder}/_rels/{file}.rels")
    for one in rels if rels is not None else ():
        path = normpath(join(folder, attribute(one, "Target"))).lstrip("/")
        if path in archive.names and re.search("comment|drawing", path, re.IGNORECASE):
            _beside(archive.xml(path), sheet, notes)
    _addresses(archive, notes, f"{folder}/_rels/{file}.rels")


def _beside(root: Any, sheet: _Sheet, notes: Notes) -> None:
    """Comments on cells, and texts in drawings."""
    for node in named(root, "comment", "threadedComment"):
        cell = attribute(node, "ref")
        text = "".join(_rich_text(each) for each in node) or "".join(node.itertext())
        index = notes.add(f"{sheet.title} {cell} 的批注", text)
        notes.mark(index, _CELL_COMMENT, text)
    drawn = "".join(each.text or "" for each in named(root, "t") if each.tag.endswith("main}t"))
    if drawn.strip():
        notes.add(f"{sheet.title} 的图形文字", drawn)


@dataclass
class _SheetReader:
    sheet: _Sheet
    notes: Notes
    shared: list[str]
    columns: Columns = field(default_factory=Columns)
    hidden: list[range] = field(default_factory=list)
    hidden_rows: list[int] = field(default_factory=list)
    in_hidden: dict[int, int] = field(default_factory=dict)  # column -> first part in it
    cells: dict[int, str] = field(default_factory=dict)
    filled: int = -1  # the first part of the sheet
    first_row_part: int = -1
    at: int = 0  # rows and cells may leave their address out: then they follow the last

    def take(self, node: Any) -> None:
        """One finished element of the sheet."""
        name = local(node)
        if name == "col":
            if attribute(node, "hidden") in ("1", "true") or attribute(node, "width") == "0":
                first, last = int(attribute(node, "min") or 0), int(attribute(node, "max") or 0)
                self.hidden.append(range(first, last + 1))
        elif name == "c":
            self.cell(node)
            node.clear()
        elif name == "row":
            self.row(node)
            node.clear()
        elif name in ("oddHeader", "oddFooter", "evenHeader", "firstHeader") and node.text:
            self.notes.add(f"{self.sheet.title} 的页眉页脚", node.text)

    def cell(self, node: Any) -> None:
        """One cell's text, kept until its row ends."""
        address = _CELL.fullmatch(attribute(node, "r"))
        last = max(self.cells, default=0)
        column = _column_number(address[1]) if address else last + 1
        kind = attribute(node, "t")
        value = "".join(each.text or "" for each in node if local(each) == "v")
        if kind == "s":
            number = int(value) if value.isdigit() else -1
            text = self.shared[number] if 0 <= number < len(self.shared) else ""
        elif kind == "inlineStr":
            text = "".join(_rich_text(each) for each in node if local(each) == "is")
        else:
            text = value if kind in ("str", "b", "e") else _plain_number(value)
        self.cells[column] = text

    def row(self, node: Any) -> None:
        """The cells of a row that has ended."""
        number = attribute(node, "r")
        self.at = int(number) if number.isdigit() else self.at + 1
        hidden = attribute(node, "hidden") in ("1", "true") or attribute(node, "ht") == "0"
        told = {at: text.strip() for at, text in self.cells.items() if text.strip()}
        self.cells = {}
        for column, text in self.columns.row(told).items():
            letters = _column_letters(column)
            concealed = any(column in each for each in self.hidden)
            words = f"{self.sheet.title} 的 {letters} 列{'（隐藏）' if concealed else ''}"
            tail = "（隐藏的行）" if hidden else ""
            place = f"{self.sheet.title} {letters}{self.at}"
            index = self.notes.add(f"{place}{tail}", text, words, self.at)
            self.filled = index if self.filled < 0 else self.filled
            if concealed:
                self.in_hidden.setdefault(column, index)
            if hidden:
                self.first_row_part = index if self.first_row_part < 0 else self.first_row_part
                self.hidden_rows.append(self.at)

    def finish(self) -> None:
        """Tell what the sheet hides."""
        title = self.sheet.title
        if self.sheet.state in ("hidden", "veryHidden") and self.filled >= 0:
            self.notes.mark(self.filled, _hides("hidden-sheet", "工作表"), "", title)
        for column, index in self.in_hidden.items():
            place = f"{title} 的 {_column_letters(column)} 列"
            self.notes.mark(index, _hides("hidden-column", "列"), "", place)
        if self.hidden_rows:
            place = f"{title} {rows_of(self.hidden_rows)}"
            self.notes.mark(self.first_row_part, _hides("hidden-row", "行"), "", place)


def _hides(rule: str, what: str) -> Wrong:
    return rule, "warn", f"隐藏的{what}里有内容，读者取消隐藏就能看到，发布前请删除"


def _plain_number(value: str) -> str:
    """A stored number as it is read: 1.38E10 is 13800000000."""
    if not re.fullmatch(r"-?\d+(?:\.\d+)?[Ee]\+?\d{1,2}|\d+\.0+", value):
        return value
    return str(int(float(value)))


# --- PowerPoint and OFD ---------------------------------------------------------------------


def read_slides(archive: Archive, notes: Notes) -> None:
    """A .pptx: slides, notes and comments."""
    kinds = ((r"ppt/slides/slide\d+\.xml", "第 {} 张幻灯片"),
             (r"ppt/notesSlides/notesSlide\d+\.xml", "第 {} 张的备注"),
             (r"ppt/comments/[^/]+\.xml", "第 {} 组批注"))  # fmt: skip
    for pattern, place in kinds:
        for number, name in enumerate(archive.matching(pattern), 1):
            root = archive.xml(name)
            if attribute(root, "show") == "0":
                notes.fault("hidden", "warn", f"{place.format(number)}是隐藏的，发布前请删除")
            for paragraph in named(root, "p", "text"):
                text = "".join(each.text or "" for each in named(paragraph, "t"))
                text = text or (paragraph.text or "")
                if text.strip():
                    notes.add(place.format(number), text)
    read_common(archive, notes)


def read_ofd(archive: Archive, notes: Notes) -> None:
    """An .ofd: the text of each page."""
    pages = archive.matching(r".*Pages/[^/]+/Content\.xml")
    for number, name in enumerate(pages, 1):
        text = "\n".join(node.text or "" for node in named(archive.xml(name), "TextCode"))
        notes.add(f"第 {number} 页", text)
    if not any(part.text.strip() for part in notes.parts):
        notes.fault("look", "warn", "没有文字层，机器读不出内容，需要人工看")
