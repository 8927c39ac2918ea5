"""Days as Chinese pages write them, to YYYY-MM-DD of Beijing. Pure."""

import re
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from email.utils import parsedate_to_datetime

from config.clock import BEIJING, beijing

_DIGITS = {char: str(at) for at, char in enumerate("〇一二三四五六七八九")} | {
    "○": "0", "零": "0", "Ｏ": "0", "О": "0", "0": "0", "O": "0",
}  # fmt: skip
_HAN = "〇○零一二三四五六七八九ＯОO0"
_WIDE = str.maketrans("０１２３４５６７８９／．－：", "0123456789/.-:")
_YEAR = r"(?<!\d)((?:19|20)\d{2})"
_FULL = re.compile(_YEAR + r"\s*(?:[-/.–—]|年)\s*(\d{1,2})\s*(?:[-/.–—]|月)\s*(\d{1,2})(?!\d)")
_COMPACT = re.compile(_YEAR + r"(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])(?!\d)")
_STAMP = re.compile(_YEAR + r"(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])\d{4,6}(?!\d)")
_IN_HAN = re.compile(
    rf"([{_HAN}]{{4}})\s*年\s*([〇○零一二三四五六七八九十]{{1,3}})\s*月\s*"
    r"([〇○零一二三四五六七八九十]{1,3})\s*日"
)
_DAY_FIRST = re.compile(r"(?<!\d)(\d{1,2})[/.](\d{1,2})[/.]((?:19|20)\d{2})(?!\d)")
_SHORT_YEAR = re.compile(r"(?<![\d-])(\d{2})[-/](\d{1,2})[-/](\d{1,2})(?![\d-])")
_DAY_ABOVE = re.compile(r"(?<!\d)(\d{1,2})\s+((?:19|20)\d{2})\s*[-/.年]\s*(\d{1,2})月?(?![-/.\d])")
_NO_YEAR = re.compile(r"(?<![\d-])(\d{1,2})\s*(?:-|/|月)\s*(\d{1,2})日?(?![\d-])")
_AGO = re.compile(r"(\d{1,3})\s*(秒|分钟|个?小时|天|日|周|个?星期|个?月)(?:之)?前")
_NEAR = {"今天": 0, "今日": 0, "刚刚": 0, "昨天": 1, "昨日": 1, "前天": 2, "前日": 2}
_RFC = re.compile(r"(?:[A-Z][a-z]{2},\s*)?\d{1,2}\s+[A-Z][a-z]{2}\s+\d{4}\s+\d{2}:\d{2}")
_MONTHS = ("一", "二", "三", "四", "五", "六", "七", "八", "九", "十", "十一", "十二")
_DAY_MONTH = re.compile(
    r"(?<!\d)(\d{1,2})\s+(十[一二]?|[一二三四五六七八九]|1[0-2]|0?[1-9])月,?\s+((?:19|20)\d{2})(?!\d)"
)
_EPOCH = re.compile(r"^(1[0-9]{9})(?:\d{3})?$")


def find_day(text: str) -> str:
    """The first full date in `text` (with a year) as YYYY-MM-DD, else empty."""
    plain = text.translate(_WIDE)
    found = [
        (match.start(), day) for match, parts in _full_dates(plain) if (day := _checked(*parts))
    ]
    return min(found)[1] if found else ""


def read_day(text: str, as_of: datetime) -> str:
    """The day a list or page means, also without a year or told from `as_of`; else empty.

    A day without a year is the last such day not after tomorrow; `3 小时前` counts back.
    """
    plain = text.translate(_WIDE).strip()
    today = beijing(as_of).date()
    if day := find_day(plain):
        return day
    if _RFC.search(plain):
        try:
            # CST is Beijing's here, and not the time of Chicago, as mail has it.
            told = parsedate_to_datetime(re.sub(r"\b(?:CST|BJT)\b", "+0800", plain))
            return beijing(_aware(told)).date().isoformat()
        except (ValueError, TypeError, OverflowError):
            return ""
    if match := _EPOCH.match(plain):
        moment = datetime.fromtimestamp(int(match[1]), as_of.tzinfo)
        return beijing(moment).date().isoformat()
    return _told_from(plain, as_of, today) or _without_year(plain, today)


def _full_dates(plain: str) -> Iterator[tuple[re.Match[str], tuple[int, int, int]]]:
    for pattern in (_FULL, _COMPACT, _STAMP):
        for match in pattern.finditer(plain):
            yield match, (int(match[1]), int(match[2]), int(match[3]))
    for match in _IN_HAN.finditer(plain):
        year = int("".join(_DIGITS[char] for char in match[1]))
        yield match, (year, _han_number(match[2]), _han_number(match[3]))
    for match in _DAY_FIRST.finditer(plain):
        first, second, year = (int(part) for part in match.groups())
        # 13/05/2026 can only be day first; what could be both is read as month first.
        yield match, (year, second, first) if first > 12 else (year, first, second)
    for match in _DAY_MONTH.finditer(plain):
        month = _MONTHS.index(match[2]) + 1 if match[2] in _MONTHS else int(match[2])
        yield match, (int(match[3]), month, int(match[1]))
    for match in _DAY_ABOVE.finditer(plain):
        yield match, (int(match[2]), int(match[3]), int(match[1]))


def _told_from(plain: str, as_of: datetime, today: date) -> str:
    if match := _AGO.search(plain):
        count, unit = int(match[1]), match[2].lstrip("个")
        hours = {"秒": 1 / 3600, "分钟": 1 / 60, "小时": 1}.get(unit)
        if hours is not None:
            return beijing(as_of - timedelta(hours=count * hours)).date().isoformat()
        days = count * {"天": 1, "日": 1, "周": 7, "星期": 7, "月": 30}[unit]
        return (today - timedelta(days=days)).isoformat()
    near = next((days for word, days in _NEAR.items() if word in plain), None)
    return "" if near is None else (today - timedelta(days=near)).isoformat()


def _without_year(plain: str, today: date) -> str:
    if match := _SHORT_YEAR.search(plain):
        day = _checked(2000 + int(match[1]), int(match[2]), int(match[3]))
        # Tomorrow is allowed: pages are dated ahead around midnight and over time zones.
        if day and day <= (today + timedelta(days=1)).isoformat():
            return day
    for match in _NO_YEAR.finditer(plain):
        month, number = int(match[1]), int(match[2])
        # 29 February of a year that has none belongs to another year.
        day = _checked(today.year, month, number) or _checked(today.year - 1, month, number)
        if day > (today + timedelta(days=1)).isoformat():
            day = _checked(today.year - 1, month, number)
        if day:
            return day
    return ""


def _checked(year: int, month: int, day: int) -> str:
    try:
        return date(year, month, day).isoformat()
    except ValueError:
        return ""


def _han_number(text: str) -> int:
    """Up to 三十一; also 二九 for 29."""
    if "十" in text:
        tens, ones = text.split("十", 1)
        return int(_DIGITS.get(tens, "1")) * 10 + int(_DIGITS.get(ones, "0"))
    return int("".join(_DIGITS[char] for char in text))


def _aware(moment: datetime) -> datetime:
    # A feed without a zone means Beijing.
    return moment if moment.tzinfo else moment.replace(tzinfo=BEIJING)
