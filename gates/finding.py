"""What goes into a gate and what comes out: drafts, facts, findings, and the view of one field."""

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Literal, NamedTuple, Protocol

from documents.parts import Severity
from gates.dating import last_year, own_day
from gates.normalise import Normalised

Gate = Literal["politics", "law", "policy", "secrecy", "wording"]
Status = Literal["in_force", "amended", "expired", "repealed", "not_yet"]

NEAR = 200  # characters before and behind a hit that a gate looks at, at most
_STOPS = re.compile(r"[。！？；\n]")
_QUOTES = re.compile(r"“[^“”\n]*”|‘[^‘’\n]*’|「[^「」\n]*」|\"[^\"\n]*\"")
_TITLES = re.compile(r"《[^《》\n]*》|〈[^〈〉\n]*〉")


@dataclass(frozen=True)
class Finding:
    """One result of one gate. Offsets count code points of the original field.

    `field` is title, text or `attachment:NAME`; `suggestion` is the exact replacement of `text`
    or None, `suggestions` all of them, best first. A block that is not `waivable` must be mended.
    `box` is where it stands in a picture: left, top, right, bottom as parts of its width.
    """

    gate: Gate
    rule: str
    severity: Severity
    field: str
    start: int
    end: int
    text: str
    reason: str
    basis: str
    suggestion: str | None = None
    suggestions: tuple[str, ...] = ()
    waivable: bool = True
    box: tuple[float, float, float, float] | None = None


@dataclass(frozen=True)
class Limits:
    """Most characters of each field that are read, and most findings of one gate."""

    title: int = 300
    text: int = 50_000
    attachment: int = 200_000
    findings: int = 500

    def of(self, field: str) -> int:
        """The most characters read of one field."""
        return {"title": self.title, "text": self.text}.get(field, self.attachment)


STANDARD = Limits()


@dataclass(frozen=True)
class GateText:
    """What is checked. `attachments` are (name, text) pairs; `as_of` the day it would go out.

    What lies beyond its `limits` is not read, and said so by a blocking finding.
    """

    title: str
    text: str
    kind: str
    as_of: date
    attachments: tuple[tuple[str, str], ...] = ()
    limits: Limits = STANDARD


@dataclass(frozen=True)
class PolicyFact:
    """What the library knows of one policy on one day; `successor` is a number or title.

    `starts` and `ends` are its first and last day; `apply_by` the last days for applying that its
    text names, as written there.
    """

    title: str
    doc_number: str
    status: Status
    successor: str = ""
    starts: date | None = None
    ends: date | None = None
    apply_by: tuple[str, ...] = ()


@dataclass(frozen=True)
class LinkFact:
    """What was seen behind a link: outcome ok, off_list, private, dead, slow or unsure."""

    outcome: str
    message: str = ""


class Facts(Protocol):
    """What gates may ask of the world. Answers come from memory: no network, no database."""

    def knows_policies(self) -> bool:
        """False when there is no library: then nothing is looked up."""
        ...

    def policy(self, number_or_title: str, as_of: date) -> PolicyFact | None:
        """The policy with this 文号 or exact title on that day; None when unknown."""
        ...

    def nearest(self, number_or_title: str, as_of: date) -> PolicyFact | None:
        """The policy whose 文号 or title this is, mistyped; None when none is near."""
        ...

    def link(self, url: str) -> LinkFact | None:
        """What was seen behind a link a moment ago; None when nobody looked."""
        ...


class NoFacts:
    """Facts of an office without a library."""

    def knows_policies(self) -> bool:
        """Nothing to look up."""
        return False

    def policy(self, number_or_title: str, as_of: date) -> PolicyFact | None:
        """Nothing is known."""
        return None

    def nearest(self, number_or_title: str, as_of: date) -> PolicyFact | None:
        """Nothing is near."""
        return None

    def link(self, url: str) -> LinkFact | None:
        """Nobody looked."""
        return None


class Ground(NamedTuple):
    """Why a finding is made: its gate, rule, severity, reason and basis."""

    gate: Gate
    rule: str
    severity: Severity
    reason: str
    basis: str
    waivable: bool = True


@dataclass(frozen=True)
class Place:
    """One administrative division name met in the text; offsets in the dense text."""

    name: str
    start: int
    end: int


