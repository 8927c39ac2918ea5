"""Which of the offered choices a citizen means: a number, in any of the ways people write one."""

import re
from collections.abc import Sequence

_DIGITS = "一二三四五六七八九"
_MARKS = "\ufe0e\ufe0f\u20e3"  # what makes an emoji key of a digit
_NUMBER = rf"\d{{1,2}}|[{_DIGITS}]?十[{_DIGITS}]?|[{_DIGITS}]"
_OPEN, _CLOSE = r"[【\[（(「『《〔<“\"]?", r"[】\]）)」』》〕>”\"]?"
_CHOICE = re.compile(
    r"(?:我?(?:就|要|想)?选(?:择|项)?|我?要|回复?|按|第|序号|编号|选项|no\.?|#|＃)*"
    rf"{_OPEN}第?({_NUMBER}){_CLOSE}"
    r"(?:个|项|条|号|种|吧|呀|啊|的|谢谢|[.。．、,，:：;；)）~!！?？])*",
    re.I,
)
"""`1.`, `1、`, `选1`, `【1】`, `第一个`, `我选第2项吧`. A year or a sum is no choice."""


def chosen(text: str, keys: Sequence[object]) -> str:
    """The key a number stands for among the open choices, or an empty text.

    `text` is normalised already: full-width digits and circled ones are plain digits there.
    """
    at = _place(text)
    return str(keys[at - 1]) if at is not None and 1 <= at <= len(keys) else ""


def numbers(text: str) -> bool:
    """Whether it says the number of a choice and nothing else, of whichever choices."""
    return _place(text) is not None


def labelled(text: str, labels: Sequence[object], keys: Sequence[object]) -> str:
    """The key of the open choice whose words were typed, where its number could have been."""
    words = _bare(text)
    named = [_bare(str(label)) for label in labels]
    if not words or len(named) != len(keys) or named.count(words) != 1:
        return ""
    return str(keys[named.index(words)])


def _place(text: str) -> int | None:
    words = "".join(sign for sign in text if not sign.isspace() and sign not in _MARKS)
    found = _CHOICE.fullmatch(words)
    return None if found is None else _value(found[1])


def _bare(words: str) -> str:
    kept = "".join(sign for sign in words if not sign.isspace())
    return kept.strip('。.，,！!“”"').casefold()


def _value(number: str) -> int:
    if number.isdecimal():
        return int(number)
    tens, ten, ones = number.rpartition("十")
    unit = _DIGITS.find(ones) + 1 if ones else 0
    return (_DIGITS.find(tens) + 1 if tens else 1) * 10 + unit if ten else unit
