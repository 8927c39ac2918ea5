"""What people judged of each rule's warnings: one wrong more often than right becomes a hint.

A line of `judged.tsv`: rule, warnings judged right, judged wrong, what somebody decided of it
(empty; `warn` to keep it a warning, `hint` to make it one whatever the figures say). Only warnings
are counted, no blocks. A secrecy rule is quiet only by decision: what it misses is published.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import config

TABLE = Path(config.__file__).parent / "rules" / "judged.tsv"
LEAST = 5  # warnings judged of a rule before their share means anything
HALF = 0.5
_NEVER_BY_FIGURES = "secrecy."
_DECISIONS = ("", "warn", "hint")


@dataclass(frozen=True)
class Judged:
    """How a rule's warnings were judged so far."""

    rule: str
    right: int = 0
    wrong: int = 0
    decided: str = ""

    @property
    def precision(self) -> float:
        """The share that was right; 1 where nothing was judged."""
        told = self.right + self.wrong
        return self.right / told if told else 1.0

    @property
    def quiet(self) -> bool:
        """Whether its warnings are only hints now."""
        if self.decided:
            return self.decided == "hint"
        if self.rule.startswith(_NEVER_BY_FIGURES):
            return False
        return self.right + self.wrong >= LEAST and self.precision < HALF

    def line(self) -> str:
        """As the table keeps it."""
        return f"{self.rule}\t{self.right}\t{self.wrong}\t{self.decided}"


def read_judged(path: Path = TABLE) -> Mapping[str, Judged]:
    """The table by rule; empty when there is none. ValueError names a line that is bad."""
    if not path.is_file():
        return {}
    judged = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        parts = line.split("\t")
        if len(parts) != 4 or not (parts[1] + parts[2]).isdigit() or parts[3] not in _DECISIONS:
            raise ValueError(f"{path.name} 第 {number} 行读不出：应为规则、对、错、决定四栏")
        judged[parts[0]] = Judged(parts[0], int(parts[1]), int(parts[2]), parts[3])
    return judged


def write_judged(rows: Iterable[Judged], path: Path = TABLE) -> None:
    """Keep the table, sorted by rule."""
    lines = sorted(row.line() for row in rows)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def quiet_rules(path: Path = TABLE) -> frozenset[str]:
    """The rules whose warnings are hints now."""
    return frozenset(row.rule for row in read_judged(path).values() if row.quiet)
