"""The plain text of a document, and where each character of it stands.

Gates, differences, quotes and the command `check` read this text. A list point and a row of a table
are a line each, fields of a row are parted by a tab, a picture is a line `![alt](sha256:...)` with
its caption below, a divider is a line of its own. `from_plain` is the way back for text alone.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache
from typing import Any

from blocks.document import (
    MOST_BLOCKS,
    Attachment,
    Block,
    Divider,
    Document,
    ListBlock,
    Paragraph,
    Picture,
    Table,
    plain,
    read_document,
    seen,
)

DIVIDER = "* * *"
_PICTURE = re.compile(r"^!\[(?P<alt>[^\]]{0,300})\]\((?P<media>sha256:[0-9a-f]{64})\)$")
_LONG = 200  # characters; what differs in a line and is longer is changed as one


@dataclass(frozen=True)
class Leaf:
    """Characters `start` to `end` of the text, which stand at `where` in the document's data."""

    start: int
    end: int
    where: tuple[str | int, ...]

    @property
    def block(self) -> int:
        """The index of the block."""
        return int(self.where[0])


@dataclass(frozen=True)
class Projection:
    """The text of a document; `lines[i]` are the characters that block i fills."""

    text: str
    leaves: tuple[Leaf, ...]
    lines: tuple[tuple[int, int], ...]

    def block_at(self, offset: int) -> int | None:
        """The index of the block that character `offset` stands in; None past the text."""
        return next(
            (index for index, (start, end) in enumerate(self.lines) if start <= offset <= end), None
        )

    def leaf_of(self, start: int, end: int) -> Leaf | None:
        """The leaf that holds all these characters; None when they cross its border."""
        return next((one for one in self.leaves if one.start <= start and end <= one.end), None)


class _Writer:
    def __init__(self) -> None:
        self.parts: list[str] = []
        self.leaves: list[Leaf] = []
        self.at = 0

    def say(self, text: str) -> None:
        self.parts.append(text)
        self.at += len(text)

    def leaf(self, text: str, *where: str | int) -> None:
        self.leaves.append(Leaf(self.at, self.at + len(text), where))
        self.say(text)


@lru_cache(maxsize=256)
def project(document: Document) -> Projection:
    """The text of a document with the place of each of its characters."""
    writer, lines = _Writer(), []
    for index, block in enumerate(document.blocks):
        if index:
            writer.say("\n")
        start = writer.at
        _write(writer, block, index)
        lines.append((start, writer.at))
    return Projection("".join(writer.parts), tuple(writer.leaves), tuple(lines))


def _write(writer: _Writer, block: Block, index: int) -> None:
    if isinstance(block, ListBlock):
        _write_list(writer, block, (index,))
    elif isinstance(block, Table):
        _write_table(writer, block, index)
    elif isinstance(block, Picture):
        writer.say("![")
        writer.leaf(block.alt, index, "alt")
        writer.say(f"]({block.media})")
        if block.caption:
            writer.say("\n")
            writer.leaf(block.caption, index, "caption")
    elif isinstance(block, Divider):
        writer.say(DIVIDER)
    elif isinstance(block, Attachment):
        writer.say("附件：")
        writer.leaf(block.name, index, "name")
    else:
        writer.leaf(block.text, index)


def _write_list(writer: _Writer, block: ListBlock, where: Sequence[str | int]) -> None:
    for number, item in enumerate(block.items):
        if number:
            writer.say("\n")
        writer.say(block.mark(number))
        here = (*where, "items", number)
        writer.leaf(item.text, *here)
        if item.below is not None:
            writer.say("\n")
            _write_list(writer, item.below, (*here, "below"))


def _write_table(writer: _Writer, block: Table, index: int) -> None:
    for at, row in enumerate(block.rows):
        if at:
            writer.say("\n")
        for column, cell in enumerate(row.cells):
            if column:
                writer.say("\t")
            writer.leaf(cell.text, index, "rows", at, "cells", column)


