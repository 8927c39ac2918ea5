"""Items that are in each other's way: near copies, one matter told otherwise, two sends at once.

Pure: what two items say goes in, what stands against both comes out. A correction and what it
corrects, a text and the one it was begun as, and two numbers of one series are no copies.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime, timedelta
from difflib import SequenceMatcher
from enum import StrEnum
from typing import NamedTuple

from config.clock import beijing
from gates.alike import ALIKE, SHORTEST, groups, letters, share
from review_queue.figures import FIGURES, Figure, figures_in, same_figure

WEEK = timedelta(days=7)
"""Within it two texts about one matter should agree."""
NEAR = timedelta(hours=1)
"""Two sends closer than this to one account reach readers as one after the other."""
MOST_DIFFERENT = 3
"""Differences that are named of one pair."""
_MOST_CLAUSES = 500  # with figures, of a text: each is held against each of the other
_SAME = 0.98  # of texts too short to be alike by chance
_AKIN = 0.4  # share from which two texts may be about one matter
_TITLES = 0.6
_SHORTEST_TITLE = 4
_CLAUSES = 0.8
_LONGEST_SAID = 40
_FORMS = re.compile(
    r"关于|的|有关事项|通知|公告|通告|公示|启事|告知书|温馨|提示|提醒|[（(]?修订[)）]?"
)
_NUMBER_OF_SERIES = re.compile(r"第[\d〇零一二三四五六七八九十百]+[期号批次辑场季周]")
_ENDS = re.compile(r"[。！!？?；;，,\n]")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3})")


class Kind(StrEnum):
    """In what way two items are in each other's way."""

    COPY = "copy"
    DIFFERS = "differs"
    TOGETHER = "together"
    BEGUN = "begun"
    """Not in its way: the item was begun as a copy of that one."""
    FULL = "full"
    """Not another item: its account has no send left in the time it may go out."""
    SILENT = "silent"
    """A time of silence lies in its window."""


class Span(NamedTuple):
    """From when to when something goes out; one moment twice where it is fixed."""

    start: datetime
    end: datetime


@dataclass(frozen=True)
class Notice:
    """One item as it is compared; `at` is its last change, or when it went out (`out`).

    `kin` are the items it corrects or was begun as. Without a text only its sending is compared.
    """

    key: str
    title: str
    text: str
    at: datetime
    out: bool = False
    accounts: AbstractSet[str] = frozenset()
    span: Span | None = None
    kin: AbstractSet[str] = frozenset()


@dataclass(frozen=True)
class Different:
    """One figure that two texts give differently, and the clause of each."""

    what: str
    mine: str
    theirs: str
    here: str
    there: str


@dataclass(frozen=True)
class Clash:
    """What stands between an item and the one of `key`; `share` of common groups, 0 to 1."""

    kind: Kind
    key: str
    share: float = 0.0
    different: tuple[Different, ...] = ()
    accounts: tuple[str, ...] = ()
    same_day: bool = False
    """Whether it is the day that one send fills, and not the hour."""


def clashes(
    mine: Notice, others: Iterable[Notice], once_a_day: AbstractSet[str] = frozenset()
) -> list[Clash]:
    """Everything that stands between an item and others, copies first, the most alike first.

    `once_a_day` are accounts whose day is filled by one send.
    """
    found: list[Clash] = []
    for other in others:
        if clash := _said_alike(mine, other):
            found.append(clash)
        if clash := together(mine, other, once_a_day):
            found.append(clash)
    order = list(Kind)
    return sorted(found, key=lambda one: (order.index(one.kind), -one.share))


def together(mine: Notice, other: Notice, once_a_day: AbstractSet[str]) -> Clash | None:
    """Whether both go to one account within an hour, or on a day that one send fills."""
    shared = mine.accounts & other.accounts
    if mine.span is None or other.span is None or not shared:
        return None
    one, two = mine.span, other.span
    if full := shared & once_a_day:
        days = [(beijing(span.start).date(), beijing(span.end).date()) for span in (one, two)]
        if days[0][0] <= days[1][1] and days[1][0] <= days[0][1]:
            return Clash(Kind.TOGETHER, other.key, accounts=tuple(sorted(full)), same_day=True)
    if one.start - two.end < NEAR and two.start - one.end < NEAR:
        return Clash(Kind.TOGETHER, other.key, accounts=tuple(sorted(shared)))
    return None


def _said_alike(mine: Notice, other: Notice) -> Clash | None:
    if not other.text:
        return None
    if other.key in mine.kin or mine.key in other.kin or _one_series(mine, other):
        return None
    part = share(mine.text, other.text)
    short = min(len(letters(mine.text)), len(letters(other.text))) < SHORTEST
    copy = part >= (_SAME if short else ALIKE)
    near = abs(mine.at - other.at) <= WEEK
    if not copy and not (near and _one_matter(mine.title, other.title, part)):
        return None
    different = differences(f"{mine.title}\n{mine.text}", f"{other.title}\n{other.text}")
    if not copy and not different:
        return None
    return Clash(Kind.COPY if copy else Kind.DIFFERS, other.key, part, different)


