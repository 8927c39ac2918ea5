"""Who, when and where: names beside numbers, minors, cases and their ways, masks that fit."""

import re
from collections import deque
from collections.abc import Iterator
from typing import NamedTuple, Self

from documents.persons import SURNAMES
from gates.finding import Context, Finding
from gates.grounds import ground_of, told_of


def names_beside(ctx: Context, dense: str, numbers: list[tuple[int, int]]) -> Iterator[Finding]:
    """The name that a personal number in the same sentence belongs to."""
    told: set[tuple[int, int]] = set()
    for start, end in numbers:
        begin = max(ctx.sentence(start, end)[0] - 1, start - 30, 0)  # with the stop before it
        found = [match.span(1) for match in _NAME_BEFORE.finditer(dense, begin, start)]
        if found and found[-1] not in told:
            told.add(found[-1])
            yield told_of(ctx, found[-1], "name", "warn", "姓名与证件、账户号码写在一起")[0]


_MINOR = re.compile(
    rf"([{SURNAMES}][\u4e00-\u9fff]{{1,2}})(?:[（(，,、]\s{{0,4}}|\s)?(?:男|女)?[，,、]?\s{{0,4}}(?:今年|现年|年仅)?"
    r"(\d{1,2})(?:周)?岁"
)


_CHILD_BEFORE = re.compile(
    r"(?:贫困户|低保户|学生|儿童|[男女]童|孤儿|患儿|儿子|女儿|孙子|孙女|孩子|幼儿)$"
)


def minors(ctx: Context, dense: str) -> Iterator[Finding]:
    """A named child."""
    if "岁" not in dense:
        return
    for match in _MINOR.finditer(dense):
        before = dense[max(0, match.start() - 1) : match.start()]
        if _CHILD_BEFORE.search(dense, max(0, match.start() - 4), match.start()):
            before = ""
        # Whether somebody is named at all: 某 and particles caught by the pattern are no names.
        if int(match[2]) < 18 and not _NOT_NAMED.search(match[1]) and not _HAN_BEFORE.match(before):
            yield told_of(ctx, match.span(1), "minor", "warn", "未成年人的姓名")[0]


_CASE = re.compile(
    r"病例|感染者|密切接触者|密接|确诊|患者|无症状|流调|行动轨迹|活动轨迹|活动史|行程轨迹"
)
_STEP = re.compile(
    r"(?:\d{1,2}[:：时点]\d{0,2}分?|\d{1,2}日[上下中]午|\d{1,2}月\d{1,2}日)[^。；\n]{0,16}?"
    r"(?:乘坐?|驾车|自驾|步行|骑(?:车|电动车)|打车|开车|前往|返回|抵达|到达|离开|到(?!期|账|位|岗|\d))"
)
_MARCH = re.compile(r"乘坐?|驾车|自驾|步行|骑|打车|开车")


def tracks(ctx: Context, dense: str) -> Iterator[Finding]:
    """An epidemic-tracing track: one person's times, places and transport, step by step."""
    if not _CASE.search(dense):
        return
    for start, end in _paragraphs(dense):
        steps = list(_STEP.finditer(dense, start, end))
        # One time and place is an appointment; a track has at least two steps and somebody who
        # moves.
        if len(steps) < 2 or not _MARCH.search(dense, start, end):
            continue
        # The word 病例 stands in the paragraph or shortly before it, in the heading of the case.
        if _CASE.search(dense, max(0, start - 120), end):
            ground = ground_of(
                "track",
                "warn",
                "个人行踪轨迹（时间、地点、交通）：只公布与风险有关的场所和时段，不与个人对应",
            )
            yield ctx.mark_dense((steps[0].start(), steps[-1].end()), ground)


def _paragraphs(dense: str) -> Iterator[tuple[int, int]]:
    start = 0
    for line in dense.split("\n"):
        yield start, start + len(line)
        start += len(line) + 1


def recombined(ctx: Context, dense: str) -> Iterator[Finding]:
    """Masks of one number, or of one person's numbers, that hide different places."""
    if "**" not in dense:
        return
    persons: dict[tuple[str, int], str] = {}
    for match in _NAMED_MASK.finditer(dense):
        shape = re.sub(r"\d", "0", match[2])
        if persons.setdefault((match[1], len(shape)), shape) != shape:
            yield _differs(ctx, match.span(2))
            return
    known: set[str] = set()
    # A bound: a table of ten thousand masked numbers is not compared with itself.
    last: deque[_Mask] = deque(maxlen=200)
    for match in _HIDDEN_NUMBER.finditer(dense):
        mask = _Mask.of(match[0])
        if any(mask.completes(other) for other in last):
            yield _differs(ctx, match.span())
        if match[0] not in known:
            known.add(match[0])
            last.append(mask)


def _differs(ctx: Context, span: tuple[int, int]) -> Finding:
    said = "同一人、同一号码用了不同的遮盖方式，拼在一起能还原，请统一遮盖"
    return ctx.mark_dense(span, ground_of("masks-differ", "warn", said))


class _Mask(NamedTuple):
    """A masked number in three integers of four bits a place, so that two are compared at once."""

    size: int
    digits: int  # hidden places are 0
    shown: int  # F where a digit is shown

    @classmethod
    def of(cls, number: str) -> Self:
        digits = int(number.replace("*", "0"), 16)
        shown = int("".join("0" if char == "*" else "F" for char in number), 16)
        return cls(len(number), digits, shown)

    def completes(self, other: Self) -> bool:
        """Whether the digits agree where both show some, and nothing stays hidden in both."""
        both = self.shown & other.shown
        # Three digits in common tell that it is the same number, and one hidden digit is no
        # protection.
        return (
            self.size == other.size
            and not (self.digits ^ other.digits) & both
            and (self.digits, self.shown) != (other.digits, other.shown)
            and both.bit_count() >= 12
            and self.size - (self.shown | other.shown).bit_count() // 4 <= 1
        )


_NAME_BEFORE = re.compile(
    rf"(?:^|[\s，,、；;。:：（(|\t]|姓名|联系人|当事人|申请人|户主|患者|学生|职工|村民|居民|本人)"
    rf"([{SURNAMES}][\u4e00-\u9fff]{{1,2}})"
    r"(?=[\s，,、:：（(|\t]|男|女|的?(?:公民)?身份证|身份|证件|护照|银行|卡号|账号|社保|医保|病历)"
)

_NOT_NAMED = re.compile("某$|[的是在年有了到和不为于至从]")

_HAN_BEFORE = re.compile("(?![生童孩子患者女儿])[\u4e00-\u9fff]")

_HIDDEN_NUMBER = re.compile(r"(?<![0-9*])(?=[0-9*]{11,18}(?![0-9*]))\d*\*{2,}[0-9*]*")

_NAMED_MASK = re.compile(
    rf"([{SURNAMES}][\u4e00-\u9fff某*]{{1,2}})[^\d*。\n]{{1,12}}((?=[0-9*]{{11,18}})\d*\*{{2,}}[0-9*]*)"
)