@dataclass(frozen=True)
class Linked:
    """Characters `start` to `end` of the text lead to `url`."""

    url: str
    start: int
    end: int


def linked(document: Document) -> Iterator[Linked]:
    """The words of a document that lead somewhere, in their order."""
    data = document.data()
    for leaf in project(document).leaves:
        holder: Any = data
        for step in leaf.where:
            holder = holder[step]
        at = leaf.start
        for run in holder["runs"] if isinstance(holder, dict) else ():
            if run["link"]:
                yield Linked(run["link"], at, at + len(run["text"]))
            at += len(run["text"])


def from_plain(text: str) -> Document:
    """The document of plain text: a paragraph a line, pictures where their lines stand."""
    lines = list(_lines(text))
    kept, rest = lines[: MOST_BLOCKS - 1], lines[MOST_BLOCKS - 1 :]
    # Lines of their own only where they become blocks: there may be a hundred thousand of them.
    words = [Paragraph(runs=plain("\n".join(rest)))] if len(rest) > 1 else map(_line_block, rest)
    return Document(blocks=(*map(_line_block, kept), *words))


def _document(blocks: Sequence[Block]) -> Document:
    """The blocks; what is more than a document holds is one last paragraph of the same text."""
    kept, rest = blocks[: MOST_BLOCKS - 1], blocks[MOST_BLOCKS - 1 :]
    if len(rest) > 1:
        words = "\n".join(project(Document(blocks=(one,))).text for one in rest)
        rest = [Paragraph(runs=plain(words))]
    return Document(blocks=(*kept, *rest))


def _lines(text: str) -> Iterator[str]:
    return (line.strip() for line in seen(text).split("\n") if line.strip())


def _line_block(line: str) -> Block:
    picture = _PICTURE.match(line)
    if picture is not None:
        return Picture(media=picture["media"], alt=picture["alt"])
    return Divider() if line == DIVIDER else Paragraph(runs=plain(line))


# --- the text was changed elsewhere -----------------------------------------------------------


def edited(document: Document, text: str) -> Document:
    """The document whose text is `text`, with as much of its form kept as the change leaves.

    Changes inside a paragraph, a list point, a field of a table or a caption keep everything; a
    block whose lines were taken apart becomes paragraphs.
    """
    told = project(document)
    if text == told.text:
        return document
    old, new = told.text.split("\n"), text.split("\n")
    changes: list[_Swap] = []
    torn = False
    offsets = _offsets(old)
    if _in_place(old, new) and (found := _inside(told, offsets, old, new)) is not None:
        return _replaced(document, told, found)
    for tag, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            continue
        found = _inside(told, offsets[a:b], old[a:b], new[c:d]) if b - a == d - c else None
        if found is None:
            torn = True
        else:
            changes += found
    if not torn:
        return _replaced(document, told, changes)
    return _rebuilt(document, told, _Change(old, new))


def _in_place(old: Sequence[str], new: Sequence[str]) -> bool:
    """Whether lines were changed where they stand, and none moved."""
    pairs = [(before, after) for before, after in zip(old, new, strict=False) if before != after]
    moved = {before for before, _ in pairs} & {after for _, after in pairs}
    return len(old) == len(new) and not moved


@dataclass(frozen=True)
class _Change:
    old: list[str]
    new: list[str]


@dataclass(frozen=True)
class _Swap:
    """Characters `start` to `end` of the text are these words now."""

    start: int
    end: int
    words: str


def _offsets(lines: Sequence[str]) -> list[int]:
    found, at = [], 0
    for line in lines:
        found.append(at)
        at += len(line) + 1
    return found


