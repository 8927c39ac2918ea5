"""Cited policies: repealed, replaced, unknown, mistyped, ill matched, and days that contradict."""

from datetime import date

import pytest

from gates.engine import Finding, GateText, RuleSet, run_gates
from gates.filter import library_facts

RULES = RuleSet.load()
LIBRARY = library_facts(
    [
        {
            "title": "青禾县就业补贴实施办法",
            "doc_number": "青人社发〔2024〕8号",
            "status": "repealed",
            "successor": "青人社发〔2026〕5号",
        },
        {
            "title": "青禾县就业创业补贴管理办法",
            "doc_number": "青人社发〔2026〕5号",
            "effective_from": "2026-03-01",
            "effective_to": "2028-02-29",
            "text": "申请人应当在受理时间内提出。申请截止到2026年12月31日。",
        },
        {
            "title": "青禾县消费券发放方案",
            "doc_number": "青商发〔2025〕12号",
            "effective_to": "2025-12-31",
        },
        {
            "title": "青禾县家电换新补贴办法",
            "doc_number": "青商发〔2025〕20号",
            "successor": "青禾县家电以旧换新实施细则",
        },
        {"title": "青禾县2025年政务公开工作要点", "doc_number": "青政办发〔2025〕3号"},
        {"title": "青禾县技能培训补贴办法", "doc_number": "青人社发〔2027〕1号",
         "effective_from": "2027-01-01"},
    ]
)  # fmt: skip


def _found(text: str) -> list[Finding]:
    draft = GateText("", text, "原创", date(2026, 11, 24))
    found = run_gates(draft, RULES, LIBRARY, include_hints=True)
    return [one for one in found if one.gate == "policy"]


def _told(text: str) -> list[tuple[str, str, str, str | None]]:
    return [
        (one.rule.removeprefix("policy."), one.severity, one.text, one.suggestion)
        for one in _found(text)
    ]


@pytest.mark.parametrize(
    "text",
    [
        "按照青人社发〔2026〕5号申请。",
        "按照《青禾县就业创业补贴管理办法》（青人社发〔2026〕5号）申请。",
        "《青禾县就业创业补贴管理办法》自2026年3月1日起施行，有效期至2028年2月29日。",
        "根据《中华人民共和国就业促进法》和《优化营商环境法》办理。",
        "《青禾县就业补贴实施办法》同时废止。",
        "依照《青禾县就业创业补贴管理办法》，申请截止到12月31日。",
    ],
)
def test_what_is_in_force_and_agrees_is_left_alone(text: str) -> None:
    assert _told(text) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "按照青人社发〔2024〕8号申请。",
            ("repealed", "block", "青人社发〔2024〕8号", "青人社发〔2026〕5号"),
        ),
        (
            "按照《青禾县就业补贴实施办法》申请。",
            ("repealed", "block", "《青禾县就业补贴实施办法》", "青人社发〔2026〕5号"),
        ),
        ("按照青商发[2025]12号领取。", ("expired", "block", "青商发[2025]12号", None)),
        (
            "依据青商发〔2025〕20号。",
            ("superseded", "block", "青商发〔2025〕20号", "《青禾县家电以旧换新实施细则》"),
        ),
        ("依据青人社发〔2027〕1号。", ("not-yet", "warn", "青人社发〔2027〕1号", None)),
        ("依据青财发〔2026〕99号。", ("unknown", "warn", "青财发〔2026〕99号", None)),
        (
            "依据青人社法〔2026〕5号。",
            ("mistyped", "warn", "青人社法〔2026〕5号", "青人社发〔2026〕5号"),
        ),
        (
            "依据《青禾县就业创业补助管理办法》。",
            (
                "mistyped",
                "warn",
                "《青禾县就业创业补助管理办法》",
                "《青禾县就业创业补贴管理办法》",
            ),
        ),
        (
            "按照《青禾县就业创业补贴管理办法》（青人社发〔2026〕6号）申请。",
            ("mismatch", "warn", "青人社发〔2026〕6号", "青人社发〔2026〕5号"),
        ),
        (
            "《青禾县就业创业补贴管理办法》自2026年5月1日起施行。",
            ("date", "warn", "2026年5月1日", "2026年3月1日"),
        ),
        (
            "《青禾县就业创业补贴管理办法》有效期至2027年2月28日。",
            ("date", "warn", "2027年2月28日", "2028年2月29日"),
        ),
        (
            "按照青人社发〔2026〕5号，申请截止到2026年11月30日。",
            ("date", "warn", "2026年11月30日", "2026年12月31日"),
        ),
    ],
)
def test_what_is_wrong_is_told_with_the_right_one(
    text: str, expected: tuple[str, str, str, str | None]
) -> None:
    assert expected in _told(text)
    assert all(one.basis for one in _found(text))


def test_a_number_of_another_document_beside_a_title_is_told() -> None:
    told = _told("按照《青禾县就业创业补贴管理办法》（青政办发〔2025〕3号）申请。")
    assert ("mismatch", "warn", "青政办发〔2025〕3号", "青人社发〔2026〕5号") in told


@pytest.mark.parametrize(
    "text",
    [
        "《青禾县2026年政务公开工作要点》",
        "《唐诗三百首鉴赏词典》",
        "《中华人民共和国优化营商环境条例》",
    ],
)
def test_another_issue_of_a_series_and_other_books_are_not_called_mistyped(text: str) -> None:
    assert all(one.rule != "policy.mistyped" and one.severity == "hint" for one in _found(text))


def test_accepting_the_successor_settles_the_finding() -> None:
    text = "按照青人社发〔2024〕8号申请。"
    (one,) = _found(text)
    assert one.suggestion is not None
    assert _told(text[: one.start] + one.suggestion + text[one.end :]) == []
