"""Two wishes in one sentence: one subscription for another, or all but what is to stay.

Pure. 取消就业改订消费 leaves the one and wishes the other; 只留消费其他都退 names what stays. What
is named has to be nothing but names of facets; everything else is left to leaving.py and wishes.py.
"""

import re
from dataclasses import dataclass

from facets.taxonomy import Facet, Taxonomy
from handlers.leaving import LONGEST, STRANGER, Clause, cut, parts_of, plain_of
from handlers.wishes import wish_in

_END = (
    "(?:退订|退掉|退了|退(?!订)|取消|撤销|不要再发|不要|不想要|别再发|别发|不再订阅|不订阅|不订|"
    "不再发|不发|不推|停掉|停了|停|关掉|关了|删掉|删)"
)
_FOR = (
    "(?:改订阅|改成订阅|改为订阅|改订|换订|改成|改为|换成|换为|换|再订阅|重新订阅|另订|再订|给我订|帮我订|想订|要订|"
    "只订|订阅|订(?!阅)|改关注|关注|给我发|改发|发|只要|要)(?![和与及跟、的了都全 ]|[，,。；;])"
)
_OF = "(?:的)?(?:订阅|推送|消息|信息|政策)?(?:了|吧)?"
_GAP = "[，,。；; ]*(?:然后|再|并且|并|同时|我要|我想|请)?"
_EXCHANGES = tuple(
    re.compile(words)
    for words in (
        rf"(?:请|麻烦|帮我|我要|我想|给我|把|将)*{_END}(?P<old>.{{1,12}}?){_OF}{_GAP}{_FOR}(?P<new>.+)",
        rf"(?:请|麻烦|帮我|我要|我想|给我)*(?:把|将)?(?P<old>.{{1,12}}?){_OF}(?:都|就)?{_END}{_OF}{_GAP}"
        rf"{_FOR}(?P<new>.+)",
        rf"(?:请|麻烦|帮我|我要|我想|给我)*(?:把|将)?(?P<old>.{{1,12}}?){_OF}(?:改订|换订|改成|改为|换成|换为)"
        r"(?P<new>.+)",
    )
)
_STAY = (
    "(?:(?:但是?|只|就)?(?:留下|留着|保留|留)(?:吧|就行|就好|着)?|"
    "(?:以后)?只(?:给我)?(?:发|推送?|要|看|收))"
)
_GO = rf"(?:都|就|给我)*(?:取消订阅|{_END})(?:了|吧|掉)*"
_SO = "(?:请|麻烦|帮我|我要|我想|给我|把|将)*"
_LEFT, _KEPT = "(?P<old>.{1,12}?)", "(?P<kept>.{1,12}?)"
_PARTED = tuple(
    re.compile(f"{_SO}{going}{_OF}{_GAP}{_SO}{staying}{_OF}")
    for going, staying in (
        (one, other)
        for gone in (_GO + _LEFT, _LEFT + _GO)
        for stays in (_STAY + _KEPT, _KEPT + _STAY)
        for one, other in ((gone, stays), (stays, gone))
    )
)
_ONLY = re.compile(
    r"(?:以后|今后|请|麻烦|我)*(?:只|仅)(?:给我|想|需)*(?:发|推送?|要|收|收到|看)(?P<kept>.{1,16}?)"
    r"(?:的|就行|就好|就可以|了|吧|消息|推送|政策)*"
)
_OTHERS = "(?:其他|其它|其余|别的|剩下|剩余|另外|余下)的?(?:那?些|几[个项])?"
_ALL = "(?:都|全部|全|统统|通通|一律|所有)*"
_KEEP = "(?:请|麻烦|帮我|我|但是?|就|只|仅|还是?|想|给我)*(?:留下|留着|保留|留|要|订)"
_NOT = "(?:除去|除了|除)"
_KEEPS = tuple(
    re.compile(words)
    for words in (
        rf"{_KEEP}(?P<kept>.{{1,16}}?)[，,。；; ]*{_OTHERS}{_ALL}(?:给我)?{_END}(?:了|吧|掉|谢谢)*",
        rf"(?P<kept>.{{1,16}}?)(?:留下|留着|保留|留)(?:吧|就行|就好)?[，,。；; ]*{_OTHERS}{_ALL}"
        rf"(?:给我)?{_END}(?:了|吧|掉)*",
        rf"{_OTHERS}{_ALL}(?:给我)?{_END}(?:了|吧|掉)*[，,。；; ]*{_KEEP}(?P<kept>.{{1,16}}?)"
        r"(?:就行|就好|吧|了)*",
        rf"{_NOT}(?P<kept>.{{1,16}}?)(?:以外|之外|外)?[，,。；; ]*(?:{_OTHERS})?"
        rf"(?:都|全部|全|统统|通通|一律)+(?:给我)?{_END}(?:了|吧|掉)*",
        rf"(?:把|将)?(?:全部|所有|全)的?(?:订阅|推送)?(?:都|给我)*{_END}(?:了|吧|掉)*[，,。；; ]*"
        rf"(?:然后|再|以后|我|但是?|就|只|仅)*(?:{_NOT}|留下|留着|保留|留|只要)(?P<kept>.{{1,16}}?)(?:以外|之外|外)?",
        rf"{_END}(?:所有|全部|其他|其余)(?:的)?(?:订阅|推送)?[，,。；; ]*(?:{_NOT}|{_KEEP})"
        r"(?P<kept>.{1,16}?)(?:以外|之外|外)?",
    )
)
_OURS = re.compile("订|推|发|关注|消息|政策|就业|消费")
"""What says that it is about what we send; without it 社保换成医保 may be about anything."""
_ASKS = re.compile("[?？吗呢]|怎么|如何|什么|多少|能不能|可不可以|为什么")