def _inside(
    told: Projection, offsets: Sequence[int], old: Sequence[str], new: Sequence[str]
) -> list[_Swap] | None:
    """The changes as swaps, each inside one leaf; None when one crosses a border."""
    found = []
    for at, before, after in zip(offsets, old, new, strict=True):
        for one in _swaps(before, after):
            if told.leaf_of(at + one.start, at + one.end) is None:
                return None
            found.append(_Swap(at + one.start, at + one.end, one.words))
    return found


def _swaps(before: str, after: str) -> Iterator[_Swap]:
    """What was changed in a line; a long stretch between its first and last change is one swap."""
    most = min(len(before), len(after))
    head = next((at for at in range(most) if before[at] != after[at]), most)
    tail = next((at for at in range(most - head) if before[-1 - at] != after[-1 - at]), most - head)
    old, new = before[head : len(before) - tail], after[head : len(after) - tail]
    if max(len(old), len(new)) > _LONG:
        yield _Swap(head, head + len(old), new)
        return
    for tag, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag != "equal":
            yield _Swap(head + a, head + b, new[c:d])


def _replaced(document: Document, told: Projection, changes: Sequence[_Swap]) -> Document:
    data = document.data()
    # From the end, so that places stay right.
    for one in sorted(changes, key=lambda swap: (swap.start, swap.end), reverse=True):
        leaf = told.leaf_of(one.start, one.end)
        if leaf is not None:
            _put(data, leaf, _Swap(one.start - leaf.start, one.end - leaf.start, one.words))
    return read_document(data)


def _put(data: Any, leaf: Leaf, swap: _Swap) -> None:
    """Write the words into a leaf of the data; they look like the first that they replace."""
    holder, words = data, swap.words
    for step in leaf.where[:-1]:
        holder = holder[step]
    name = leaf.where[-1]
    if isinstance(holder[name], str):
        holder[name] = holder[name][: swap.start] + words + holder[name][swap.end :]
        return
    at, runs = 0, holder[name]["runs"]
    for run in runs:
        size = len(run["text"])
        first, last = max(swap.start, at) - at, min(swap.end, at + size) - at
        between = swap.start == swap.end and 0 <= first <= size
        if first < last or (between and words):
            run["text"] = run["text"][:first] + words + run["text"][max(first, last) :]
            words = ""
        at += size
    if words:
        runs.append({"text": words})


def _rebuilt(document: Document, told: Projection, change: _Change) -> Document:
    """Blocks all of whose lines stand in the new text in order stay; the rest are paragraphs."""
    offsets = [*_offsets(change.old), len(told.text) + 1]
    at = {offset: number for number, offset in enumerate(offsets)}
    block_of_line = [0] * len(change.old)
    for index, (start, end) in enumerate(told.lines):
        for number in range(at[start], at.get(end + 1, len(change.old))):
            block_of_line[number] = index
    matcher = SequenceMatcher(None, change.old, change.new, autojunk=False)
    kept = _kept_blocks(matcher.get_opcodes(), block_of_line, len(document.blocks))
    found: list[Block] = []
    done: set[int] = set()
    for tag, a, b, c, d in matcher.get_opcodes():
        if tag != "equal":
            found += from_plain("\n".join(change.new[c:d])).blocks
            continue
        for number, line in zip(range(a, b), change.new[c:d], strict=True):
            block = block_of_line[number]
            if block not in kept:
                found += from_plain(line).blocks
            elif block not in done:
                done.add(block)
                found.append(document.blocks[block])
    return _document(found)


def _kept_blocks(
    opcodes: Sequence[tuple[str, int, int, int, int]], block_of_line: Sequence[int], count: int
) -> set[int]:
    """The blocks no line of which was changed, and into which nothing was put."""
    torn: set[int] = set()
    for tag, a, b, _, _ in opcodes:
        if tag == "equal":
            continue
        torn |= {block_of_line[number] for number in range(a, b)}
        if a == b and 0 < a < len(block_of_line) and block_of_line[a - 1] == block_of_line[a]:
            torn.add(block_of_line[a])
    return set(range(count)) - torn
