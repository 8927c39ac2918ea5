"""Misspelt characters: found by context, left alone where the text is right."""

import math
from datetime import date

import pytest

from gates.engine import GateText, NoFacts, RuleSet, run_gates
from gates.finding import Finding
from gates.language import Alphabet
from gates.spelling import HINT, WARN, Speller
from gates.wordlist import Listed, Words

RULES = RuleSet.load([])


@pytest.fixture(scope="module")
def speller() -> Speller:
    return Speller.load()


def found(speller: Speller, text: str, *, hints: bool = False) -> list[Finding]:
    draft = GateText("", text, "原创", date(2026, 11, 25))
    return run_gates(draft, RULES, NoFacts(), include_hints=hints, speller=speller)


@pytest.mark.parametrize(
    ("text", "wrong", "right"),
    [
        ("申请人应当在规定期限内提交申情材料。", "情", "请"),
        ("各部门要加强安全生产监督菅理工作。", "菅", "管"),
        ("县人民政俯办公室负责组织实施。", "俯", "府"),
        ("依法追究刑事责认。", "认", "任"),
        ("加强基础设施建没，改善人居环境。", "没", "设"),
    ],
)
def test_a_wrong_character_is_found_with_the_right_one(
    speller: Speller, text: str, wrong: str, right: str
) -> None:
    (one,) = found(speller, text)
    assert (one.gate, one.rule, one.severity) == ("wording", "wording.spelling", "warn")
    assert (one.text, one.suggestion) == (wrong, right)
    assert text[one.start : one.end] == wrong
    assert wrong in one.reason
    assert one.basis


@pytest.mark.parametrize(
    "text",
    [
        "申请人应当在规定期限内提交申请材料。",
        "县人民政府办公室负责组织实施，各乡镇配合做好相关工作。",
        "本办法自2026年12月1日起施行，有效期五年。",
        "咨询电话：0471-1234567，联系人：王茗、李筱。",
        "青河岭村的王大娘说，青河岭村修了新路。",
        "从下月起在县政务服务平台领取，本县户籍人员均可申请。",
        "",
        "ABC 123 !?",
    ],
)
def test_a_right_text_is_left_alone(speller: Speller, text: str) -> None:
    assert found(speller, text) == []


def test_titles_of_documents_are_not_read(speller: Speller) -> None:
    assert found(speller, "根据《关于加强安全生产监督菅理的通知》要求，现通知如下。") == []


def test_what_is_less_sure_is_only_a_hint(speller: Speller) -> None:
    text = "全县上下要同心协力，共渡难关，确保就业形式总体稳定，群众生活有保障。"
    sure = {one.start: one.certainty for one in speller.find(text, HINT)}
    loud = {one.start for one in found(speller, text)}
    assert loud == {start for start, certainty in sure.items() if certainty >= WARN}
    assert {one.start for one in found(speller, text, hints=True)} == set(sure)


def test_offsets_count_code_points_of_the_original(speller: Speller) -> None:
    text = "😀通知：\n各部门要加强安全生产监督菅理工作。"
    (one,) = found(speller, text)
    assert text[one.start] == "菅"


def test_the_offices_own_words_are_learned() -> None:
    text = "弘扬工匠精神，增品种、提品质、创品牌。"
    assert [one.wrong for one in Speller.load().find(text)] == ["提"]
    taught = Speller.load(own_texts=["要增品种、提品质、创品牌。"] * 3)
    assert taught.find(text) == []


def test_without_a_speller_nothing_is_said_about_spelling() -> None:
    draft = GateText("", "县人民政俯办公室", "原创", date(2026, 11, 25))
    assert run_gates(draft, RULES, NoFacts(), include_hints=True) == []


def test_a_word_list_is_read_as_line_by_line() -> None:
    rows = [("B超", 3), ("一下", 12), ("丁", 40), ("一下子", 3), ("北京大学", 2053), ("上下", 0)]
    text = "".join(f"{word} {often} n\n" for word, often in rows)
    alphabet = Alphabet("一下子北京大学丁上")
    listed = Listed(alphabet, text)
    for length in (2, 3, 4):
        ids, often = listed.words(length)
        expected = [(alphabet.ids(word).tolist(), n) for word, n in rows if len(word) == length]
        assert list(zip(ids.tolist(), often.tolist(), strict=True)) == expected
    words = Words(alphabet, listed, ["北京", "一下", "外省"])
    assert [len(grams.keys) for grams in words.grams] == [2, 1, 1]  # rare and unknown ones are out
    assert words.grams[0].values.tolist() == pytest.approx([math.log10(51)] * 2)
