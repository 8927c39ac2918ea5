"""How often somebody wants to get something, in their own words. Pure."""

import re

from gates.normalise import normalise
from handlers.spelling import mended
from handlers.wishes_words import FEWER, FREQUENCY_WORDS, OFF_HOURS, OTHER_RHYTHM, REFUSED_RHYTHM

_REFUSED = re.compile(REFUSED_RHYTHM)
_FEWER = re.compile(FEWER)
_OFF = re.compile(OFF_HOURS)
LESS = re.compile(f"{FEWER}|{OFF_HOURS}")
"""Not an end is asked for, but fewer or other times: 别天天发了, 周末别发, 取消每周推送."""
CHANGES = re.compile(r"[改换调设变推发收]|(?:告诉|通知)我|一[次回条趟遍]|频率")
_TIMES = re.compile("(?<=[发推送来天日周期拜月度年])(?:给我)?一[回趟遍条](?!都)")
_AT_MOST = re.compile("最多|顶多|至多|只要")
_TO_ME = re.compile("(?:给我|帮我)?(?:推送|发来|推|发|来|汇总)?(?=一次)")
_OTHER = [re.compile(words) for words in OTHER_RHYTHM]


def how_often(plain: str) -> tuple[str, str, bool]:
    """How often, the text without the words that say it, and whether they say more than we can."""
    plain = _TO_ME.sub("", _TIMES.sub("一次", _AT_MOST.sub("", plain)))
    fewer = _FEWER.search(plain) is not None
    before = plain = _REFUSED.sub(
        "，", _FEWER.sub(lambda found: f"{found['about'] or ''}，", plain)
    )
    plain = _OFF.sub("，", plain)
    for pattern in _OTHER:
        plain = pattern.sub(lambda found: f"{found.groupdict().get('known') or ''}，", plain)
    other = plain != before
    for word, frequency in FREQUENCY_WORDS:
        if word in plain:
            return frequency, plain.replace(word, "，"), other
    return "", plain, other or fewer


def asks_less(text: str) -> bool:
    """Whether it asks for fewer messages or other hours, and for no end: 别天天发了, 周末别发."""
    return LESS.search(_spelled(text)) is not None


def changes_rhythm(text: str) -> bool:
    """Whether it orders a change, and does not only name a time: 改成每月, 一个月发一次."""
    return CHANGES.search(_spelled(text)) is not None


def _spelled(text: str) -> str:
    return mended(normalise(text).text.lower())
