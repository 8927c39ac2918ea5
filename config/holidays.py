"""Which days are worked, as the State Council publishes it each autumn. Pure."""

from collections.abc import Mapping
from datetime import date, timedelta
from functools import cache
from types import MappingProxyType

import chinese_calendar

_FARTHEST = 1_500  # days looked ahead


@cache
def published_days(year: int) -> Mapping[date, bool]:
    """Days of `year` that differ from Monday to Friday, and whether one works; empty if unknown."""
    day, found = date(year, 1, 1), {}
    while day.year == year:
        try:
            working = bool(chinese_calendar.is_workday(day))
        except NotImplementedError:
            break  # the arrangements of a year are known whole or not at all
        if working != (day.weekday() < 5):
            found[day] = working
        day += timedelta(days=1)
    return MappingProxyType(found)


def workdays_after(day: date, count: int) -> date | None:
    """The last of so many working days after `day`; None where a year is not published yet."""
    for _ in range(_FARTHEST):
        if count <= 0:
            return day
        day += timedelta(days=1)
        known = published_days(day.year)
        if not known:
            return None
        count -= known.get(day, day.weekday() < 5)
    return None
