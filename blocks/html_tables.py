"""Tables of HTML: which ones only place things, and the fields of the others."""

from bisect import bisect_left
from dataclasses import dataclass, field
from typing import Any

from lxml import etree

from blocks.document import MOST_COLUMNS, MOST_ROWS, Cell, Picture, Run


def for_layout(root: Any) -> set[Any]:
    """The tables that hold tables or are one box: their words are taken as they stand."""
    found: set[Any] = set()
    open_: list[_Count] = []
    walker = etree.iterwalk(root, events=("start", "end"), tag=("table", "tr", "td", "th", "img"))
    for event, node in walker:
        if event == "start":
            if node.tag == "table":
                if open_:
                    found.add(open_[-1].node)
                open_.append(_Count(node))
            elif open_:
                open_[-1].see(node.tag)
        elif node.tag == "table" and open_:
            done = open_.pop()
            if done.widest <= 1 and (done.pictures or done.rows <= 1):
                found.add(done.node)
    return found


@dataclass
class _Count:
    node: Any
    rows: int = 0
    cells: int = 0
    widest: int = 0
    pictures: int = 0

    def see(self, tag: str) -> None:
        if tag == "tr":
            self.rows, self.cells = self.rows + 1, 0
        elif tag == "img":
            self.pictures += 1
        else:
            self.cells += 1
            self.widest = max(self.widest, self.cells)


@dataclass
class Fields:
    """The fields of the table that is being read."""

    node: Any
    rows: list[list[Cell]] = field(default_factory=list)
    pictures: list[Picture] = field(default_factory=list)
    caption: str = ""
    head: Any = None
    cell: Any = None
    _row: list[Cell] = field(default_factory=list)
    _line: int = 0
    _lines: list[int] = field(default_factory=list)  # which line of the source each row is

    def end_cell(self, runs: tuple[Run, ...]) -> None:
        """The words of a field are read."""
        node = self.cell
        in_head = self.head is not None and node.getparent().getparent() is self.head
        self._row.append(
            Cell(
                runs=runs,
                head=node.tag == "th" or in_head,
                colspan=_span(node.get("colspan"), MOST_COLUMNS),
                rowspan=_span(node.get("rowspan"), MOST_ROWS),
            )
        )

    def hidden_row(self) -> None:
        """A line of the sheet is passed over."""
        self._line += 1

    def is_full(self) -> bool:
        """Whether no further line is taken."""
        return len(self.rows) >= MOST_ROWS

    def end_row(self) -> None:
        """A line of the table is read."""
        self.rows.append(self._row)
        self._lines.append(self._line)
        self._line += 1
        self._row = []

    def lines(self) -> list[list[Cell]]:
        """The lines; what reached over lines passed over is shorter by them."""
        if self._line == len(self.rows):
            return self.rows
        return [
            [
                cell.model_copy(
                    update={"rowspan": bisect_left(self._lines, at + cell.rowspan) - number}
                )
                for cell in row
            ]
            for number, (at, row) in enumerate(zip(self._lines, self.rows, strict=True))
        ]


def _span(given: str | None, most: int) -> int:
    text = (given or "1").strip()
    if not (text.isascii() and text.isdigit()):
        return 1
    # A span of 0 reaches to the end.
    return min(int(text[:6]), most) or most
