"""Lay words of a question lead to the clause that is meant: answered, or offered."""

import pytest

from knowledge.ask import Library, ask_record

LIBRARY = Library.from_lines(
    {"id": name, "title": title, "text": text}
    for name, title, text in (
        ("child", "个人所得税专项附加扣除暂行办法",
         "纳税人的子女接受全日制学历教育的支出，按照每个子女每月1000元的标准定额扣除。"),
        ("loan", "个人所得税专项附加扣除暂行办法",
         "纳税人本人或者配偶首套住房的贷款利息支出，按照每月1000元的标准定额扣除。"),
        ("way", "工伤保险条例",
         "在上下班途中，受到非本人主要责任的交通事故伤害的，应当认定为工伤。"),
        ("jobless", "失业保险条例",
         "非因本人意愿中断就业，已办理失业登记并有求职要求的，可以领取失业保险金。"),
        ("term", "失业保险条例", "累计缴费时间满1年不足5年的，领取失业保险金的期限最长为12个月。"),
        ("school", "关于逐步推行免费学前教育的意见",
         "免除公办幼儿园学前一年在园儿童保育教育费。"),
        ("leave", "职工带薪年休假条例", "职工累计工作已满1年不满10年的，年休假5天。"),
    )
)  # fmt: skip


@pytest.mark.parametrize(
    ("question", "clause"),
    [
        ("小孩上学每个月能抵扣多少个税", "child"),
        ("上班路上被车撞了算不算工伤", "way"),
        ("自己辞职能领失业金吗", "jobless"),
        ("孩子上幼儿园要交多少钱", "school"),
    ],
)
def test_a_question_in_lay_words_is_answered_or_asked_back_with_its_clause(
    question: str, clause: str
) -> None:
    row = ask_record({"id": 1, "question": question}, LIBRARY)
    assert row["status"] in ("answered", "unsure")
    assert row["hits"][0]["id"] == clause


@pytest.mark.parametrize("question", ["怎么办离婚", "护照怎么办理"])
def test_a_clause_that_names_nothing_of_the_subject_is_not_offered(question: str) -> None:
    row = ask_record({"id": 1, "question": question}, LIBRARY)
    assert row["status"] == "out_of_scope"
