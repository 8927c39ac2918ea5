"""A published list of 稿源单位 as a proposed change: what it adds, drops and renames.

Lists name units only; the office maps hosts to them. A unit that stays keeps its hosts.
"""

import asyncio
import csv
import difflib
import io
import re
import unicodedata
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import docx
import lxml.html
import openpyxl
from lxml import etree
from openpyxl.utils.exceptions import InvalidFileException
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from config.clock import now
from content_sources.changes import (
    Proposal,
    SourceFields,
    approve_in,
    fields_of,
    open_change,
    propose_in,
    reject_in,
    revoke_in,
)
from content_sources.list_models import ListImport, SourceChange
from content_sources.models import Source
from content_sources.whitelist import listed_host
from documents.charset import decode
from ledger.append import Ledger, Transaction
from staff.refusal import Reason, Refused
from storage.database import new_id
from storage.media import keep

MOST_BYTES = 10 * 1024 * 1024
MOST_UNPACKED = 80 * 1024 * 1024
MOST_ROWS = 20_000
_NAME = re.compile(r"单位|稿源|媒体名称|网站名称|^名称$|机构名称")
_HOSTS = re.compile(r"域名|网址|主机|链接")
_NUMBER = re.compile(r"^\d{1,5}[.、．]?$")
_LEADING = re.compile(r"^\s*(?:\d{1,5}|[（(]?[一二三四五六七八九十]{1,3}[）)]?)\s*[.、．]\s*")
_ALIKE = 0.84  # names at least so similar are one unit that was renamed
_OFFICE = re.compile(r"办公[室厅]|委员会|[局厅部处]$")
Row = tuple[str, list[str]]
"""Where it stands (第 3 行, 表 1 第 3 行) and its cells."""


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


@dataclass(frozen=True)
class Difference:
    """A list against the present one. `renamed` are (source id, old name, new name)."""

    added: tuple[str, ...]
    removed: tuple[tuple[str, str], ...]
    renamed: tuple[tuple[str, str, str], ...]
    kept: int
    problems: tuple[str, ...]


@dataclass(frozen=True)
class ListFile:
    """A published list and the document that authorises it.

    `replaces` names the version whose units leave when they are not on this list; empty: none do.
    """

    name: str
    data: bytes
    list_version: str
    basis: str
    replaces: str = ""


# --- reading ----------------------------------------------------------------------------


def parse_list(name: str, data: bytes) -> Parsed:
    """The units of an xlsx, docx, csv or html file. Refused (422) when it is none of these."""
    kind = name.rsplit(".", 1)[-1].lower()
    if len(data) > MOST_BYTES:
        raise _unreadable(name, f"文件超过 {MOST_BYTES // 1024 // 1024} MB")
    readers = {"xlsx": _xlsx, "docx": _docx, "csv": _csv, "txt": _csv, "html": _html, "htm": _html}
    if kind not in readers:
        raise _unreadable(name, "只能读 xlsx、docx、csv 和 html 文件，请另存后再导入")
    try:
        rows = list(readers[kind](data))
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
                with archive.open(entry) as part:
                    if b"<!DOCTYPE" in part.read(4096):
                        raise ValueError("a document type is not read")


def _xlsx(data: bytes) -> Iterator[Row]:
    _check_archive(data)
    book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
    try:
        for number, sheet in enumerate(book.worksheets, 1):
            where = f"表 {number} " if len(book.worksheets) > 1 else ""
            for line, cells in enumerate(sheet.iter_rows(values_only=True), 1):
                yield f"{where}第 {line} 行", [_cell(value) for value in cells]
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
            yield f"{where}第 {line} 行", [_cell(cell.text) for cell in row.cells]
    if not document.tables:
        for line, paragraph in enumerate(document.paragraphs, 1):
            yield f"第 {line} 段", [_cell(paragraph.text)]


def _csv(data: bytes) -> Iterator[Row]:
    for line, cells in enumerate(csv.reader(io.StringIO(decode(data), newline="")), 1):
        yield f"第 {line} 行", [_cell(cell) for cell in cells]


