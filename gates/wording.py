"""Wording gate, structure: form of the 文号, place hierarchy, dates and weekdays, paired marks."""

import re
from bisect import bisect_left
from collections import deque
from collections.abc import Iterator, Sequence
from datetime import date
from itertools import pairwise

from gates.finding import Context, Finding, Ground
from gates.hierarchy import misplaced, renamed
from gates.layout import find as find_layout

_FORM = Ground(
    "wording",
    "wording.doc-number",
    "warn",
    "发文字号不合规范：年份用全称和六角括号〔〕，顺序号不加“第”、不编虚位",
    "《党政机关公文格式》（GB/T 9704-2012）7.2.5",
)
_NUMBER = re.compile(
    r"(?<=[\u4e00-\u9fff])([〔\[［（(【﹝])\s?((?:19|20)?\d\d)\s?([〕\]］）)】﹞])\s?(第?)\s?(\d{1,5})\s?号"
    r"(?!楼|院|线|车|门|店|口|井|馆|厅|桥|机|台|地块|地铁|库|坑|炉|泵|矿|病)"
)
_CODES = frozenset("发办函字告规文通政监税复呈会教卫社财农商建环安审综法")

_DATE = re.compile(
    r"(?:((?:19|20)\d\d)年)?(\d{1,2})月(\d{1,2})日(?:[（(]?(?:星期|周)([一二三四五六日天])[）)]?)?"
)
_CYCLE = range(2001, 2029)  # after 28 years each day has its weekday again
# 周五（12月5日）: the weekday first.
_DAY_BEHIND = re.compile(
    r"(?:星期|周)([一二三四五六日天])(?:上午|下午|晚上?)?[（(](?:((?:19|20)\d\d)年)?(\d{1,2})月(\d{1,2})日[）)]"
)
_LONG_PAST = 12  # a text that is older bears a year somewhere
_WEEK = "一二三四五六日"
_NO_DATE = Ground(
    "wording",
    "wording.date",
    "warn",
    "没有这一天，请核对日期",
    "《出版物上数字用法》（GB/T 15835-2011）",
)
_NO_WEEKDAY = Ground(
    "wording",
    "wording.weekday",
    "warn",
    "日期与星期不符，请核对",
    "《出版物上数字用法》（GB/T 15835-2011）",
)

_RANGE = re.compile(
    r"((?:19|20)\d\d)年(\d{1,2})月(\d{1,2})日(?:起)?(?:至|到|—{1,2}|－|～|~|-)"
    r"(?:((?:19|20)\d\d)年)?(\d{1,2})月(\d{1,2})日"
)
_OVER_NEW_YEAR = 6  # months that a span without its second year may run over New Year
_REVERSED = Ground(
    "wording",
    "wording.date-range",
    "warn",
    "止期早于起期，请核对日期（跨年的写明年份）",
    "《出版物上数字用法》（GB/T 15835-2011）",
)
# 2026-13-01, 2026/2/30, 2026.2.30: only whole, so that no number or address is taken for one.
_SHORT_DATE = re.compile(
    r"(?<![A-Za-z0-9_./-])((?:19|20)\d\d)([-/.])(\d{1,2})\2(\d{1,2})(?![A-Za-z0-9_/-]|\.\d)"
)
_NO_DAY_MEANT = re.compile(r"[号码编版型]")
_TIME = re.compile(r"(?<!\d)(\d{1,2})[时点](\d{1,2})分")
_MORNING = re.compile(r"(?:上午|凌晨|早上)[ ]?(?:1[3-9]|2[0-4])(?:[:：]\d\d|[时点])")
_NO_TIME = Ground(
    "wording",
    "wording.time",
    "warn",
    "没有这个时刻，请核对时间",
    "《出版物上数字用法》（GB/T 15835-2011）",
)

_PAIRS = {"《": "》", "〔": "〕", "﹝": "﹞", "（": "）", "(": ")", "“": "”", "【": "】"}
# Half and full width brackets may close each other: a matter of style, not of sense.
_OPENERS = {close: start for start, close in _PAIRS.items()} | {"）": "（(〔﹝", ")": "(（"}
_MARKS = re.compile("[" + "".join(_PAIRS) + "".join(_OPENERS) + "]")
_LISTED = re.compile(r"[\dA-Za-z一二三四五六七八九十①-⑳]")
_REACH, _LINES = 200, 3  # characters and line ends that a pair of marks may lie apart
_NOTE_REACH, _NOTE_LINES = 1200, 12  # the same of a note that begins its line
_UNPAIRED = Ground(
    "wording",
    "wording.paired-marks",
    "warn",
    "标点没有成对出现",
    "《标点符号用法》（GB/T 15834-2011）",
)
_ELSEWHERE = _UNPAIRED._replace(severity="hint")


