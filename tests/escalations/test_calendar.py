"""Working time: lunch, weekends, holidays and make-up Saturdays."""

from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import chinese_calendar
import pytest

from config.clock import BEIJING
from config.holidays import published_days
from config.texts import TextFault, read_text
from escalations.calendar import (
    CalendarError,
    OfficeHours,
    in_words,
    load_hours,
    parse_hours,
)
from escalations.statutory import days_off

FILE = Path(__file__).parents[2] / "config" / "calendar.yaml"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BEIJING)


@pytest.fixture
def hours():
    return load_hours(FILE)


@pytest.mark.parametrize(
    ("start", "minutes", "due"),
    [
        ("2026-11-24 09:00", 60, "2026-11-24 10:00"),
        ("2026-11-24 11:50", 30, "2026-11-24 14:50"),  # lunch does not count
        ("2026-11-24 12:30", 30, "2026-11-24 15:00"),
        ("2026-11-24 03:00", 15, "2026-11-24 08:45"),
        ("2026-11-27 17:50", 30, "2026-11-30 08:50"),  # an ordinary weekend
        ("2026-02-13 17:50", 30, "2026-02-14 08:50"),  # Friday before a make-up Saturday
        ("2026-02-14 17:50", 30, "2026-02-24 08:50"),  # then the Spring Festival
        ("2026-11-24 08:30", 420, "2026-11-24 18:00"),  # a whole day ends with the day
    ],
)
def test_due_times_fall_in_working_time(hours, start, minutes, due) -> None:
    assert hours.due_at(at(start), minutes) == at(due)


@pytest.mark.parametrize(
    ("start", "until", "due"),
    [
        ("2026-11-24 09:00", None, "2026-11-24 15:30"),
        ("2026-11-24 09:00", "2026-11-26 09:00", "2026-11-24 15:30"),
        ("2026-11-24 09:00", "2026-11-24 15:00", "2026-11-24 15:00"),
        ("2026-11-24 09:00", "2026-11-24 13:00", "2026-11-24 12:00"),  # not in the lunch break
        ("2026-11-27 16:00", "2026-11-29 16:00", "2026-11-27 18:00"),  # a weekend between
        ("2026-11-27 16:01", "2026-11-29 16:01", "2026-11-30 10:31"),  # too short to promise
        ("2026-09-30 20:00", "2026-10-02 20:00", "2026-10-08 15:00"),  # nobody works before
    ],
)
def test_no_hour_is_promised_after_the_platform_closes_where_an_earlier_one_can_be(
    hours, start, until, due
) -> None:
    assert hours.due_within(at(start), 240, at(until) if until else None) == at(due)


def test_lunch_nights_and_holidays_are_not_work(hours) -> None:
    assert hours.is_working(at("2026-11-24 11:59"))
    assert not hours.is_working(at("2026-11-24 12:00"))
    assert not hours.is_working(at("2026-10-01 10:00"))
    assert hours.next_working(at("2026-11-24 12:10")) == at("2026-11-24 14:30")


def test_a_citizen_reads_the_day_and_the_weekday() -> None:
    assert in_words(at("2026-11-24 17:30")) == "11月24日（周二）17:30"


def test_a_calendar_without_any_work_is_an_error_not_an_endless_loop(hours) -> None:
    with pytest.raises(CalendarError, match="节假日"):
        replace(hours, weekdays=frozenset()).due_at(at("2090-11-24 09:00"), 5)
    with pytest.raises(CalendarError, match="大于 0"):
        hours.due_at(at("2026-11-24 09:00"), 0)


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ("answer_minutes: 240", "answer_minutes"),
        ("weekdays: [1, 2, 3, 4, 5]", "weekdays"),
        ('["08:30", "12:00"]', "periods"),
    ],
)
def test_a_wrong_file_names_its_field(tmp_path, wrong, named) -> None:
    other = {"weekdays": "weekdays: [0]", "periods": '["12:00", "08:30"]'}
    file = tmp_path / "calendar.yaml"
    text = FILE.read_text(encoding="utf-8")
    file.write_text(text.replace(wrong, other.get(named, "answer_minutes: 0")), encoding="utf-8")
    with pytest.raises(CalendarError, match=named):
        load_hours(file)


def with_days(*lines: str) -> OfficeHours:
    """The hours of the starting text with these lines below `days`."""
    text = FILE.read_text(encoding="utf-8") + "days:\n" + "".join(f"  {one}\n" for one in lines)
    return read_text(text, "calendar.yaml", parse_hours)


