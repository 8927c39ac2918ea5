"""Every row's own examples, and what a bad row is told."""

from datetime import date
from pathlib import Path

import pytest

from gates.engine import GateText, NoFacts, RuleError, RuleSet, run_gates
from gates.rules import Rule

RULES = RuleSet.load()
EXAMPLES = [(rule.id, text, True) for rule in RULES.rules for text in rule.must]
EXAMPLES += [(rule.id, text, False) for rule in RULES.rules for text in rule.must_not]
ROW = {
    "id": "t.one",
    "gate": "wording",
    "severity": "warn",
    "terms": ["错词"],
    "reason": "试验",
    "basis": "试验",
    "must": ["这里有错词"],
}


def _found(text: str, rules: RuleSet = RULES) -> set[str]:
    draft = GateText("", text, "原创", date(2026, 11, 24))
    return {one.rule for one in run_gates(draft, rules, NoFacts(), include_hints=True)}


@pytest.mark.parametrize(("rule_id", "text", "matches"), EXAMPLES)
def test_examples_of_a_row_hold(rule_id: str, text: str, *, matches: bool) -> None:
    rules = RuleSet([rule for rule in RULES.rules if rule.id == rule_id])
    assert (rule_id in _found(text, rules)) is matches


@pytest.mark.parametrize("rule", [one for one in RULES.rules if one.pairs], ids=lambda one: one.id)
def test_what_a_row_proposes_is_not_told_again(rule: Rule) -> None:
    """旅游局 is in 文化和旅游局: pressed twice, its button would write the name into itself."""
    rules, near = RuleSet([rule]), rule.near[0] if rule.near else ""
    rights = {right for right in rule.pairs.values() if any(one in right for one in rule.pairs)}
    assert {right for right in rights if _found(f"{near}青禾县{right}", rules)} == set()


def test_the_digest_changes_with_a_row_and_not_with_loading() -> None:
    assert RuleSet.load().digest == RULES.digest
    one = RuleSet.load([ROW])
    assert one.digest != RuleSet.load([ROW | {"reason": "别的"}]).digest
    assert len(one.digest) == 64


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (ROW | {"severity": "fatal"}, ["第 1 条", "t.one", "severity", "block"]),
        ({key: value for key, value in ROW.items() if key != "basis"}, ["basis", "缺少"]),
        (ROW | {"surprise": 1}, ["surprise", "没有这个字段"]),
        (ROW | {"link": "javascript:alert(1)"}, ["link", "网址"]),
        (ROW | {"pattern": "("}, ["pattern", "正则"]),
        (ROW | {"terms": []}, ["terms"]),
        (ROW | {"must": []}, ["must"]),
    ],
)
def test_a_bad_row_is_named_in_one_line(row: dict[str, object], words: list[str]) -> None:
    with pytest.raises(RuleError) as error:
        RuleSet.load([row])
    assert "\n" not in str(error.value)
    assert all(word in str(error.value) for word in words)


def test_a_bad_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "law.yaml").write_text("- id: [", encoding="utf-8")
    with pytest.raises(RuleError, match=r"law\.yaml"):
        RuleSet.load(tmp_path)
    (tmp_path / "law.yaml").write_text("id: 1", encoding="utf-8")
    with pytest.raises(RuleError, match="列表"):
        RuleSet.load(tmp_path)


def test_a_rule_number_twice_is_refused(tmp_path: Path) -> None:
    row = "- {id: a, gate: law, severity: warn, terms: [词], reason: r, basis: b, must: [词]}\n"
    (tmp_path / "law.yaml").write_text(row * 2, encoding="utf-8")
    with pytest.raises(RuleError, match="重复"):
        RuleSet.load(tmp_path)


def test_a_rule_holds_between_its_days() -> None:
    rules = RuleSet.load([ROW | {"valid_from": "2027-01-01"}])
    assert _found("这里有错词", rules) == set()
    rules = RuleSet.load([ROW | {"valid_to": "2026-11-24"}])
    assert _found("这里有错词", rules) == {"t.one"}
