"""What a citizen wishes to receive, in their own words. Pure: a text and the taxonomy in.

A message is cut into chunks at 和, 、 and blanks, a chunk into names of facets, words of the wish
and strangers. A chunk with a topic begins a wish; what a chunk says of people or places holds for
it, and for the wishes after it that say nothing of their own (呼和浩特的就业和消费). Nothing that
was not understood is passed over: `missed` says so, and of which kind it is.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import pairwise

from facets.criteria import BELOW, GROUPS, INDUSTRIES, KINDS, REGIONS, TOPICS, Asked
from facets.taxonomy import DIMENSIONS, Facet, Taxonomy
from gates.normalise import normalise
from handlers.rhythms import how_often
from handlers.spelling import mended
from handlers.wishes_words import (
    EXCEPT,
    INTENT,
    OTHERS,
    PAID,
    PLAIN,
    PROFILE,
    STRONG,
    TRADES,
)

LONGEST = 100
ORDER = "订"
_ORDERS = re.compile("(?:^|(?<=[，,。 ]))(?:再|就|先|给我|帮我)?订(?:一个|一下|个)?(?:关于)?")
_TURNED = (
    re.compile(
        "^(?:请|麻烦)?(?:以后|今后|要是|如果|只要|一)?有(?:什么|最?新的?|相关的?|好的?)*(?P<how>)(?P<what>[^，,。]{2,20}?)(?:的话|了|时|的时候)?"
        "[，,]?(?:请|就|都|也|记得|及时|马上|第一时间|帮忙)*"
        "(?:(?:通知|告诉|提醒)(?:我|一声|一下)+|推送?给我)[吧啊哈]*$"
    ),
    re.compile(
        "^(?P<what>[^，,。]{2,16}?)(?:方面的|类的|的)?[，, ](?:帮我|给我|我要|请|也)*"
        "(?:(?P<how>订阅)|订一个|订上|订一下|订)(?:上|一下|一个|吧|了)*$"
    ),
    re.compile(
        "^(?:请|麻烦|我们?|就|只|也|还|给我)*(?:想要|要|想看看?|需要|来点|来些|给我)(?!发|推|订|看|收|接|关注|了解|知道|讲|说|查|找|介绍|解释)"
        "(?P<how>)(?P<what>[^，,。]{2,16}?)(?:(?:方面|类|相关|有关)的?|的(?=消|信|资|动|推)|(?=信息|消息))"
        "(?:消息|信息|资讯|动态|推送|内容)?(?:就行|即可|吧|了|哈|谢谢)*$"
    ),
)
"""有招聘信息通知我, 小微企业减税的，订阅: what is wished for comes first."""
_PARTS = re.compile(r"[，,。.；;、！!～~…\s和跟与及]+")
_LISTED = frozenset("和、跟与及")
_HAS_BELOW = "\1"
_TITLE = re.compile(r"《[^》]*》?")
_BELOW = re.compile(
    r"及?(?:所辖|下辖|下属|下面|各|所有)的?(?:各?(?:旗县区?|区县|县区|旗县市区|地|旗|县))"
)
_PLACE = re.compile(r"[\u4e00-\u9fff]{2,8}?(?:自治[区州县旗]|[省市州盟旗县区乡镇])")
QUESTION = re.compile(
    r"[?？]|吗|呢$|怎么|怎样|如何|什么|多少|哪|能不能|可不可以|是不是|有没有|谁|几[天个号]|为何|咋"
)

_EXCEPT = [re.compile(words) for words in EXCEPT]
_OTHERS = re.compile(OTHERS)
_TRADE = re.compile(r"行业|产业|[^ 就创专毕失职从农作物营事]业")
NEWS = re.compile("消息|信息|通知|资讯|动态|文件|政策|新闻")


class Missed(StrEnum):
    """What of a wish was not understood; never the words themselves."""

    TITLE = "title"
    PLACE = "place"
    INDUSTRY = "industry"
    RHYTHM = "rhythm"
    EXCEPT = "except"
    PERSON = "person"  # somebody else is to get it
    PAIR = "pair"
    """Two topics, of which one was said of the other: each is subscribed by itself."""
    OTHER = "other"


@dataclass(frozen=True)
class Understood:
    """The wishes of one message; `frequency` is empty when none was said."""

    asked: tuple[Asked, ...] = ()
    frequency: str = ""
    missed: frozenset[Missed] = frozenset()
    doubtful: tuple[Facet, ...] = ()
    """Places of one name, of which nobody knows which is meant."""
    facets: tuple[Facet, ...] = ()
    names: tuple[str, ...] = ()
    """What was read as names, as it was written."""


@dataclass(frozen=True)
class _Of:
    """A name that is a topic, and what stands behind it."""

    topics: tuple[Facet, ...]
    industries: tuple[Facet, ...]
    trade: bool  # 旅游业
    joined: bool  # 旅游的…


@dataclass
class _Chunk:
    found: dict[str, list[Facet]] = field(default_factory=dict)
    doubtful: list[Facet] = field(default_factory=list)
    below: bool = False
    rest: str = ""
    listed: bool = False  # what follows belongs to the same list: 呼和浩特、包头
    names: list[str] = field(default_factory=list)
    missed: set[Missed] = field(default_factory=set)
    of: list["_Of"] = field(default_factory=list)  # its topics, as they stand

    def values(self, dimension: str) -> list[str]:
        keys = [facet.key for facet in self.found.get(dimension, ())]
        return [key + BELOW for key in keys] if dimension == REGIONS and self.below else keys


def wish_in(text: str, taxonomy: Taxonomy, *, asked: bool = False) -> Understood | None:
    """What `text` wishes to get; None when it wishes nothing.

    `asked`: we have just asked for a topic, so its name alone is a wish.
    """
    plain = spelled(text)
    if len(plain) > LONGEST or QUESTION.search(plain):
        return None
    for pattern in _TURNED:
        plain = pattern.sub(_first, plain)
    plain, others = _OTHERS.subn("帮我", plain)
    found = _wish(plain, taxonomy, asked=asked)
    return replace(found, missed=found.missed | {Missed.PERSON}) if found and others else found


def _first(found: re.Match[str]) -> str:
    """What is wished for behind the word that wishes it; more than its name is no such wish."""
    return f"{found['how'] or ORDER}{found['what']}"


def _wish(plain: str, taxonomy: Taxonomy, *, asked: bool) -> Understood | None:
    intent, begun = _begin(plain, taxonomy)
    if not intent and not asked:
        return None
    found = understand(begun if intent else plain, taxonomy)
    if intent in STRONG:
        return found
    if intent == ORDER and found.missed - {Missed.RHYTHM}:
        return None  # 订家电送货 orders something else
    # 我想订呼和浩特的酒店 wishes for a room: without a topic nothing may be left over.
    topic = any(one.topic for one in found.asked)
    given = "发" in intent or intent == "想收"
    if given and any(name[-1] in PAID for name in found.names) and not NEWS.search(plain):
        return None  # 给我发消费券 is about the voucher
    return found if found.facets and (topic or not found.missed) else None


def names_alone(text: str, taxonomy: Taxonomy) -> bool:
    """Whether it names what can be subscribed, and says no more: 我想要就业方面的."""
    said = spelled(text)
    if len(said) > LONGEST:
        return False
    plain = how_often(said)[1]
    rest = _unnamed(plain, taxonomy)
    return rest != plain and not _left_over(rest)


def profile_in(text: str, taxonomy: Taxonomy) -> Understood | None:
    """Who and where somebody says they are (我是今年毕业的大学生，在呼和浩特); else None."""
    plain = spelled(text)
    if len(plain) > LONGEST or QUESTION.search(plain) or not plain.startswith(PROFILE):
        return None
    found = understand(plain, taxonomy)
    who = any(one.group or one.region or one.industry for one in found.asked)
    return found if who and not found.missed else None


def spelled(text: str) -> str:
    return mended(normalise(text).text.lower().strip())


def _begin(plain: str, taxonomy: Taxonomy) -> tuple[str, str]:
    """The words that say somebody wants to get something, and the rest of what they said."""
    first = _ORDERS.search(plain)  # 订就业 names at once what it wishes for
    if first and first.end() in taxonomy.spans(plain, (TOPICS, GROUPS, REGIONS)):
        before = plain[: first.start()]
        if not _left_over(_unnamed(before, taxonomy)):
            return ORDER, f"{before}，{plain[first.end() :]}"
    for words in (*STRONG, *INTENT):
        before, found, after = plain.partition(words)
        if not found:
            continue
        around = f"{before}，{after}"
        if not _left_over(_unnamed(how_often(before)[1], taxonomy)):
            return words, around
        if words in STRONG and before.startswith(PROFILE):
            return words, around
    return "", ""


def _unnamed(words: str, taxonomy: Taxonomy) -> str:
    """Without the names of facets."""
    return "".join(sign for sign, name, _ in _signs(words, taxonomy) if not name)


def _signs(words: str, taxonomy: Taxonomy) -> Iterable[tuple[str, str, tuple[Facet, ...]]]:
    """Sign by sign, a name of a facet as one: what it reads, the name, and whose it is."""
    names, at = taxonomy.spans(words, DIMENSIONS), 0
    while at < len(words):
        name, owners = names.get(at, ("", ()))
        yield name or words[at], name, owners
        at += len(name) or 1


def _left_over(words: str) -> str:
    """What stays of some words when those that say nothing are gone, longest first."""
    for word in PLAIN:
        words = words.replace(word, "")
    return _PARTS.sub("", words)


def understand(plain: str, taxonomy: Taxonomy) -> Understood:
    missed: set[Missed] = set()
    if _TITLE.search(plain):
        missed.add(Missed.TITLE)
        plain = _TITLE.sub("，", plain)
    plain, left_out = _without(plain, taxonomy)
    frequency, plain, other = how_often(plain)
    missed |= {Missed.RHYTHM} if other else set()
    missed |= {Missed.EXCEPT} if left_out else set()
    chunks = _chunks(_BELOW.sub(_HAS_BELOW, plain), taxonomy)
    for one in chunks:
        missed |= one.missed
    return Understood(
        asked=_wishes(chunks),
        frequency=frequency,
        missed=frozenset(missed),
        doubtful=tuple(facet for one in chunks for facet in one.doubtful),
        facets=tuple(facet for one in chunks for rows in one.found.values() for facet in rows),
        names=tuple(name for one in chunks for name in one.names),
    )


def _without(plain: str, taxonomy: Taxonomy) -> tuple[str, bool]:
    """The text without what is not wanted by name (消费，不要旅游的), and whether there was any."""

    def put(found: re.Match[str]) -> str:
        what = "".join(filter(None, found.groups()))
        return "，" if taxonomy.spans(what, DIMENSIONS) else found[0]

    before = plain
    for pattern in _EXCEPT:
        plain = pattern.sub(put, plain)
    return plain, plain != before


def _chunks(plain: str, taxonomy: Taxonomy) -> list[_Chunk]:
    """Cut at 和 and the like, but never inside a name: 呼和浩特 is one."""
    chunks, rest = [_Chunk()], ""
    at = 0
    for sign, name, owners in (*_signs(plain, taxonomy), ("，", "", ())):
        at += len(sign)
        if name:
            _name(chunks[-1], name, owners, taxonomy)
            _topic(chunks[-1], name, owners, plain[at:], taxonomy)
            rest += " "
        elif sign == _HAS_BELOW:
            chunks[-1].below = True
        elif _PARTS.fullmatch(sign):
            _close(chunks[-1], rest, taxonomy)
            rest = ""
            chunks[-1].listed = sign in _LISTED
            chunks.append(_Chunk())
        else:
            rest += sign
    said = [one for one in chunks if one.found or one.missed or one.doubtful]
    for before, after in pairwise(said):
        _list_together(before, after)
    return said


def _topic(
    chunk: _Chunk, name: str, owners: tuple[Facet, ...], after: str, taxonomy: Taxonomy
) -> None:
    """Note a topic with what stands behind it: 旅游业的 says the trade."""
    if not owners or owners[0].dimension != TOPICS:
        return
    named = taxonomy.spans(name, (INDUSTRIES,)).get(0, ("", ()))
    trade = next((word for word in TRADES if after.startswith(word)), "")
    joined = after[len(trade) :].startswith(("的", "方面的", "领域的", "类的"))
    own = named[1] if named[0] == name else ()
    chunk.of.append(_Of(owners, own, bool(trade), joined))


def _close(chunk: _Chunk, rest: str, taxonomy: Taxonomy) -> None:
    """A chunk is at its end: what its topics say of each other, and what was not understood."""
    for one in chunk.of:
        others = [topic for other in chunk.of if other is not one for topic in other.topics]
        _qualify(chunk, one, others, taxonomy)
    topics = chunk.found.get(TOPICS, [])
    wider = {up for one in topics for up in taxonomy.lineage(TOPICS, one.key)[1:]}
    if topics:
        chunk.found[TOPICS] = [one for one in topics if one.key not in wider]
    chunk.rest = _left_over(rest)
    if chunk.rest:
        trade = _TRADE.search(rest) and INDUSTRIES not in chunk.found
        place = _PLACE.search(chunk.rest)
        chunk.missed.add(Missed.INDUSTRY if trade else Missed.PLACE if place else Missed.OTHER)


def _qualify(chunk: _Chunk, one: _Of, others: Sequence[Facet], taxonomy: Taxonomy) -> None:
    """One topic beside others of its chunk: a trade narrows them, and is none of its own."""
    own = {topic.key for topic in one.topics}
    nested = _nested(one.topics, others, taxonomy)
    if one.industries and (one.trade or (one.joined and others and not nested)):
        chunk.found[TOPICS] = [t for t in chunk.found[TOPICS] if t.key not in own]
        if not chunk.found[TOPICS]:
            del chunk.found[TOPICS]
        _add(chunk.found, one.industries)
    elif one.trade and others and not nested:
        chunk.found[TOPICS] = [t for t in chunk.found[TOPICS] if t.key not in own]
        chunk.missed.add(Missed.INDUSTRY)
    elif one.joined and others and not nested:
        chunk.missed.add(Missed.PAIR)


def _nested(ones: Iterable[Facet], others: Iterable[Facet], taxonomy: Taxonomy) -> bool:
    """Whether one is a part of the other."""
    rows = list(others)
    return any(
        one.key in taxonomy.lineage(TOPICS, other.key)
        or other.key in taxonomy.lineage(TOPICS, one.key)
        for one in ones
        for other in rows
    )


def _list_together(before: _Chunk, after: _Chunk) -> None:
    """呼和浩特和包头的就业 is about both places, 毕业生、退役军人的就业 about both groups."""
    if not before.listed or TOPICS in before.found:
        return
    for dimension, rows in before.found.items():
        if own := after.found.get(dimension):
            after.found[dimension] = [*(one for one in rows if one not in own), *own]


def _name(chunk: _Chunk, name: str, owners: tuple[Facet, ...], taxonomy: Taxonomy) -> None:
    chunk.names.append(name)
    if len(owners) > 1 and owners[0].dimension == REGIONS:
        chunk.doubtful += owners
        return
    _add(chunk.found, owners)
    # 包头市昆区 is one place, and the narrower of the two.
    places = chunk.found.get(REGIONS, [])
    wider = {up for one in places for up in taxonomy.lineage(REGIONS, one.key)[1:]}
    if places:
        chunk.found[REGIONS] = [one for one in places if one.key not in wider]


def _add(found: dict[str, list[Facet]], owners: Iterable[Facet]) -> None:
    for facet in owners:
        rows = found.setdefault(facet.dimension, [])
        if facet not in rows:
            rows.append(facet)


def _wishes(chunks: Sequence[_Chunk]) -> tuple[Asked, ...]:
    """The wishes of all chunks together, each once, in the order in which they were said."""
    heads = [one for one in chunks if one.values(TOPICS)]
    if not heads:
        whole = [_spread(_joined(chunks), [""])] if any(one.found for one in chunks) else []
        return tuple(dict.fromkeys(asked for rows in whole for asked in rows))
    shared = _joined([one for one in chunks if not one.values(TOPICS)])
    rows: list[Asked] = []
    carried: dict[str, list[str]] = {}
    for one in heads:
        own = {name: one.values(name) for name in (GROUPS, REGIONS, INDUSTRIES, KINDS)}
        carried |= {name: keys for name, keys in own.items() if keys}
        rows += _spread({**shared, **carried}, one.values(TOPICS))
    return tuple(dict.fromkeys(rows))


def _joined(chunks: Iterable[_Chunk]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for one in chunks:
        for name in (GROUPS, REGIONS, INDUSTRIES, KINDS):
            if keys := one.values(name):
                found[name] = [*found.get(name, ()), *keys]
    return found


def _spread(own: Mapping[str, Sequence[str]], topics: Iterable[str]) -> list[Asked]:
    """One wish for each combination: a subscription has one value of each dimension."""
    groups, regions, industries, kinds = (
        own.get(name) or [""] for name in (GROUPS, REGIONS, INDUSTRIES, KINDS)
    )
    return [
        Asked(topic, group, region, industry, kind)
        for topic in topics
        for group in groups
        for region in regions
        for industry in industries
        for kind in kinds
    ]
