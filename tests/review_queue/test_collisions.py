"""Near copies, one matter told otherwise, two sends at once: found, and what is none left alone."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from review_queue.collisions import (
    Kind,
    Notice,
    Span,
    clashes,
    differences,
)

NOW = datetime(2026, 7, 1, 1, 0, tzinfo=UTC)  # 09:00 in Beijing
TITLE = "关于城东片区停水的通知"
TEXT = (
    "因供水管网改造，城东片区定于7月5日8时至18时停水，涉及青年路、建设路和文化路沿线用户。"
    "请提前储水，停水期间关好龙头。停水区域内的学校、医院由供水公司派车送水，需要帮助的老人可以向社区登记。"
    "施工单位对每户补偿50元，咨询电话由供水公司值班室接听。"
)
OTHER = (
    "青禾县图书馆本周起延长开放时间，晚上八点闭馆，馆内增加自习座位和热水供应，"
    "读者凭身份证入馆，周六上午为儿童讲故事。"
)


def notice(key: str = "other", **more: Any) -> Notice:
    plain: dict[str, Any] = {"key": key, "title": TITLE, "text": TEXT, "at": NOW}
    return Notice(**plain | more)


MINE = notice("mine")


def test_the_same_notice_by_two_editors_is_a_copy_for_both() -> None:
    theirs = notice(title="城东片区停水公告", text=TEXT.replace("请提前储水", "请大家提前储水"))
    for one, two in ((MINE, theirs), (theirs, MINE)):
        (clash,) = clashes(one, [two])
        assert (clash.kind, clash.key, clash.different) == (Kind.COPY, two.key, ())
        assert clash.share > 0.9


def test_a_copy_with_another_day_names_both_days() -> None:
    (clash,) = clashes(MINE, [notice(text=TEXT.replace("7月5日", "7月15日"))])
    assert clash.kind == Kind.COPY
    (different,) = clash.different
    assert (different.what, different.mine, different.theirs) == ("日期", "7月5日", "7月15日")
    assert "7月5日" in different.here
    assert "7月15日" in different.there
    assert "7月15日" not in different.here


def test_the_same_matter_in_other_words_with_another_sum_is_found_within_a_week() -> None:
    retold = "供水公司说明：停水给大家添了麻烦。施工单位对每户补偿80元，七月底以前发放。"
    theirs = notice(title="城东片区停水提醒", text=retold, at=NOW - timedelta(days=5))
    (clash,) = clashes(MINE, [theirs])
    assert clash.kind == Kind.DIFFERS
    assert [(one.what, one.here, one.there) for one in clash.different] == [
        ("金额", "施工单位对每户补偿50元", "施工单位对每户补偿80元")
    ]
    old = notice(title=theirs.title, text=retold, at=NOW - timedelta(days=8))
    assert clashes(MINE, [old]) == []
    agreed = notice(title=theirs.title, text=retold.replace("80", "50"))
    assert clashes(MINE, [agreed]) == []


@pytest.mark.parametrize(
    "title", ["关于城西片区停水的通知", "关于城东片区停电的通知", "博物馆延长开放时间的公告"]
)
def test_another_place_or_matter_in_the_same_form_is_none(title: str) -> None:
    retold = "施工单位对每户补偿80元，请相互转告，谢谢大家的理解和支持。"
    assert clashes(MINE, [notice(title=title, text=retold)]) == []


def test_unlike_texts_are_left_alone_and_short_ones_must_be_the_very_same() -> None:
    assert clashes(MINE, [notice(title="图书馆延长开放", text=OTHER)]) == []
    short = notice("mine", title="停水", text="今天停水，请储水。")
    assert clashes(short, [notice(title="甲", text="今天停电，请储水。")]) == []
    (clash,) = clashes(short, [notice(title="乙", text="今天停水， 请储水")])
    assert clash.kind == Kind.COPY


def test_a_correction_and_what_it_corrects_are_no_copies_nor_is_a_text_begun_as_another() -> None:
    changed = TEXT.replace("7月5日", "7月15日")
    assert clashes(notice("mine", text=changed, kin={"other"}), [notice()]) == []
    assert clashes(MINE, [notice(text=changed, kin={"mine"})]) == []
    assert clashes(notice("mine", kin={"another"}), [notice()]) != []


@pytest.mark.parametrize(
    ("mine", "theirs"),
    [
        ("菜价第12期", notice(title="菜价第11期")),
        ("7月5日天气", notice(title="7月4日天气", out=True)),
    ],
)
def test_the_next_number_of_a_series_is_no_copy(mine: str, theirs: Notice) -> None:
    assert clashes(notice("mine", title=mine), [theirs]) == []


@pytest.mark.parametrize(
    ("mine", "theirs"),
    [
        ("菜价第12期", notice(title="菜价第12期")),
        ("7月5日停水通知", notice(title="7月15日停水通知")),
        ("天气", notice(title="天气", out=True)),
    ],
)
def test_the_same_number_or_two_days_that_both_wait_are_no_series(
    mine: str, theirs: Notice
) -> None:
    assert clashes(notice("mine", title=mine), [theirs])


@pytest.mark.parametrize(
    ("one", "other", "found"),
    [
        ("报名截止到7月5日", "报名截止到2026年7月5日", []),
        ("报名截止到7月5日", "报名截止到7月15日。考试截止到7月5日", ["日期"]),
        ("补贴标准为每人1500元", "补贴标准为每人1,500元", []),
        ("补助资金共1.5万元", "补助资金共15000元", []),
        ("补助资金共1.5万元", "补助资金共1.8万元", ["金额"]),
        ("会议于下午3点召开", "会议于15:00召开", []),
        ("会议于下午3点半召开", "会议于15时召开", ["时间"]),
        ("录取比例提高到85%", "录取比例提高到80%", ["比例"]),
        ("公开招聘教师30名", "公开招聘教师20名", ["数量"]),
        ("活动时间为7月5日至8日", "活动时间为7月5日至9日", ["日期"]),
        ("活动定在本周六举行", "活动定在本周日举行", ["日期"]),
        ("青禾县人民政府\n2026年7月5日", "青禾县人民政府\n2026年7月6日", []),
        ("报名时间7月5日。考试时间7月9日", "考试时间7月9日。报名时间7月5日", []),
        ("请在7月5日前报名", "食堂于7月6日开放", []),
    ],
)
def test_figures_are_compared_by_what_they_say(one: str, other: str, found: list[str]) -> None:
    assert [row.what for row in differences(one, other)] == found


def test_of_a_long_clause_what_stands_around_the_figure_is_quoted() -> None:
    long = "凡在本县连续居住满一年以上并且按照规定办理了居住登记的各类人员都可以在" * 2
    (row,) = differences(f"{long}7月5日前申请", f"{long}7月15日前申请")
    assert len(row.here) <= 40
    assert "7月5日" in row.here


def at(hour: float, days: int = 0) -> Span:
    moment = NOW + timedelta(days=days, hours=hour)
    return Span(moment, moment)


def sends(key: str, span: Span | None, *accounts: str) -> Notice:
    return notice(key, title=key, text=key, accounts=frozenset(accounts), span=span)


@pytest.mark.parametrize(
    ("theirs", "once", "found"),
    [
        (sends("two", at(0.5), "a"), (), [("a", False)]),
        (sends("two", at(-0.9), "a", "b"), (), [("a", False)]),
        (sends("two", at(1), "a"), (), []),
        (sends("two", at(0.5), "b"), (), []),
        (sends("two", None, "a"), (), []),
        (sends("two", at(9), "a"), ("a",), [("a", True)]),
        (sends("two", at(9), "a"), ("b",), []),
        (sends("two", at(-10), "a"), ("a",), []),  # 23:00 of the day before
        (
            sends("two", Span(NOW - timedelta(hours=3), NOW + timedelta(hours=3)), "a"),
            (),
            [("a", False)],
        ),
    ],
)
def test_two_sends_to_one_account_within_an_hour_or_on_a_full_day(
    theirs: Notice, once: tuple[str, ...], found: list[tuple[str, bool]]
) -> None:
    met = clashes(sends("one", at(0), "a"), [theirs], frozenset(once))
    assert [(*one.accounts, one.same_day) for one in met] == found
    assert all(one.kind == Kind.TOGETHER for one in met)


def test_long_texts_are_compared_in_a_moment() -> None:
    words = "申请材料补贴标准办理时间窗口电话地点人员车辆设备培训课程名额"
    told = [f"第{at}项{words[at % 17 :]}为{at + 2}元。" for at in range(80)]
    long = [notice(f"o{at}", text="".join(told) + f"另有{at}处。") for at in range(8)]
    begun = time.process_time()
    found = clashes(notice("mine", text="".join(told).replace("为9元", "为8元")), long)
    assert [len(one.different) for one in found] == [1] * 8
    assert time.process_time() - begun < 8  # 0.1 s alone: a bound against squares, not a measure


def test_two_long_lists_of_payments_are_compared_in_a_moment() -> None:
    rows = [f"{'甲乙丙丁戊己庚辛'[at % 8]}村张某{at}号领取{at + 100}元。" for at in range(4000)]
    other = rows[:9] + [rows[9].replace("109元", "901元")] + [row[::-1] for row in rows[10:]]
    begun = time.process_time()
    first, *_ = differences("".join(rows), "".join(other))
    assert (first.mine, first.theirs) == ("109元", "901元")
    assert time.process_time() - begun < 8  # 0.3 s alone: squares of 4,000 are thirty
