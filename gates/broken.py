"""Numbers that the end of a line cuts in two, in the middle of a running paragraph.

Text copied from a PDF or a mail has its lines broken where the page ended. Two figures in cells or
lines of their own are two figures: only what stands within words counts as one.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from gates.finding import NEAR

_ENDS = "\n\r\u2028\u2029\x85\x0b\x0c"  # whatever an editor shows as the end of a line
_BLANKS = "[ \\t\u3000\u00a0]{0,16}"  # left at the end of a line, or indenting the next
_CUT = re.compile(
    r"(?<![0-9A-Za-z.,|\t-])(?<!\d )(\d(?:[ -]?\d){0,16})"
    rf"({_BLANKS}(?:\r\n|[{_ENDS}]){_BLANKS})"
    r"((?:\d[ -]?){0,17}[\dXx×Хх])(?![0-9A-Za-z|\t,])(?![ .-]\d)"
)
_PLAIN = re.compile(r" ?\r?\n")
_HAN = re.compile(r"[\u4e00-\u9fff]")
_LINES = re.compile(f"[{_ENDS}]")
_CELLS = re.compile(r"[\t|｜]")
# 1. 1、 1）: the next line is an item of a list.
_NUMBERS = re.compile(r"[.．、:：)）]")
_ITEM_LENGTH = 2
_CLOSES = ")）"


class CutNumber(NamedTuple):
    """A number over a line end: its span in the dense text, its characters, those of its head.

    `apart`: more than the line end stands between, so that only a check digit tells it from two.
    """

    start: int
    end: int
    number: str
    head: int
    apart: bool


def cut_numbers(dense: str) -> Iterator[CutNumber]:
    """The numbers with exactly one line end in them, and words before them on their line."""
    for match in _CUT.finditer(dense):
        start, end = match.span()
        line = _LINES.split(dense[max(0, start - NEAR) : start])[-1]
        rest = _LINES.split(dense[end : end + NEAR], maxsplit=1)[0]
        # A tab at the edge of a line indents it; one within it parts two cells.
        if not _HAN.search(line) or _CELLS.search(line.lstrip()) or _CELLS.search(rest.rstrip()):
            continue
        if not _is_item(match[3], line, rest):
            head, tail = (re.sub("[ -]", "", part) for part in match.group(1, 3))
            apart = not _PLAIN.fullmatch(match[2])
            yield CutNumber(start, end, head + tail, len(head), apart)


def _is_item(tail: str, line: str, rest: str) -> bool:
    """Whether what stands at the head of the next line numbers it."""
    if not tail.isdigit() or len(tail) > _ITEM_LENGTH or not _NUMBERS.match(rest):
        return False
    # （…1⏎2）: the bracket was opened before the number.
    opened = max(line.rfind(mark) for mark in "(（") > max(line.rfind(mark) for mark in _CLOSES)
    return not (rest[0] in _CLOSES and opened)
