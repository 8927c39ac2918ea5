"""The `check` filter: shapes, offsets, dates, the library."""

from datetime import date
from typing import Any

import pytest

from gates.engine import NoFacts, RuleSet
from gates.filter import check_record, library_facts

RULES = RuleSet.load()
KEYS = {
    *("gate", "rule", "severity", "field", "start", "end", "text"),
    *("reason", "basis", "suggestion", "suggestions"),
}


def check(text: str, **more: Any) -> list[dict[str, Any]]:
    answer = check_record({"id": 7, "text": text} | more, RULES, NoFacts())
    assert answer["id"] == 7
    return answer["findings"]


def test_a_finding_has_exactly_the_keys_of_the_contract() -> None:
    found = check("县委布署工作")
    assert [set(one) for one in found] == [KEYS]
    assert found[0]["suggestion"] == "部署"
    assert found[0]["suggestions"] == ["部署"]


def test_offsets_count_code_points_of_the_original() -> None:
    text = "😀😀Ａ\u200b縣委布\u200b署"
    (found,) = check(text)
    assert text[found["start"] : found["end"]] == found["text"] == "布\u200b署"


def test_the_title_is_checked_before_the_text() -> None:
    found = check("县委布署工作", title="截止目前的进展")
    assert [one["field"] for one in found] == ["title", "text"]


def test_hints_come_only_when_asked_for() -> None:
    record = {"id": 1, "text": "县长亲自到场"}
    assert check_record(record, RULES, NoFacts())["findings"] == []
    hinted = check_record(record, RULES, NoFacts(), include_hints=True)["findings"]
    assert [one["severity"] for one in hinted] == ["hint"]


@pytest.mark.parametrize(
    ("record", "words"),
    [
        ({"text": "甲"}, "id"),
        ({"id": 1}, "text"),
        ({"id": 1, "text": None}, "text"),
        ({"id": 1, "text": 5}, "text"),
        ({"id": 1, "text": "甲", "title": []}, "title"),
        ({"id": 1, "text": "甲", "as_of": "昨天"}, "as_of"),
        ({"id": 1, "text": "甲", "as_of": 20261124}, "as_of"),
    ],
)
def test_a_bad_record_is_told_which_field(record: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        check_record(record, RULES, NoFacts())


def test_without_a_library_nothing_is_looked_up() -> None:
    assert check("按照青办发〔2020〕3号执行") == []


def test_a_cited_number_is_looked_up_as_of_the_day() -> None:
    facts = library_facts(
        [
            {
                "id": "a",
                "title": "关于支持创业的通知",
                "doc_number": "青办发〔2020〕3号",
                "effective_from": "2020-02-01",
                "effective_to": "2022-01-31",
                "colour": "unknown keys are ignored",
            }
        ]
    )
    text = "补贴按照青办发〔2020〕3号执行。"

    def rules_on(day: str) -> list[str]:
        record = {"id": 1, "text": text, "as_of": day}
        return [one["rule"] for one in check_record(record, RULES, facts)["findings"]]

    assert rules_on("2021-06-01") == []
    assert rules_on("2022-02-01") == ["policy.expired"]
    assert rules_on("2020-01-01") == ["policy.not-yet"]


def test_unknown_repealed_and_own_numbers() -> None:
    facts = library_facts(
        [{"id": 1, "title": "某办法", "doc_number": "青办发〔2020〕3号", "status": "废止"}]
    )

    def rules(text: str) -> list[tuple[str, str]]:
        record = {"id": 1, "text": text}
        found = check_record(record, RULES, facts)["findings"]
        return [(one["rule"], one["text"]) for one in found]

    assert rules("按照青办发〔2020〕4号执行") == [("policy.unknown", "青办发〔2020〕4号")]
    assert rules("按照青办发〔2020〕3号执行") == [("policy.repealed", "青办发〔2020〕3号")]
    assert rules("青办发〔2020〕3号同时废止") == []
    assert rules("青办发〔2026〕9号\n各单位：") == []


def test_a_title_is_looked_up_too() -> None:
    line = {"id": 1, "title": "青禾县就业补贴管理办法", "status": "expired"}
    record = {"id": 1, "text": "按照《青禾县就业补贴管理办法》办理。"}
    found = check_record(record, RULES, library_facts([line]))["findings"]
    assert [(one["rule"], one["severity"]) for one in found] == [("policy.expired", "block")]


def test_a_bad_library_line_is_named() -> None:
    with pytest.raises(ValueError, match=r"第 2 行.*status"):
        library_facts([{"id": 1}, {"id": 2, "status": "gone"}])
    with pytest.raises(ValueError, match=r"第 1 行.*effective_to"):
        library_facts([{"id": 1, "effective_to": "2022"}])


def test_of_two_lines_with_one_number_the_one_in_force_wins() -> None:
    lines = [
        {"id": 1, "doc_number": "青办发〔2020〕3号", "status": "repealed"},
        {"id": 2, "doc_number": "青办发[2020]03号"},
    ]
    fact = library_facts(lines).policy("青办发〔2020〕3号", date(2026, 1, 1))
    assert fact is not None
    assert fact.status == "in_force"
