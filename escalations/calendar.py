"""Working time: several periods a day, holidays, make-up workdays (调休); due times in it.

All of it is pure: no table has a part in what a citizen is told. `parse_hours(data)` makes
`OfficeHours` of the setting `calendar`. A day is first what the office itself says of it there,
then what the published holiday arrangements say (`published_days`), else what the weekly rule
says, without the days that are off by law (statutory.py). Minutes are working minutes, dates
Beijing dates.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

from config.clock import BEIJING, beijing
from config.holidays import published_days
from config.texts import FieldFault
from escalations.statutory import days_off

FARTHEST = 400  # days looked ahead before the calendar is called wrong
LONGEST_NOTE = 40  # characters
ARRANGED_FROM = 11
"""The month from which on the arrangements of the next year are missed: they come in autumn."""
_FIRST = 2000
WEEKDAYS = "一二三四五六日"
_HOTLINE = re.compile(r"[0-9][0-9 -]{2,19}")


class CalendarError(FieldFault):
    """The working calendar cannot be used; the text names the field and the remedy."""


@dataclass(frozen=True)
class OfficeHours:
    """When people work, and how long they have. `days` are those the office itself decided on."""

    periods: tuple[tuple[time, time], ...]
    weekdays: frozenset[int]  # 0 = Monday
    acknowledge_minutes: int = 15
    answer_minutes: int = 240
    hotline: str = "12345"
    days: Mapping[date, bool] = field(default_factory=dict)
    arranged: frozenset[int] = frozenset()
    """Years whose published arrangement stands in `days`, every day of it."""

    def is_working_day(self, day: date) -> bool:
        """A make-up Saturday works, a holiday Monday does not, unless the office says otherwise."""
        usual = day.weekday() in self.weekdays and day not in days_off(day.year)
        return self.days.get(day, published_days(day.year).get(day, usual))

    def knows(self, year: int) -> bool:
        """Whether the 调休 of a year are known; else only the law and the weekly rule hold.

        A day on which an office does otherwise says nothing of the others.
        """
        return year in self.arranged or bool(published_days(year))

    def unarranged(self, today: date) -> Sequence[int]:
        """The years whose 调休 should be known by now and are not."""
        coming = (today.year + 1,) if today.month >= ARRANGED_FROM else ()
        return [year for year in (today.year, *coming) if not self.knows(year)]

    def is_working(self, moment: datetime) -> bool:
        """Whether people are at work at this moment (the lunch break is not work)."""
        local = beijing(moment)
        return self.is_working_day(local.date()) and any(
            begin <= local.time() < end for begin, end in self.periods
        )

    def spans(self, start: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Working spans from `start` on, the first cut at `start`."""
        local = beijing(start)
        for ahead in range(FARTHEST):
            day = local.date() + timedelta(days=ahead)
            if not self.is_working_day(day):
                continue
            for begin, end in self.periods:
                first = max(local, datetime.combine(day, begin, BEIJING))
                last = datetime.combine(day, end, BEIJING)
                if first < last:
                    yield first, last
        raise CalendarError(f"工作日历在 {FARTHEST} 天内没有工作时间：请检查节假日设置")

    def next_working(self, moment: datetime) -> datetime:
        """`moment` itself when people work, else when they next begin."""
        return next(self.spans(moment))[0]

    def due_at(self, start: datetime, minutes: int) -> datetime:
        """When `minutes` (over 0) of working time after `start` have passed."""
        if minutes <= 0:
            raise CalendarError("办理时限必须大于 0 分钟：请检查设置“值班时间和热线”")
        left = timedelta(minutes=minutes)
        for begin, end in self.spans(start):
            if left <= end - begin:
                return begin + left
            left -= end - begin
        raise CalendarError("工作日历没有足够的工作时间：请检查节假日设置")

    def due_after_days(self, start: datetime, days: int) -> datetime:
        """The end of the last of so many working days after the day of `start`."""
        last = beijing(start).date()
        for _ in range(FARTHEST):
            last += timedelta(days=1)
            days -= self.is_working_day(last)
            if not days:
                return datetime.combine(last, self.periods[-1][1], BEIJING)
        raise CalendarError("工作日历没有足够的工作日：请检查节假日设置")

    def due_within(self, start: datetime, minutes: int, until: datetime | None) -> datetime:
        """`due_at`, or the last working moment before `until` when that comes first.

        With less than half of the minutes left before `until` no earlier moment can be promised.
        """
        due = self.due_at(start, minutes)
        if until is None or due <= until:
            return due
        worked, last = timedelta(), due
        for begin, end in self.spans(start):
            if begin >= until:
                break
            last = min(end, beijing(until))
            worked += last - begin
        return last if 2 * worked >= timedelta(minutes=minutes) else due


