"""Numbers of lists as Word and web pages write them: 3, iii, C, 三, ③."""

import re
from collections.abc import Callable

from blocks.taken import Point

_DIGITS = "零一二三四五六七八九"
_LARGE = "零壹贰叁肆伍陆柒捌玖"
_STEMS, _BRANCHES = "甲乙丙丁戊己庚辛壬癸", "子丑寅卯辰巳午未申酉戌亥"
_ROMAN = ((1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"),
          (40, "xl"), (10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i"))  # fmt: skip
_MOST = 9_999


def _chinese(number: int, digits: str = _DIGITS, units: str = "十百千") -> str:
    said, zero = "", False
    for power in (3, 2, 1, 0):
        digit = number // 10**power % 10
        if digit:
            said += (digits[0] if zero and said else "") + digits[digit]
            said += units[power - 1] if power else ""
        zero = not digit
    if units[0] == "十" and said.startswith("一十"):
        return said[1:]
    return said or digits[0]


def _letters(number: int) -> str:
    if number < 1:
        return str(number)
    # Word doubles the letter after z: aa, bb.
    return chr(ord("a") + (number - 1) % 26) * ((number - 1) // 26 + 1)


def _roman(number: int) -> str:
    said = ""
    for value, letters in _ROMAN:
        said += letters * (number // value)
        number %= value
    return said


def _circled(number: int) -> str:
    return chr(0x2460 + number - 1) if 1 <= number <= 20 else f"({number})"


_KINDS: dict[str, Callable[[int], str]] = {
    "decimalZero": lambda number: f"{number:02}",
    "lowerLetter": _letters,
    "upperLetter": lambda number: _letters(number).upper(),
    "lowerRoman": _roman,
    "upperRoman": lambda number: _roman(number).upper(),
    "chinese": _chinese,
    "chineseLegal": lambda number: _chinese(number, _LARGE, "拾佰仟"),
    "circled": _circled,
    "stems": lambda number: _STEMS[(number - 1) % 10],
    "branches": lambda number: _BRANCHES[(number - 1) % 12],
}
_CHINESE = ("chineseCounting", "chineseCountingThousand", "japaneseCounting", "ideographDigital",
            "japaneseDigitalTenThousand", "taiwaneseCounting", "taiwaneseCountingThousand",
            "koreanCounting", "cjk-ideographic", "simp-chinese-informal", "trad-chinese-informal",
            "cjk-decimal")  # fmt: skip
_NAMES = {
    **dict.fromkeys(_CHINESE, "chinese"),
    **dict.fromkeys(("chineseLegalSimplified", "ideographLegalTraditional",
                     "simp-chinese-formal", "trad-chinese-formal"), "chineseLegal"),
    **dict.fromkeys(("decimalEnclosedCircle", "decimalEnclosedCircleChinese"), "circled"),
    "ideographTraditional": "stems", "cjk-heavenly-stem": "stems",
    "ideographZodiac": "branches", "cjk-earthly-branch": "branches",
    "decimal-leading-zero": "decimalZero",
    "a": "lowerLetter", "lower-alpha": "lowerLetter", "lower-latin": "lowerLetter",
    "A": "upperLetter", "upper-alpha": "upperLetter", "upper-latin": "upperLetter",
    "i": "lowerRoman", "lower-roman": "lowerRoman", "I": "upperRoman", "upper-roman": "upperRoman",
}  # fmt: skip
_HALF = str.maketrans("０１２３４５６７８９", "0123456789")
_SAYABLE = re.compile(r"([0-9０-９]{1,4})[.．、]?")
_SYMBOL = re.compile(r"[^\w（()）一-鿿]{1,2}|[olnquüvØFwª§r¡]")


def number_words(number: int, kind: str) -> str:
    """The number as a kind of numbering writes it, named as in OOXML or in CSS."""
    written = _KINDS.get(_NAMES.get(kind, kind))
    return written(number) if written and 0 <= number <= _MOST else str(number)


def says_digits(kind: str) -> bool:
    """Whether the kind writes plain digits."""
    return _NAMES.get(kind, kind) not in _KINDS


def point_of(depth: int, mark: str) -> Point:
    """A point without words by the mark that stands before it in the source."""
    mark = mark.strip()
    if digits := _SAYABLE.fullmatch(mark):
        return Point(depth, (), number=int(digits[1].translate(_HALF)))
    if not mark or _SYMBOL.fullmatch(mark) or not mark.isprintable() or _private(mark):
        return Point(depth, ())
    return Point(depth, (), mark=mark if mark.endswith(("、", "）", "．")) else f"{mark} ")


def _private(mark: str) -> bool:
    """Marks of Wingdings and the like."""
    return all("\ue000" <= char <= "\uf8ff" for char in mark)
