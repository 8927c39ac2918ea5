"""What every channel says of a block: captions, marks, and tables in words. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from blocks.document import Block, Cell, ListBlock, ListItem, Made, Picture, Run, Table

_NAMES = {
    "heading": "标题",
    "list": "列表",
    "table": "表格",
    "picture": "图片",
    "quote": "引用",
    "attachment": "附件",
}
_PICTURE_MADE = {Made.GENERATED: "图片由人工智能生成", Made.ASSISTED: "图片含人工智能生成内容"}
EMPTY = "（空）"


def block_name(index: int, block: Block) -> str:
    """第 3 段的表格: how staff find block `index`."""
    name = _NAMES.get(block.kind, "")
    return f"第 {index + 1} 段" + (f"的{name}" if name else "")


def caption_line(picture: Picture) -> str:
    """What stands below a picture: its caption, where it is from, and who made it."""
    origin = f"图片来源：{picture.origin}" if picture.origin else ""
    notes = "；".join(filter(None, [origin, _PICTURE_MADE.get(picture.made, "")]))
    if not picture.caption:
        return notes
    return picture.caption + (f"（{notes}）" if notes else "")


def address(run: Run) -> str:
    """The address behind words for who cannot press on them; empty when the words say it."""
    bare = run.link.removeprefix("mailto:").removeprefix("tel:")
    return "" if not bare or bare in run.text else f"（{bare}）"


def list_lines(block: ListBlock, depth: int = 1) -> Iterator[tuple[int, str, ListItem]]:
    """Depth, mark and point of each line of a list, in order."""
    for index, item in enumerate(block.items):
        yield depth, block.mark(index), item
        if item.below is not None:
            yield from list_lines(item.below, depth + 1)


@dataclass(frozen=True)
class Grid:
    """A table with a field for each row and column; what reaches over several stands in each."""

    head: tuple[tuple[Cell, ...], ...]
    body: tuple[tuple[Cell, ...], ...]

    @property
    def width(self) -> int:
        """How many columns there are."""
        return max(len(row) for row in (*self.head, *self.body))


def grid_of(table: Table) -> Grid:
    """The fields of a table; its head are the first rows that hold heads only."""
    rows: list[dict[int, Cell]] = [{} for _ in table.rows]
    for at, row in enumerate(table.rows):
        column = 0
        for cell in row.cells:
            while column in rows[at]:
                column += 1
            for below in range(at, at + cell.rowspan):
                for beside in range(column, column + cell.colspan):
                    rows[below].setdefault(beside, cell)
            column += cell.colspan
    lines = [tuple(line[column] for column in sorted(line)) for line in rows]
    heads = 0
    while heads < len(lines) and lines[heads] and all(cell.head for cell in lines[heads]):
        heads += 1
    return Grid(tuple(lines[:heads]), tuple(lines[heads:]))


@dataclass(frozen=True)
class Named:
    """One field of a row in words: what it is called, and what stands in it."""

    label: str
    runs: tuple[Run, ...]


def rows_in_words(grid: Grid) -> list[list[Named]]:
    """Each row as fields with the words of their heads; a head without any row is a row itself."""
    labels = [_label(grid.head, column) for column in range(grid.width if grid.head else 0)]
    if not grid.body:
        return [[Named(label, ()) for label in labels]]
    filled = {column for row in grid.body for column, cell in enumerate(row) if cell.text.strip()}
    rows = [_row_in_words(row, labels, filled) for row in grid.body]
    said = {label for row in rows for one in row for label in one.label.split("、")}
    lost = [Named(label, ()) for label in labels if label and not said >= set(label.split("、"))]
    return [lost, *rows] if lost else rows


def _label(head: Sequence[Sequence[Cell]], column: int) -> str:
    words: list[str] = []
    for row in head:
        runs = row[column].runs if column < len(row) else ()
        text = "".join(run.text + address(run) for run in runs).strip()
        if text and text not in words:
            words.append(text)
    return " ".join(words)


def _row_in_words(row: Sequence[Cell], labels: Sequence[str], filled: set[int]) -> list[Named]:
    found: list[Named] = []
    last: Cell | None = None
    for column, cell in enumerate(row):
        label = labels[column] if column < len(labels) else ""
        if cell is last:  # one field over several columns is said once, with all their heads
            if len(set(row)) == 1:
                found[-1] = Named("", cell.runs)
            elif label and label != found[-1].label:
                found[-1] = Named(f"{found[-1].label}、{label}".lstrip("、"), found[-1].runs)
            continue
        if cell.text.strip():
            found.append(Named(label, cell.runs))
            last = cell
        elif label and column not in filled:
            found.append(Named(label, (Run(text=EMPTY),)))
            last = cell
    return found
