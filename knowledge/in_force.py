"""From when a policy says that it is in force; until when is for ending.py. Pure.

A day that is said but cannot be worked out stays unknown, and is told: nothing is in force too
early because its words were not understood.
"""

import re
from dataclasses import dataclass
from datetime import date, timedelta

from config.holidays import workdays_after
from gates.statutes import STATE, STATUTES

DAY = r"((?:19|20)\d{2})年(\d{1,2})月(\d{1,2})日"
VERB = (
    r"，?(?:起)?(?:正式|开始|全面|统一|依法|在[\u4e00-\u9fff]{1,8}?)?"
    r"(?:施行|实施|执行|试行|实行|生效|起效)(?!的)"
)
HOUR = r"(?:[（(][\u4e00-\u9fff]{1,5}[）)])?(?:零时|0时|0?0[:：]00)?"
_WIDE = str.maketrans("０１２３４５６７８９－．／", "0123456789-./")
_BACKDATED = re.compile(
    rf"(?:(?:施行|实施|执行|生效)(?:时间|日期)?)?(?:可|应|予以)?追溯(?:至|到|自|于){DAY}起?"
    r"(?:施行|实施|执行|生效|适用)?|[自从]"
    rf"{DAY}起?追溯(?:施行|实施|执行|生效|适用)"
)
_BY_SIGNS = re.compile(r"(?<=[自从于])((?:19|20)\d{2})[-./](\d{1,2})[-./](\d{1,2})日?")
_THIS = (
    r"(?:本(?!县|市|省|区|镇|乡|村|人|证|地|级|单位|社区|辖区|行政区|年|月|条|款)"
    r"|该|此|上述|以上(?!市))"
)
_STARTS = re.compile(rf"[自从于]?{DAY}{HOUR}{VERB}")
_PART = r"第[\d一二三四五六七八九十百]+[条章款节项]"
_OWN_STARTS = re.compile(rf"{_THIS}(?:(?!{_PART})[^。；\n]){{0,20}}?[自从于]?{DAY}{HOUR}{VERB}")
ISSUE = r"(?:公布|发布|印发|公告|发文|下发|签发|颁布|颁发)"
_PUBLISHED = rf"[自从于](?:本[\u4e00-\u9fff]{{1,4}}?|文件|政策)?(?:正式)?{ISSUE}(?:之)?日"
COUNT = r"(\d{1,4}|[一二三四五六七八九十百两零〇]{1,6}|半)"
_FROM = (
    rf"(?:{_PUBLISHED}|自?{ISSUE}(?:之日)?(?=后|次|的次|起次|满)|自?{ISSUE}(?=[\d一二三四五六七八九十两半]))"
    r"[起后的之，,]{0,3}"
)
_UNIT = r"(个?工作日|个?自然日|个?日历天|日|天|周|个?星期|个月|月|年)"
_LATER = re.compile(
    rf"{_FROM}(?:届?满|经过?)?第?{COUNT}\s?(?:[（(]\d{{1,4}}[）)])?\s?{_UNIT}"
    rf"(?:届满|期满|之?后|以后|之日){{0,2}}(?P<next>的?(?:次日|翌日|第二[日天]))?"
    rf"(?:[（(]即?(?:自|从)?{DAY}起?[）)])?{VERB}"
)
_NEXT = re.compile(
    rf"(?:{_FROM}|自)(次日|翌日|第二[日天]|(?:次|下一?个?)月(?:1日|一日|首日|初)?"
    rf"|(?:次|下一?)年度?(?:1月1日|一月一日)?){VERB}"
)
_PERIOD = re.compile(rf"[自从]((?:19|20)\d{{2}})年(?:度|(\d{{1,2}})月份?)?{VERB}")
_AT_ONCE = re.compile(
    rf"{_PUBLISHED}起?，?(?:{VERB}|有效|[至到—](?=(?:19|20)\d{{2}}年))|自?即日{VERB}"
    # What came before it was issued: it is in force on the day it is issued.
    rf"|自[^。；，,\n]{{0,16}}?(?:批准|通过|签署|批复)之日起?{VERB}"
)
# Words that were not understood; what others have to do by then is another matter.
_SAID = re.compile(
    r"[自从](?:[^。；，,\n]{1,30}之日|(?:19|20)\d{2}[^。；，,\n]{0,8}(?:季度|学年|学期|年末|月底))"
    r"(?![^。；\n]{0,30}(?:申请|提出|报送|提交|组织|办理))[^。；，,\n]{0,24}?"
    r"(?:施行|实施|生效|起效)(?=[。；，,（(\s]|$)"
)
_DATED = re.compile(rf"(?:施行|生效)(?:日期|时间)(?:为|是|[：:])[ \u3000]*{DAY}")
_ELSEWHERE = re.compile(
    r"(?:施行|实施|生效)(?:日期|时间)[^。；，,\n]{0,6}"
    r"(?:另行[\u4e00-\u9fff]{2}|由[^。；，,\n]{2,20}?(?:决定|确定|规定|公布|通知))"
)
_AFTER_ASSENT = re.compile(
    rf"{_THIS}[^。；，,\n]{{0,12}}?((?:[自从经待报]|呈报)[^。；，,\n]{{2,24}}?(?:批准|同意|批复|备案|通过)"
    r"(?:之?后|以后)[^。；，,\n]{0,8}?(?:施行|实施|生效|执行))(?=[。；，,（(\s]|$)"
)
"""A start that waits for somebody's assent, of a day that does not stand in the text."""
_UNREAD = re.compile(
    rf"{_THIS}[^。；，,\n]{{0,12}}([自从于][^。；，,\n]{{2,24}}?起[^。；，,\n]{{0,8}}?(?:施行|实施|生效))"
)
"""A start that nothing here understands: it is told, and the document not yet in force."""
_BESIDE = re.compile(
    r"[与同随和]《([^《》\n]{2,60})》|《([^《》\n]{2,60})》(?:正式|开始)?(?:施行|实施|生效)之日"
)
_ONE_CLAUSE = re.compile(
    rf"(?:但|其中|惟|，)[^。；\n]{{0,12}}{_PART}[^，,。；\n]{{0,6}}$"
    rf"|(?:^|本[\u4e00-\u9fff]{{1,8}}){_PART}(?:[、和至及]{_PART})*$"
)
_SENTENCE = re.compile(r"[^。；\n]*\Z")
_SUBJECT = re.compile(
    rf"{_THIS}|现[予将]|(?:^|条)[ \u3000]*$|其[他它余](?:各?条款?|规定|内容|部分|事项)$"
)
_PAPER = re.compile(
    r"(?:本[\u4e00-\u9fff]{0,8}(?:办法|规定|通知|意见|细则|方案|条例|公告|通告|决定|制度|规则|政策|措施|标准)"
    r"|^|条)[ \u3000]*$"
)
_CERTAIN = re.compile("施行|生效|起效|试行")
_TOGETHER = re.compile(
    rf"(?:{_PUBLISHED}起?，?)?[与同随和]《[^《》\n]{{2,60}}》[^。；，,\n]{{0,6}}?(?:同时|同步|同日|一并|一同)起?"
    r"(?:正式)?(?:施行|实施|执行|生效)"
)
"""A start that is another document's, which is known by its title alone."""


