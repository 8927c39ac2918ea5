"""Wording gate, how a text is set out: list numbers, length of titles, sums, repeated words."""

import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import NamedTuple

from gates.finding import Context, Finding, Ground
from gates.words import on_word_ends

LONGEST_TITLE = 32
_NUMBERS = "《党政机关公文格式》（GB/T 9704-2012）7.3.3；《出版物上数字用法》（GB/T 15835-2011）"
_SUMS = "《统计法》第六条、第七条：统计数据应当真实准确；数据前后一致"
_JUMP = "wording.list-number"
_LONG = Ground(
    "wording", "wording.title-length", "warn",
    f"标题超过{LONGEST_TITLE}个字，公众号草稿会被拒收，请压缩",
    "微信公众平台接口文档：草稿标题不超过32个字",
)  # fmt: skip
_HAN_DIGITS = "一二三四五六七八九十"
_MARKS = (
    # the mark of a level, its number as the first group
    ("一、", re.compile(rf"^[ \t\u3000]*([{_HAN_DIGITS}]{{1,3}})、", re.MULTILINE)),
    ("（一）", re.compile(rf"^[ \t\u3000]*[（(]([{_HAN_DIGITS}]{{1,3}})[）)]", re.MULTILINE)),
    ("1.", re.compile(r"^[ \t\u3000]*(\d{1,2})[.．、](?!\d)", re.MULTILINE)),
    ("（1）", re.compile(r"^[ \t\u3000]*[（(](\d{1,2})[）)]", re.MULTILINE)),
)
_AFTER_BRACKET = re.compile(
    rf"^[ \t\u3000]*([（(](?:[{_HAN_DIGITS}]{{1,3}}|\d{{1,2}})[）)])[、，,.．]", re.MULTILINE
)
_BRACKETED = Ground(
    "wording", "wording.list-mark", "hint", "带括号的序号后面不再加标点",
    "《标点符号用法》（GB/T 15834-2011）附录B",
)  # fmt: skip

_REPEATED = re.compile(
    r"([\u4e00-\u9fff]{3,8})\1"
    r"|(进行|对于|关于|通过|根据|按照|以及|并且|应当|可以|我们|他们|如果|因为|由于|为了|已经|其中|同时|要求|加强|推进"
    r"|落实|开展|提高|完善|促进|实施|组织|建立|确保)\2"
    r"|(?<![\u4e00-\u9fff])(在|和|与|于|将|被|把|对)\3(?=[\u4e00-\u9fff])"
)
_TWICE = Ground(
    "wording", "wording.repeated-word", "warn", "词语重复", "《国家通用语言文字法》第九条"
)

_MONEY = "亿元|万元|元"
_FIGURE = r"(\d{1,15}(?:\.\d{1,9})?)"  # longer is no sum, and no number a program should compute
_TOTAL = re.compile(
    rf"(?:共|总|合计)[^\d，。；;]{{0,10}}?{_FIGURE}({_MONEY})[，,（(:：]?[^\d。；;]{{0,6}}?其中"
    r"([^。；;\n]{4,160})"
)
_PART = re.compile(rf"{_FIGURE}({_MONEY})(?![/／每])")
_WORTH = {"亿元": Decimal(100_000_000), "万元": Decimal(10_000), "元": Decimal(1)}
_PEOPLE = re.compile(
    r"共(?:有|计)?[^\d，。；]{0,6}?(\d{1,15})(?:人|名)[^\d。；\n]{0,12}?男[^\d，。；]{0,4}?(\d{1,15})(?:人|名)?"
    r"[^\d。；\n]{0,6}?女[^\d，。；]{0,4}?(\d{1,15})(?:人|名)?"
)
_GROWTH = re.compile(
    rf"(?:由|从)[^\d，。；]{{0,8}}?{_FIGURE}(万?亿?[元人户件家个吨亩])[^\d，。；]{{0,4}}"
    rf"(增加|增长|提高|上升|减少|下降|降低)[到至为]{_FIGURE}(万?亿?[元人户件家个吨亩])[，,]"
    rf"(?:同比)?(?:增长|增加|提高|上升|增幅|下降|减少|降幅|降低)(?:了|达到?|为)?{_FIGURE}%"
)
_SUM = Ground("wording", "wording.sum", "warn", "分项相加与总数不符，请核对", _SUMS)
_RATE = Ground("wording", "wording.growth", "warn", "增减幅度与前后数值不符，请核对", _SUMS)


