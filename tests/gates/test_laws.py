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
        ("依照《水污染防治法》第八十三条处罚", "law.repealed-statute", "水污染防治法",
         "生态环境法典"),
        ("依据《未成年保护法》", "law.title", "未成年保护法", "未成年人保护法"),
        ("依据《道路安全交通法》", "law.title", "道路安全交通法", "道路交通安全法"),
        ("依据《工伤保险法》", "law.title", "工伤保险法", "工伤保险条例"),
        ("依据《农产品质量法》", "law.title", "农产品质量法", "农产品质量安全法"),
        ("依据《食品卫生安全法》", "law.title", "食品卫生安全法", "食品安全法"),
        ("依据《女职工保护规定》", "law.title", "女职工保护规定", "女职工劳动保护规定"),
        ("依据《住房公积金条例》", "law.title", "住房公积金条例", "住房公积金管理条例"),
        ("依据《医疗事故条例》", "law.title", "医疗事故条例", "医疗事故处理条例"),
        ("依据《中华入民共和国城乡规划法》", "law.title", "中华入民共和国城乡规划法",
         "中华人民共和国城乡规划法"),
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
        "依据《社会救助办法》",
        "依据《企业信息公示条例》",
        "依据《文物保护条例》",
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


def test_laws_that_a_code_took_in_are_good_until_the_code_begins() -> None:
    text = "依照《中华人民共和国大气污染防治法》第九十九条处罚。"
    assert _found(text, date(2026, 8, 14)) == []
    ((rule, _, right),) = _found(text, date(2026, 8, 15))
    assert (rule, right) == ("law.repealed-statute", "中华人民共和国生态环境法典")


def test_the_law_of_then_is_at_most_a_hint_without_replacement() -> None:
    text = "双方于2015年签订合同，应当适用《合同法》。"
    assert _found(text) == []
    draft = GateText("", text, "原创", date(2026, 11, 24))
    (one,) = run_gates(draft, RULES, NoFacts(), include_hints=True)
    assert (one.severity, one.rule, one.suggestions) == ("hint", "law.repealed-statute", ())


def test_a_code_that_has_not_begun_is_no_basis_yet() -> None:
    assert [rule for rule, _, _ in _found("依据《生态环境法典》第二十条", date(2026, 8, 1))] == [
        "law.not-yet"
    ]
    assert _found("依据《生态环境法典》第二十条", date(2026, 9, 1)) == []


@pytest.mark.parametrize(
    "title",
    ["行政法", "经济法", "社会保障法", "孙子兵法", "房地产管理法", "城市管理条例",
     "北京市物业管理条例", "安全生产条例", "青禾县信访条例", "海商法"],
)  # fmt: skip
def test_branches_of_law_short_forms_and_local_rules_are_left_alone(title: str) -> None:
    assert _found(f"依据《{title}》") == []
