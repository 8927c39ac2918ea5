"""The days of a year on which people work otherwise than by the week, and who says so. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from config.holidays import published_days
from escalations.calendar import WEEKDAYS, OfficeHours
from escalations.statutory import days_off

ENTERED, PUBLISHED, COMPUTED = "本单位填写", "已公布", "按办法算出"


@dataclass(frozen=True)
class Run:
    """Days in a row of one kind; `note` is what the office wrote beside them."""

    first: date
    last: date
    works: bool
    source: str
    note: str = ""

    @property
    def words(self) -> str:
        """2月5日（周五）至 2月8日（周一），共 4 天."""
        if self.first == self.last:
            return _day(self.first)
        count = (self.last - self.first).days + 1
        return f"{_day(self.first)}至{_day(self.last)}，共 {count} 天"


@dataclass(frozen=True)
class Year:
    """One year as it is counted with; `known`: whether its 调休 are known."""

    number: int
    known: bool
    words: str
    runs: Sequence[Run]


def years_of(hours: OfficeHours, today: date, notes: Mapping[date, str]) -> list[Year]:
    """This year and the next; `notes` are the reasons of the office's own days."""
    return [_year(hours, year, notes) for year in (today.year, today.year + 1)]


def _year(hours: OfficeHours, year: int, notes: Mapping[date, str]) -> Year:
    published, law = published_days(year), days_off(year)
    own = {day for day in hours.days if day.year == year}
    runs: list[Run] = []
    for day in sorted({*own, *published, *law}):
        source = ENTERED if day in own else PUBLISHED if published else COMPUTED
        one = Run(day, day, hours.is_working_day(day), source, notes.get(day, ""))
        if runs and replace(runs[-1], first=day, last=day) == one and _follows(runs[-1], day):
            runs[-1] = replace(runs[-1], last=day)
        else:
            runs.append(one)
    return Year(year, hours.knows(year), _known(hours, year), runs)


def _follows(run: Run, day: date) -> bool:
    return day - run.last == timedelta(days=1)


def _known(hours: OfficeHours, year: int) -> str:
    if year in hours.arranged:
        return "已按放假通知写全"
    if published_days(year):
        return "国务院办公厅已公布，其余按每周的工作日"
    return "还不知道调休：法定节假日按办法算出，其余按每周的工作日"


def _day(day: date) -> str:
    return f"{day.month}月{day.day}日（周{WEEKDAYS[day.weekday()]}）"


def spans_of(days: Mapping[str, tuple[bool, str]]) -> list[tuple[str, str, bool, str]]:
    """Days of a form as first, last ("" for one day), works, note; those in a row together."""
    found: list[tuple[str, str, bool, str]] = []
    for day, (works, note) in sorted(days.items()):
        if found and found[-1][2:] == (works, note) and _next(found[-1][1] or found[-1][0]) == day:
            found[-1] = (found[-1][0], day, works, note)
        else:
            found.append((day, "", works, note))
    return found


def _next(day: str) -> str:
    return str(date.fromisoformat(day) + timedelta(days=1))
