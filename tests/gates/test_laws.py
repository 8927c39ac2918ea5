"""Laws cited by title: in force, exactly named, with an article of that number."""

from datetime import date

import pytest

from gates.engine import GateText, NoFacts, RuleSet, run_gates

RULES = RuleSet.load()


def _found(text: str, day: date = date(2026, 11, 24)) -> list[tuple[str, str, str | None]]:
    found = run_gates(GateText("", text, "原创", day), RULES, NoFacts())
    return [(one.rule, one.text, one.suggestion) for one in found if one.gate == "law"]


@pytest.mark.parametrize(
    ("text", "rule", "flagged", "right"),
    [
        ("依据《中华人民共和国合同法》签订", "law.repealed-statute", "中华人民共和国合同法",
         "中华人民共和国民法典"),
        ("按照《信访条例》办理", "law.repealed-statute", "信访条例", "信访工作条例"),
        ("依据《中华人民共和国劳动合司法》", "law.title", "中华人民共和国劳动合司法",
         "中华人民共和国劳动合同法"),
        ("《中华人民共和国劳动法》第一百二十条规定", "law.no-such-article", "第一百二十条", None),
        ("《民法典》第1261条规定", "law.no-such-article", "第1261条", None),
    ],
)  # fmt: skip
def test_a_wrong_citation_is_found(text: str, rule: str, flagged: str, right: str | None) -> None:
    assert _found(text) == [(rule, flagged, right)]


@pytest.mark.parametrize(
    "text",
    [
        "依据《中华人民共和国劳动合同法》第九十八条",
        "《民法典》第一千二百六十条",
        "《青禾县促进就业办法》第三百条",
        "《中华人民共和国合同法》同时废止",
        "《中华人民共和国水法》",
        "《内蒙古自治区信访条例》",
    ],
)
def test_a_right_citation_is_left_alone(text: str) -> None:
    assert _found(text) == []


def test_a_law_is_cited_while_it_is_in_force() -> None:
    assert _found("依据《中华人民共和国合同法》签订", date(2020, 12, 31)) == []


@pytest.mark.parametrize(
    ("text", "masked"),
    [("被害人张小丽，女，12岁", "张某"), ("犯罪嫌疑人的妻子李红称", "李某")],
)
def test_a_protected_person_is_not_named(text: str, masked: str) -> None:
    ((rule, _, right),) = _found(text)
    assert (rule, right) == ("law.protected-person", masked)


@pytest.mark.parametrize("text", ["被害人张某，女", "被害人陈述", "受害人方的诉求"])
def test_a_masked_name_is_left_alone(text: str) -> None:
    assert _found(text) == []
