"""Text with its findings marked. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol, TypedDict

from bot.render import PICTURE


class Marked(Protocol):
    """A place of a text that is marked: a finding, or a passage somebody returned."""

    @property
    def field(self) -> str:
        """title, text or attachment:NAME."""

    @property
    def start(self) -> int:
        """Its first character, counted in code points."""

    @property
    def end(self) -> int:
        """The one behind its last."""

    @property
    def gate(self) -> str:
        """The gate whose letter stands behind it."""

    @property
    def severity(self) -> str:
        """block, warn, hint or returned."""


@dataclass(frozen=True)
class Passage:
    """What a reviewer marked when they returned the text."""

    field: str
    start: int
    end: int
    gate: str
    severity: str = "returned"


@dataclass(frozen=True)
class Piece:
    """A stretch of text: plain, or under the findings with these indexes.

    `ends` are the findings whose last character this is: their gate letter stands behind it.
    """

    text: str
    findings: tuple[int, ...] = ()
    ends: tuple[int, ...] = ()


@dataclass(frozen=True)
class Paragraph:
    """One line of the body: a picture (media, alt), or pieces of text."""

    pieces: tuple[Piece, ...] = ()
    media: str = ""
    alt: str = ""


def mark(text: str, findings: Sequence[Marked], place: str) -> list[Piece]:
    """Cut one field's text at the edges of its findings (code point offsets).

    `place` is the finding's field, title or text. A span that no longer fits is left out.
    """
    spans = [
        (row.start, row.end, index)
        for index, row in enumerate(findings)
        if row.field == place and 0 <= row.start < row.end <= len(text)
    ]
    edges = sorted({0, len(text), *(s for s, _, _ in spans), *(e for _, e, _ in spans)})
    return [
        Piece(
            text[left:right],
            tuple(index for start, end, index in spans if start <= left and right <= end),
            tuple(index for _, end, index in spans if end == right),
        )
        for left, right in pairwise(edges)
    ]


def paragraphs(body: str, findings: Sequence[Marked]) -> list[Paragraph]:
    """The body line by line, with findings marked and pictures in their place."""
    result = []
    lines: list[list[Piece]] = [[]]
    for piece in mark(body, findings, "text"):
        parts = piece.text.split("\n")
        for number, part in enumerate(parts):
            if number:
                lines.append([])
            last = number == len(parts) - 1
            lines[-1].append(Piece(part, piece.findings, piece.ends if last else ()))
    for line in lines:
        whole = "".join(piece.text for piece in line).strip()
        picture = PICTURE.match(whole)
        if picture:
            result.append(Paragraph(media=picture["media"][7:], alt=picture["alt"]))
        elif whole:
            result.append(Paragraph(pieces=tuple(line)))
    return result


class Span(TypedDict):
    """A marked place of a text as a decision keeps it; offsets count code points."""

    field: str
    start: int
    end: int
    text: str


def find_span(title: str, body: str, words: str, near: int = 0) -> Span | None:
    """Where `words` stand in the title or the body, as {"field", "start", "end", "text"}.

    White space does not count, so a passage may run over paragraphs. Of several places the one
    nearest to `near` is taken (characters before it, white space not counted); None for no place.
    """
    whole = f"{title}\n{body}"
    places = [index for index, one in enumerate(whole) if not one.isspace()]
    dense = "".join(whole[index] for index in places)
    wanted = "".join(words.split())
    hits = _all_places(dense, wanted) if wanted else []
    if not hits:
        return None
    hit = min(hits, key=lambda place: abs(place - near))
    start, end = places[hit], places[hit + len(wanted) - 1] + 1
    if end <= len(title):
        return {"field": "title", "start": start, "end": end, "text": title[start:end]}
    begins = len(title) + 1
    if start < begins:
        return None
    start, end = start - begins, end - begins
    return {"field": "text", "start": start, "end": end, "text": body[start:end]}


def _all_places(text: str, words: str) -> list[int]:
    places, at = [], text.find(words)
    while at >= 0:
        places.append(at)
        at = text.find(words, at + 1)
    return places
