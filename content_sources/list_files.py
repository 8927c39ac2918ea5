"""A published list of 稿源单位 as a file: xlsx, docx, csv or html to the units it names."""

import csv
import io
import re
import unicodedata
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import docx
import lxml.html
import openpyxl
from lxml import etree
from openpyxl.utils.exceptions import InvalidFileException

from content_sources.whitelist import listed_host
from documents.charset import decode
from documents.markup import is_swollen, marks
from staff.refusal import Reason, Refused

MOST_BYTES = 10 * 1024 * 1024
MOST_UNPACKED = 80 * 1024 * 1024
MOST_ROWS = 20_000
MOST_MARKS = 1_300_000
_NAME = re.compile(r"单位|稿源|媒体名称|网站名称|^名称$|机构名称")
_HOSTS = re.compile(r"域名|网址|主机|链接")
_NUMBER = re.compile(r"^\d{1,5}[.、．]?$")
_LEADING = re.compile(r"^\s*(?:\d{1,5}|[（(]?[一二三四五六七八九十]{1,3}[）)]?)\s*[.、．]\s*")


@dataclass(frozen=True)
class Row:
    """Where it stands (第 3 行, 表 1 第 3 行) and its cells."""

    where: str
    cells: Sequence[str]


@dataclass(frozen=True)
class Unit:
    """One unit of a list; `hosts` only where the list gives them."""

    name: str
    hosts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Parsed:
    """The units in order, and every row that could not be used, by row and column."""

    units: tuple[Unit, ...]
    problems: tuple[str, ...]


def parse_list(name: str, data: bytes) -> Parsed:
    """The units of an xlsx, docx, csv or html file. Refused (422) when it is none of these."""
    kind = name.rsplit(".", 1)[-1].lower()
    if len(data) > MOST_BYTES:
        raise _unreadable(name, f"文件超过 {MOST_BYTES // 1024 // 1024} MB")
    readers = {"xlsx": _xlsx, "docx": _docx, "csv": _csv, "txt": _csv, "html": _html, "htm": _html}
    if kind not in readers:
        raise _unreadable(name, "只能读 xlsx、docx、csv 和 html 文件，请另存后再导入")
    try:
        rows = list(islice(readers[kind](data), MOST_ROWS + 1))
    except (
        zipfile.BadZipFile, InvalidFileException, KeyError, ValueError, OSError, csv.Error,
        etree.ParserError, etree.XMLSyntaxError,
    ) as error:  # fmt: skip
        raise _unreadable(name, "文件打不开，可能已损坏或不是它的扩展名所说的格式") from error
    if len(rows) > MOST_ROWS:
        raise _unreadable(name, f"超过 {MOST_ROWS} 行")
    parsed = _units(rows)
    if not parsed.units:
        raise _unreadable(name, "找不到单位名称：请保留“单位名称”一列的表头")
    return parsed


def _unreadable(name: str, why: str) -> Refused:
    return Refused(422, [Reason("file", f"{name[:80]}：{why}")])


