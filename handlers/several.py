"""Several wishes in one message, one a clause: 就业退了，消费每天发; 全部退订，只订教育. Pure.

Read only where at least two clauses wish something of ours, and not the same kind of thing: one
withdrawal told in many words is leaving.py's. What a clause says that is no wish is left over.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from facets.taxonomy import Facet, Taxonomy
from handlers.exchanges import keeps_in
from handlers.leaving import (
    LONGEST,
    NAMED,
    STRANGER,
    Act,
    Clause,
    Leaving,
    cut,
    grave,
    leaving,
    parts_of,
    plain_of,
)
from handlers.own_words import own_key
from handlers.rhythms_asked import other_rhythm_in, rhythm_in
from handlers.wishes import wish_in

_JOINS = re.compile("(?:然后|接着|同时|并且|而且|(?<!不)再(?=订|把|给我订|帮我订))(?:再|也|请)?")
_BESIDES = re.compile("(?=另外|顺便|再问|还想问|想再问|对了|请问)")
_MATTER = re.compile("另外|顺便|再问|还想问|想再问|对了|请问")
"""What begins another matter: 退订就业，另外社保怎么交."""
_DONE = re.compile("(?<=[退消停订关删掉])[了吧掉]+|(?<=不要)了?|(?<=别发|别推)了?")
_STAYS = re.compile(
    "(?:还是?|就|都|也)?(?:继续|照旧|照常|保留|留着|留下|不变|不动|接着发|继续发)[了吧着的]*"
)
_KEEPS = re.compile("留|除了|以外|之外|只要")
_ONLY = re.compile("^(?:请|我|以后|就|还|也)*(?:只|仅|改|重新|再)(?=订|要|收|发|推|留)")
_LEAD = re.compile(
    "^(?:请|麻烦|帮我|我要|给我)*(?:退订|取消订阅|取消关注|取关|td|停止推送)(?:了|吧)*"
)
_GREETS = re.compile("(?:谢谢|麻烦|你好|您好|辛苦|好|好的|行|吧|了|嗯|请)*")
_ENDS_BARE = frozenset(
    ("取消", "退", "退掉", "退了", "停", "停掉", "停了", "删", "删掉", "关掉", "关了")
)


class Kind(StrEnum):
    """What a clause wishes."""

    LEAVE = "leave"
    RHYTHM = "rhythm"
    WISH = "wish"
    OWN = "own"
    STAY = "stay"


@dataclass(frozen=True)
class Part:
    """One wish: the words to read it from, and what ends or pauses by it."""

    kind: Kind
    text: str
    leaving: Leaving | None = None


@dataclass(frozen=True)
class Several:
    """The wishes in their order."""

    parts: tuple[Part, ...]
    more: bool
    """Whether something was said besides."""
    sure: bool


def several_in(text: str, taxonomy: Taxonomy, today: date) -> Several | None:
    """The wishes of a message of several; None where it is not one."""
    plain = plain_of(text)
    if len(plain) > LONGEST or grave(plain):
        return None
    read = [(one, _part(one, taxonomy, today)) for one in _clauses(plain, taxonomy)]
    parts = tuple(part for _, part in read if part is not None)
    rest = [said for said, part in read if part is None and not _GREETS.fullmatch(said)]
    kinds = {part.kind for part in parts}
    if Kind.LEAVE not in kinds and not _two_rhythms(parts):
        return None
    all_go = any(one.leaving is not None and one.leaving.act is Act.ALL for one in parts)
    if all_go and (Kind.STAY in kinds or _KEEPS.search(plain)):
        return None  # how much is to go is read by exchanges.py, or asked
    if rest and not all(_MATTER.match(one) for one in rest):
        return None
    if not rest and len(kinds) == 1 and not _two_rhythms(parts):
        return None
    # Beside what is not understood only what leaves no doubt is done.
    sure = not rest or all(_sure(one) for one in parts if one.kind is Kind.LEAVE)
    return Several(parts, bool(rest), sure)


def besides(text: str, taxonomy: Taxonomy, today: date) -> str:
    """What is told beside wishes of ours, clause by clause; empty where there is no such wish."""
    said = [part for words in text.split() for part in parts_of(plain_of(words))]
    left = [_LEAD.sub("", one) for one in said if _part(one, taxonomy, today) is None]
    return "" if left == said else "，".join(one for one in left if one)


def _two_rhythms(parts: Sequence[Part]) -> bool:
    return len(parts) > 1 and all(one.kind is Kind.RHYTHM for one in parts)


def _sure(part: Part) -> bool:
    return part.leaving is not None and part.leaving.sure and part.leaving.act is not Act.LOOK


def _clauses(plain: str, taxonomy: Taxonomy) -> list[str]:
    """Cut at commas, at 然后, and behind 退了 where a name follows: 就业退了消费每天发."""
    plain = _BESIDES.sub(",", _JOINS.sub(",", plain))
    named = taxonomy.spans(plain, NAMED)
    cuts = [found.end() for found in _DONE.finditer(plain) if found.end() in named]
    for at in reversed(cuts):
        plain = f"{plain[:at]},{plain[at:]}"
    return parts_of(plain)


def _part(clause: str, taxonomy: Taxonomy, today: date) -> Part | None:
    if key := own_key(clause):
        return Part(Kind.OWN, clause) if key == "forget" else None
    if keeps_in(clause, taxonomy):
        return None
    meant = leaving(clause, today, taxonomy) or _bare(clause, taxonomy)
    if meant is not None:
        return Part(Kind.LEAVE, clause, meant) if meant.act is not Act.LOOK else None
    if _stays(clause, taxonomy):
        return Part(Kind.STAY, clause)
    for words in (f"改成{clause}", clause):
        if rhythm_in(words, taxonomy) is not None:
            return Part(Kind.RHYTHM, words)
    if other_rhythm_in(clause, taxonomy) is not None:
        return Part(Kind.RHYTHM, clause)
    wished = _ONLY.sub("", clause)
    for words in (wished, f"订阅{wished[1:]}" if wished[:1] in "订要收发推" else ""):
        found = wish_in(words, taxonomy) if words else None
        if found is not None and found.facets and not found.missed:
            return Part(Kind.WISH, words)
    return None


def _bare(clause: str, taxonomy: Taxonomy) -> Leaving | None:
    """就业退了: beside another wish of ours it is clear of what."""
    read = Clause(cut(clause, taxonomy))
    if not read.facets or read.pays or read.keeps or read.benefit or read.apart:
        return None
    if read.has(STRANGER, "told", "past", "how", "ask", "may"):
        return None
    if any(word.text in _ENDS_BARE for word in read.free("cut")) or read.declines:
        return Leaving(Act.SOME, read.facets, sure=False)
    return None


def _stays(clause: str, taxonomy: Taxonomy) -> tuple[Facet, ...]:
    found = _STAYS.search(clause)
    if found is None:
        return ()
    read = Clause(cut(clause[: found.start()] + clause[found.end() :], taxonomy))
    return () if read.has(STRANGER, "no", "cut", "leave") else read.facets
