"""Numbers of lists: a number that is missing or comes twice in a list that otherwise runs on."""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from gates.finding import Context, Finding, Ground

NUMBERS = "《党政机关公文格式》（GB/T 9704-2012）7.3.3；《出版物上数字用法》（GB/T 15835-2011）"
JUMP = "wording.list-number"
_HAN_DIGITS = "一二三四五六七八九十"
_HAN = rf"[{_HAN_DIGITS}]{{1,3}}"
_RINGS = (0x2460, 0x2474, 0x2488, 0x3220)  # ①, ⑴, ⒈, ㈠: where each row of numbers begins
_ROWS = (20, 20, 20, 10)
_RINGED = "".join(chr(code) for first, size in zip(_RINGS, _ROWS, strict=True)
                  for code in range(first, first + size))  # fmt: skip
_LETTERS, _SMALL = "ABCDEFGH", "abcdefgh"
# The mark of a level at the start of a line, its number as the first group.
_AT_LINES = (
    re.compile(rf"^[ \t\u3000]*({_HAN})、", re.MULTILINE),
    re.compile(rf"^[ \t\u3000]*[（(]({_HAN})[）)]", re.MULTILINE),
    re.compile(r"^[ \t\u3000]*(?:附件[：:][ \t\u3000]*)?(\d{1,2})[.．、](?!\d)", re.MULTILINE),
    re.compile(r"^[ \t\u3000]*[（(](\d{1,2})[）)]", re.MULTILINE),
)
# The same inside a line and others, which count only from one on: "2. 3. 5." may be an excerpt.
_EDGE = r"(?:^|(?<=[：:；;。，,、！？\s]))"
_INSIDE = (
    re.compile(rf"{_EDGE}({_HAN})、(?!{_HAN}[、层楼级班号])(?=[\u4e00-\u9fff“《])"),
    re.compile(rf"{_EDGE}[（(]({_HAN})[）)]"),
    re.compile(rf"{_EDGE}(\d{{1,2}})[.．、](?=[^\d\s])"),
    re.compile(rf"{_EDGE}[（(]?(\d{{1,2}})[）)](?=[\u4e00-\u9fff“《])"),
    re.compile(rf"{_EDGE}({_HAN})是"),
    re.compile(rf"{_EDGE}其({_HAN})[，,：:、]"),
    re.compile(rf"第({_HAN}|\d{{1,2}})步(?!骤之)"),
    re.compile(rf"第({_HAN}|\d{{1,2}})阶段"),
    re.compile(rf"{_EDGE}第({_HAN})[，,：:、](?!第)"),
    re.compile(rf"(?:^|(?<=[\s：:]))第({_HAN})章(?=[ \u3000]?[\u4e00-\u9fff])"),
    re.compile(r"(?:^|(?<=[：:；;。，,、\s]))([A-H])[.．、](?=[\u4e00-\u9fff])"),
    re.compile(r"(?:^|(?<=[：:；;。，,、\s]))([a-h])[.．、)）](?=[\u4e00-\u9fff])"),
    re.compile(r"附件(\d{1,2})[：:](?!见)"),
)
_OVER_LINES = (
    re.compile(f"([{_RINGED}])"),
    re.compile(rf"^[ \t\u3000]*第({_HAN}|\d{{1,2}})步", re.MULTILINE),
    re.compile(rf"^[ \t\u3000]*第({_HAN})章", re.MULTILINE),
    re.compile(rf"^[ \t\u3000]*第([{_HAN_DIGITS}百零]{{1,5}}|\d{{1,3}})条", re.MULTILINE),
)
_MARKS_BEHIND = (*".．、）)",)  # not a string: an empty slice is in every one


class _Numbered(NamedTuple):
    value: int
    start: int
    end: int


def find_numbering(ctx: Context, text: str) -> Iterator[Finding]:
    """Findings about the numbers of lists in one field."""
    for mark in _AT_LINES:
        yield from judged(ctx, marks_in(text, mark), from_one=False)
    for mark in _OVER_LINES:
        yield from judged(ctx, marks_in(text, mark), from_one=True)
    start = 0
    for line in text.split("\n"):
        # One number in a line is judged with those of the other lines.
        for mark in _INSIDE:
            yield from judged(ctx, marks_in(line, mark, start), from_one=True)
        start += len(line) + 1