def alike_titles(one: str, other: str) -> float:
    """How alike two titles are without their figures and the words of every notice, 0 to 1."""
    left, right = _plain_title(one), _plain_title(other)
    if min(len(left), len(right)) < _SHORTEST_TITLE:
        return float(left == right and bool(left))
    return _dice(groups(left, 2), groups(right, 2))


def _plain_title(title: str) -> str:
    return letters(_FORMS.sub("", _masked(title)[0].replace("#", "")))


def _one_matter(one: str, other: str, part: float) -> bool:
    """Whether two texts speak of one matter: titles alike, and no word exchanged for another."""
    alike = alike_titles(one, other)
    if part < _AKIN and alike < _TITLES:
        return False
    matcher = SequenceMatcher(None, _plain_title(one), _plain_title(other), autojunk=False)
    # 城东 and 城西, 图书馆 and 博物馆: one form, two matters.
    return all(tag != "replace" for tag, *_ in matcher.get_opcodes())


def _one_series(mine: Notice, other: Notice) -> bool:
    """第 3 期 after 第 2 期, or today's of what went out yesterday under its own date."""
    numbers = [_NUMBER_OF_SERIES.findall(letters(one.title)) for one in (mine, other)]
    if numbers[0] and numbers[1]:
        return numbers[0] != numbers[1]
    (said, left), (told, right) = _masked(mine.title), _masked(other.title)
    if not (mine.out or other.out) or not left or letters(said) != letters(told):
        return False
    return len(left) == len(right) and not all(map(same_figure, left, right))


def differences(one: str, other: str) -> tuple[Different, ...]:
    """Figures that both texts give in the same clause, and give differently."""
    theirs = _clauses(other)[:_MOST_CLAUSES]
    said = {clause.said for clause in theirs}
    found: list[Different] = []
    for clause in _clauses(one)[:_MOST_CLAUSES]:
        if clause.said in said:
            continue
        if (different := _against(clause, theirs)) and different not in found:
            found.append(different)
            if len(found) == MOST_DIFFERENT:
                break
    return tuple(found)


class _Clause(NamedTuple):
    """A clause with figures: as it is said, its groups without them, the figures."""

    said: str
    pairs: AbstractSet[str]
    figures: Sequence[Figure]


def _clauses(text: str) -> list[_Clause]:
    """Each clause once: what a text says twice it says once more."""
    plain = _THOUSANDS.sub("", unicodedata.normalize("NFKC", text))
    kept = []
    for line in dict.fromkeys("".join(said.split()) for said in _ENDS.split(plain)):
        masked, found = _masked(line)
        # A bare date below a text says when it was written and nothing else.
        if found and len(letters(masked)) > 1:
            kept.append(_Clause(line, groups(masked, 2), found))
    return kept


def _masked(text: str) -> tuple[str, list[Figure]]:
    """The text with # for each figure, and the figures."""
    line = "".join(unicodedata.normalize("NFKC", text).split())
    return FIGURES.sub("#", line), figures_in(line)


def _against(clause: _Clause, theirs: Sequence[_Clause]) -> Different | None:
    size = len(clause.pairs)
    # Sets of such unlike sizes cannot be alike enough, so most are passed over uncounted.
    close = [one for one in theirs if 2 * size <= 3 * len(one.pairs) <= 5 * size]
    near = [(_dice(clause.pairs, one.pairs), one) for one in close]
    best = max((part for part, _ in near), default=0.0)
    if best < _CLAUSES:
        return None
    # Of rows of one form (一类补贴, 二类补贴) only the row itself is held against it.
    nearest = [one for part, one in near if part == best]
    if any(_agree(clause.figures, one.figures) for one in nearest):
        return None
    for one in nearest:
        for left, right in zip(clause.figures, one.figures, strict=False):
            if left.kind == right.kind and not same_figure(left, right):
                said = _around(clause.said, left), _around(one.said, right)
                return Different(left.kind, left.said, right.said, *said)
    return None


def _agree(one: Sequence[Figure], other: Sequence[Figure]) -> bool:
    return len(one) == len(other) and all(map(same_figure, one, other))


def _around(said: str, figure: Figure) -> str:
    """The clause, or of a long one what stands around the figure."""
    if len(said) <= _LONGEST_SAID:
        return said
    middle = said.find(figure.said) + len(figure.said) // 2
    start = min(max(0, middle - _LONGEST_SAID // 2), len(said) - _LONGEST_SAID)
    return said[start : start + _LONGEST_SAID]


def _dice(one: AbstractSet[str], other: AbstractSet[str]) -> float:
    return 2 * len(one & other) / (len(one) + len(other))