@dataclass(frozen=True)
class Start:
    """The first day, or the words that say it and no day; where they stand, or (-1, -1)."""

    day: date | None = None
    unknown: str = ""
    at: tuple[int, int] = (-1, -1)


def plain_days(text: str) -> str:
    """A text in which the days written with signs are written with 年, 月 and 日."""
    plain = _BY_SIGNS.sub(r"\1年\2月\3日", text.translate(_WIDE))
    return _BACKDATED.sub(_from_then, plain)


def _from_then(found: re.Match[str]) -> str:
    year, month, day = (one for one in found.groups() if one)
    return f"自{year}年{month}月{day}日起执行"


def start_of(text: str, issued: date | None) -> Start:
    """From when a text whose days are in figures is in force; `issued` is the day on it."""
    if found := _OWN_STARTS.search(text):
        return Start(day_in(found), "", found.span())
    # What is said of this document and stands last holds; of one place what is understood best.
    told = [
        (_is_own(text, found), found.start(), -rank, found)
        for rank, pattern in enumerate(_WAYS)
        for found in pattern.finditer(text)
    ]
    told = [one for one in told if one[0] or (one[1] > len(text) - _TAIL and one[2] in _PLAIN)]
    if not told:
        return _otherwise(text)
    *_, rank, found = max(told, key=lambda one: one[:3])
    pattern = _WAYS[-rank]
    if pattern in (_STARTS, _AT_ONCE):
        return Start(day_in(found) if pattern is _STARTS else issued, "", found.span())
    if pattern is _PERIOD:
        first = date(int(found[1]), min(max(int(found[2] or 1), 1), 12), 1)
        return Start(later(first, issued), "", found.span())
    start = _worked_out(pattern, found, issued)
    return Start(start, "" if start else found[0], found.span())


