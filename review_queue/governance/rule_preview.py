"""A change of rules tried out: on its own examples, and on real texts before and after."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypedDict

from config.clock import beijing, now
from gates.engine import GateText, NoFacts, run_gates
from gates.finding import Finding
from gates.rules import RuleSet
from review_queue.canonical import Draft
from review_queue.governance.rulesets import Row
from staff.refusal import Reason, Refused

_EXAMPLES = 20
_AROUND = 24


@dataclass(frozen=True)
class Text:
    """Something a change is tried on: an item's title and body, or a sample without an id."""

    item: str
    title: str
    body: str
    kind: str = "原创"


class RuleChange(TypedDict):
    """One row before and after; None where it comes or goes."""

    id: str
    was: Row | None
    now: Row | None


def found_by(rules: RuleSet, text: Text) -> list[Finding]:
    """What the rows of a small set find in a text; the gates written in code do not count."""
    draft = GateText(text.title, text.body, text.kind, beijing(now()).date())
    # Gates written in code find things in any text; only the rule on trial is asked.
    own = {rule.id for rule in rules.rules}
    found = run_gates(draft, rules, NoFacts(), include_hints=True)
    return [one for one in found if one.rule in own]


def try_examples(rows: Iterable[Row]) -> None:
    """Refused (422) naming each example a row contradicts."""
    faults = []
    for row in rows:
        rules = RuleSet.load([dict(row)])
        for texts, wanted in ((row["must"], True), (row.get("must_not", ()), False)):
            words = "应当命中却没有命中" if wanted else "不应命中却命中"
            faults += [
                Reason("example", f"规则 {row['id']} 的例句{words}：“{text}”")
                for text in texts
                if bool(found_by(rules, Text("", "", text))) is not wanted
            ]
    if faults:
        raise Refused(422, faults)


def read_texts(items: Iterable[Any], samples: Iterable[str]) -> Iterator[Text]:
    """Read one at a time, in the thread that tries them."""
    for item_id, canonical in items:
        draft = Draft.from_canonical(canonical)
        yield Text(item_id, draft.title, draft.body, draft.kind)
    for sample in samples:
        yield Text("", "", sample)


def preview_of(changes: Sequence[RuleChange], texts: Iterable[Text]) -> dict[str, object]:
    """What the changed rows flag that they did not, and the other way round."""
    old = RuleSet.load([one["was"] for one in changes if one["was"]])
    new = RuleSet.load([one["now"] for one in changes if one["now"]])
    counts = {name: {"items": 0, "samples": 0} for name in ("tried", "newly", "gone")}
    rules: dict[str, Counter[str]] = {"newly": Counter(), "gone": Counter()}
    examples: dict[str, list[dict[str, object]]] = {"newly": [], "gone": []}
    for text in texts:
        group = "items" if text.item else "samples"
        counts["tried"][group] += 1
        before = {_key(one): one for one in found_by(old, text)}
        after = {_key(one): one for one in found_by(new, text)}
        for name, mine, other in (("newly", after, before), ("gone", before, after)):
            hits = [one for key, one in mine.items() if key not in other]
            counts[name][group] += bool(hits)
            rules[name].update(one.rule for one in hits)
            # Two a text: one long document must not fill the whole preview.
            examples[name] += [_example(name, one, text) for one in hits[:2]]
    half = _EXAMPLES // 2
    # Half for each direction; what one does not use the other may.
    shown = [*examples["newly"][: max(half, _EXAMPLES - len(examples["gone"]))]]
    shown += examples["gone"][: _EXAMPLES - len(shown)]
    return {
        **counts,
        "rules": {name: dict(found.most_common(20)) for name, found in rules.items()},
        "examples": shown,
    }


def _key(one: Finding) -> tuple[str, str, str, int, int]:
    return one.rule, one.severity, one.field, one.start, one.end


def _example(name: str, one: Finding, text: Text) -> dict[str, object]:
    whole = text.title if one.field == "title" else text.body
    left, right = max(0, one.start - _AROUND), one.end + _AROUND
    return {
        "change": name,
        "rule": one.rule,
        "severity": one.severity,
        "before": whole[left : one.start],
        "text": one.text,
        "after": whole[one.end : right],
        "item": text.item,
        "title": text.title,
    }
