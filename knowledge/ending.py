"""Until when a policy says that it is in force, and both days together. Pure.

A licence, a coupon and the document that is replaced have their own days, which are not this
one's: the words must be said of the document, or in one sentence with its first day.
"""

import re
from dataclasses import dataclass, replace
from datetime import date, timedelta

from knowledge.in_force import (
    COUNT,
    DAY,
    HOUR,
    ISSUE,
    VERB,
    Start,
    after,
    counted,
    day_in,
    later,
    plain_days,
    start_of,
)

_VALID = r"(?:有效期(?:限)?|时效)"
_TERM = rf"(?:{_VALID}|(?:试行|执行|实施|施行|政策)(?:期限?|时间))"
_TO = r"[至到—–~-]{1,2}"
_MIDNIGHT = r"(?:24时|二十四时|24[:：]00)?"
_LAST = r"(?:((?:19|20)\d{2})年)?(\d{1,2})月(\d{1,2})日"
_ENDS = rf"{_MIDNIGHT}(?:[（(][\u4e00-\u9fff]{{1,5}}[）)])?"
_TERM_RANGE = re.compile(rf"{_TERM}[自从为是：:]{{0,2}}{DAY}{HOUR}起?{_TO}{_LAST}")
_VERB_RANGE = re.compile(
    rf"[自从于]{DAY}{HOUR}起?(?:(?:施行|实施|执行|试行|实行|生效)，?)?{_TO}{_LAST}{_ENDS}止?"
    rf"(?:期间|内)?(?:{VERB}|，?有效|(?=[。；，,\n]|$))"
)
_UNTIL = re.compile(
    rf"(?:{_TERM}|施行|实施|执行|试行|实行|延续|生效|有效)"
    rf"(?:(?!申|报名|核销|领|兑|缴|登记|受理|提交|其中|第|活动|使用)[^。；\n《》]){{0,14}}?"
    rf"(?:截至|截止(?:日期|时间)?[到至于为]?|至|到){DAY}"
)
_LAPSES = re.compile(
    rf"{DAY}{_MIDNIGHT}(?:止|后|起)?，?(?:自行|自动|自然)(?:失效|废止|终止|停止执行)"
)
_SINCE = r"(?:自?(?P<since>[\u4e00-\u9fff]{2,8}?)(?:之日|日)起(?:计算)?，?)?"
_FOR = re.compile(
    rf"(?:{_TERM}|有效|试行|暂定|期限)(?:为|暂定|是|[：:])?{_SINCE}(?:满)?{COUNT}(?P<unit>年|个月)(?!前|以前|来|多)"
    rf"|自?(?P<from>[\u4e00-\u9fff]{{2,8}}?)(?:之日|日)起{COUNT}(?P<years>年|个月)(?:之?内|期间)?有效"
    rf"|(?:施行|实施|执行|试行|之日起)满?{COUNT}(?P<full>年|个月)(?:期?满|届满|之?后|，)*(?:即|则|后)*(?:自行|自动|自然)(?:失效|废止|终止)"
)
_KIND = (
    r"(?:办法|规定|通知|意见|细则|方案|条例|公告|通告|决定|制度|规则|政策|措施|标准|目录|清单|规程|指南|文件"
    r"|规划|计划|要点|规范|指引|举措|若干|批复|函)"
)
_PAPER = re.compile(
    rf"(?:(?:本|该|此|上述|以上|前述)[\u4e00-\u9fff]{{0,10}}{_KIND}|政策(?:措施)?|文件)"
    r"(?:[（(](?:试行|暂行)[）)])?[的将]?[ \u3000]*$"
)
_SUBJECT = re.compile(rf"^(?:本(?:级)?|该|上述|以上)[\u4e00-\u9fff]{{0,8}}{_KIND}(?!所称)")
_HEAD = re.compile(
    r"^[ \u3000]*(?:第[\d一二三四五六七八九十百]+条|[（(]?[\d一二三四五六七八九十]{1,3}[）)、.．])?"
    r"[ \u3000]*"
)
_OF_OTHERS = re.compile(
    rf"(?:》|原[\u4e00-\u9fff]{{0,12}}{_KIND})[（(][^（）()\n]{{2,60}}[）)]"
    r"|原[\u4e00-\u9fff]{0,10}(?:政策|标准|规定|办法|通知)(?:执行|施行|实施)[至到][^，,。；\n]{4,12}"
)
"""What stands in brackets behind another document is about that one."""
_BEFORE = re.compile(r"[^。\n]*\Z")
_STOP = re.compile(r"[。\n]")
_CLAUSE = re.compile(r"[^，,；：:]*\Z")


