"""What goes into a gate and what comes out: drafts, facts, findings, and the view of one field."""

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Literal, NamedTuple, Protocol

from documents.parts import Severity
from gates.normalise import Normalised

Gate = Literal["politics", "law", "policy", "secrecy", "wording"]
Status = Literal["in_force", "amended", "expired", "repealed", "not_yet"]

_STOPS = re.compile(r"[。！？；\n]")
_QUOTES = re.compile(r"“[^“”\n]*”|‘[^‘’\n]*’|「[^「」\n]*」|\"[^\"\n]*\"")
_TITLES = re.compile(r"《[^《》\n]*》|〈[^〈〉\n]*〉")


@dataclass(frozen=True)
class Finding:
    """One result of one gate. Offsets count code points of the original field.

    `field` is title, text or `attachment:NAME`; `suggestion` is the exact replacement of `text`
    or None, `suggestions` all of them, best first. A block that is not `waivable` must be mended.
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


@dataclass(frozen=True)
class GateText:
    """What is checked. `attachments` are (name, text) pairs; `as_of` the day it would go out."""

    title: str
    text: str
    kind: str
    as_of: date
    attachments: tuple[tuple[str, str], ...] = ()


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

    def sentence(self, start: int, end: int) -> tuple[int, int]:
        """Bounds, in the dense text, of the sentence around a span of it."""
        left = bisect_left(self._stops, start)
        right = bisect_left(self._stops, end)
        begin = self._stops[left - 1] + 1 if left else 0
        return begin, self._stops[right] if right < len(self._stops) else len(self.dense.text)

    def around(self, start: int, end: int) -> str:
        """The sentence around a span of the dense text."""
        begin, stop = self.sentence(start, end)
        return self.dense.text[begin:stop]

    def quoted(self, start: int, end: int) -> bool:
        """Whether a span of the dense text stands inside quotation marks."""
        return any(left < start and end < right for left, right in self._quotes)

    def only_mentioned(self, start: int, end: int) -> bool:
        """Whether the quotation marks hold just this span: a word spoken about, not used."""
        return any(left + 1 == start and end == right - 1 for left, right in self._quotes)

    def titled(self, start: int, end: int) -> bool:
        """Whether a span of the dense text stands inside book-title marks."""
        return any(left <= start and end <= right for left, right in self._titles)

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
