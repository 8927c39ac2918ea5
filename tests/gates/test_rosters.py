"""Leaders, posts, order and names of units, as an office keeps them."""

from datetime import date

import pytest

from gates.engine import GateText, NoFacts, RuleError, RuleSet, run_gates

ROW = {
    "id": "politics.office-leaders",
    "gate": "politics",
    "severity": "warn",
    "reason": "请与领导同志名录核对",
    "basis": "县委办公室领导同志名录",
    "people": [
        {"name": "张建国", "posts": ["县委书记"], "order": 1, "valid_from": "2025-01-01"},
        {"name": "李红梅", "posts": ["县委副书记", "县长"], "order": 2},
        {"name": "王志强", "posts": ["常务副县长"], "order": 3},
        {"name": "赵学文", "posts": ["县委书记"], "order": 1, "valid_to": "2024-12-31"},
    ],
    "units": ["青禾县人力资源和社会保障局", "青禾县商务局", "青禾县政务服务中心"],
    "must": ["县长张建国到会", "青禾县人力资源与社会保障局"],
    "must_not": ["县委书记张建国到会"],
}
RULES = RuleSet.load([ROW])


def _found(text: str, day: date = date(2026, 11, 24)) -> list[tuple[str, str | None]]:
    found = run_gates(GateText("", text, "原创", day), RULES, NoFacts())
    return [(one.text, one.suggestion) for one in found if one.rule == ROW["id"]]


@pytest.mark.parametrize(
    ("text", "flagged", "right"),
    [
        ("县长张建国到会讲话", "县长", "县委书记"),
        ("副县长李红梅主持会议", "副县长", None),
        ("县委书记赵学文调研就业工作", "县委书记", None),
        ("县委书记张健国到会", "张健国", "张建国"),
        ("李红梅、张建国、王志强出席", "李红梅、张建国、王志强", "张建国、李红梅、王志强"),
        ("县长李红梅、县委书记张建国出席", "李红梅、县委书记张建国", None),
        ("请到青禾县人力资源与社会保障局办理", "青禾县人力资源与社会保障局",
         "青禾县人力资源和社会保障局"),
        ("请到青禾县人力资源社会保障局办理", "青禾县人力资源社会保障局",
         "青禾县人力资源和社会保障局"),
    ],
)  # fmt: skip
def test_a_wrong_post_name_order_or_unit_is_found(
    text: str, flagged: str, right: str | None
) -> None:
    assert _found(text) == [(flagged, right)]


@pytest.mark.parametrize(
    "text",
    [
        "县委书记张建国、县委副书记、县长李红梅出席",
        "县委副书记、县长李红梅主持会议",
        "张建国、李红梅、王志强出席",
        "原县委书记赵学文应邀参加",
        "青禾县人力资源和社会保障局、青禾县商务局联合发布",
        "县长热线开通",
        "李红梅说。张建国指出",
    ],
)
def test_what_is_right_is_left_alone(text: str) -> None:
    assert _found(text) == []


def test_a_post_is_held_from_day_to_day() -> None:
    assert _found("县委书记赵学文到会", date(2024, 6, 1)) == []
    assert _found("县委书记张建国到会", date(2024, 6, 1)) == [("县委书记", None)]


def test_a_person_without_a_post_is_refused() -> None:
    with pytest.raises(RuleError, match="people"):
        RuleSet.load([ROW | {"people": [{"name": "张建国", "posts": []}]}])


def test_an_innocent_phrase_clears_a_roster_too() -> None:
    text = "青禾县人力资源与社会保障局旧址"
    rules = RuleSet.load([ROW | {"unless": [text]}])
    draft = GateText("", text, "原创", date(2026, 11, 24))
    assert [one for one in run_gates(draft, rules, NoFacts()) if one.gate == ROW["gate"]] == []
