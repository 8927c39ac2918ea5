"""Days off by 《全国年节及纪念日放假办法》 (国务院令第795号, from 2025), worked out for any year.

What is arranged around them (调休, and a day given back for one that falls on a weekend) is
published anew each autumn and is not worked out. Pure.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from functools import cache

_FIXED = ((1, 1), (5, 1), (5, 2), (10, 1), (10, 2), (10, 3))
_FIRST = 2025
# 正月初一, 五月初五 and 八月十五 as month and day, a year each, from the astronomical calendar
# (GB/T 33661); a table, because leap months follow from the sun and not from a rule.
_LUNAR = (
    "012905311006 021706190925 020606090915 012605281003 021306160922 020306050912 "
    "012306241001 021106120919 013106010908 021906200927 020806100916 012805301004 "
    "021506180924 020406070913 012405271002 021206140920 020106030910 012206220928 "
    "021006110917 013005311005 021706190925 020606080915 012605291004 021406150922 "
    "020206040911 012306230930 021106130919 020106010907 021906200926 020806100916 "
    "012805301005 021506170924 020406060913 012406251002 021206140921 020206030909 "
    "012106220928 020906110917 012906011006 021706190925 020506080915 012605281003 "
    "021406160923 020306040911 012306230929 021106130919 013106020908 021906200926 "
    "020706100916 012705301005 021506170924 020506060912 012406241001 021206140920 "
    "020206040910 012206220928 020906110917 012906011006 021706190926 020606070914 "
    "012605271003 021406150922 020306050911 012406230929 021006130918 013006020908 "
    "021806210927 020706090916 012705291005 021506170924 020506060913 012506240930 "
    "021206140920 020106040909 012106230929 020906120918"
)


@cache
def days_off(year: int) -> frozenset[date]:
    """The days off of a year; where the table ends only those with a fixed date."""
    return frozenset([*(date(year, *day) for day in _FIXED), *_moving(year)])


def _moving(year: int) -> Iterator[date]:
    if year < _FIRST or not (row := _LUNAR[13 * (year - _FIRST) :][:12]):
        return
    spring, boat, moon = (
        date(year, int(row[n : n + 2]), int(row[n + 2 : n + 4])) for n in (0, 4, 8)
    )
    yield from (spring + timedelta(days=ahead) for ahead in range(-1, 3))  # 除夕 to 初三
    yield from (boat, moon)
    # 清明 by the sun's mean year; right for all of this century.
    yield date(year, 4, int(year % 100 * 0.2422 + 4.81) - year % 100 // 4)
