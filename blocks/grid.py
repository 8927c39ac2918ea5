"""Fields of a table as others write them, as a table that a document can hold."""

from collections.abc import Sequence
from itertools import takewhile

from blocks.document import MOST_COLUMNS, MOST_ROWS, Cell, Row, Run, Table, merged
from blocks.taken import LeftOut


def table_of(rows: Sequence[Sequence[Cell]], left_out: LeftOut, *, guess: bool) -> Table | None:
    """The table cut to what a document holds; None when it says nothing.

    Fields are as read: spans may reach over each other or out of the table. `guess` takes empty
    edges off and sees a head in a first row that is bold.
    """
    if len(rows) > MOST_ROWS:
        more = len(rows) - MOST_ROWS
        words = f"表格的 {{}} 行没有带过来：表格最多 {MOST_ROWS} 行，请拆开，或作为附件上传"
        left_out.add(words, more)
        rows = rows[:MOST_ROWS]
    wide = _widest(rows, only_filled=guess)
    kept, lost = _placed(rows, min(max(wide, 1), MOST_COLUMNS))
    if lost:
        words = f"表格的 {{}} 格没有带过来：表格最多 {MOST_COLUMNS} 列，请拆开，或作为附件上传"
        left_out.add(words, lost)
    if not any(cell.text.strip() for cells in kept for cell in cells):
        return None
    if guess:
        while not any(cell.text.strip() for cell in kept[-1]):
            kept.pop()
        kept = _headed(kept)
    return Table(rows=tuple(Row(cells=tuple(cells)) for cells in kept))


def _widest(rows: Sequence[Sequence[Cell]], *, only_filled: bool) -> int:
    """The last column in which anything stands: spreadsheets bring empty ones along."""
    wide, reaching = 0, [0] * MOST_COLUMNS
    for cells in rows:
        at = 0
        for cell in cells:
            while at < MOST_COLUMNS and reaching[at] > 0:
                at += 1
            span = min(cell.colspan, MOST_COLUMNS - at)
            if not only_filled or cell.text.strip():
                wide = max(wide, at + max(span, 1))
            for column in range(at, at + max(span, 0)):
                reaching[column] = cell.rowspan
            at += max(span, 1)
        reaching = [left - 1 if left > 0 else 0 for left in reaching]
    return wide


def _placed(rows: Sequence[Sequence[Cell]], width: int) -> tuple[list[list[Cell]], int]:
    """The fields that find a place in the grid, spans cut to it; how many with words do not."""
    reaching, lost, found = [0] * width, 0, []
    for number, cells in enumerate(rows):
        at, kept = 0, []
        for cell in cells:
            while at < width and reaching[at]:
                at += 1
            if at >= width:
                lost += bool(cell.text.strip())
                continue
            end = at + 1
            while end < min(at + cell.colspan, width) and not reaching[end]:
                end += 1
            down = min(cell.rowspan, len(rows) - number)
            kept.append(cell.model_copy(update={"colspan": end - at, "rowspan": down}))
            reaching[at:end] = [down] * (end - at)
            at = end
        found.append(_filled(kept, sum(not one for one in reaching)))
        reaching = [max(one - 1, 0) for one in reaching]
    return found, lost


def _filled(cells: list[Cell], missing: int) -> list[Cell]:
    return [*cells, *[Cell()] * missing]


def _headed(rows: list[list[Cell]]) -> list[list[Cell]]:
    """A first row that alone is all bold is the head; a head is bold without saying so."""
    first = rows[0]
    if len(rows) > 1 and not any(cell.head for cells in rows for cell in cells):
        others = [cell for cells in rows[1:] for cell in cells if cell.text.strip()]
        if _all_bold(first) and others and not _all_bold(others):
            # Fields of the first row that reach down have the rest of the head beside them.
            deep = max((cell.rowspan for cell in first), default=1)
            heads = [first, *takewhile(_all_bold, rows[1:deep])]
            named = [[cell.model_copy(update={"head": True}) for cell in row] for row in heads]
            first, *rows[1 : len(heads)] = named
    return [
        [_plain(cell) if cell.head and _all_bold([cell]) else cell for cell in cells]
        for cells in (first, *rows[1:])
    ]


def _all_bold(cells: Sequence[Cell]) -> bool:
    runs = [run for cell in cells for run in cell.runs if run.text.strip()]
    return bool(runs) and all(run.bold for run in runs)


def _plain(cell: Cell) -> Cell:
    return cell.model_copy(update={"runs": without_bold(cell.runs)})


def without_bold(runs: Sequence[Run]) -> tuple[Run, ...]:
    """The same runs, none of them bold."""
    return merged(run.model_copy(update={"bold": False}) for run in runs)
