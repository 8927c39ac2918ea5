"""The day somebody means by 一周, 到12月5日, 到月底 or 下周一: the one after a pause. Pure."""

import re
from datetime import date, timedelta

_DIGITS = "零一二三四五六七八九"
_NUMBER = r"(?P<n>\d{1,3}|[一二两三四五六七八九]?十[一二三四五六七八九]?|[一二两三四五六七八九半])"
_SPAN = re.compile(rf"{_NUMBER}个?(?P<unit>天|日|周|星期|礼拜|月|年)(?:之?[后内]|以内|以后|时间)?")
_ON = re.compile(
    r"(?:到|至|等到?)?(?:(?P<y>\d{4})年)?(?P<m>\d{1,2})(?:月|[-/.])(?P<d>\d{1,2})[日号]?(?:之?前|以前|以后|为止)?"
)
_NAMED = re.compile(
    r"(?:到|至|等到?)?(?P<w>下个?周[一二三四五六日天]?|下个?星期[一二三四五六日天]?|下个?月|[这本]个?周末|月底|年底|今天|今晚|明天|后天|明年|周末"
    r"|这个?月|本月|这个?周|本周|这个?星期|今年)"
    r"(?:之?前|以前|以后|为止|再说|再发|再推)?"
)
_FROM = re.compile(r"[从自]?(?:今天|今日|明天|后天|下个?月|下个?周|下星期)(?:起|开始)")
"""A beginning is no end: 从今天起不要发了 is for good."""
_MONTH = re.compile(
    r"(?P<to>到|至|等到?)?(?P<m>1[0-2]|[1-9]|十[一二]?|(?<![停缓歇])[一二三四五六七八九])月份?(?![\d一二三四五六七八九十])"
)
"""A month by its name: 12月别发了 lasts to its end, 暂停到12月 to its beginning; 停一月 is none."""
_BEFORE, _AFTER = "(?:之|以)?前", "(?:之|以)?后"
_FEAST = "(?P<feast>春节|过年|大年|元旦|五一|国庆)"
_TO_FEAST = re.compile(
    rf"(?:等到?|到){_FEAST}(?:{_BEFORE}|再发|再推)?(?!后|以后|之后|完)"
    rf"|{_FEAST.replace('feast', 'own')}{_BEFORE}"
    "|(?:到|等到?)?(?<![\\d一二三四五六七八九十几半两多数今去明])年(?:之|以)?前"
)
_PAST_FEAST = re.compile(
    rf"(?:等)?(?:过完年|过完{_FEAST}|{_FEAST.replace('feast', 'own')}(?:过完|{_AFTER})"
    "|(?<![\\d一二三四五六七八九十几半两多数今去明])年(?:之|以)?后)"
)
_SPRING = (
    (2026, 2, 17), (2027, 2, 6), (2028, 1, 26), (2029, 2, 13), (2030, 2, 3), (2031, 1, 23),
    (2032, 2, 11), (2033, 1, 31), (2034, 2, 19), (2035, 2, 8), (2036, 1, 28),
)  # fmt: skip
"""The first day of the lunar year, as the observatory publishes it."""
_FIXED = {"元旦": (1, 1, 3), "五一": (5, 1, 5), "国庆": (10, 1, 7)}
"""Month and day a feast begins, and how many days it is kept."""
_OVER = re.compile(f"{_FEAST}|端午|中秋|清明|节前|节后|过节|假期")
_FEAST_DAYS = re.compile(
    "(?:春节|过年|大年|元旦|五一|国庆|端午|中秋|清明|过)节?(?:放假|假期|长假|小长假|期间|的?时候|[那这]几天)+"
)
_SOON = timedelta(days=14)
"""国庆别发 said so long before means its days; said earlier nobody knows from when."""
_LONGEST = timedelta(days=366)


def day_meant(text: str, today: date) -> date | None:
    """The day after which pushes go on, within a year; None when none is said."""
    text = _FROM.sub("", text)
    for find in (_feast, _on, _month, _span, _named, _over):
        day = find(text, today)
        if day is not None and today < day <= today + _LONGEST:
            return day
    return None


