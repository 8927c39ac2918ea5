"""A county begins with a small library: what is about something else is no answer."""

from importlib.resources import files

import pytest

from knowledge.ask import Library, ask_record
from knowledge.speech import starting_speech
from knowledge.subject import _rarity, other_people, unheld

GRADUATES = "青禾县高校毕业生就业创业补贴办法"
APPLIANCES = "青禾县家电以旧换新补贴实施细则"
PAPERS = "第二条 申请人应当持身份证、毕业证书和营业执照，向服务所提出申请，十五个工作日内发放。"
INSURED = "第三条 高校毕业生灵活就业并缴纳社会保险费的，按照实际缴费的三分之二给予社会保险补贴。"
LIBRARY = Library.from_lines(
    [
        {
            "id": "grant",
            "title": GRADUATES,
            "text": "第一条 离校两年内未就业的高校毕业生首次创业的，给予一次性创业补贴五千元。",
        },
        {"id": "papers", "title": GRADUATES, "text": PAPERS},
        {"id": "insured", "title": GRADUATES, "text": INSURED},
        {
            "id": "fridge",
            "title": APPLIANCES,
            "text": "第一条 个人消费者购买电视、冰箱的，按照成交价格的百分之二十给予补贴。",
        },
    ]
)
THINGS = (
    *("离婚", "结婚登记", "身份证", "社保卡", "失业保险", "工伤认定", "低保", "老年证", "残疾证"),
    *("公积金", "农机", "生育津贴", "医保报销", "营业执照", "护照", "驾驶证", "汽车报废", "养老金"),
    *("户口", "取暖费", "公租房", "孩子入学", "退役军人", "高龄津贴", "危房改造"),
)
FORMS = ("怎么办{}", "{}怎么办理", "{}需要什么材料", "{}去哪办", "{}补贴怎么领", "申请{}要什么条件")


def status_of(question: str) -> tuple[str, str]:
    row = ask_record({"id": 1, "question": question}, LIBRARY)
    return row["status"], row["hits"][0]["id"] if row["hits"] else ""


def test_hardly_a_question_about_something_else_is_answered() -> None:
    asked = [form.format(thing) for thing in THINGS for form in FORMS]
    answered = [one for one in asked if status_of(one)[0] in ("answered", "several")]
    assert len(answered) <= 0.04 * len(asked), answered


@pytest.mark.parametrize(
    ("question", "clause"),
    [
        ("高校毕业生创业补贴多少钱", "grant"),
        ("大学生开店有补贴吗", "grant"),
        ("毕业生灵活就业社保补贴怎么领", "insured"),
        ("买冰箱补贴多少", "fridge"),
    ],
)
def test_what_the_library_speaks_of_is_answered_as_before(question: str, clause: str) -> None:
    assert status_of(question) == ("answered", clause)


def test_a_clause_for_others_is_no_answer_to_whoever_is_named() -> None:
    assert status_of("灵活就业人员社保补贴")[0] != "answered"
    assert other_people("灵活就业人员社保补贴", GRADUATES, INSURED)
    assert not other_people("大学生社保补贴", GRADUATES, INSURED)
    assert not other_people("社保补贴怎么领", GRADUATES, INSURED)


def test_what_is_to_be_brought_along_is_not_what_a_clause_is_about() -> None:
    words = starting_speech().synonyms
    assert unheld("营业执照怎么办理", GRADUATES, PAPERS, words) == 1
    assert unheld("毕业生怎么申请", GRADUATES, PAPERS, words) == 0
    assert unheld("怎么办", GRADUATES, PAPERS, words) == 0
    assert unheld("有几天假", GRADUATES, PAPERS, words) == 0
    assert unheld("几个月到账", GRADUATES, PAPERS, words) == unheld(
        "到账", GRADUATES, PAPERS, words
    )


def test_how_rare_a_word_is_stands_in_the_table_of_jieba() -> None:
    table = files("jieba").joinpath("analyse/idf.txt").read_text(encoding="utf-8").splitlines()
    for line in [*table[::3000], table[-1]]:
        word, weight = line.split(" ")
        assert _rarity(word, -1.0) == float(weight)
    assert _rarity("补贴申领", -1.0) == -1.0, "a word that begins another is none"
