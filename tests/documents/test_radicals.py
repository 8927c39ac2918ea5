"""Radicals in the place of characters are read as the characters they look like."""

import unicodedata
from datetime import date

from documents.radicals import RADICALS, without_radicals
from gates.normalise import normalise
from knowledge.documents import read_bytes


def test_a_radical_becomes_one_character_of_its_own_look() -> None:
    assert without_radicals("⺟⼦健康⼿册，⻛险提⽰，⻋间") == "母子健康手册，风险提示，车间"
    assert without_radicals("无须改动 abc") == "无须改动 abc"
    for point, char in RADICALS.items():
        assert unicodedata.name(chr(point)).startswith(("CJK RADICAL", "KANGXI RADICAL"))
        assert unicodedata.name(char).startswith("CJK UNIFIED IDEOGRAPH")


def test_the_gates_see_through_radicals_at_their_place() -> None:
    seen = normalise("从⻛险⻆度")
    assert seen.text == "从风险角度"
    assert seen.original(1, 3) == (1, 3)


def test_a_policy_of_radicals_is_found_by_its_characters() -> None:
    text = (
        "某县⼈⺠政府关于⻋辆管理的通知\n某政发〔2026〕9号\n各单位：\n"
        "⾃2026年7⽉1⽇起施⾏。\n某县⼈⺠政府\n2026年6⽉2⽇\n"
    )
    (draft,) = read_bytes("文.txt", text.encode())
    assert draft.title == "某县人民政府关于车辆管理的通知"
    assert draft.issued_on == date(2026, 6, 2)
