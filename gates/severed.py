"""Identity numbers cut over paragraphs, boxes or cells of a file: their check digit tells them.

Figures in cells of their own are figures; eighteen that make a right number by chance are one in
forty thousand, and few pieces of some length are asked.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from documents.parts import Part
from gates.identity import is_identity

_LINES = re.compile(r"[^\n\t]+")
_PIECE = re.compile(r"(?:^|[^0-9A-Za-z.])([0-9]{1,17}[Xx]?)[ ]*$")
_FIRST = re.compile(r" *([0-9]{1,17}[Xx]?)(?![0-9A-Za-z.])")
_ALONE = re.compile(r" *[0-9]{1,17}[Xx]? *")
_LENGTH = 18
_LEAST = 3  # characters of a piece, unless each stands alone in its box
_MOST = 4  # pieces


class _Piece(NamedTuple):
    start: int
    text: str
    alone: bool  # nothing else in its line: what is cut may go on through it
    ends: bool  # it ends its line, and may go on in the next


class Severed(NamedTuple):
    """Where the pieces of one number begin and end in the text of all parts."""

    start: int
    end: int


def severed(parts: Sequence[Part], starts: Sequence[int]) -> Iterator[Severed]:
    """The numbers that neighbours in reading order, or in a column, make together."""
    lines = [_pieces(part.text, start) for part, start in zip(parts, starts, strict=True)]
    yield from _in_order([one for line in lines for one in line])
    columns: dict[str, list[_Piece]] = {}
    for part, line in zip(parts, lines, strict=True):
        if part.column:
            columns.setdefault(part.column, []).extend(line[:1])
    for column in columns.values():
        for first, second in pairwise(column):
            long = first.ends and min(len(first.text), len(second.text)) >= _LEAST
            if long and is_identity(first.text + second.text):
                yield Severed(first.start, first.start + len(first.text))


def _pieces(text: str, at: int) -> list[_Piece]:
    """What stands at the edges of the lines of a part."""
    found = []
    for line in _LINES.finditer(text):
        alone = _ALONE.fullmatch(line[0]) is not None
        last = _PIECE.search(line[0])
        first = None if alone else _FIRST.match(line[0])
        if first:
            start = at + line.start() + first.start(1)
            found.append(_Piece(start, first[1], alone=False, ends=False))
        if last:
            found.append(_Piece(at + line.start() + last.start(1), last[1], alone, ends=True))
        if not (first or last):
            found.append(_Piece(0, "", alone=False, ends=False))
    return found


def _in_order(pieces: Sequence[_Piece]) -> Iterator[Severed]:
    for at, first in enumerate(pieces):
        if not first.ends:
            continue
        number, most = first.text, _LENGTH if len(first.text) == 1 else _MOST
        for piece in pieces[at + 1 : at + most]:
            least = 1 if len(first.text) == 1 else _LEAST
            if len(piece.text) < least or len(number) + len(piece.text) > _LENGTH:
                break
            number += piece.text
            if len(number) == _LENGTH and is_identity(number):
                yield Severed(first.start, piece.start + len(piece.text))
            if not piece.alone:
                break
