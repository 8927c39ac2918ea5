"""Cutting policies into clauses, choosing sentence windows."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.clauses import best_window, cut, sentences, spans

DATA = Path(os.environ.get("SHENFA_TEST_DATA", "../shared/data"))


def labels(text: str) -> list[str]:
    return [clause.label for clause in cut(text)]


def test_articles_are_cut_with_their_points_inside_and_chapters_as_path() -> None:
    text = (
        "办法\n第一章 总则\n第一条　为了就业。\n第二条 包括：\n（一）甲；\n（二）乙。\n"
        "第二章 附则\n第三条 自公布之日起施行。"
    )
    clauses = cut(text)
    assert [c.label for c in clauses] == ["第一条", "第二条", "第三条"]
    assert clauses[1].text.endswith("（二）乙。")
    assert clauses[2].heading == ("第二章 附则",)


def test_points_run_on_under_headings_and_a_heading_with_a_body_is_a_clause() -> None:
    text = (
        "通知\n各单位：\n一、总要求\n　　要办好。\n"
        "二、措施\n（一）甲。\n（二）乙。\n续行。\n附件：清单"
    )
    clauses = cut(text)
    assert [c.label for c in clauses] == ["一、", "（一）", "（二）"]
    assert clauses[1].heading == ("二、措施",)
    assert clauses[2].text == "（二）乙。\n续行。"


def test_headings_alone_and_plain_paragraphs_are_clauses_too() -> None:
    assert labels("公告\n一、对象\n居民。\n二、时间\n五月。") == ["一、", "二、"]
    assert labels("本县定于五月发放消费券。" * 8 + "\n" + "请到窗口领取。" * 12) == [
        "第1段",
        "第2段",
    ]
    assert labels("") == []


def test_a_cited_article_does_not_open_a_clause() -> None:
    text = "第一条 依照本办法\n第五条的规定执行。\n第二条 完。"
    assert labels(text) == ["第一条", "第二条"]


def test_the_sample_policy_has_its_twenty_one_points() -> None:
    path = DATA / "yaodian-2022.txt"
    if not path.exists():
        pytest.skip("example data absent")
    text = path.read_text(encoding="utf-8")
    clauses = cut(text)
    assert len(clauses) == 21
    assert clauses[4].label == "（五）"
    assert clauses[4].heading[0].startswith("二、")
    assert all(text[c.start : c.end] == c.text for c in clauses)
    assert not any("bookmark" in c.text for c in clauses)


def test_a_notice_with_orders_what_it_puts_into_force_and_its_annex_are_all_clauses() -> None:
    text = (
        "某县民政局关于印发高温津贴办法的通知\n各乡镇：\n一、认真执行。\n二、按月报送。\n"
        "附件：高温津贴办法\n某县民政局\n某县财政局\n2026年5月20日\n"
        "某县高温津贴办法\n第一条 发放津贴。\n第二条 按月发放。\n"
        "附件1\n津贴标准表\n项目\t标准\n室外\t每人每月三百元"
    )
    clauses = cut(text)
    assert [one.label for one in clauses] == ["一、", "二、", "第一条", "第二条", "第1段"]
    assert clauses[1].text == "二、按月报送。"
    assert clauses[2].heading == ("某县高温津贴办法",)
    assert clauses[4].heading == ("附件1",)
    assert "室外\t每人每月三百元" in clauses[4].text
    assert not any("民政局\n" in one.text or "2026年5月20日" in one.text for one in clauses)


def test_an_annex_below_articles_and_below_points_is_its_own_part() -> None:
    rows = "附件：\n项目\t标准\n接种\t二十元"
    assert labels(f"通知\n一、甲。\n二、乙。\n{rows}") == ["一、", "二、", "第1段"]
    listed = "附件：1.申请表\n2.承诺书\n某县民政局\n二〇二六年五月二十日"
    assert labels(f"通知\n一、甲。\n二、乙。\n{listed}") == ["一、", "二、"]
    for titled in ("附件：接种标准\n项目\t标准", "附件2：接种标准\n一、范围。\n二、标准。"):
        assert len(labels(f"通知\n一、甲。\n二、乙。\n{titled}")) > 2
    below = listed.replace("附件：", "附件：\n")
    assert labels(f"通知\n一、甲。\n二、乙。\n{below}") == ["一、", "二、"]


LINES = st.lists(
    st.sampled_from(
        [
            "第一条 甲。",
            "第二条",
            "（一）乙；",
            "（二）",
            "一、丙",
            "二、丁。",
            "附件：",
            "附件1",
            "2026年5月20日",
            "　正文。",
            "\r",
            "",
        ]
    )
    | st.text(max_size=30),
    max_size=14,
)


@given(LINES)
def test_every_clause_is_an_exact_span_in_order(lines: list[str]) -> None:
    text = "\n".join(lines)
    reach = 0
    for number, clause in enumerate(cut(text), start=1):
        assert clause.number == number
        assert text[clause.start : clause.end] == clause.text
        assert clause.text.strip()
        assert clause.start >= reach
        reach = clause.end


@given(LINES, st.integers(min_value=4, max_value=60))
def test_spans_lose_nothing_but_blanks(lines: list[str], limit: int) -> None:
    text = "\n".join(lines)
    kept = "".join(text[start:end] for start, end in spans(text, limit))
    assert "".join(kept.split()) == "".join(text.split())


@given(st.text(alphabet="甲乙丙。；\n ”", max_size=60), st.integers(min_value=1, max_value=30))
def test_a_window_is_whole_sentences_of_the_text(text: str, limit: int) -> None:
    start, end = best_window(text, lambda part: {part: len(part)}, limit)
    assert 0 <= start <= end <= len(text)
    if len(text.strip()) > limit and sentences(text):
        starts = {span[0] for span in sentences(text)}
        assert start in starts


def test_a_signed_notice_without_numbers_has_clauses_too() -> None:
    text = "各区民政局：现将有关事项通知如下，请认真执行。\n某市民政局\n2026年11月3日"
    (clause,) = cut(text)
    assert clause.text == "各区民政局：现将有关事项通知如下，请认真执行。"