def later(one: date | None, other: date | None) -> date | None:
    """The later of two days, of which one may be unknown."""
    return max((day for day in (one, other) if day is not None), default=None)


def _otherwise(text: str) -> Start:
    """What no verb says of the document: a day named as such, or words that nothing understands."""
    if found := _DATED.search(text):
        return Start(day_in(found), "", found.span())
    if found := _ELSEWHERE.search(text):
        return Start(None, found[0], found.span())
    found = _UNREAD.search(text) or _AFTER_ASSENT.search(text)
    return Start(None, found[1], found.span()) if found else Start()


def _is_own(text: str, found: re.Match[str]) -> bool:
    """Whether it is said of the document, or its sentence says it of nothing else."""
    at = found.start()
    before = _SENTENCE.search(text, max(at - 60, 0), at)
    said = before[0] if before else ""
    if _ONE_CLAUSE.search(said):
        return False
    # A contract too begins on a day nobody can work out from its law.
    if found.re is _SAID and not re.search(ISSUE, found[0]):
        return _PAPER.search(said) is not None
    after_comma = said.endswith(("，", ",")) and _CERTAIN.search(found[0]) is not None
    return after_comma or _SUBJECT.search(said) is not None


_WAYS = (_STARTS, _PERIOD, _NEXT, _LATER, _AT_ONCE, _SAID, _TOGETHER)
_PLAIN = (0, -1, -4)  # a day, or at once: believed at the end of a text without a subject too
_TAIL = 3_000


def _worked_out(pattern: re.Pattern[str], found: re.Match[str], issued: date | None) -> date | None:
    """The day of a start that is told by another day."""
    if pattern is _LATER and found[4]:
        return day_in(found, 4)
    if pattern in (_SAID, _TOGETHER):
        return _of_another(found[0])
    if issued is None:
        return None
    if pattern is _NEXT:
        return _next(issued, found[1])
    half = found[1] == "半"
    count = 6 if half else counted(found[1])
    day = after(issued, count, "个月" if half else found[2]) if count else None
    return day + timedelta(days=1) if day is not None and found["next"] else day


def beside(words: str) -> str:
    """The title of the document with which another one begins; empty when none is named."""
    found = _BESIDE.search(words)
    return (found[1] or found[2]).strip() if found else ""


def _of_another(words: str) -> date | None:
    law = STATUTES.known.get(beside(words).removeprefix(STATE))
    return law.begins if law is not None else None


def day_in(found: re.Match[str], first: int = 1) -> date | None:
    """The day that three groups say; None for one that is in no calendar."""
    try:
        return date(int(found[first]), int(found[first + 1]), int(found[first + 2]))
    except ValueError:
        return None


def counted(word: str) -> int:
    """十二, 一百二十 and 12 as a number; 0 for what is none."""
    if word.isdigit() and word.isascii():
        return int(word)
    hundreds, mark, rest = word.partition("百")
    if mark:
        return counted(hundreds) * 100 + (counted(rest.lstrip("零〇")) if rest else 0)
    tens, mark, ones = word.partition("十")
    values = {**{char: at for at, char in enumerate("零一二三四五六七八九")}, "两": 2}
    if not mark:
        return values.get(word, 0)
    return values.get(tens, 1) * 10 + (values.get(ones, 0) if ones else 0)


def _next(issued: date, what: str) -> date:
    """The day, the month or the year after."""
    if "月" in what and "年" not in what:
        return (issued.replace(day=1) + timedelta(days=32)).replace(day=1)
    if "年" in what:
        return date(issued.year + 1, 1, 1)
    return issued + timedelta(days=1)


def after(day: date, count: int, unit: str) -> date | None:
    """So many days, working days, months or years later; None when that is not known.

    The last day of a shorter month stands for what it lacks.
    """
    if unit.endswith("工作日"):
        return workdays_after(day, count)
    weeks = unit in ("周", "个星期", "星期")
    if weeks or unit.endswith(("日", "天")):
        return day + timedelta(days=count * (7 if weeks else 1))
    months = day.year * 12 + day.month - 1 + count * (12 if unit == "年" else 1)
    year, month = divmod(months, 12)
    for last in range(day.day, 27, -1):
        try:
            return date(year, month + 1, last)
        except ValueError:
            continue
    return date(year, month + 1, min(day.day, 28))
