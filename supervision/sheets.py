"""A report as sheets: for a spreadsheet and as CSV."""

import csv
import io
from collections.abc import Mapping, Sequence

from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

from supervision.annual import PARTS, TEXTS, tables
from supervision.figures import VERDICTS, Counting
from supervision.report import groups

Row = Sequence[str | int]
Sheet = tuple[str, list[Row]]
_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "\t", "\r")
"""In full width too: a Chinese spreadsheet takes them for the same."""


def sheets_of(
    period: str, counting: Counting, people: Sequence[tuple[str, str, Mapping[str, int]]]
) -> list[Sheet]:
    """Self-check, who approved what, and of a year the tables of the six parts."""
    check: list[Row] = [("类别", "项目", "数")]
    check += [(group, label, value) for group, of in groups(counting) for _, label, value in of]
    who: list[Row] = [("审核人", *VERDICTS.values())]
    who += [(name, *(of.get(one, 0) for one in VERDICTS)) for _, name, of in people]
    found = [(f"自查 {period}", check), ("谁批准了什么", who)]
    if len(period) == 4:
        found += [
            (f"{number}.{part.split('、')[1]}"[:31], list(rows))
            for number, (part, rows) in enumerate(tables(counting.given), 1)
        ]
        written = {part: counting.texts.get(name, "") for name, part in TEXTS.items()}
        found.append(("六个部分", [(one, written.get(one, "")) for one in PARTS]))
    return found


def xlsx_of(sheets: Sequence[Sheet]) -> bytes:
    """As a workbook."""
    book = Workbook()
    book.remove(book.worksheets[0])
    for title, rows in sheets:
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append([safe(one) for one in row])
        sheet.column_dimensions["A"].width = sheet.column_dimensions["B"].width = 36
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def csv_of(sheets: Sequence[Sheet]) -> bytes:
    """One below the other, in the form in which a Chinese spreadsheet opens it without asking."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    for title, rows in sheets:
        writer.writerow([title])
        writer.writerows([[safe(one) for one in row] for row in rows])
        writer.writerow([])
    return out.getvalue().encode("utf-8-sig")


def safe(cell: str | int) -> str | int:
    """Words that would be read as a formula are text; signs that no sheet can hold are left out."""
    if not isinstance(cell, str):
        return cell
    words = ILLEGAL_CHARACTERS_RE.sub("", cell)
    return f"'{words}" if words.startswith(_FORMULA) else words