def _html(data: bytes) -> Iterator[Row]:
    page = lxml.html.document_fromstring(re.sub(r"^\s*<\?xml[^>]*\?>", "", decode(data)))
    tables = [table for table in page.iter("table") if table.find(".//table") is None]
    for number, table in enumerate(tables, 1):
        where = f"表 {number} " if len(tables) > 1 else ""
        for line, row in enumerate(table.iter("tr"), 1):
            yield (
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
    headed = any(_is_header(cell) for _, cells in rows for cell in cells)
    for where, cells in rows:
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
        unit = _unit((where, cells), at, hosts_column, problems)
        if unit is None:
            continue
        key = _key(unit.name)
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
    where, cells = row
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


def _key(name: str) -> str:
    """A unit's name as it is compared: width, spaces and brackets do not count."""
    plain = unicodedata.normalize("NFKC", name)
    return re.sub(r"[\s·•\"'“”《》]|[(\[【][^)\]】]*[)\]】]", "", plain).casefold()


# --- comparing --------------------------------------------------------------------------


def compare(parsed: Parsed, present: Sequence[Source], replaces: str) -> Difference:
    """What the list changes against the sources in force."""
    by_key = {_key(row.organisation): row for row in present}
    on_list = {_key(unit.name) for unit in parsed.units}
    fresh = [unit for unit in parsed.units if _key(unit.name) not in by_key]
    gone = [
        row
        for key, row in by_key.items()
        if key not in on_list and replaces and row.list_version == replaces
    ]
    renamed = _renamed(fresh, gone)
    old, new = {one[0] for one in renamed}, {one[2] for one in renamed}
    return Difference(
        added=tuple(unit.name for unit in fresh if unit.name not in new),
        removed=tuple((row.id, row.organisation) for row in gone if row.id not in old),
        renamed=tuple(renamed),
        kept=len(on_list & set(by_key)),
        problems=parsed.problems,
    )


def _renamed(fresh: Sequence[Unit], gone: Sequence[Source]) -> list[tuple[str, str, str]]:
    """Pairs of a unit that left and one that came whose names are nearly the same, best first."""
    pairs = sorted(
        (
            (
                _likeness(_key(row.organisation), _key(unit.name)),
                row.id,
                row.organisation,
                unit.name,
            )
            for row in gone
            for unit in fresh
        ),
        reverse=True,
    )
    taken: set[str] = set()
    found = []
    for likeness, key, old, new in pairs:
        if likeness < _ALIKE:
            break
        if key not in taken and new not in taken:
            taken |= {key, new}
            found.append((key, old, new))
    return found


def _likeness(old: str, new: str) -> float:
    if sorted(_OFFICE.findall(old)) != sorted(_OFFICE.findall(new)):
        return 0.0  # an office of the same body is another unit
    return difflib.SequenceMatcher(None, old, new, autojunk=False).ratio()


# --- proposing and approving -----------------------------------------------------------


async def _present(session: AsyncSession) -> Sequence[Source]:
    return (await session.scalars(select(Source).where(Source.state == "active"))).all()


async def import_list(ledger: Ledger, staff_id: str, file: ListFile) -> ListImport:
    """Propose a whole list; another person approves it with `approve_import`."""
    faults = []
    if not file.list_version.strip():
        faults.append(Reason("list_version", "请填写名单版本，例如 2025年6月版"))
    if len(file.basis.strip()) < 4:
        faults.append(Reason("basis", "请填写依据文件的名称或文号"))
    if faults:
        raise Refused(422, faults)
    parsed = await asyncio.to_thread(parse_list, file.name, file.data)
    async with ledger.transaction() as tx:
        present = await _present(tx.session)
        found = await asyncio.to_thread(compare, parsed, present, file.replaces)
        row = ListImport(
            id=new_id(),
            list_version=file.list_version.strip()[:60],
            file_name=file.name[:200],
            file=await keep(tx.session, file.data, "application/octet-stream"),
            basis=file.basis.strip()[:300],
            diff={},
            state="proposed",
            proposed_by=staff_id,
            proposed_at=now(),
        )
        tx.session.add(row)
        await tx.append(
            "source.imported",
            subject=f"import:{row.id}",
            actor=staff_id,
            body={"file": row.file, "list_version": row.list_version, "units": len(parsed.units)},
        )
        skipped = await _propose_units(tx, row, parsed, (present, found))
        row.diff = asdict(replace(found, problems=(*found.problems, *skipped)))
    return row


async def _propose_units(
    tx: Transaction,
    row: ListImport,
    parsed: Parsed,
    against: tuple[Sequence[Source], Difference],
) -> list[str]:
    """One proposed change for each unit that comes, stays or is renamed."""
    present, found = against
    by_key = {_key(source.organisation): source for source in present}
    by_key |= {
        _key(new): source
        for source_id, _, new in found.renamed
        for source in present
        if source.id == source_id
    }
    skipped = []
    for unit in parsed.units:
        source = by_key.get(_key(unit.name))
        if source is not None and await open_change(tx.session, source.id) is not None:
            skipped.append(f"“{unit.name}”已有一项变更在等批准，这次没有改动")
            continue
        proposal = _proposal(unit, source, row)
        if proposal is not None:
            await propose_in(tx, row.proposed_by, proposal)
    return skipped


def _proposal(unit: Unit, source: Source | None, row: ListImport) -> Proposal | None:
    if source is None:
        fields = SourceFields(
            organisation=unit.name,
            hosts=unit.hosts,
            basis=row.basis,
            valid_from=now(),
            list_version=row.list_version,
            basis_file=row.file,
        )
        return Proposal("add", fields, batch=row.id)
    before = fields_of(source)
    fields = replace(
        before,
        organisation=unit.name,
        hosts=tuple(dict.fromkeys((*before.hosts, *unit.hosts))),
        basis=row.basis,
        basis_file=row.file,
        list_version=row.list_version,
    )
    return None if fields == before else Proposal("edit", fields, source.id, batch=row.id)


async def _waiting(session: AsyncSession, import_id: str) -> tuple[ListImport, list[SourceChange]]:
    row = await session.get(ListImport, import_id)
    if row is None:
        raise Refused(404, [Reason("missing", "没有这次导入，可能地址不完整")])
    if row.state != "proposed":
        raise Refused(409, [Reason("state", "这次导入已经有结论")])
    query = select(SourceChange).where(
        SourceChange.batch == import_id, SourceChange.state == "proposed"
    )
    return row, list((await session.scalars(query.order_by(SourceChange.id))).all())


async def approve_import(ledger: Ledger, staff_id: str, import_id: str) -> dict[str, int]:
    """Put a proposed list in force at once; units that left are revoked. How many of each."""
    async with ledger.transaction() as tx:
        row, changes = await _waiting(tx.session, import_id)
        if row.proposed_by == staff_id:
            raise Refused(403, [Reason("two_people", "不能批准自己导入的名单，请另一位管理员批准")])
        for change in changes:
            await approve_in(tx, staff_id, change.source_id)
        revoked = 0
        for source_id, _ in row.diff["removed"]:
            source = await tx.session.get(Source, source_id)
            if source is not None and source.state == "active":
                await revoke_in(tx, staff_id, source_id)
                revoked += 1
        row.state, row.decided_by, row.decided_at = "approved", staff_id, now()
    return {"changed": len(changes), "revoked": revoked}


async def reject_import(ledger: Ledger, staff_id: str, import_id: str) -> None:
    """Turn a proposed list down, with everything it proposed."""
    async with ledger.transaction() as tx:
        row, changes = await _waiting(tx.session, import_id)
        for change in changes:
            await reject_in(tx, staff_id, change.source_id)
        row.state, row.decided_by, row.decided_at = "rejected", staff_id, now()


async def last_version(session: AsyncSession) -> str:
    """The version of the list approved last, or empty: what a new list replaces unless told."""
    query = select(ListImport.list_version).where(ListImport.state == "approved")
    return (
        await session.scalars(query.order_by(ListImport.decided_at.desc()).limit(1))
    ).first() or ""


def plain(row: ListImport) -> dict[str, Any]:
    """An import for the API and the command line."""
    return {
        "id": row.id,
        "list_version": row.list_version,
        "file_name": row.file_name,
        "state": row.state,
        "diff": row.diff,
    }