@dataclass(frozen=True)
class Exchange:
    """What is to end, by its names, and the words of what is wished for instead."""

    facets: tuple[Facet, ...]
    wish: str


def of_ours(text: str) -> bool:
    """Whether it is said of what we send: 只留社保，其他都停 may be about anything."""
    return _OURS.search(plain_of(text)) is not None


def exchange_in(text: str, taxonomy: Taxonomy) -> Exchange | None:
    """What `text` exchanges for what, or None."""
    plain = plain_of(text).rstrip("。.!！ ")
    if len(plain) > LONGEST or _ASKS.search(plain) or not of_ours(plain):
        return None
    for pattern in _EXCHANGES:
        found = pattern.fullmatch(plain)
        facets = _named(found["old"], taxonomy) if found else ()
        wish = f"订阅{found['new']}" if found else ""
        if not facets:
            continue
        wished = wish_in(wish, taxonomy)
        topics = {one.topic for one in wished.asked} - {""} if wished else set()
        # 取消就业订阅和消费订阅 has no second wish: it names what ends twice.
        if found and found["new"].removesuffix("的").endswith(("订阅", "关注", "推送")):
            return None
        if topics and topics.isdisjoint(one.key for one in facets):
            return Exchange(facets, wish)
    return None


def keeps_in(text: str, taxonomy: Taxonomy) -> tuple[Facet, ...]:
    """What is to stay while everything else goes; empty where nothing of the kind is said."""
    plain = plain_of(text).rstrip("。.!！ ")
    if len(plain) > LONGEST or _ASKS.search(plain):
        return ()
    for pattern in _KEEPS:
        found = pattern.fullmatch(plain)
        if found and (facets := _named(found["kept"], taxonomy)):
            return facets
    return ()


def only_in(text: str, taxonomy: Taxonomy) -> bool:
    """Whether it names the one thing that is wanted, and not what becomes of the others."""
    found = _ONLY.fullmatch(plain_of(text).rstrip("。.!！ "))
    return found is not None and bool(_named(found["kept"], taxonomy))


def parted_in(text: str, taxonomy: Taxonomy) -> tuple[Facet, ...]:
    """What is to go where it is said what stays beside it: 取消就业留消费; else nothing."""
    plain = plain_of(text).rstrip("。.!！ ")
    if len(plain) > LONGEST or _ASKS.search(plain):
        return ()
    for pattern in _PARTED:
        found = pattern.fullmatch(plain)
        if found and _named(found["kept"], taxonomy) and (gone := _named(found["old"], taxonomy)):
            return gone
    return ()


def _named(words: str, taxonomy: Taxonomy) -> tuple[Facet, ...]:
    """The facets of some words that say nothing but names; else none."""
    clauses = [Clause(cut(part, taxonomy)) for part in parts_of(words)]
    if any(one.has(STRANGER, "leave", "cut", "no", "send", "get", "want") for one in clauses):
        return ()
    return tuple(facet for one in clauses for facet in one.facets)