def _check_archive(data: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        size = sum(entry.file_size for entry in archive.infolist())
        if size > MOST_UNPACKED:
            raise ValueError("the archive unpacks to too much")
        for entry in archive.infolist():
            if entry.filename.endswith((".xml", ".rels")):
                content = archive.read(entry)
                if b"<!DOCTYPE" in content[:4096]:
                    raise ValueError("a document type is not read")
                # Rows of a sheet are read one by one; all else is kept as a tree.
                if "/worksheets/" not in entry.filename and marks(content) > MOST_MARKS:
                    raise ValueError("there is too much in one part")


def _xlsx(data: bytes) -> Iterator[Row]:
    _check_archive(data)
    book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
    try:
        for number, sheet in enumerate(book.worksheets, 1):
            where = f"表 {number} " if len(book.worksheets) > 1 else ""
            for line, cells in enumerate(sheet.iter_rows(values_only=True), 1):
                yield Row(f"{where}第 {line} 行", [_cell(value) for value in cells])
    finally:
        book.close()


def _cell(value: object) -> str:
    return "" if value is None else " ".join(str(value).split())


def _docx(data: bytes) -> Iterator[Row]:
    _check_archive(data)
    document = docx.Document(io.BytesIO(data))
    for number, table in enumerate(document.tables, 1):
        where = f"表 {number} " if len(document.tables) > 1 else ""
        for line, row in enumerate(table.rows, 1):
            yield Row(f"{where}第 {line} 行", [_cell(cell.text) for cell in row.cells])
    if not document.tables:
        for line, paragraph in enumerate(document.paragraphs, 1):
            yield Row(f"第 {line} 段", [_cell(paragraph.text)])


def _csv(data: bytes) -> Iterator[Row]:
    for line, cells in enumerate(csv.reader(io.StringIO(decode(data), newline="")), 1):
        yield Row(f"第 {line} 行", [_cell(cell) for cell in cells])


def _html(data: bytes) -> Iterator[Row]:
    text = re.sub(r"^\s*<\?xml[^>]*\?>", "", decode(data))
    if is_swollen(text):
        raise ValueError("there is too much in one page")
    page = lxml.html.document_fromstring(text)
    tables = [table for table in page.iter("table") if table.find(".//table") is None]
    for number, table in enumerate(tables, 1):
        where = f"表 {number} " if len(tables) > 1 else ""
        for line, row in enumerate(table.iter("tr"), 1):
            yield Row(
                f"{where}第 {line} 行",
                [
                    _cell("".join(str(part) for part in cell.itertext()))
                    for cell in row
                    if cell.tag in ("td", "th")
                ],
            )


def _units(rows: Sequence[Row]) -> Parsed:
    """Rows below a header that names the unit's column; without any header the first text cell."""
    units: dict[str, Unit] = {}
    problems: list[str] = []
    column, hosts_column = -1, -1
    headed = any(_is_header(cell) for row in rows for cell in row.cells)
    for row in rows:
        where, cells = row.where, row.cells
        if not any(cells):
            continue
        header = next((i for i, cell in enumerate(cells) if _is_header(cell)), -1)
        if header >= 0:
            column = header
            hosts_column = next((i for i, cell in enumerate(cells) if _HOSTS.search(cell)), -1)
            continue
        if headed and column < 0:
            continue  # the title above the header
        at = column if column >= 0 else _first_text(cells)
        unit = _unit(row, at, hosts_column, problems)
        if unit is None:
            continue
        key = unit_key(unit.name)
        if key in units:
            problems.append(f"{where}第 {at + 1} 列：“{unit.name}”重复，只取前面一行")
        else:
            units[key] = unit
    return Parsed(tuple(units.values()), tuple(problems))


def _is_header(cell: str) -> bool:
    return len(cell) <= 12 and bool(_NAME.search(cell)) and not cell.endswith(("社", "报", "网"))


def _first_text(cells: Sequence[str]) -> int:
    return next((i for i, cell in enumerate(cells) if cell and not _NUMBER.match(cell)), 0)


def _unit(row: Row, at: int, hosts_at: int, problems: list[str]) -> Unit | None:
    where, cells = row.where, row.cells
    name = _LEADING.sub("", cells[at]) if at < len(cells) else ""
    if not name:
        problems.append(f"{where}第 {at + 1} 列：没有单位名称")
        return None
    if not 2 <= len(name) <= 60 or not re.search(r"[\u4e00-\u9fffA-Za-z]", name):
        problems.append(f"{where}第 {at + 1} 列：“{name[:30]}”不像单位名称")
        return None
    hosts = []
    given = cells[hosts_at] if 0 <= hosts_at < len(cells) else ""
    for word in re.split(r"[\s,，、;；]+", given):
        if not word:
            continue
        try:
            hosts.append(listed_host(re.sub(r"^https?://", "", word).rstrip("/")))
        except ValueError as error:
            problems.append(f"{where}第 {hosts_at + 1} 列：{error}")
    return Unit(name, tuple(dict.fromkeys(hosts)))


def unit_key(name: str) -> str:
    """A unit's name as it is compared: width, spaces and brackets do not count."""
    plain = unicodedata.normalize("NFKC", name)
    return re.sub(r"[\s·•\"'“”《》]|[(\[【][^)\]】]*[)\]】]", "", plain).casefold()
