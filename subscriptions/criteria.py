"""What a subscription asks for, facet by facet: in words, and against an audience. Pure.

A subscription has one value of each dimension, or none, which means any. An audience lists values;
an empty list means everybody. Wider and narrower topics go together: who asked for 就业创业 is
meant by an item about 招聘, and who asked for 招聘 by one for all of 就业创业. A region means every
region inside it and not the one around it, so 土默特左旗 is reached by what holds for 呼和浩特 and
for all of 内蒙古, and 呼和浩特 is not by what is for 土默特左旗 alone, unless its reader chose
BELOW.

A value that was renamed or merged is the one that carries it on; one that was split is every part
of it, for who asked for it and for what was approved for it, until a person chooses one.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from typing import Any, NamedTuple

from facets.taxonomy import OR, Taxonomy

TOPICS, GROUPS, REGIONS, INDUSTRIES, KINDS = "topics", "groups", "regions", "industries", "kinds"
ANY_TOPIC = "全部主题"
BELOW = "+"
"""Ends the key of a region when what is for a part of it alone is wanted too."""
BELOW_WORDS = "及所辖各地"
_BEFORE = {GROUPS: "人群 ", REGIONS: "地区 ", INDUSTRIES: "行业 ", KINDS: "文种 "}


class Asked(NamedTuple):
    """One value of each dimension, in the order in which it is said; empty: any."""

    topic: str
    group: str = ""
    region: str = ""
    industry: str = ""
    kind: str = ""


def in_words(taxonomy: Taxonomy, asked: Asked, unknown: str = "") -> str:
    """就业创业、人群 高校毕业生、地区 青禾县: words of the taxonomy and no others.

    `unknown` stands for a key it does not have; without it such a key is no word at all.
    """
    parts = [_word(taxonomy, TOPICS, asked.topic, unknown) if asked.topic else ANY_TOPIC]
    for dimension, key in zip(_BEFORE, asked[1:], strict=True):
        word = _word(taxonomy, dimension, key, unknown) if key else ""
        parts.append(_BEFORE[dimension] + word if word else "")
    return "、".join(filter(None, parts))


def _word(taxonomy: Taxonomy, dimension: str, key: str, unknown: str) -> str:
    values = values_now(taxonomy, dimension, key)
    if not values:
        return unknown
    labels = (taxonomy.label(dimension, value.removesuffix(BELOW)) for value in values)
    return OR.join(labels) + (BELOW_WORDS if key.endswith(BELOW) else "")


def values_now(taxonomy: Taxonomy, dimension: str, value: str) -> tuple[str, ...]:
    """What a value of a subscription means now: itself, what carries it on, or nothing."""
    below = BELOW if dimension == REGIONS and value.endswith(BELOW) else ""
    return tuple(key + below for key in taxonomy.now(dimension, value.removesuffix(BELOW)))


def ways_now(taxonomy: Taxonomy, asked: Asked) -> list[Asked]:
    """What a wish may mean now: itself, or for a value that was split each of its parts.

    A value that nothing carries on stays as it is: whoever keeps wishes refuses it.
    """
    every = (
        values_now(taxonomy, name, value) or (value,)
        for name, value in zip((TOPICS, *_BEFORE), asked, strict=True)
    )
    return [Asked(*one) for one in product(*every)]


def settled(taxonomy: Taxonomy, asked: Asked) -> Asked:
    """The wish with every renamed or merged value as it is now; one that was split stays."""
    found = [
        values_now(taxonomy, name, value)
        for name, value in zip((TOPICS, *_BEFORE), asked, strict=True)
    ]
    return Asked(
        *(now[0] if len(now) == 1 else value for now, value in zip(found, asked, strict=True))
    )


def listed_now(taxonomy: Taxonomy, audience: Mapping[str, Any]) -> dict[str, Any]:
    """An audience with what carries on the values that are no more."""
    return {
        name: list(
            dict.fromkeys(
                now for key in keys or () for now in taxonomy.now(name, key) or (str(key),)
            )
        )
        for name, keys in audience.items()
    }


def wanted(taxonomy: Taxonomy, audience: Mapping[str, Any]) -> dict[str, frozenset[str]]:
    """For each dimension that an audience limits, the values of a subscription that it means.

    The topics are always there: nobody is meant by an audience without one.
    """
    current = listed_now(taxonomy, audience)
    listed = {name: frozenset(current.get(name) or ()) for name in (TOPICS, *_BEFORE)}
    topics = listed[TOPICS]
    found = {TOPICS: _around(taxonomy, TOPICS, topics) | {""} if topics else topics}
    for name in (GROUPS, INDUSTRIES, KINDS):
        if listed[name]:
            found[name] = listed[name] | {""}
    if regions := listed[REGIONS]:
        inside = regions | _below(taxonomy, REGIONS, regions)
        around = _around(taxonomy, REGIONS, regions)
        found[REGIONS] = inside | {key + BELOW for key in inside | around} | {""}
    return {name: values | _earlier(taxonomy, name, values) for name, values in found.items()}


def _earlier(taxonomy: Taxonomy, dimension: str, values: frozenset[str]) -> frozenset[str]:
    """Values that are no more and mean one of these: a row may still say so."""
    gone = taxonomy.heirs.get(dimension, {})
    below = ("", BELOW) if dimension == REGIONS else ("",)
    return frozenset(
        key + end
        for key, heirs in gone.items()
        for end in below
        if any(one + end in values for one in heirs)
    )


def meets(found: Mapping[str, frozenset[str]], asked: Sequence[str]) -> bool:
    """Whether a subscription with these values (in the order of Asked) is meant."""
    return all(
        value in found[name]
        for name, value in zip((TOPICS, *_BEFORE), asked, strict=True)
        if name in found
    )


def _around(taxonomy: Taxonomy, dimension: str, keys: frozenset[str]) -> frozenset[str]:
    """These values, all that are wider, and of topics also all that are narrower."""
    wider = frozenset(one for key in keys for one in taxonomy.lineage(dimension, key))
    return wider | (_below(taxonomy, dimension, keys) if dimension == TOPICS else frozenset())


def _below(taxonomy: Taxonomy, dimension: str, keys: Iterable[str]) -> frozenset[str]:
    """Every value inside one of these, and these themselves where they are known."""
    wide = set(keys)
    known = taxonomy.facets[dimension]
    return frozenset(key for key in known if wide & set(taxonomy.lineage(dimension, key)))
