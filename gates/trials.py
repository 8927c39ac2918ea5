"""Changed rules on trial: by their own examples, and on texts beside the rules as they were."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from gates.engine import run_gates
from gates.finding import Finding, GateText, NoFacts
from gates.rules import RuleSet

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Text:
    """Something a change is tried on: an item's title and body, or a sample without an id."""

    item: str
    title: str
    body: str
    kind: str = "原创"


@dataclass(frozen=True)
class Contradicted:
    """An example that a row does not hold to; `wanted` is whether it should have been flagged."""

    rule: str
    text: str
    wanted: bool


def contradictions(rows: Sequence[Row], day: date) -> list[Contradicted]:
    """The examples that the rows contradict, each row by itself."""
    return [one for row in rows for one in _contradicted(row, day)]


def _contradicted(row: Row, day: date) -> Iterator[Contradicted]:
    rules = RuleSet.load([dict(row)])
    for texts, wanted in ((row["must"], True), (row.get("must_not", ()), False)):
        for text in texts:
            if bool(_found(rules, Text("", "", text), day)) is not wanted:
                yield Contradicted(row["id"], text, wanted)


def flagged(row: Row, text: str, day: date) -> bool:
    """Whether a row flags anything in a text."""
    return bool(_found(RuleSet.load([dict(row)]), Text("", "", text), day))


def differences(
    was: Sequence[Row], wanted: Sequence[Row], texts: Sequence[Text], day: date
) -> list[tuple[list[Finding], list[Finding]]]:
    """For each text what the rows newly flag, and what they no longer flag."""
    old, new = RuleSet.load([dict(row) for row in was]), RuleSet.load([dict(row) for row in wanted])
    told = []
    for text in texts:
        before = {_key(one): one for one in _found(old, text, day)}
        after = {_key(one): one for one in _found(new, text, day)}
        newly = [one for key, one in after.items() if key not in before]
        told.append((newly, [one for key, one in before.items() if key not in after]))
    return told


def _found(rules: RuleSet, text: Text, day: date) -> list[Finding]:
    """What the rows of a small set find in a text; the gates written in code do not count."""
    draft = GateText(text.title, text.body, text.kind, day)
    # Gates written in code find things in any text; only the rule on trial is asked.
    own = {rule.id for rule in rules.rules}
    found = run_gates(draft, rules, NoFacts(), include_hints=True)
    return [one for one in found if one.rule in own]


def _key(one: Finding) -> tuple[str, str, str, int, int]:
    return one.rule, one.severity, one.field, one.start, one.end
