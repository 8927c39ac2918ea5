"""What an evaluation counts with: figures with targets, a tally by rule, the gates over a text."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from gates.engine import run_gates
from gates.finding import Finding, GateText, NoFacts
from gates.rules import RuleSet
from gates.spelling import Speller

AS_OF = date(2026, 11, 24)

Row = dict[str, Any]


@dataclass(frozen=True)
class Measure:
    """One figure of one set; `target` is a floor, or a ceiling when `most` is set."""

    set: str
    metric: str
    value: float
    n: int
    target: float | None = None
    most: bool = False

    @property
    def ok(self) -> bool | None:
        """Whether the target is reached; None without one, or without a case."""
        # A set without a case has reached nothing and missed nothing.
        if self.target is None or not self.n:
            return None
        return self.value <= self.target if self.most else self.value >= self.target


@dataclass
class Tally:
    """Findings by rule and set, right and wrong, with some of the wrong and the missed ones."""

    right: Counter[tuple[str, str]] = field(default_factory=Counter)
    wrong: Counter[tuple[str, str]] = field(default_factory=Counter)
    samples: list[Row] = field(default_factory=list)

    def count(self, name: str, found: Sequence[Finding], text: str, *, right: bool) -> None:
        """Take note of findings that were right, or were not."""
        (self.right if right else self.wrong).update((name, one.rule) for one in found)
        if not right:
            for one in found:
                self.samples.append(
                    {"set": name, "wrong": one.rule, "text": one.text, "in": near(text, one)}
                )

    def missed(self, name: str, what: str, text: str) -> None:
        """Take note of what nobody found."""
        self.samples.append({"set": name, "missed": what, "in": text[:120]})


class Look:
    """The gates over one text at a time, counted for a progress bar."""

    def __init__(
        self, rules: RuleSet, step: Callable[[], None], speller: Speller | None = None
    ) -> None:
        """Keep the rule set and whom to tell of each text."""
        self._speller = speller
        self._rules = rules
        self._step = step

    def __call__(self, text: str, as_of: date = AS_OF) -> list[Finding]:
        """All findings on that day, hints too."""
        self._step()
        draft = GateText("", text, "原创", as_of)
        return run_gates(draft, self._rules, NoFacts(), include_hints=True, speller=self._speller)


Evaluate = Callable[[list[Row], Look, Tally], Iterator[Measure]]


def near(text: str, one: Finding) -> str:
    """What stands around a finding."""
    return text[max(0, one.start - 20) : one.end + 20].replace("\n", " ")


def share_of(part: int, whole: int) -> float:
    """The share, zero of nothing."""
    return part / whole if whole else 0.0


def above_hint(found: Sequence[Finding]) -> list[Finding]:
    """The findings an editor must look at."""
    return [one for one in found if one.severity != "hint"]