def test_a_day_the_office_decided_on_goes_before_the_published_one() -> None:
    hours = with_days(
        "2026-02-14: {working: false, note: 停电}",  # a published make-up Saturday
        '"2026-10-02": {working: true, note: 国庆值班}',  # a published holiday
        "2026-11-25: {working: false, note: 搬迁}",  # an ordinary Wednesday
    )
    assert hours.due_at(at("2026-02-13 17:50"), 30) == at("2026-02-24 08:50")
    assert hours.due_at(at("2026-09-30 17:50"), 30) == at("2026-10-02 08:50")
    assert hours.due_at(at("2026-11-24 17:50"), 30) == at("2026-11-26 08:50")
    assert hours.is_working_day(date(2026, 2, 28))  # the other published days stay


@pytest.mark.parametrize("day", ["05-01", "05-02", "10-02", "10-03", "04-04", "01-31", "09-08"])
def test_days_off_by_law_are_off_in_a_year_nobody_published(day: str) -> None:
    off = date.fromisoformat(f"2090-{day}")
    assert off.weekday() < 5
    assert not load_hours(FILE).is_working_day(off)
    assert with_days(f'"{off}": {{working: true, note: 值班}}').is_working_day(off)


def test_a_year_nobody_published_goes_by_the_week_and_by_the_offices_own_days() -> None:
    assert published_days(2090) == {}
    plain = load_hours(FILE)
    assert (plain.knows(2026), plain.knows(2090)) == (True, False)
    assert plain.is_working_day(date(2090, 10, 9))  # a Monday of the week like any other
    hours = with_days("2090-10-09: {working: false, note: 停电}")
    assert not hours.is_working_day(date(2090, 10, 9))
    assert not hours.knows(2090)  # one day says nothing of the others
    hours = read_text(FILE.read_text("utf-8") + "arranged: [2090]\n", "calendar.yaml", parse_hours)
    assert hours.knows(2090)


def test_days_off_by_law_are_those_published_for_the_years_that_were() -> None:
    for year in (2025, 2026):
        off = days_off(year)
        assert len(off) == 13
        assert all(chinese_calendar.get_holiday_detail(day)[1] for day in off)
    assert date(2027, 2, 5) in days_off(2027)  # 除夕
    assert len(days_off(2300)) == 6  # past the table those with a fixed date


@pytest.mark.parametrize(
    ("today", "missing"),
    [
        ("2026-10-31", []),
        ("2026-11-01", [2027]),
        ("2027-01-02", [2027]),
        ("2027-11-01", [2027, 2028]),
    ],
)
def test_from_november_on_the_next_year_is_missed(today: str, missing: list[int]) -> None:
    assert load_hours(FILE).unarranged(date.fromisoformat(today)) == missing


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("2027-02-30: {working: false, note: 检修}", "第 {row} 行没有“2027-02-30”这样的日期"),
        ('"2027-02-30": {working: false, note: 检修}', "days.2027-02-30：days 的日期应写成"),
        ("明天: {working: false, note: 检修}", "days.明天：days 的日期应写成"),
        ("2027-02-05: false", "days.2027-02-05：应写成"),
        ("2027-02-05: {working: false}", "days.2027-02-05：应写成"),
        ("2027-02-05: {working: false, note: 检修, hours: 3}", "days.2027-02-05：应写成"),
        ("2027-02-05: {working: 休息, note: 检修}", "days.2027-02-05.working：working 应为"),
        ("2027-02-05: {working: 0, note: 检修}", "days.2027-02-05.working：working 应为"),
        ('2027-02-05: {working: false, note: " "}', "days.2027-02-05.note：note 应写明"),
        (f"2027-02-05: {{working: false, note: {'长' * 41}}}", "note 应写明原因"),
        ("- 2027-02-05", "days：days 应写成"),
    ],
)
def test_a_wrong_day_is_refused_with_its_line_and_field(line: str, told: str) -> None:
    row = FILE.read_text(encoding="utf-8").count("\n") + 2
    with pytest.raises(TextFault) as caught:
        with_days(line)
    assert told.format(row=row) in str(caught.value)
    if "字段 days." in str(caught.value):
        assert f"第 {row} 行" in str(caught.value)


def test_a_day_that_is_written_twice_is_refused() -> None:
    with pytest.raises(TextFault, match="写了两次"):
        with_days(
            "2027-02-05: {working: false, note: 检修}",
            '"2027-02-05": {working: true, note: 值班}',
        )