def find(text: str, ctx: Context) -> Iterator[Finding]:
    """Structural findings of one field."""
    yield from _doc_numbers(text, ctx)
    yield from find_layout(text, ctx)
    yield from misplaced(ctx)
    yield from renamed(ctx)
    yield from _dates(ctx)
    yield from _marks(text, ctx)


def _doc_numbers(text: str, ctx: Context) -> Iterator[Finding]:
    if "号" not in text:
        return
    for match in _NUMBER.finditer(text):
        left, year, right, nth, number = match.groups()
        exact = (left, right, nth, number) == ("〔", "〕", "", number.lstrip("0") or number)
        if exact and len(year) == 4:
            continue
        code = text[match.start() - 1]
        if left in "（([［" and (code not in _CODES or len(year) == 2):
            continue
        full = year if len(year) == 4 else _century(year, ctx.as_of)
        yield ctx.mark(match.span(), _FORM, [f"〔{full}〕{number.lstrip('0') or number}号"])


def _century(year: str, as_of: date) -> str:
    return f"20{year}" if int(year) <= as_of.year % 100 else f"19{year}"


def _dates(ctx: Context) -> Iterator[Finding]:
    text = ctx.dense.text
    for match in _DATE.finditer(text):
        year, month, day, weekday = match.groups()
        if not _day(int(year or 2000), int(month), int(day)):
            if not text[match.start() - 1 : match.start()].isdigit():
                yield ctx.mark_dense(match.span(), _NO_DATE)
        elif weekday:
            yield from _weekday(ctx, match)
    for match in _RANGE.finditer(text):
        year, month, day, other, month_2, day_2 = match.groups()
        first = _day(int(year), int(month), int(day))
        last = _day(int(other or year), int(month_2), int(day_2))
        # 2025年12月25日至1月5日 ends in the next year, and everybody reads it so.
        winter = other is None and 0 < int(month_2) + 12 - int(month) <= _OVER_NEW_YEAR
        if first and last and last < first and not (winter and month != month_2):
            yield ctx.mark_dense(match.span(), _REVERSED)
    yield from _weekdays_first(ctx)
    yield from _weekdays_apart(ctx)
    yield from _short_dates(ctx)
    yield from _times(ctx)


def _short_dates(ctx: Context) -> Iterator[Finding]:
    for match in _SHORT_DATE.finditer(ctx.text):
        before = ctx.text[max(0, match.start() - 6) : match.start()]
        if not (_NO_DAY_MEANT.search(before) or _day(int(match[1]), int(match[3]), int(match[4]))):
            yield ctx.mark(match.span(), _NO_DATE)


def _times(ctx: Context) -> Iterator[Finding]:
    text = ctx.dense.text
    for match in _TIME.finditer(text):
        if int(match[1]) > 24 or int(match[2]) > 59:
            yield ctx.mark_dense(match.span(), _NO_TIME)
    for match in _MORNING.finditer(text):
        yield ctx.mark_dense(match.span(), _NO_TIME)


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _weekday(ctx: Context, match: re.Match[str]) -> Iterator[Finding]:
    """Against the year told; without one, against last year, this and the next."""
    year, month, day, weekday = match.groups()
    rights = _weekdays(ctx, year, int(month), int(day))
    if weekday.replace("天", "日") in rights or (not year and _of_one_past_year(ctx)):
        return
    at = match.start(4) - match.start()
    right = match[0][:at] + rights[0] + match[0][at + 1 :]
    yield ctx.mark_dense(match.span(), _NO_WEEKDAY, [right] if year else ())


def _weekdays(ctx: Context, year: str | None, month: int, day: int) -> list[str]:
    """The weekdays a day has in the years that may be meant; empty where there is no such day."""
    years = [int(year)] if year else [ctx.as_of.year + more for more in (0, 1, -1)]
    if not year and ctx.last_year:  # a text of then dates its days by its own year
        years += [ctx.last_year, ctx.last_year + 1, ctx.last_year - 1]
    if not year and ctx.own_day:
        years += [ctx.own_day.year, ctx.own_day.year + 1]
    days = [_day(each, month, day) for each in years]
    return [_WEEK[each.weekday()] for each in days if each]


