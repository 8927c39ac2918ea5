"""Numbers that the end of a line cuts in two, in the middle of a running paragraph.

Text copied from a PDF or a mail has its lines broken where the page ended. Two figures in cells or
lines of their own are two figures: only what stands within words counts as one.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from gates.finding import NEAR

_CUT = re.compile(
    r"(?<![0-9A-Za-z.,|\t-])(?<!\d )(\d(?:[ -]?\d){0,16})[ ]?\r?\n"
    r"((?:\d[ -]?){0,17}[\dXx×Хх])(?![0-9A-Za-z|\t,])(?![ .-]\d)"
)
_HAN = re.compile(r"[\u4e00-\u9fff]")
_CELLS = re.compile(r"[\t|｜]")
# 1. 1、 1）: the next line is an item of a list.
_NUMBERS = re.compile(r"[.．、:：)）]")
_ITEM_LENGTH = 2
_CLOSES = ")）"


class CutNumber(NamedTuple):
    """A number over a line end: its span in the dense text, its characters, those of its head."""

    start: int
    end: int
    number: str
    head: int


def cut_numbers(dense: str) -> Iterator[CutNumber]:
    """The numbers with exactly one line end in them, and words before them on their line."""
    for match in _CUT.finditer(dense):
        start, end = match.span()
        line = dense[max(dense.rfind("\n", 0, start) + 1, start - NEAR) : start]
        stop = dense.find("\n", end, end + NEAR)
        rest = dense[end : stop if stop >= 0 else end + NEAR]
        if not _HAN.search(line) or _CELLS.search(line) or _CELLS.search(rest):
            continue
        if not _is_item(match[2], line, rest):
            head, tail = (re.sub("[ -]", "", part) for part in match.groups())
            yield CutNumber(start, end, head + tail, len(head))


def _is_item(tail: str, line: str, rest: str) -> bool:
    """Whether what stands at the head of the next line numbers it."""
    if not tail.isdigit() or len(tail) > _ITEM_LENGTH or not _NUMBERS.match(rest):
        return False
    # （…1⏎2）: the bracket was opened before the number.
    opened = max(line.rfind(mark) for mark in "(（") > max(line.rfind(mark) for mark in _CLOSES)
    return not (rest[0] in _CLOSES and opened)
