"""A library of policies as the gates ask it: by number, by title, and what comes nearest.

Pure and in memory; the office fills it from its database, `check --library` from lines.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from difflib import SequenceMatcher

from gates.finding import LinkFact, PolicyFact

_KEY = re.compile(r"([\u4e00-\u9fff]{1,12})\W((?:19|20)\d\d)\W第?0*(\d+)号?")
_RANK = ("in_force", "amended", "not_yet", "expired", "repealed")
_APPLY = re.compile(
    r"(?:申请|申报|受理|报名|缴费|申领|领取|兑换)[^。；\n]{0,30}?(?:截止|截至|至|到)(?:日期|时间)?"
    r"(?:为|是|到|至|[:：])?\s*((?:(?:19|20)\d\d年)?\d{1,2}月\d{1,2}日)"
)
_DAY = re.compile(r"(?:((?:19|20)\d\d)年)?(\d{1,2})月(\d{1,2})日")
_STATUTE = "中华人民共和国"  # national laws are looked up by the law gate
_MOST_SHARED = 400  # a pair of characters in more titles than this tells nothing
_KINDS = frozenset(
    ("办法", "条例", "规定", "细则", "方案", "预案", "通知", "意见", "规划", "要点", "法律")
)
_REMEMBERED = 10_000
_NUMERALS = re.compile(r"[\d一二三四五六七八九十百零〇两]")


def number_key(number: str) -> str:
    """A 文号 whatever its brackets and zeros: 机关代字|year|number; empty when it is not one."""
    match = _KEY.search(number)
    return f"{match[1]}|{match[2]}|{match[3]}" if match else ""


def title_key(title: str) -> str:
    """A title whatever its marks and spaces."""
    return re.sub(r"[\s《》〈〉“”\"]", "", title)


def deadlines(text: str) -> tuple[tuple[int, int, str], ...]:
    """Last days for applying that a text names: (start, end, the day as written)."""
    if "月" not in text:
        return ()
    return tuple((*match.span(1), match[1]) for match in _APPLY.finditer(text))


def same_day(one: str, other: str) -> bool:
    """Whether two written days agree; a missing year agrees with every year."""
    first, second = _DAY.fullmatch(one), _DAY.fullmatch(other)
    if first is None or second is None:
        return False
    years = {match[1] for match in (first, second) if match[1]}
    return first[2] == second[2] and first[3] == second[3] and len(years) <= 1


@dataclass(frozen=True)
class Entry:
    """One policy; `on` says what it is on a day."""

    title: str
    doc_number: str
    on: Callable[[date], PolicyFact]


class PolicyIndex:
    """Facts about policies; where several share a number or title, the one in force wins."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        """Index the entries."""
        self._by_key: dict[str, list[Entry]] = defaultdict(list)
        self._pairs: dict[str, list[str]] | None = None
        self._near: dict[str, str] = {}
        for entry in entries:
            for key in {number_key(entry.doc_number), title_key(entry.title)} - {""}:
                self._by_key[key].append(entry)
        self._numbers = _by_two_parts(key for key in self._by_key if key.count("|") == 2)
        self._titles = [key for key in self._by_key if key.count("|") != 2]

    def knows_policies(self) -> bool:
        """Whether there is anything to look up."""
        return bool(self._by_key)

    def policy(self, number_or_title: str, as_of: date) -> PolicyFact | None:
        """The policy of that number or title on that day; None when unknown."""
        keys = (number_key(number_or_title), title_key(number_or_title))
        found = next((self._by_key[key] for key in keys if key in self._by_key), [])
        facts = [entry.on(as_of) for entry in found]
        return min(facts, key=lambda fact: _RANK.index(fact.status), default=None)

    def nearest(self, number_or_title: str, as_of: date) -> PolicyFact | None:
        """The one policy whose number or title this is with a slip of the pen; else None."""
        if number_or_title not in self._near:
            if len(self._near) >= _REMEMBERED:
                self._near.clear()
            number, title = number_key(number_or_title), title_key(number_or_title)
            key = self._near_number(number) if number else self._near_title(title)
            self._near[number_or_title] = _written(key) if key else ""
        name = self._near[number_or_title]
        return self.policy(name, as_of) if name else None

    def link(self, url: str) -> LinkFact | None:
        """Nothing is known of links here."""
        return None

    def _near_number(self, number: str) -> str:
        parts = number.split("|")
        alike = {key for two in _two_parts(parts) for key in self._numbers.get(two, ())}
        near = [key for key in alike if key != number and _one_slip(number, key)]
        return near[0] if len(near) == 1 else ""

    def _near_title(self, title: str) -> str:
        """Shared pairs of characters choose a few, their likeness decides."""
        if len(title) < 8 or title.startswith(_STATUTE):
            return ""
        if self._pairs is None:
            self._pairs = defaultdict(list)
            for key in self._titles:
                for pair in _pairs(key):
                    self._pairs[pair].append(key)
        shared: Counter[str] = Counter()
        for pair in _pairs(title):
            titles = self._pairs.get(pair, ())
            if len(titles) <= _MOST_SHARED:
                shared.update(titles)
        best = [key for key, _ in shared.most_common(5) if _is_slip(title, key)]
        return best[0] if best else ""


def _written(key: str) -> str:
    """A number's key as a number again; a title's key as it is."""
    parts = key.split("|")
    return f"{parts[0]}〔{parts[1]}〕{parts[2]}号" if len(parts) == 3 else key


def _pairs(text: str) -> set[str]:
    return {text[at : at + 2] for at in range(len(text) - 1)}


def _two_parts(parts: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """The number with each of its parts left open in turn."""
    for at in range(len(parts)):
        yield tuple("*" if at == place else part for place, part in enumerate(parts))


def _by_two_parts(numbers: Iterable[str]) -> dict[tuple[str, ...], list[str]]:
    """The numbers by two of their three parts: a slip of the pen is in one part only."""
    found: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for number in numbers:
        for two in _two_parts(number.split("|")):
            found[two].append(number)
    return dict(found)


def _one_slip(one: str, other: str) -> bool:
    """Two numbers that differ in one part, by one character put, left out, or two swapped."""
    mine, theirs = one.split("|"), other.split("|")
    differing = [(a, b) for a, b in zip(mine, theirs, strict=True) if a != b]
    return len(differing) == 1 and _slip(*differing[0])


def _slip(one: str, other: str) -> bool:
    if sorted(one) == sorted(other):
        return sum(a != b for a, b in zip(one, other, strict=True)) == 2
    short, long = sorted((one, other), key=len)
    if len(long) - len(short) > 1 or len(long) < 2:
        return False
    if len(short) == len(long):
        return sum(a != b for a, b in zip(short, long, strict=True)) == 1
    return any(long[:at] + long[at + 1 :] == short for at in range(len(long)))


def _is_slip(title: str, other: str) -> bool:
    """One or two characters off, and not two issues of a series: the numerals must be the same."""
    if abs(len(title) - len(other)) > 1 or _NUMERALS.findall(title) != _NUMERALS.findall(other):
        return False
    if title[-2:] != other[-2:] and {title[-2:], other[-2:]} <= _KINDS:
        return False
    steps = SequenceMatcher(None, title, other, autojunk=False).get_opcodes()
    off = sum(max(b - a, d - c) for step, a, b, c, d in steps if step != "equal")
    return off <= (2 if len(title) >= 12 else 1)