def _of_one_past_year(ctx: Context) -> bool:
    """Whether several days without a year all fit one year long past: a text of that year."""
    found = {match.groups()[1:] for match in _DATE.finditer(ctx.dense.text) if match[4]}
    dated = any(match[1] and match[4] for match in _DATE.finditer(ctx.dense.text))
    if len(found) < 2 or dated:
        return False
    past = range(ctx.as_of.year - _LONG_PAST, ctx.as_of.year - 1)
    return any(
        all(
            (one := _day(year, int(month), int(day)))
            and _WEEK[one.weekday()] == said.replace("天", "日")
            for month, day, said in found
        )
        for year in past
    )


def _weekdays_apart(ctx: Context) -> Iterator[Finding]:
    """10月1日（星期四）至10月8日（星期五）: each may be right, both never are in one year."""
    before: tuple[re.Match[str], set[int]] | None = None
    for match in _DATE.finditer(ctx.dense.text):
        year, month, day, weekday = match.groups()
        if year or not weekday:
            continue
        meant = weekday.replace("天", "日")
        days = {year: _day(year, int(month), int(day)) for year in _CYCLE}
        years = {year for year, one in days.items() if one and _WEEK[one.weekday()] == meant}
        if before and _follows(ctx, before[0], match) and years and not years & before[1]:
            yield ctx.mark_dense(match.span(), _NO_WEEKDAY)
        before = match, years


def _follows(ctx: Context, one: re.Match[str], other: re.Match[str]) -> bool:
    """Whether it stands in the same sentence, on a later day of the same year."""
    later = (int(one[2]), int(one[3])) < (int(other[2]), int(other[3]))
    return later and ctx.sentence(*one.span())[1] >= other.end()


def _weekdays_first(ctx: Context) -> Iterator[Finding]:
    for match in _DAY_BEHIND.finditer(ctx.dense.text):
        weekday, year, month, day = match.groups()
        rights = _weekdays(ctx, year, int(month), int(day))
        if rights and weekday.replace("天", "日") not in rights:
            yield ctx.mark_dense(match.span(), _NO_WEEKDAY)


def _marks(text: str, ctx: Context) -> Iterator[Finding]:
    """Marks opened and not closed, or closed and not opened, within the lines they may run over."""
    open_marks: deque[tuple[str, int]] = deque()
    ends = [at for at, char in enumerate(text) if char == "\n"]
    for match in _MARKS.finditer(text):
        mark, at = match[0], match.start()
        if (mark == "》" and text[at + 1 : at + 2] == mark) or text[at - 1 : at + 1] == "》》":
            continue  # an arrow before 延伸阅读, or a title within a title
        while open_marks and _given_up(text, ends, open_marks[0][1], at):
            yield from _left_open(ctx, *open_marks.popleft())
        if mark in _PAIRS:
            open_marks.append((mark, at))
        elif open_marks and open_marks[-1][0] in _OPENERS[mark]:
            open_marks.pop()
        elif not (mark in "）)" and _LISTED.match(text[max(0, at - 1) : at])) and mark != "”":
            yield ctx.mark((at, at + 1), _ELSEWHERE if _cut_off(text, at) else _UNPAIRED)
    for one in open_marks:
        yield from _left_open(ctx, *one)


def _cut_off(text: str, at: int) -> bool:
    """Whether the other mark of the pair may stand in the paragraph before or behind this field.

    A note is often set over paragraphs; whoever checks one of them sees half of its brackets.
    """
    ends = not text[at + 1 :].strip() and "\n" not in text.strip()
    begins = not text[:at].strip() and "\n" not in text.strip()
    return ends or begins


def _given_up(text: str, ends: Sequence[int], start: int, here: int) -> bool:
    """Whether a mark opened at `start` can no longer be closed here.

    A title or a note in brackets is often set over two or three lines; what stands behind an empty
    line, or far below, is another paragraph. A note that begins its line, as the history of a
    statute under its title, may be longer.
    """
    first = bisect_left(ends, start)
    whole = not text[max(ends[first - 1] + 1 if first else 0, start - 20) : start].strip()
    lines, reach = (_NOTE_LINES, _NOTE_REACH) if whole else (_LINES, _REACH)
    between = ends[first : min(bisect_left(ends, here), first + lines + 1)]
    return bool(between) and (
        here - start >= reach
        or len(between) > lines
        or any(after == before + 1 for before, after in pairwise(between))
    )


def _left_open(ctx: Context, mark: str, at: int) -> Iterator[Finding]:
    """A quotation may run over paragraphs without an end; the other marks may not."""
    if mark != "“":
        yield ctx.mark((at, at + 1), _ELSEWHERE if _cut_off(ctx.text, at) else _UNPAIRED)