def marks_in(text: str, mark: re.Pattern[str], offset: int = 0) -> list[_Numbered]:
    """The numbers that stand where `mark` has its first group."""
    return [
        _Numbered(number_of(m[1]), offset + m.start(1), offset + m.end(1))
        for m in mark.finditer(text)
    ]


def judged(ctx: Context, marks: Sequence[_Numbered], *, from_one: bool) -> Iterator[Finding]:
    """What is missing or comes twice; `from_one`: only in a list that begins there."""
    if len(marks) < 3:
        return
    write = _writer(ctx.text[marks[0].start])
    before: _Numbered | None = None
    counting = not from_one
    for at, here in enumerate(marks):
        after = marks[at + 1] if at + 1 < len(marks) else None
        counting = counting or here.value == 1
        if before is not None and counting and here.value not in (1, before.value + 1):
            yield from _odd_one(ctx, _Three(before, here, after), write)
        before = here


class _Three(NamedTuple):
    """A number of a list between its neighbours."""

    before: _Numbered
    here: _Numbered
    after: _Numbered | None


def _odd_one(
    ctx: Context,
    three: _Three,
    write: Callable[[int], str],
) -> Iterator[Finding]:
    """Told only when the list goes on from it, so that a figure at a line's start is none."""
    before, here, after = three
    right = before.value + 1
    repeated = here.value == before.value > 1 and (after is None or after.value == right)
    repeated = repeated or (here.value == before.value and after is not None
                            and after.value == right)  # fmt: skip
    skipped = here.value == right + 1 and (after is None or after.value in (1, here.value + 1))
    # It may stand in the middle of words, or before a figure: 预约信息四、查看, 2.75%.
    between = ctx.text[before.end : here.start]
    # A new list whose first number stands behind words: 包括：1.… and 2.… on a line of its own.
    if _stands_in(between, write(right if skipped else 1)):
        return
    if repeated or skipped:
        said = "序号重复" if repeated else f"序号不连续，缺“{write(right)}”"
        ground = Ground("wording", JUMP, "warn", said, NUMBERS)
        yield ctx.mark((here.start, here.end), ground, [write(right)])


def _stands_in(between: str, number: str) -> bool:
    """Whether a number with the mark of a list stands in the words between two others."""
    at = between.find(number)
    while at >= 0:
        end = at + len(number)
        mark, more = between[end : end + 1], between[end + 1 : end + 2]
        if mark in _MARKS_BEHIND and not (between[at - 1 : at] + more).isdigit():
            return True
        at = between.find(number, end)
    return False


def _writer(example: str) -> Callable[[int], str]:
    """How a number is written in the style of one that stands there."""
    if example in _LETTERS:
        return lambda value: _LETTERS[value - 1 : value]
    if example in _SMALL:
        return lambda value: _SMALL[value - 1 : value]
    if example.isdigit() and example.isascii():
        return str
    for first, size in zip(_RINGS, _ROWS, strict=True):
        if first <= ord(example) < first + size:
            return lambda value: chr(first + value - 1) if value <= size else str(value)
    return as_han


def number_of(number: str) -> int:
    """The value of a number in digits, in Chinese or in a ring."""
    for first, size in zip(_RINGS, _ROWS, strict=True):
        if len(number) == 1 and first <= ord(number) < first + size:
            return ord(number) - first + 1
    if number.lower() in _SMALL:
        return _SMALL.index(number.lower()) + 1
    if number.isdigit():
        return int(number)
    hundreds, hundred, rest = number.rpartition("百")
    tens, ten, ones = rest.rpartition("十")
    digit = {char: value for value, char in enumerate(_HAN_DIGITS, 1)}
    whole = digit.get(hundreds[:1], 1) * 100 if hundred else 0
    return (
        whole
        + (digit.get(tens.lstrip("零")[:1], 1) * 10 if ten else 0)
        + digit.get(ones.lstrip("零")[:1], 0)
    )


def as_han(value: int) -> str:
    """How a list writes the number in Chinese."""
    hundreds, rest = divmod(value, 100)
    tens, ones = divmod(rest, 10)
    head = f"{_HAN_DIGITS[hundreds - 1]}百" if hundreds else ""
    zero = "零" if hundreds and not tens and ones else ""
    ten = "" if tens < 2 and not hundreds else _HAN_DIGITS[tens - 1] if tens else ""
    return head + zero + ten + ("十" if tens else "") + (_HAN_DIGITS[ones - 1] if ones else "")
