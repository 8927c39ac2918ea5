"""Periods: how many days are told of one, months that run backwards, parts in percent."""

import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from gates.finding import Context, Finding, Ground

_TO = r"(?:起)?(?:至|到|—{1,2}|－|～|~|-)"
_DAYS = re.compile(
    rf"((?:19|20)\d\d)年(\d{{1,2}})月(\d{{1,2}})日{_TO}(?:((?:19|20)\d\d)年)?(?:(\d{{1,2}})月)?(\d{{1,2}})日"
    r"[，,]?[（(]?(?:共(?:计)?|为期|期限?为?)(\d{1,3})(天|日|个自然日|个工作日)"
)
_MONTHS = re.compile(
    rf"((?:19|20)\d\d)年(\d{{1,2}})月(?:份)?{_TO}(\d{{1,2}})月(?:份|底|末)?(?!\d|[^，。；]{{0,3}}日)"
)
_YEAR_MONTHS = re.compile(
    rf"((?:19|20)\d\d)年(\d{{1,2}})月(?:份)?{_TO}((?:19|20)\d\d)年(\d{{1,2}})月(?!\d{{1,2}}日)"
)
_THIS_YEAR = re.compile(r"今年(\d{1,2})月(?:份)?(?:至|到|—{1,2}|－|～|~|-)(\d{1,2})月(?!\d)")
_AUTUMN, _SPRING = 8, 6  # 2026年11月至3月 ends in the next year, and everybody reads it so
_TWO = re.compile(
    r"(?:男性?|男[生员工职]{1,2})[^，。；、\d]{0,4}(\d{1,3}(?:\.\d+)?)%[，、,；]女(?:性|[生员工职]{1,2})?[^，。；、\d]{0,4}(\d{1,3}(?:\.\d+)?)%"
)
_SHARES = re.compile(
    r"((?:[^，。；、\n\d%]{1,12}\d{1,3}(?:\.\d+)?%[、，,]){2,8})(?:合计|共计|总计)(?:为|是)?(\d{1,3}(?:\.\d+)?)%"
)
_KINDS = re.compile(
    r"((?:\d{1,3}个[镇乡县区旗村市][、，,和]){1,6})(?:合计|共计|总计|总共|共)(?:有)?(\d{1,4})个"
)
_ROUNDED = Decimal("0.5")
_BASIS = "《出版物上数字用法》（GB/T 15835-2011）；《统计法》第六条"
_LENGTH = Ground("wording", "wording.period", "warn", "天数与起止日期不符，请核对", _BASIS)
_BACKWARDS = Ground("wording", "wording.time-range", "warn", "终了早于起始，请核对时间", _BASIS)
_SUM = Ground("wording", "wording.sum", "warn", "分项相加与总数不符，请核对", _BASIS)


def find_periods(ctx: Context) -> Iterator[Finding]:
    """Findings of one field."""
    text = ctx.dense.text
    for match in _DAYS.finditer(text):
        if _wrong_length(match):
            yield ctx.mark_dense((match.start(7), match.end(8)), _LENGTH)
    for match in _MONTHS.finditer(text):
        first, last = int(match[2]), int(match[3])
        if last < first <= 12 and not (first >= _AUTUMN and last <= _SPRING):
            yield ctx.mark_dense(match.span(), _BACKWARDS)
    for match in _YEAR_MONTHS.finditer(text):
        year, month, other, last_month = map(int, match.groups())
        if (other, last_month) < (year, month):
            yield ctx.mark_dense(match.span(), _BACKWARDS)
    for match in _THIS_YEAR.finditer(text):
        if int(match[2]) < int(match[1]):
            yield ctx.mark_dense(match.span(), _BACKWARDS)
    yield from _shares(ctx)


def _wrong_length(match: re.Match[str]) -> bool:
    year, month, day, other, month_2, day_2, told, unit = match.groups()
    try:
        first = date(int(year), int(month), int(day))
        last = date(int(other or year), int(month_2 or month), int(day_2))
    except ValueError:
        return False
    days = (last - first).days
    if days < 0:
        return False
    # With or without the first day; working days are only never more than there are days.
    return int(told) > days + 1 if unit == "个工作日" else int(told) not in (days, days + 1)


def _shares(ctx: Context) -> Iterator[Finding]:
    text = ctx.dense.text
    if "%" in text:
        for match in _TWO.finditer(text):
            if abs(Decimal(match[1]) + Decimal(match[2]) - 100) > _ROUNDED:
                yield ctx.mark_dense(match.span(2), _SUM)
        for match in _SHARES.finditer(text):
            added = sum(map(Decimal, re.findall(r"(\d+(?:\.\d+)?)%", match[1])), Decimal(0))
            if abs(added - Decimal(match[2])) > _ROUNDED:
                yield ctx.mark_dense(match.span(2), _SUM)
    for match in _KINDS.finditer(text):
        added_up = sum(map(int, re.findall(r"\d+", match[1])))
        if match[1].count("个") > 1 and added_up != int(match[2]):
            yield ctx.mark_dense(match.span(2), _SUM, [str(added_up)])
