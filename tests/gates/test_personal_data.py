"""Personal data: found with its checks, masked, and told apart from office numbers."""

from datetime import date

import pytest

from review_queue.gates.engine import Draft, NoFacts, RuleSet, run_gates

RULES = RuleSet.load()


def _found(text: str) -> list[tuple[str, str, str, str | None]]:
    found = run_gates(
        Draft("", text, "原创", date(2026, 11, 24)), RULES, NoFacts(), include_hints=True
    )
    return [
        (one.rule.removeprefix("secrecy."), one.severity, one.text, one.suggestion)
        for one in found
        if one.gate == "secrecy"
    ]


@pytest.mark.parametrize(
    ("text", "rule", "severity", "part", "mask"),
    [
        ("身份证11010519491231002X", "id-card", "block", "11010519491231002X", "11" + "*" * 16),
        ("张三 110105 19491231 002X", "id-card", "block", "110105 19491231 002X", "11" + "*" * 16),
        ("身份证110105194912310021", "id-card-invalid", "warn", "110105194912310021", None),
        ("旧身份证110105491231002", "id-card-15", "block", "110105491231002", "11" + "*" * 13),
        ("手机13800138000", "mobile", "block", "13800138000", "138********"),
        ("手机138-0013-8000", "mobile", "block", "138-0013-8000", "138********"),
        ("手机+86 138 0013 8000", "mobile", "block", "+86 138 0013 8000", "138********"),
        ("手机１３８００１３８０００", "mobile", "block", "１３８００１３８０００", "138********"),
        ("邮箱 zhang.san@example.com", "e-mail", "warn", "zhang.san@example.com", None),
        ("邮箱rsj@nmg.gov.cn", "e-mail", "hint", "rsj@nmg.gov.cn", None),
        ("账号6222021234567890128", "bank-card", "block", "6222021234567890128", "*" * 19),
        ("护照E12345678", "passport", "block", "E12345678", "E********"),
        ("车牌蒙A12345", "plate", "warn", "蒙A12345", "蒙A*****"),
        ("家庭住址：青禾县城关镇和平路3号楼", "home-address", "warn", None, None),
    ],
)
def test_personal_data_is_found_and_masked(
    text: str, rule: str, severity: str, part: str | None, mask: str | None
) -> None:
    ((found_rule, found_severity, found_part, suggestion),) = _found(text)
    assert (found_rule, found_severity) == (rule, severity)
    assert part in (None, found_part)
    assert mask in (None, suggestion)
    assert suggestion is None or _found(suggestion) == []


@pytest.mark.parametrize(
    "text",
    [
        "电话0471-6945678",
        "电话（0471）6945678",
        "电话04716945678",
        "热线400-810-1234",
        "热线12345、12333、95588",
        "内政办发〔2022〕14号",
        "投资13800138000元",
        "索引号：11150100013800138000",
        "编号110105194912310021",
        "网址 http://www.example.gov.cn/art/13800138000.html",
        "时间2026-11-24 08:30:00",
        "已脱敏：138****8000",
        "统一社会信用代码91150100MA0N1234XX",
    ],
)
def test_office_numbers_are_not_personal(text: str) -> None:
    assert _found(text) == []


@pytest.mark.parametrize(
    "text", ["秘密★", "机密★5年", "绝密 ★ 长期", "秘密☆1年", "秘 密★", "文件\n机密\n正文"]
)
def test_marks_of_secrecy_block(text: str) -> None:
    assert [row[:2] for row in _found(text)] == [("classification-mark", "block")]


@pytest.mark.parametrize("text", ["保守国家秘密", "商业秘密保护", "国家机密岗位"])
def test_speaking_of_secrets_is_no_mark(text: str) -> None:
    assert _found(text) == []
