"""What is too long or too much is cut, and the cut is said by a finding that blocks."""

from datetime import date

import pytest

from documents.parts import Part, Reading
from gates.attachments import FileDraft, file_findings
from gates.engine import GateText, NoFacts, RuleSet, run_gates
from gates.finding import STANDARD, Finding
from gates.spelling import Speller

RULES = RuleSet.load()
DAY = date(2026, 11, 24)


def check(title: str = "", text: str = "", *, hints: bool = False) -> list[Finding]:
    return run_gates(GateText(title, text, "原创", DAY), RULES, NoFacts(), include_hints=hints)


@pytest.mark.parametrize(
    ("title", "text", "field", "most", "remedy"),
    [
        ("补" * 301, "", "title", 300, "请缩短标题"),
        ("", "补" * 50_007, "text", 50_000, "请删减，或拆成几篇"),
    ],
)
def test_what_lies_beyond_the_cap_is_named_with_its_length(
    title: str, text: str, field: str, most: int, remedy: str
) -> None:
    whole = title or text
    (one,) = [one for one in check(title, text) if one.rule == "secrecy.not-checked"]
    assert (one.severity, one.field, one.start, one.waivable) == ("block", field, most, False)
    assert f"共 {len(whole)} 字" in one.reason
    assert f"后面 {len(whole) - most} 字没有检查，{remedy}" in one.reason
    assert one.text == whole[one.start : one.end]


def test_at_the_cap_itself_all_is_read() -> None:
    text = "补" * (STANDARD.text - 11) + "13800138000"
    assert [one.rule for one in check(text=text)] == ["secrecy.mobile"]


def test_beyond_the_cap_nothing_is_read() -> None:
    assert [one.rule for one in check(text="补" * STANDARD.text + "13800138000")] == [
        "secrecy.not-checked"
    ]


def test_the_text_of_an_attachment_is_cut_too_and_a_person_may_read_the_rest() -> None:
    draft = GateText("", "", "原创", DAY, attachments=(("a.txt", "补" * 200_001),))
    (one,) = run_gates(draft, RULES, NoFacts())
    assert (one.rule, one.field, one.waivable) == ("secrecy.not-checked", "attachment:a.txt", True)
    assert "后面 1 字没有检查，请把附件拆成几个文件" in one.reason


def test_a_gate_lists_five_hundred_findings_and_says_how_many_more_there_are() -> None:
    found = check(text="手机13800138000，" * 700)
    told = [one for one in found if one.gate == "secrecy"]
    assert [one.rule for one in told[:500]] == ["secrecy.mobile"] * 500
    assert [(one.rule, one.severity, one.waivable) for one in told[500:]] == [
        ("secrecy.not-listed", "block", False)
    ]
    assert "另有 200 处没有列出" in told[500].reason


def test_of_too_many_findings_the_gravest_are_listed() -> None:
    # Warnings first in the text, and only at its end what blocks.
    found = check(text="京A12345，" * 600 + "手机13800138000")
    assert "secrecy.mobile" in [one.rule for one in found]


def test_hints_nobody_asked_for_take_no_place_from_others() -> None:
    text = "邮箱a@b.gov.cn，" * 600
    assert [one.rule for one in check(text=text)] == []
    assert len(check(text=text, hints=True)) == 501


def test_a_column_of_a_thousand_numbers_is_one_finding_and_no_list_too_long() -> None:
    rows = [Part(f"A{n}", "13800138000", "工作表 名单 的 A 列", n) for n in range(1, 1001)]
    file = FileDraft("名单.xlsx", Reading(tuple(rows), ()), "原创", DAY)
    (one,) = file_findings(file, RULES, NoFacts())
    assert "共 1000 处" in one.reason


def test_attachments_with_too_many_different_findings_say_so() -> None:
    rows = [Part(f"第 {n} 行", "13800138000") for n in range(600)]
    file = FileDraft("名单.txt", Reading(tuple(rows), ()), "原创", DAY)
    found = file_findings(file, RULES, NoFacts())
    assert [one.rule for one in found[499:]] == ["secrecy.mobile", "secrecy.not-listed"]


def test_a_sentence_without_end_is_looked_at_two_hundred_characters_around_a_hit() -> None:
    near = "银行卡" + "补" * 150 + "6222020200112233446"
    far = "银行卡" + "补" * 250 + "6222020200112233446"
    assert [one.severity for one in check(text=near)] == ["block"]
    assert [one.severity for one in check(text=far)] == ["warn"]


def test_spelling_says_where_it_stopped_in_what_is_no_text() -> None:
    speller = Speller.load()
    text = "".join(chr(0x4E00 + n * 7919 % 20000) for n in range(40_000))
    found = run_gates(GateText("", text, "原创", DAY), RULES, NoFacts(), speller=speller)
    (one,) = [one for one in found if one.rule == "wording.spelling-stopped"]
    assert one.severity == "warn"
    assert f"从第 {one.start + 1} 字起没有检查错字" in one.reason
    assert 24_000 <= one.start < 40_000