def find(text: str, ctx: Context) -> Iterator[Finding]:
    """Findings about how one field is set out."""
    if ctx.field == "title" and len(text.strip()) > LONGEST_TITLE:
        yield ctx.mark((0, len(text)), _LONG)
    for _, mark in _MARKS:
        yield from _numbering(ctx, text, mark)
    for match in _AFTER_BRACKET.finditer(text):
        yield ctx.mark((match.start(1), match.end()), _BRACKETED, [match[1]])
    for match in _REPEATED.finditer(ctx.dense.text):
        once = match[1] or match[2] or match[3]
        if len(once) > 1 and not _said_twice(ctx, once, match.span()):
            continue
        left, right = ctx.dense.original(*match.span())
        if right - left == match.end() - match.start():
            yield ctx.mark((left, right), _TWICE, [once])
    yield from _sums(ctx)


def _said_twice(ctx: Context, once: str, span: tuple[int, int]) -> bool:
    """Not one character drawn out, not 一棵树一棵树, and both times a whole word or words."""
    if len(set(once)) == 1 or once[0] in "一的每":
        return False
    middle = span[0] + len(once)
    return all(on_word_ends(ctx, half) for half in ((span[0], middle), (middle, span[1])))


# --- numbering ------------------------------------------------------------------------------


class _Numbered(NamedTuple):
    value: int
    start: int
    end: int


def _numbering(ctx: Context, text: str, mark: re.Pattern[str]) -> Iterator[Finding]:
    """A number that is missing or comes twice in a list that otherwise runs on."""
    marks = [_Numbered(_value(m[1]), m.start(1), m.end(1)) for m in mark.finditer(text)]
    if len(marks) < 3:
        return
    write = str if text[marks[0].start].isdigit() else _han
    before: _Numbered | None = None
    for at, here in enumerate(marks):
        after = marks[at + 1] if at + 1 < len(marks) else None
        if before is not None and here.value not in (1, before.value + 1):
            yield from _odd_one(ctx, before, here, after, write)
        before = here


def _odd_one(
    ctx: Context,
    before: _Numbered,
    here: _Numbered,
    after: _Numbered | None,
    write: Callable[[int], str],
) -> Iterator[Finding]:
    """Told only when the list goes on from it, so that a figure at a line's start is none."""
    right = before.value + 1
    repeated = here.value == before.value and after is not None and after.value == right
    skipped = here.value == right + 1 and (after is None or after.value in (1, here.value + 1))
    if repeated or skipped:
        said = "序号重复" if repeated else f"序号不连续，缺“{write(right)}”"
        ground = Ground("wording", _JUMP, "warn", said, _NUMBERS)
        yield ctx.mark((here.start, here.end), ground, [write(right)])


def _value(number: str) -> int:
    if number.isdigit():
        return int(number)
    tens, ten, ones = number.rpartition("十")
    digit = {char: value for value, char in enumerate(_HAN_DIGITS, 1)}
    return (digit.get(tens[:1], 1) * 10 if ten else 0) + digit.get(ones[:1], 0)


def _han(value: int) -> str:
    tens, ones = divmod(value, 10)
    ten = ("" if tens < 2 else _HAN_DIGITS[tens - 1]) + ("十" if tens else "")
    return ten + (_HAN_DIGITS[ones - 1] if ones else "")


# --- sums -----------------------------------------------------------------------------------


def _sums(ctx: Context) -> Iterator[Finding]:
    text = ctx.dense.text
    if "其中" in text:
        for match in _TOTAL.finditer(text):
            parts = [Decimal(number) * _WORTH[unit] for number, unit in _PART.findall(match[3])]
            total = Decimal(match[1]) * _WORTH[match[2]]
            if len(parts) > 1 and sum(parts) > total * Decimal("1.001"):
                yield ctx.mark_dense((match.start(1), match.end(2)), _SUM)
    if "男" in text and "女" in text:
        for match in _PEOPLE.finditer(text):
            people, men, women = (int(number) for number in match.groups())
            if men + women != people:
                yield ctx.mark_dense(match.span(1), _SUM, [str(men + women)])
    if "%" in text:
        yield from _growth(ctx)


def _growth(ctx: Context) -> Iterator[Finding]:
    """From A to B, by C percent: C must be possible for A and B as they were rounded."""
    for match in _GROWTH.finditer(ctx.dense.text):
        old, unit, _, new, other, told = match.groups()
        if unit != other or Decimal(old) == 0:
            continue
        low, high = _range(new)[0] / _range(old)[1], _range(new)[1] / _range(old)[0]
        spread = _half(told)
        changes = sorted(abs(ratio - 1) * 100 for ratio in (low, high))
        if not changes[0] - spread <= Decimal(told) <= changes[1] + spread:
            right = abs(Decimal(new) / Decimal(old) - 1) * 100
            places = len(told.partition(".")[2])
            yield ctx.mark_dense(match.span(6), _RATE, [f"{right:.{places}f}"])


def _half(number: str) -> Decimal:
    """Half of the last place a number is written to."""
    return Decimal(5).scaleb(-len(number.partition(".")[2]) - 1)


def _range(number: str) -> tuple[Decimal, Decimal]:
    return Decimal(number) - _half(number), Decimal(number) + _half(number)
