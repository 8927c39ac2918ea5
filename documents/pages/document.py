"""The blocks of a page as the document of an item: headings, lists, tables and pictures stay."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from blocks.document import (
    DEEPEST,
    MOST_COLUMNS,
    MOST_ROWS,
    Block,
    Cell,
    Document,
    Heading,
    ListBlock,
    ListItem,
    Paragraph,
    Picture,
    Row,
    Table,
    plain,
)
from blocks.text import project

_LARGE = 2  # h1 and h2 are large headings, the rest small ones


def document_of(records: Sequence[Mapping[str, Any]], media: Mapping[str, str]) -> Document:
    """The document of a page's blocks (reading.blocks.Block.record).

    `media` maps addresses of pictures to their markers; a picture that was not kept is left out.
    """
    found: list[Block] = []
    for listed, group in groupby(records, key=lambda one: one["kind"] == "item"):
        rows = list(group)
        found += _lists(rows) if listed else [part for one in rows for part in _parts(one, media)]
    return Document(blocks=tuple(found))


def words_of(document: Document) -> str:
    """What a page says, without the marks of lists and the words of pictures."""
    told = project(document)
    pictures = {at for at, one in enumerate(document.blocks) if isinstance(one, Picture)}
    return " ".join(
        told.text[leaf.start : leaf.end] for leaf in told.leaves if leaf.block not in pictures
    )


def _parts(one: Mapping[str, Any], media: Mapping[str, str]) -> Iterator[Block]:
    kind, text = one["kind"], str(one.get("text", ""))
    if kind == "image":
        marker = media.get(str(one.get("url", "")), "")
        if marker:
            origin, licence = str(one.get("origin", "")), str(one.get("licence", ""))
            yield Picture(media=marker, alt=text[:300], origin=origin[:300], licence=licence[:300])
    elif kind == "table":
        yield from _table(one, text)
    elif kind == "heading":
        yield Heading(level=1 if int(one.get("level", 1)) <= _LARGE else 2, runs=plain(text))
    else:
        yield Paragraph(runs=plain(text))


def _table(one: Mapping[str, Any], text: str) -> Iterator[Block]:
    """A caption, and the rows; a table that no phone can show is lines of text."""
    rows = [[str(cell) for cell in row] for row in one.get("rows", ())]
    if not rows or len(rows) > MOST_ROWS or max(map(len, rows)) > MOST_COLUMNS:
        yield from (Paragraph(runs=plain(line)) for line in text.split("\n"))
        return
    lines = text.split("\n")
    if len(lines) > sum(any(row) for row in rows):
        yield Paragraph(runs=plain(lines[0]))
    yield Table(
        rows=tuple(Row(cells=tuple(Cell(runs=plain(cell)) for cell in row)) for row in rows)
    )


def _lists(rows: Sequence[Mapping[str, Any]]) -> list[Block]:
    """Lists inside lists, by the depth of each point; a change of kind at a depth begins anew."""
    found: list[Block] = []
    at = 0
    while at < len(rows):
        made, at = _list(rows, at, 1)
        found.append(made)
    return found


def _list(rows: Sequence[Mapping[str, Any]], at: int, depth: int) -> tuple[ListBlock, int]:
    """The list that begins at row `at`, and the row after it."""
    first = _depth(rows[at])
    ordered = bool(rows[at].get("ordered"))
    items: list[ListItem] = []
    while at < len(rows) and _depth(rows[at]) >= first:
        deeper = _depth(rows[at]) > first
        if not deeper and bool(rows[at].get("ordered")) != ordered:
            break
        if deeper and depth < DEEPEST and items:
            below, at = _list(rows, at, depth + 1)
            last = items.pop()
            items.append(last.model_copy(update={"below": _joined(last.below, below)}))
            continue
        items.append(ListItem(runs=plain(str(rows[at].get("text", "")))))
        at += 1
    return ListBlock(ordered=ordered, items=tuple(items)), at


def _joined(before: ListBlock | None, after: ListBlock) -> ListBlock:
    """Two lists below one point are one."""
    if before is None:
        return after
    return before.model_copy(update={"items": (*before.items, *after.items)})


def _depth(one: Mapping[str, Any]) -> int:
    return max(1, int(one.get("level", 1)))
