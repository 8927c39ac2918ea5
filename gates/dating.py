"""When a text was written: its own day or number, else the years it names."""

import re
from datetime import date

_HAN = "〇○零一二三四五六七八九"
_TENS = "一二三四五六七八九十"
_DAY = (
    rf"((?:19|20)\d\d|[一二][{_HAN}]{{3}})年(\d{{1,2}}|[{_TENS}]{{1,2}})月"
    rf"(\d{{1,2}}|[{_TENS}]{{1,3}})日"
)
# The day of a document stands alone on its line, or behind its name in the box of a page.
_OWN_DAY = re.compile(
    rf"^[^\S\n]*+(?:[（(]|(?:成文|发布|印发|公布|发文|生成|制发)(?:日期|时间)[:：]?[^\S\n]*)?{_DAY}(?:印发|发布|公布)?[^\S\n]*+[）)]?[^\S\n]*+$",
    re.MULTILINE,
)
_SHORT_DAY = re.compile(
    r"^[^\S\n]*+(?:成文|发布|印发|公布|发文|生成|制发)(?:日期|时间)[:：]?[^\S\n]*((?:19|20)\d\d)[-./](\d{1,2})[-./](\d{1,2})(?!\d)",
    re.MULTILINE,
)
_OWN_NUMBER = re.compile(
    r"^[^\S\n]*+(?:发文字号|文号|文件编号)?[:：]?[^\S\n]*+[\u4e00-\u9fff]{2,12}[〔\[［（(【]((?:19|20)\d\d)[〕\]］）)】](?:第)?\d{1,5}号[^\S\n]*$",
    re.MULTILINE,
)
_YEARS = re.compile(r"(?<![\d.])((?:19|20)\d\d)(?=年|[.\-/]\d{1,2}[.\-/]\d|[〕\]］】﹞])")
# 到2020年 is what a text of before looks forward to.
_AIM = re.compile(r"(?:(?<![截止遇])到|力争|至迟|最迟)$")


def own_day(text: str, as_of: date) -> date | None:
    """The last day that stands alone on a line, else the last day of its own number's year."""
    days = [_date(*match.groups()) for match in _OWN_DAY.finditer(text)]
    days += [_date(*match.groups()) for match in _SHORT_DAY.finditer(text)]
    known = [day for day in days if day and day <= as_of]
    if known:
        return max(known)
    years = [int(match[1]) for match in _OWN_NUMBER.finditer(text)]
    return date(max(years), 12, 31) if years and max(years) < as_of.year else None


def last_year(text: str, as_of: date) -> int | None:
    """The latest year named that is not to come; one aimed at only where no other is named."""
    said: list[int] = []
    aims: list[int] = []
    for match in _YEARS.finditer(text):
        aimed = _AIM.search(text, max(0, match.start() - 3), match.start())
        (aims if aimed else said).append(int(match[1]))
    past = [year for year in said if year <= as_of.year]
    return max(past or [year for year in aims if year <= as_of.year], default=None)


def _date(year: str, month: str, day: str) -> date | None:
    try:
        return date(_year(year), _number(month), _number(day))
    except ValueError:
        return None


def _year(said: str) -> int:
    if said.isdigit() and said.isascii():
        return int(said)
    return int("".join(str(max(0, _HAN.index(char) - 2)) for char in said))


def _number(said: str) -> int:
    if said.isdigit() and said.isascii():
        return int(said)
    tens, ten, ones = said.rpartition("十")
    digits = "一二三四五六七八九"
    first = (digits.index(tens) + 1 if tens else 1) if ten else 0
    return first * 10 + (digits.index(ones) + 1 if ones else 0)