@dataclass(frozen=True, eq=False)
class Context:
    """One field as the gates see it: the original text, its dense form and the ways back."""

    text: str
    dense: Normalised
    field: str
    as_of: date
    facts: Facts
    places: Sequence[Place] = ()

    @cached_property
    def _stops(self) -> list[int]:
        return [match.start() for match in _STOPS.finditer(self.dense.text)]

    @cached_property
    def _quotes(self) -> list[tuple[int, int]]:
        return [match.span() for match in _QUOTES.finditer(self.dense.text)]

    @cached_property
    def _titles(self) -> list[tuple[int, int]]:
        return [match.span() for match in _TITLES.finditer(self.dense.text)]

    @cached_property
    def last_year(self) -> int | None:
        """The latest year the field names that is not to come; None when it names none."""
        return last_year(self.dense.text, self.as_of)

    @cached_property
    def own_day(self) -> date | None:
        """The day the document itself bears, by its last line or its number."""
        return own_day(self.text, self.as_of)

    def of_then(self, ended: date) -> bool:
        """Whether all that the field dates lies before a day: a text of that time, shown again."""
        if self.own_day is not None:
            return self.own_day < ended < self.as_of
        return self.last_year is not None and self.last_year < ended.year < self.as_of.year

    def sentence(self, start: int, end: int) -> tuple[int, int]:
        """Bounds, in the dense text, of the sentence around a span, at most NEAR on each side."""
        begin, stop = self._between_stops(start, end)
        # A text without a full stop is one sentence: read anew at every hit, its cost would grow
        # with the square of its length.
        return max(begin, start - NEAR), min(stop, end + NEAR)

    def _between_stops(self, start: int, end: int) -> tuple[int, int]:
        left = bisect_left(self._stops, start)
        right = bisect_left(self._stops, end)
        begin = self._stops[left - 1] + 1 if left else 0
        return begin, self._stops[right] if right < len(self._stops) else len(self.dense.text)

    def stretch(self, start: int, end: int) -> tuple[int, int]:
        """Bounds of the sentence around a span, or of the same piece of it for all spans near."""
        begin, stop = self._between_stops(start, end)
        if stop - begin <= 2 * NEAR:
            return begin, stop
        # Pieces on a grid, so that whoever takes them apart does so once for many hits.
        left = max(begin, begin + ((start - begin) // NEAR - 1) * NEAR)
        return left, min(stop, left + 3 * NEAR + end - start)

    def around(self, start: int, end: int) -> str:
        """The sentence around a span of the dense text."""
        begin, stop = self.sentence(start, end)
        return self.dense.text[begin:stop]

    def quoted(self, start: int, end: int) -> bool:
        """Whether a span of the dense text stands inside quotation marks."""
        at = bisect_left(self._quotes, (start,)) - 1
        return at >= 0 and end < self._quotes[at][1]

    def only_mentioned(self, start: int, end: int) -> bool:
        """Whether the quotation marks hold just this span: a word spoken about, not used."""
        at = bisect_left(self._quotes, (start - 1,))
        return self._quotes[at : at + 1] == [(start - 1, end + 1)]

    def titled(self, start: int, end: int) -> bool:
        """Whether a span of the dense text stands inside book-title marks."""
        at = bisect_left(self._titles, (start + 1,)) - 1
        return at >= 0 and end <= self._titles[at][1]

    def mark(
        self, span: tuple[int, int], ground: Ground, suggestions: Sequence[str] = ()
    ) -> Finding:
        """A finding over a span of the original text."""
        start, end = span
        return Finding(
            gate=ground.gate,
            rule=ground.rule,
            severity=ground.severity,
            field=self.field,
            start=start,
            end=end,
            text=self.text[start:end],
            reason=ground.reason,
            basis=ground.basis,
            suggestion=suggestions[0] if suggestions else None,
            suggestions=tuple(suggestions),
            waivable=ground.waivable,
        )

    def mark_dense(
        self, span: tuple[int, int], ground: Ground, suggestions: Sequence[str] = ()
    ) -> Finding:
        """A finding over a span of the dense text, at its place in the original."""
        return self.mark(self.dense.original(*span), ground, suggestions)
