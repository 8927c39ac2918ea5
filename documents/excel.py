"""Excel workbooks: cells by sheet and column, comments, hidden rows and sheets."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from posixpath import join, normpath
from typing import Any

from documents.beside import read_descriptions, validation
from documents.columns import Columns
from documents.office import link_targets, read_common
from documents.parts import (
    Archive,
    Notes,
    Unreadable,
    Wrong,
    attribute,
    local,
    named,
    rows_of,
)
from documents.word_parts import WordParts

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


_TELLING = re.compile(r"[\u4e00-\u9fff]{4}|密|\d{6}|@")  # a name that says more than 名单
_FORMULA = re.compile(r'"[^"]{4,}"|\d{7}')  # a formula that says more than where to look
_WORDED = re.compile(r"[\u4e00-\u9fff]{2}|密|\d{11}")
_JOINS = re.compile(r'"\s*&\s*"')
# Read with the cell or the list that they stand in; all else is let go as it ends.
_IN_CELLS = frozenset(("v", "f", "is", "t", "r", "formula1", "formula2"))
_RUNNING = frozenset(
    f"{page}{place}" for page in ("odd", "even", "first") for place in ("Header", "Footer")
)
_CELL = re.compile(r"([A-Z]{1,3})(\d{1,7})")


def _column_number(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number


def _column(cell: str | int) -> int:
    """The column of an address like B7, or the number itself; 0 for what is no address."""
    address = _CELL.fullmatch(cell) if isinstance(cell, str) else None
    return _column_number(address[1]) if address else cell if isinstance(cell, int) else 0


def _column_letters(number: int) -> str:
    letters = ""
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def read_excel(archive: Archive, notes: Notes) -> None:
    """A .xlsx: every sheet, hidden ones too, hidden rows and columns, comments, names, caches."""
    parts = WordParts(archive, "xl/workbook.xml")
    book = parts.text()
    if book is None:
        raise Unreadable("broken", "block", "文件里没有工作簿，可能损坏或改过后缀，请重新上传")
    shared = list(_shared(archive, parts))
    for sheet in _sheets(archive, parts, book):
        if _TELLING.search(sheet.name):
            notes.add("工作表的名称", _parted(sheet.name))
        _read_sheet(archive, notes, sheet, shared)
    _kept(archive, notes, parts, book)
    read_common(archive, notes)


def _formats(archive: Archive, name: str, notes: Notes) -> None:
    """What formats write beside the figures of cells, and the names of styles of the office."""

    def take(element: str, attributes: dict[str, str]) -> None:
        kind = element.rpartition("}")[2]
        said = attributes.get("formatCode", "") if kind == "numFmt" else ""
        if kind == "cellStyle" and "builtinId" not in attributes:
            said = attributes.get("name", "")
        # Days and sums are written so everywhere: 0"年"m"月".
        if re.search(r"[\u4e00-\u9fff]{3}|密|\d{6}", said):
            notes.add("单元格的格式", _parted(said.replace('"', " ")))

    archive.started(name, take)


def _names(book: Any, notes: Notes) -> None:
    for node in named(book, "definedName"):
        name = attribute(node, "name")
        if name.startswith("_xlnm"):
            continue
        if _TELLING.search(name):
            notes.add("定义的名称", _parted(name))
        for text in filter(None, (node.text, attribute(node, "comment"))):
            notes.add(f"定义的名称 {name}", text)


def _kept(archive: Archive, notes: Notes, parts: WordParts, book: Any) -> None:
    """Names, and values that are kept of other tables."""
    _names(book, notes)
    for name in parts.names("styles"):
        _formats(archive, name, notes)
    for name in archive.matching(r"xl/pivotCache/pivotCache(?:Definition|Records)\d*\.xml"):
        for node in named(archive.xml(name), "s"):
            if text := attribute(node, "v"):
                notes.add("数据透视表缓存（看不见但随文件发布）", text)
    for name in archive.matching(r"xl/externalLinks/externalLink\d*\.xml"):
        for node in named(archive.xml(name), "v"):
            if node.text:
                notes.add("外部链接缓存（看不见但随文件发布）", _plain_number(node.text))


def _shared(archive: Archive, parts: WordParts) -> Iterator[str]:
    """The texts that cells lead to by their number, each let go once it is read."""
    for name in parts.names("sharedStrings")[:1]:
        for node in archive.walk(name):
            if local(node) == "si":
                yield _rich_text(node)
                node.clear()


def _rich_text(node: Any) -> str:
    """The text of runs, without the reading aids (rPh)."""
    if local(node) == "rPh":
        return ""
    if local(node) == "t":
        return node.text or ""
    return "".join(_rich_text(child) for child in node)


def _sheets(archive: Archive, parts: WordParts, book: Any) -> Iterator[_Sheet]:
    """The sheets the workbook names, then any part it does not mention."""
    named_paths = set()
    for node in named(book, "sheet"):
        if path := parts.place(attribute(node, "id")):
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
        path = archive.actual(normpath(join(folder, attribute(one, "Target"))).lstrip("/"))
        kind = attribute(one, "Type").rpartition("/")[2]
        if path in archive.names and re.search("comment|drawing", f"{kind} {path}", re.IGNORECASE):
            _beside(archive.xml(path), sheet, notes)
    link_targets(archive, notes, f"{folder}/_rels/{file}.rels")


def _beside(root: Any, sheet: _Sheet, notes: Notes) -> None:
    """Comments on cells, and texts in drawings."""
    for node in named(root, "comment", "threadedComment"):
        cell = attribute(node, "ref")
        text = "".join(_rich_text(each) for each in node) or "".join(node.itertext())
        index = notes.add(f"{sheet.title} {cell} 的批注", text)
        notes.mark(index, _CELL_COMMENT, text)
    read_descriptions([root], notes)
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
    last: str | int = 0  # the address or the column of the last cell
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
            if len(node):
                self.cell(node)
            else:  # sheets are full of them
                self.last = node.get("r") or _column(self.last) + 1
        elif name == "row":
            self.row(node)
        else:
            self.beside(node, name)
        if name in _IN_CELLS:
            node.attrib.clear()
        else:
            node.clear()

    def beside(self, node: Any, name: str) -> None:
        """What a sheet says outside of its cells."""
        if name == "dataValidation":
            validation(node, self.sheet.title, self.notes)
        elif name == "hyperlink":
            for text in {attribute(node, "display"), attribute(node, "tooltip")} - {""}:
                self.notes.add(f"{self.sheet.title} {attribute(node, 'ref')} 的链接", text)
        elif name in ("formula", "filter", "customFilter"):
            said = node.text or attribute(node, "val")
            if _WORDED.search(said):
                self.notes.add(f"{self.sheet.title} 的筛选或条件格式", said)
        elif name in _RUNNING and node.text:
            self.notes.add(f"{self.sheet.title} 的页眉页脚", _without_codes(node.text))

    def cell(self, node: Any) -> None:
        """One cell's text, kept until its row ends."""
        column = _column(attribute(node, "r")) or _column(self.last) + 1
        self.last = column
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
        said = "".join(each.text or "" for each in node if local(each) == "f")
        if _FORMULA.search(said):
            place = attribute(node, "r") or f"第 {self.at + 1} 行"
            # What a formula puts together is read together: ="110105"&"1949".
            self.notes.add(f"{self.sheet.title} {place} 的公式", _JOINS.sub("", said))

    def row(self, node: Any) -> None:
        """The cells of a row that has ended."""
        number = attribute(node, "r")
        self.at = int(number) if number.isdigit() else self.at + 1
        hidden = attribute(node, "hidden") in ("1", "true") or attribute(node, "ht") == "0"
        told = {at: text.strip() for at, text in self.cells.items() if text.strip()}
        self.cells, self.last = {}, 0
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


# &C, &"宋体,常规", &10, &K01+000: where and how a header stands. A size is glued to a number.
_CODE = re.compile(
    r'&(?:"[^"]*"|K(?:[0-9A-Fa-f]{6}|\d\d[+-]\d{3})|\d{1,2}(?=1[3-9]\d{9}(?!\d)|[1-9]\d{16}[\dXx])'
    r"|\d{1,3}|[A-Za-z])"
)


def _parted(name: str) -> str:
    """A name with a blank between its letters and a long number: x138… is no number."""
    return re.sub(r"(?<=[A-Za-z_])(?=\d{11})", " ", name)


def _without_codes(text: str) -> str:
    """A header or footer as it is read."""
    return " ".join(_CODE.sub(" ", text).replace("&&", "&").split())


def _plain_number(value: str) -> str:
    """A stored number as it is read: 1.38E10 is 13800000000."""
    if not re.fullmatch(r"-?\d+(?:\.\d+)?[Ee]\+?\d{1,2}|\d+\.0+", value):
        return value
    return str(int(float(value)))
