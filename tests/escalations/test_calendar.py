"""Working time: lunch, weekends, holidays and make-up Saturdays."""

from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import pytest

from config.clock import BEIJING
from escalations.calendar import (
    CalendarError,
    in_words,
    load_hours,
    published_days,
    seed_calendar,
    with_calendar,
)
from escalations.models import CalendarDay
from storage.database import Database
from tests.made import SEALS

FILE = Path(__file__).parents[2] / "config" / "calendar.yaml"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BEIJING)


@pytest.fixture
def hours():
    days = {day: working for day, working, _ in published_days(2026)}
    return replace(load_hours(FILE), days=days)


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


def test_lunch_nights_and_holidays_are_not_work(hours) -> None:
    assert hours.is_working(at("2026-11-24 11:59"))
    assert not hours.is_working(at("2026-11-24 12:00"))
    assert not hours.is_working(at("2026-10-01 10:00"))
    assert hours.next_working(at("2026-11-24 12:10")) == at("2026-11-24 14:30")


def test_a_citizen_reads_the_day_and_the_weekday() -> None:
    assert in_words(at("2026-11-24 17:30")) == "11月24日（周二）17:30"


def test_a_calendar_without_any_work_is_an_error_not_an_endless_loop(hours) -> None:
    with pytest.raises(CalendarError, match="节假日"):
        replace(hours, weekdays=frozenset(), days={}).due_at(at("2026-11-24 09:00"), 5)
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


async def test_seeding_keeps_what_a_person_set_and_skips_unknown_years(tmp_path: Path) -> None:
    db = Database(f"sqlite+aiosqlite:///{tmp_path / 'c.db'}", SEALS)
    await db.create_all()
    async with db.session() as session:
        session.add(CalendarDay(day="2026-02-14", working=False, note="停电"))
        await session.flush()
        assert await seed_calendar(session, [2026, 2090]) > 10
        assert await seed_calendar(session, [2026]) == 0
        hours = await with_calendar(session, load_hours(FILE))
    assert not hours.is_working_day(date(2026, 2, 14))
    assert hours.is_working_day(date(2026, 2, 28))
    await db.close()