@dataclass(frozen=True)
class Force:
    """The first and the last day; `unknown` are the words of a later start without a day."""

    start: date | None = None
    end: date | None = None
    unknown: str = ""


def in_force(text: str, issued: date | None) -> Force:
    """What a text whose days are in figures says; `issued` is the day on it."""
    text = _OF_OTHERS.sub(lambda found: "\u3000" * len(found[0]), plain_days(text))
    force = _said(text, issued)
    # A last day before the first is a slip or another document's: the policy has none.
    backwards = force.start is not None and force.end is not None and force.end < force.start
    return replace(force, end=None) if backwards else force


def _said(text: str, issued: date | None) -> Force:
    start = start_of(text, issued)
    if found := _own(_VERB_RANGE, text, start):
        return Force(day_in(found), _last(found))
    if found := _own(_TERM_RANGE, text, start):
        # Its own last day is no first day, however near the verb of the start stands.
        rest = text[: found.start()] + "，" * len(found[0]) + text[found.end() :]
        first = later(start_of(rest, issued).day, day_in(found))
        return Force(first, _last(found))
    return Force(start.day, _end(text, start, issued), start.unknown)


def _last(found: re.Match[str]) -> date | None:
    """The second day of a range, which may leave its year to the first."""
    try:
        return date(int(found[4] or found[1]), int(found[5]), int(found[6]))
    except ValueError:
        return None


def _end(text: str, start: Start, issued: date | None) -> date | None:
    for pattern in (_UNTIL, _LAPSES):
        if found := _own(pattern, text, start):
            return day_in(found)
    found = _own(_FOR, text, start)
    if found is None:
        return None
    count, unit = _length(found)
    since = found["since"] or found["from"] or ""
    first = issued if re.fullmatch(rf"(?:本?[\u4e00-\u9fff]{{0,4}})?{ISSUE}", since) else start.day
    end = after(first, count, unit) if first is not None and count else None
    return end - timedelta(days=1) if end is not None else None


def _length(found: re.Match[str]) -> tuple[int, str]:
    counts = [one for one in found.groups() if one and one not in (found["since"], found["from"])]
    return counted(counts[0]), found["unit"] or found["years"] or found["full"]


def _own(pattern: re.Pattern[str], text: str, start: Start) -> re.Match[str] | None:
    """The last place where it is said of the document itself."""
    told = [found for found in pattern.finditer(text) if _is_own(text, found, start)]
    return told[-1] if told else None


def _is_own(text: str, found: re.Match[str], start: Start) -> bool:
    before = _BEFORE.search(text, 0, found.start())
    said = before[0] if before else ""
    sentence = _HEAD.sub("", said, count=1)
    clause = _CLAUSE.search(sentence)
    ahead = (clause[0] if clause else "").strip(" \u3000并且其，")
    at, to = start.at
    if ahead and _PAPER.search(ahead) is None:
        # The words of the start themselves may stand before: 自2026年7月1日起试行两年.
        return "《" not in ahead and at < found.end() and to > found.start() - len(ahead)
    begins = found.start() - len(said)
    stop = _STOP.search(text, found.end())
    ends = stop.start() if stop else len(text)
    if begins <= at <= ends or ahead or _SUBJECT.search(sentence):
        return True
    # A line that says nothing else, or a sentence right after the start.
    follows = 0 <= at < begins and text.count("。", at, begins) <= 1
    return not sentence and (found.end() == ends or follows)