def names_feast(text: str) -> bool:
    """Whether it says a feast: a pause for one that is far off cannot be kept."""
    return _OVER.search(text) is not None


def says_feast_days(text: str) -> bool:
    """Whether it says the days of a feast: 国庆期间."""
    return _FEAST_DAYS.search(text) is not None


def without_days(text: str) -> str:
    """The same text without the words that say a day."""
    for words in (_FROM, _TO_FEAST, _PAST_FEAST, _FEAST_DAYS, _ON, _MONTH, _SPAN, _NAMED):
        text = words.sub("", text)
    return text


def _feast(text: str, today: date) -> date | None:
    past = _PAST_FEAST.search(text)
    found = past or _TO_FEAST.search(text)
    if found is None:
        return None
    days = [end if past else first for first, end in _days(found["feast"] or found["own"], today)]
    return next((one for one in days if one > today), None)


def _over(text: str, today: date) -> date | None:
    """The end of a feast that is on, or about to begin: 春节别发."""
    found = _OVER.search(text)
    if found is None or not found["feast"]:
        return None
    days = _days(found["feast"], today)
    return next((end for first, end in days if first - _SOON <= today < end), None)


def _days(feast: str | None, today: date) -> list[tuple[date, date]]:
    """The days of a feast: each first day, and the first one after it."""
    month, day, kept = _FIXED.get(feast or "", (0, 0, 8))
    begins = [date(*one) for one in _SPRING]
    if month:
        begins = [date(today.year + more, month, day) for more in (0, 1)]
    return [(one, one + timedelta(days=kept)) for one in begins]


def _on(text: str, today: date) -> date | None:
    found = _ON.search(text)
    if found is None:
        return None
    try:
        day = date(int(found["y"] or today.year), int(found["m"]), int(found["d"]))
        # A day of this year that is over means the next one.
        return day if found["y"] or day > today else day.replace(year=day.year + 1)
    except ValueError:  # 13月40日, or a 29 February
        return None


def _month(text: str, today: date) -> date | None:
    found = _MONTH.search(text)
    if found is None:
        return None
    number = _value(found["m"])
    first = date(today.year + (number < today.month), number, 1)
    return first if found["to"] else _next_month(first)


def _next_month(day: date) -> date:
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def _span(text: str, today: date) -> date | None:
    found = _SPAN.search(text)
    if found is None:
        return None
    many = 0.5 if found["n"] == "半" else float(_value(found["n"]))
    days = {"天": 1, "日": 1, "周": 7, "星期": 7, "礼拜": 7, "月": 30, "年": 365}[found["unit"]]
    return today + timedelta(days=max(1, round(many * days)))


def _value(number: str) -> int:
    if number.isdecimal():
        return int(number)
    number = number.replace("两", "二")
    tens, ten, ones = number.rpartition("十")
    unit = _DIGITS.find(ones) if ones else 0
    return (_DIGITS.find(tens) if tens else 1) * 10 + unit if ten else unit


def _named(text: str, today: date) -> date | None:
    found = _NAMED.search(text)
    if found is None:
        return None
    word = found["w"]
    monday = today + timedelta(days=7 - today.weekday())
    # 到下周, 下周再发: from its beginning on; 下周别发了: not in all of it.
    until = found[0] != word
    if word.startswith(("下周", "下个周", "下星期", "下个星期")):
        at = "一二三四五六日".find(word[-1].replace("天", "日"))
        whole = at < 0 and not until
        return monday + timedelta(days=7 if whole else max(at, 0))
    first = _next_month(today)
    if word in ("下月", "下个月"):
        return first if until else _next_month(first)
    new_year = date(today.year + 1, 1, 1)
    return {
        "今天": today + timedelta(days=1),
        "今晚": today + timedelta(days=1),
        "今年": new_year,
        "明天": today + timedelta(days=1),
        "后天": today + timedelta(days=2),
        **dict.fromkeys(
            (
                "周末",
                "这周末",
                "这个周末",
                "本周末",
                "本个周末",
                "这周",
                "这个周",
                "本周",
                "这星期",
                "这个星期",
            ),
            monday,
        ),
        "年底": new_year,
        "明年": new_year,
    }.get(word, first)
