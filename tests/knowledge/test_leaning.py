"""What is asked on, after a clause was quoted, is answered by the same policy."""

from dataclasses import replace

import pytest

from knowledge.answering import Hit
from knowledge.leaning import Beside, On, further

LOAN = """第一条 支持对象为本县登记的个体工商户，经营者须是高校毕业生、退役军人或者返乡人员。
第二条 创业担保贷款的额度，个人最高30万元，小微企业最高400万元，期限最长三年。
第三条 利息由县财政贴补50%，展期和逾期的不予贴息。
第四条 申请创业担保贷款，先到县创业服务中心填写申请表，提交营业执照和身份证。
第五条 担保机构在7个工作日内实地查看。咨询电话：0470-1234567。"""
ASKED = "创业担保贷款能贷多少"
SEVERAL = """第一条 首次创业的，给予一次性创业补贴5000元。
第二条 申请创业补贴，向人社窗口提交毕业证和营业执照。
第三条 组织夜市，摊主凭健康证和身份证到商务局窗口报名，每月收保洁费100元。"""


def clauses(text: str, title: str) -> list[Beside]:
    hit = Hit("", "p", title, "", 0, 0.0, 0.0, "in_force")
    lines = enumerate(text.split("\n"), 1)
    return [Beside("", replace(hit, key=str(at), text=line)) for at, line in lines]


@pytest.mark.parametrize(
    ("words", "clause"),
    [
        *(("那需要什么材料？", "4"), ("要带什么证件", "4"), ("那在哪办", "4"), ("怎么申请呢", "4")),
        *(("多少钱", "2"), ("最高多少", "2"), ("几天能办好？", "5"), ("电话多少", "5")),
        *(("需要什么条件", "1"), ("我是退伍军人呢", "1"), ("展期了怎么办", "3")),
        *(("那失业保险金呢", ""), ("谢谢", ""), ("低保怎么申请", ""), ("退伍军人怎么培训", "")),
        *(("贷款在哪办", "4"), ("创业担保贷款要什么材料", "4")),
    ],
)
def test_the_clause_that_says_what_is_wanted_is_chosen(words: str, clause: str) -> None:
    found = further(On(ASKED, "2", words), clauses(LOAN, "青禾县创业担保贷款实施办法"))
    assert (found.hits[0].key if found else "") == clause
    assert found is None or found.sure


@pytest.mark.parametrize("words", ["我是农村户口的呢", "如果没有户口可以吗"])
def test_a_case_that_no_clause_names_is_offered_the_conditions(words: str) -> None:
    found = further(On(ASKED, "2", words), clauses(LOAN, "青禾县创业担保贷款实施办法"))
    assert found is not None
    assert (found.hits[0].key, found.sure) == ("1", False)


def test_where_somebody_is_from_is_answered_by_what_speaks_of_it() -> None:
    open_to_all = LOAN.replace("返乡人员。", "返乡人员，不受户籍限制。")
    found = further(On(ASKED, "2", "我是农村户口的呢"), clauses(open_to_all, "青禾县贷款办法"))
    assert found is not None
    assert (found.hits[0].key, found.sure) == ("1", True)


def test_of_a_policy_on_several_schemes_no_other_scheme_is_told() -> None:
    several = clauses(SEVERAL, "青禾县促进发展若干措施")
    found = further(On("创业补贴给多少", "1", "那需要什么材料"), several)
    assert found is not None
    assert [one.key for one in found.hits] == ["2"]
    assert further(On("创业补贴给多少", "1", "什么时候发"), several) is None
    named = further(On("大学生创业补贴给多少", "1", "创业补贴在哪领"), several)
    assert named is not None
    assert [one.key for one in named.hits] == ["2"]


def test_nothing_is_said_beside_a_clause_that_is_not_there_or_in_force_any_more() -> None:
    loan = clauses(LOAN, "青禾县创业担保贷款实施办法")
    gone = [Beside(one.heading, replace(one.hit, validity="repealed")) for one in loan]
    assert further(On(ASKED, "2", "那需要什么材料"), gone) is None
    assert further(On(ASKED, "9", "那需要什么材料"), loan) is None
