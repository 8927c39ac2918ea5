"""Identity numbers: whether one is whole, and the odd ways in which people write one. Pure.

In odd writing only the check digit tells a number from chance: one of forty thousand passes.
"""

import re
from collections.abc import Iterator
from datetime import date

from stdnum.cn import ric

LENGTH = 18
PROVINCES = frozenset(
    str(code)
    for group in ((11, 16), (21, 24), (31, 38), (41, 47), (50, 55), (61, 66), (71, 72), (81, 84))
    for code in range(*group)
)
_HAN = "〇一二三四五六七八九零"
_LIKE = "OoIl"
_ODD = (
    # Each figure alone, the same between all of them: 1  1  0, 1|1|0.
    re.compile(
        r"(?<![0-9A-Za-z])[1-9]([ \t\u3000|,，、.*_/~]{1,4})\d(?:\1\d){15}\1[\dXx](?![0-9A-Za-z])"
    ),
    # Behind letters: ID110105….
    re.compile(r"(?<=[A-Za-z_])[1-9]\d{16}[\dXx](?![0-9A-Za-z])"),
    re.compile(rf"(?<![{_HAN}])[{_HAN}]{{17}}[{_HAN}Xx](?![{_HAN}])"),
    # The letters that look like figures.
    re.compile(rf"(?<![0-9A-Za-z])[1-9lI][0-9{_LIKE}]{{16}}[0-9Xx{_LIKE}](?![0-9A-Za-z])"),
)
_FIGURES = str.maketrans(_HAN + _LIKE, "01234567890" + "0011")


def dated(year: int, month: int, day: int) -> bool:
    """A real date of birth between 1900 and 2100."""
    try:
        born = date(year, month, day)
    except ValueError:
        return False
    return 1900 <= born.year <= 2100


def is_identity(number: str) -> bool:
    """Whether it is a whole identity number: province, day of birth and check digit are right."""
    number = number.upper()
    if len(number) != LENGTH or number[:2] not in PROVINCES or not number[:17].isdigit():
        return False
    born = int(number[6:10]), int(number[10:12]), int(number[12:14])
    return dated(*born) and ric.calc_check_digit(number) == number[-1]


def odd_identities(dense: str) -> Iterator[tuple[int, int]]:
    """Where a number stands that is written in an odd way."""
    for pattern in _ODD:
        for match in pattern.finditer(dense):
            plain = re.sub(r"[^0-9Xx]", "", match[0].translate(_FIGURES))
            if is_identity(plain):
                yield match.span()
