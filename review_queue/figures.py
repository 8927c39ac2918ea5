"""Dates, hours, sums, shares and counts in a text, as values that can be compared. Pure.

Figures are read as offices write them by GB/T 15835, in Arabic digits.
"""

import re
from dataclasses import dataclass
from decimal import Decimal

_COUNTED = "工作日|个月|平方米|公里|名|人|户|个|家|天|套|辆|次|岁|亩|场|周|小时|分钟"
FIGURES = re.compile(
    r"(?P<date>(?:(?P<y>\d{4})年)?(?P<m>\d{1,2})月(?:(?P<d>\d{1,2})[日号])?"
    r"|(?P<y2>\d{4})[-./](?P<m2>\d{1,2})[-./](?P<d2>\d{1,2})"
    r"|(?<![\d月])(?P<d3>\d{1,2})日"
    r"|(?:星期|周)(?P<w>[一二三四五六日天]))"
    r"|(?P<hour>(?P<part>上午|中午|下午|晚上|晚)?(?P<h>\d{1,2})(?:[::](?P<min>\d{2})"
    r"|[时点](?!间)(?:(?P<min2>\d{1,2})分|(?P<half>半))?))"
    r"|(?P<share>\d+(?:\.\d+)?[%‰])"
    r"|(?P<sum>\d+(?:\.\d+)?(?P<many>[千万亿]*)元)"
    rf"|(?P<count>\d+(?:\.\d+)?(?P<many2>[千万亿]*)(?P<unit>{_COUNTED}))"
)
_KINDS = {"date": "日期", "hour": "时间", "share": "比例", "sum": "金额", "count": "数量"}
_MANY = {"千": 1_000, "万": 10_000, "亿": 100_000_000}
_AFTERNOON = ("下午", "晚上", "晚")
_DIGITS = re.compile(r"\d+(?:\.\d+)?")


@dataclass(frozen=True)
class Figure:
    """One figure: what it is in words, as it is said, and its value."""

    kind: str
    said: str
    value: tuple[object, ...]


def figures_in(text: str) -> list[Figure]:
    """The figures of a text in half-width letters, in their order."""
    return [_figure(match) for match in FIGURES.finditer(text)]


def same_figure(one: Figure, other: Figure) -> bool:
    """Whether two figures say the same; a year or month that one leaves out is no difference."""
    if one.kind != other.kind or len(one.value) != len(other.value):
        return False
    pairs = zip(one.value, other.value, strict=True)
    if one.kind == _KINDS["date"]:
        return all(a == b or a is None or b is None for a, b in pairs)
    return one.value == other.value


def _figure(match: re.Match[str]) -> Figure:
    kind = next(name for name in _KINDS if match[name])
    values = {"date": _date, "hour": _hour, "sum": _sum, "count": _count}
    value = values.get(kind, lambda one: (one["share"],))(match)
    return Figure(_KINDS[kind], match[0], value)


def _date(match: re.Match[str]) -> tuple[object, ...]:
    if match["w"]:
        return (match["w"].replace("天", "日"),)
    parts = (match["y"] or match["y2"], match["m"] or match["m2"])
    day = match["d"] or match["d2"] or match["d3"]
    return tuple(int(one) if one else None for one in (*parts, day))


def _hour(match: re.Match[str]) -> tuple[object, ...]:
    hour, minute = int(match["h"]), int(match["min"] or match["min2"] or 0)
    if match["part"] in _AFTERNOON and hour < 12:
        hour += 12
    return hour, 30 if match["half"] else minute


def _amount(said: str, many: str) -> Decimal:
    digits = _DIGITS.match(said)
    amount = Decimal(digits[0] if digits else 0)
    for one in many:
        amount *= _MANY[one]
    return amount.normalize()


def _sum(match: re.Match[str]) -> tuple[object, ...]:
    return (_amount(match["sum"], match["many"]),)


def _count(match: re.Match[str]) -> tuple[object, ...]:
    return _amount(match["count"], match["many2"]), match["unit"]
