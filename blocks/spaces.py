"""Spaces and line breaks of marked-up text as a reader sees them."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from blocks.document import Run
from blocks.taken import LeftOut, safe_run

_SPACE = re.compile(r"([ \t\r\n\f]+)")
_UNSEEN = re.compile("[\u200b\u200c\u200e\u200f\u2060\ufeff\u00ad]")
_WIDE = re.compile(r"[\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef\u2018-\u201d\u2026]")
_EDGE = " \t\n\u00a0\u3000"
BREAK = "\n"


@dataclass(frozen=True)
class Piece:
    """Characters as the source has them and how they look; `kept`: spaces stand as written."""

    text: str
    bold: bool = False
    link: str = ""
    size: float = 0.0
    kept: bool = False


def broken(look: Piece) -> Piece:
    """A line break."""
    return replace(look, text=BREAK, kept=True)


def collapsed(pieces: Iterable[Piece]) -> list[Piece]:
    """Runs of spaces as one, none at the edges of a line; a break of the source between Chinese
    characters is none, for programs break their lines anywhere."""
    found: list[Piece] = []
    last, waiting = "\n", ""
    for piece in pieces:
        said = []
        for part in _parts(piece):
            if not piece.kept and part.isspace() and part[0] not in "\u00a0\u3000":
                waiting = waiting or ("\n" if "\n" in part else " ")
                continue
            wide = waiting == "\n" and _WIDE.match(last) and _WIDE.match(part)
            if waiting and not wide and last != "\n" and part[0] != "\n":
                said.append(" ")
            waiting = ""
            said.append(part)
            last = part[-1]
        if said:
            found.append(replace(piece, text="".join(said).replace("\u00a0", " ")))
    return found


def _parts(piece: Piece) -> Iterator[str]:
    text = _UNSEEN.sub("", piece.text)
    return (part for part in ([text] if piece.kept else _SPACE.split(text)) if part)


def lines_of(pieces: Iterable[Piece]) -> Iterator[list[Piece]]:
    """The pieces parted where a line is empty; spaces before and after each line are gone."""
    part: list[Piece] = []
    breaks = 0
    for line in _lines(collapsed(pieces)):
        if not line:
            breaks += 1
            continue
        if part and breaks:
            yield part
            part = []
        breaks = 0
        part += [replace(line[0], text=BREAK), *line] if part else line
    if part:
        yield part


def _lines(pieces: Iterable[Piece]) -> Iterator[list[Piece]]:
    line: list[Piece] = []
    for piece in pieces:
        first, *more = piece.text.split("\n")
        line.append(replace(piece, text=first))
        for text in more:
            yield _trimmed(line)
            line = [replace(piece, text=text)]
    yield _trimmed(line)


def _trimmed(line: list[Piece]) -> list[Piece]:
    """The line without spaces at its edges."""
    texts = [piece.text for piece in line]
    first = next((at for at, text in enumerate(texts) if text.strip(_EDGE)), None)
    if first is None:
        return []
    last = next(at for at in reversed(range(len(texts))) if texts[at].strip(_EDGE))
    texts[first] = texts[first].lstrip(_EDGE)
    texts[last] = texts[last].rstrip(_EDGE)
    kept = zip(line[first : last + 1], texts[first : last + 1], strict=True)
    return [replace(piece, text=text) for piece, text in kept if text]


def runs_from(pieces: Sequence[Piece], left_out: LeftOut) -> tuple[Run, ...]:
    """The pieces as runs."""
    looks = groupby(pieces, key=lambda one: (one.bold, one.link))
    return tuple(
        safe_run("".join(one.text for one in same), link, left_out, bold=bold)
        for (bold, link), same in looks
    )