def in_words(moment: datetime) -> str:
    """11月24日（周二）17:30, as it is told to a citizen."""
    local = beijing(moment)
    day = f"{local.month}月{local.day}日（周{WEEKDAYS[local.weekday()]}）"
    return f"{day}{local:%H:%M}"


def unarranged_words(years: Sequence[int]) -> str:
    """What is not known of these years, what is done meanwhile, and the remedy."""
    named = "、".join(f"{year} 年" for year in years)
    words = f"不知道 {named}的调休，法定节假日已按办法算出，其余先按每周的工作日算"
    remedy = "请在“值班安排”里写上放假通知的每一天，勾选这一年已写全，由两人批准"
    return f"{words}：国务院办公厅通知发布后，{remedy}，或升级审发"


def parse_hours(data: Any) -> OfficeHours:
    """Check the parsed YAML of a calendar; CalendarError names the field."""
    if not isinstance(data, dict):
        raise CalendarError("应写成字段和值")
    for name in ("acknowledge_minutes", "answer_minutes"):
        value = data.get(name)
        if not isinstance(value, int) or value <= 0:
            raise CalendarError(f"{name} 应为大于 0 的整数（分钟）", name)
    weekdays = data.get("weekdays")
    if not isinstance(weekdays, list) or not weekdays or set(weekdays) - set(range(1, 8)):
        raise CalendarError("weekdays 应为 1 至 7 的列表", "weekdays")
    hotline = data.get("hotline")
    if not isinstance(hotline, str) or not _HOTLINE.fullmatch(hotline):
        raise CalendarError('hotline 应写成带引号的电话号码，如 "12345"', "hotline")
    return OfficeHours(
        periods=_periods(data.get("periods")),
        weekdays=frozenset(day - 1 for day in weekdays),
        acknowledge_minutes=data["acknowledge_minutes"],
        answer_minutes=data["answer_minutes"],
        hotline=hotline,
        days=_days(data.get("days")),
        arranged=_arranged(data.get("arranged")),
    )


def load_hours(path: Path) -> OfficeHours:
    """Read and check a calendar file; CalendarError names file and field."""
    try:
        return parse_hours(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, yaml.YAMLError) as error:
        raise CalendarError(f"{path.name}：无法读取，请检查路径和缩进") from error


def _periods(rows: Any) -> tuple[tuple[time, time], ...]:
    try:
        periods = tuple((time.fromisoformat(a), time.fromisoformat(b)) for a, b in rows)
    except (TypeError, ValueError) as error:
        raise CalendarError('periods 应写成 ["08:30", "12:00"] 的列表', "periods") from error
    edges = [edge for period in periods for edge in period]
    if not edges or edges != sorted(set(edges)):
        raise CalendarError("periods 的时段应从早到晚、互不重叠", "periods")
    return periods


def _arranged(years: Any) -> frozenset[int]:
    if years is None:
        return frozenset()
    if not isinstance(years, list) or any(type(one) is not int or one < _FIRST for one in years):
        words = "arranged 应为年份的列表，如 [2027]：这一年放假和调休的每一天都已写进 days"
        raise CalendarError(words, "arranged")
    return frozenset(years)


def _days(rows: Any) -> Mapping[date, bool]:
    """The days an office decided on, each with the reason its approver read."""
    if rows is None:
        return MappingProxyType({})
    if not isinstance(rows, dict):
        words = "days 应写成 2027-02-05: {working: false, note: 原因} 这样的行"
        raise CalendarError(words, "days")
    days: dict[date, bool] = {}
    for key, row in rows.items():
        if (day := _day(key)) in days:
            raise CalendarError(f"{day} 写了两次：请只留一行", "days", str(key))
        days[day] = _working(key, row)
    return MappingProxyType(days)


def _day(key: Any) -> date:
    # YAML makes a date of the bare key and leaves a quoted one as text.
    try:
        day = date.fromisoformat(str(key))
    except ValueError as error:
        words = "days 的日期应写成 2027-02-05 这样，并且是真有的一天"
        raise CalendarError(words, "days", str(key)) from error
    return day


def _working(key: Any, row: Any) -> bool:
    where = ("days", str(key))
    if not isinstance(row, dict) or set(row) != {"working", "note"}:
        words = "应写成 {working: false, note: 原因}，两项都要，没有别的项"
        raise CalendarError(words, *where)
    working, note = row["working"], row["note"]
    if not isinstance(working, bool):
        raise CalendarError("working 应为 true（上班）或 false（不上班）", *where, "working")
    if not isinstance(note, str) or not 0 < len(note.strip()) <= LONGEST_NOTE:
        raise CalendarError(f"note 应写明原因，1 至 {LONGEST_NOTE} 字", *where, "note")
    return working
