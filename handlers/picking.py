"""Leaving by the place in a list that was just shown: 第一个退了, 退1和3, 最后一个不要. Pure."""

import re

from handlers.leaving import plain_of

LONGEST = 24
_DIGITS = "一二三四五六七八九十"
_N = r"(?:\d{1,2}|[一二两三四五六七八九十])"
_OF = "(?:个|条|项|类|种|号)"
_ONE = (
    rf"(?:第{_N}{_OF}?|[头首]一?{_OF}|最后一?{_OF}|前{_N}{_OF}|后{_N}{_OF}|{_N}号|\d{{1,2}}{_OF}?)"
)
_ONES = rf"(?P<ones>{_ONE}(?:(?:和|跟|与|及|、|,|，|\s)*{_ONE})*)"
_SOFT = (
    "(?:请|麻烦|帮我|给我|我要|我想|我|想|要|把|将|就|都|也|的|那|这|列表里|上面|上边|里面?|中)*"
)
_GO = (
    "(?:退订|取消订阅|取消|退掉|退了|退|删掉|删除|删了|删|停掉|停了|停|关掉|关了|关|去掉|注销|"
    "(?:不要|别|不用|不想|不)再?(?:给我)?(?:发送|发|推送|推|订阅|订|收到|收|看)|不需要|不要)"
)
_TAIL = "(?:掉|了|吧|啊|呀|哈|谢谢|一下|的|订阅|推送|消息|[。.,，])*"
_PICKS = tuple(
    re.compile(words)
    for words in (
        rf"{_SOFT}{_GO}{_TAIL}{_SOFT}{_ONES}{_TAIL}",
        rf"{_SOFT}{_ONES}{_SOFT}(?:我)?{_GO}{_TAIL}",
    )
)
_EACH = re.compile(_ONE)
_ORDINAL = re.compile(rf"第{_N}|[头首]一?{_OF}|最后|前{_N}{_OF}|后{_N}{_OF}")
_COUNTED = re.compile(r"(?P<n>\d{1,2}|[两二三四五六七八九十])(?:个|项|条)(?:订阅)?(?:都|全)")


def picked(text: str, count: int) -> list[int] | None:
    """The places (from 0) of a list of `count` that are left; None where it picks nothing.

    One that is not in the list makes it empty: nobody knows which is meant.
    """
    plain = plain_of(text)
    if len(plain) > LONGEST:
        return None
    found = next((one for words in _PICKS if (one := words.fullmatch(plain))), None)
    if found is None:
        return None
    places: list[int] = []
    for one in _EACH.findall(found["ones"]):
        places += _places(one, count)
    inside = all(0 <= place < count for place in places)
    return list(dict.fromkeys(places)) if inside else []


def by_place(text: str) -> bool:
    """Whether it speaks of a list: 第一个退了; 退1 may be about anything."""
    return _ORDINAL.search(plain_of(text)) is not None


def counted(text: str) -> int:
    """Of how many it says that all of them go (两个都退); 0 where no number is said."""
    found = _COUNTED.search(plain_of(text))
    return _value(found["n"]) if found else 0


def _places(one: str, count: int) -> list[int]:
    said = re.search(_N, one)
    number = _value(said[0]) if said else 1
    if one.startswith("最后"):
        return [count - 1]
    if one.startswith(("头", "首")):
        return [0]
    if one.startswith("前"):
        return list(range(number))
    if one.startswith("后"):
        return list(range(count - number, count))
    return [number - 1]


def _value(sign: str) -> int:
    return int(sign) if sign.isdecimal() else _DIGITS.find(sign.replace("两", "二")) + 1
