"""The table of national laws and regulations: in force on which days, and what is meant.

The first line of `config/rules/laws.tsv` is # and the day up to which the laws were compared with
what was published. A line after it: title without 中华人民共和国, status, number of articles
(empty when it is not kept), the day it ended, its successor, the day it began where that is not
long ago.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cached_property, lru_cache
from pathlib import Path

import config
from gates.places import DIVISIONS

TABLE = Path(config.__file__).parent / "rules" / "laws.tsv"
STATE = "中华人民共和国"
_KINDS = ("实施条例", "实施细则", "实施办法", "条例", "办法", "规定", "细则", "法典", "法")
# Words that titles are put together with: one of them for another, or left out, is a slip of
# memory and no other law.
_COMMON_WORDS = (
    "保护 促进 保障 管理 监督 监督管理 防治 服务 发展 建设 组织 安全 权益 暂行 治理 维护 规范 实施 "
    "自治 卫生 应急 处罚"
)
_COMMON = frozenset(_COMMON_WORDS.split())
# Branches of law and subjects of study, which no law is named for.
_SUBJECTS = (
    "环境法 行政法 经济法 社会法 国际法 金融法 财税法 卫生法 军事法 社会保障法 知识产权法 "
    "劳动保障法 科技法 公共卫生法 诉讼法 程序法 组织法 选举法"
)
_BRANCHES = frozenset(_SUBJECTS.split())
_GAP = 4  # longest piece of a title that may stand for another one
_LONGEST = 40  # longer is no title of the table
_SURE = 4  # characters of a title that are right beside the piece that is not


@dataclass(frozen=True)
class Statute:
    """One line of the table; `articles` is 0 when the number of articles is not kept."""

    title: str
    articles: int
    ended: date | None
    successor: str
    begins: date | None

    def gone(self, day: date) -> bool:
        """Whether it is no longer in force on that day."""
        return self.ended is not None and self.ended <= day


@dataclass(frozen=True)
class Meant:
    """The title that is probably meant, and whether little else can be."""

    title: str
    sure: bool


class Statutes:
    """All titles, by themselves and by what comes near them."""

    def __init__(self, table: str) -> None:
        """Read the table's text."""
        head, *lines = table.splitlines()
        self.checked = date.fromisoformat(head.removeprefix("# "))
        self.known: dict[str, Statute] = {}
        for line in lines:
            title, _, articles, ended, successor, begins = line.split("\t")
            self.known[title] = Statute(
                title, int(articles or 0), _day(ended), successor, _day(begins)
            )

    @cached_property
    def _gapped(self) -> dict[str, list[tuple[str, str]]]:
        """Each title with one piece left out: what stays, to the title and its piece."""
        gapped: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for title in self.known:
            for frame, piece in _gaps(title):
                gapped[frame].append((title, piece))
        return dict(gapped)

    @cached_property
    def _stems(self) -> dict[str, list[str]]:
        stems: dict[str, list[str]] = defaultdict(list)
        for title in self.known:
            stems[_stem(title)].append(title)
        return dict(stems)

    @cached_property
    def _sorted(self) -> dict[str, list[str]]:
        orders: dict[str, list[str]] = defaultdict(list)
        for title in self.known:
            orders["".join(sorted(title))].append(title)
        return dict(orders)

    def meant(self, title: str) -> Meant | None:
        """The one title this one is a slip of; None when it is known, local, or like several."""
        if title in self.known or title in _BRANCHES or not 4 <= len(title) <= _LONGEST:
            return None
        if _local(title):
            return None
        near = self._by_piece(title) or self._turned(title)
        if len(near) == 1:
            found = near.pop()
            # 房地产管理法 is how people shorten 城市房地产管理法: not exact, and no slip either.
            short = found.endswith(title) and not found.startswith("反")
            long = _kind(title) in ("法", "法典") or len(title) > 2 * _SURE
            return Meant(found, not short and (long or _lacks_a_word(title, found)))
        # Two laws equally near: proposing either would be a guess.
        return None if near else self._other_kind(title)

    def _turned(self, title: str) -> set[str]:
        return set(self._sorted.get("".join(sorted(title)), ()))

    def _by_piece(self, title: str) -> set[str]:
        """What differs in one piece; first of all what only has more, then what is in force."""
        ranked: dict[tuple[bool, bool, int], set[str]] = defaultdict(set)
        for frame, piece in _gaps(title):
            for known, theirs in self._gapped.get(frame, ()):
                if _kind(known) != _kind(title) or piece == theirs:
                    continue
                size = max(len(piece), len(theirs))
                if size <= 1 or _slip(piece, theirs, len(frame) - 1 - len(_kind(title))):
                    ended = self.known[known].ended is not None
                    ranked[piece != "", ended, size].add(known)
        return ranked[min(ranked)] if ranked else set()

    def _other_kind(self, title: str) -> Meant | None:
        """政府信息公开法 is a 条例; what calls itself 条例 may be a local one of that name."""
        same = self._stems.get(_stem(title), ())
        if len(same) != 1 or len(_stem(title)) < _SURE:
            return None
        return Meant(same[0], _kind(title) == "法")


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


def _gaps(title: str) -> Iterator[tuple[str, str]]:
    """The title with a piece of up to _GAP characters left out, and the piece."""
    for size in range(min(_GAP, len(title) - 2) + 1):
        for at in range(len(title) - size + 1):
            yield f"{title[:at]}*{title[at + size :]}", title[at : at + size]


def _slip(piece: str, theirs: str, rest: int) -> bool:
    """Whether one piece stands for the other although more than one character differs."""
    if piece and theirs:
        return piece in _COMMON and theirs in _COMMON and rest >= 2
    return rest >= _SURE and (piece in _COMMON or len(theirs) == 2 or theirs in _COMMON)


def _kind(title: str) -> str:
    return next((kind for kind in _KINDS if title.endswith(kind)), "")


def _stem(title: str) -> str:
    return title.removesuffix(_kind(title))


@lru_cache(maxsize=2048)
def _lacks_a_word(title: str, found: str) -> bool:
    """女职工保护规定 for 女职工劳动保护规定: a word is left out, not put in place of another one.

    Whoever leaves 暂行 out shortens the title.
    """
    cuts = (at for at in range(2, len(title)) if found.startswith(title[:at]))
    pieces = [found[at : at + len(found) - len(title)] for at in cuts if found.endswith(title[at:])]
    return len(title) > _SURE + 1 and bool(pieces) and not {"暂行", "试行"} & set(pieces)


def _local(title: str) -> bool:
    """Whether a title begins with the name of a place, which has laws of its own."""
    heads = (title[:size] for size in range(2, 12))
    return any(
        head in DIVISIONS.provinces or head in DIVISIONS.short or head in DIVISIONS.prefectures
        or head in DIVISIONS.parents or head[-1] in "省市县州盟旗区" for head in heads
    )  # fmt: skip


STATUTES = Statutes(TABLE.read_text(encoding="utf-8"))
