"""The blocks of a text for its page, their words cut where findings begin and end. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from blocks.document import (
    Block,
    Document,
    Heading,
    ListBlock,
    Paragraph,
    Picture,
    Quote,
    Run,
    Table,
)
from blocks.text import project
from console.items.marks import Marked, Piece, mark

Where = tuple[str | int, ...]


@dataclass(frozen=True)
class Words:
    """Characters of one look under the same findings; `leads`: the address, where a link ends."""

    piece: Piece
    bold: bool = False
    link: str = ""
    leads: str = ""


@dataclass(frozen=True)
class Shown:
    """A block, a point of a list or a field of a table: the data of it, its words, what is inside.

    `said` is what stands before the words in the plain text and is drawn by the browser.
    """

    block: object
    words: tuple[Words, ...] = ()
    inside: tuple["Shown", ...] = ()
    said: str = ""

    @property
    def kind(self) -> str:
        """The kind of block."""
        return str(getattr(self.block, "kind", ""))


class _Marks:
    """The text cut at its findings, given out by the place of the words."""

    def __init__(self, document: Document, findings: Sequence[Marked]) -> None:
        told = project(document)
        self._leaves = {leaf.where: leaf for leaf in told.leaves}
        self._pieces: list[tuple[int, Piece]] = []
        at = 0
        for piece in mark(told.text, findings, "text"):
            self._pieces.append((at, piece))
            at += len(piece.text)

    def words(self, where: Where, runs: Sequence[Run]) -> tuple[Words, ...]:
        """The words of this place, run by run."""
        leaf = self._leaves[where]
        found, at = [], leaf.start
        for run, after in zip_longest(runs, runs[1:]):
            cut = list(self._cut(at, at + len(run.text)))
            # Runs of one address are one link: part of it may be bold.
            ends = run.link if after is None or after.link != run.link else ""
            found += [
                Words(piece, run.bold, run.link, ends if piece is cut[-1] else "") for piece in cut
            ]
            at += len(run.text)
        return tuple(found)

    def _cut(self, start: int, end: int) -> Iterator[Piece]:
        for at, piece in self._pieces:
            first, last = max(start, at), min(end, at + len(piece.text))
            if first < last:
                ends = piece.ends if last == at + len(piece.text) else ()
                yield Piece(piece.text[first - at : last - at], piece.findings, ends)


def shown_blocks(document: Document, findings: Sequence[Marked]) -> list[Shown]:
    """Every block of the document with the findings of its text."""
    marks = _Marks(document, findings)
    return [_block(marks, block, (index,)) for index, block in enumerate(document.blocks)]


def _block(marks: _Marks, block: Block, where: Where) -> Shown:
    if isinstance(block, ListBlock):
        return _list(marks, block, where)
    if isinstance(block, Table):
        rows = tuple(
            Shown(
                row,
                inside=tuple(
                    Shown(cell, marks.words((*where, "rows", at, "cells", column), cell.runs))
                    for column, cell in enumerate(row.cells)
                ),
            )
            for at, row in enumerate(block.rows)
        )
        return Shown(block, inside=rows)
    if isinstance(block, Picture):
        caption = [Run(text=block.caption)] if block.caption else []
        return Shown(block, marks.words((*where, "caption"), caption) if caption else ())
    if isinstance(block, Paragraph | Heading | Quote):
        return Shown(block, marks.words(where, block.runs))
    return Shown(block)


def _list(marks: _Marks, block: ListBlock, where: Where) -> Shown:
    points = []
    for number, item in enumerate(block.items):
        here = (*where, "items", number)
        below = (_list(marks, item.below, (*here, "below")),) if item.below else ()
        points.append(Shown(item, marks.words(here, item.runs), below, block.mark(number)))
    return Shown(block, inside=tuple(points))
