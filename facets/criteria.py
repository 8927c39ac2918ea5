"""The one model of who hears of what: a citizen's list against an item's audience. Pure.

A subscription has one value of each dimension, or none, which means any; a citizen's list is
several of them, and any one that fits is enough. An audience lists values of each dimension, any of
which is enough, or each of which must be met (`all: [groups]`); an empty list means everybody. Read
from the item, it selects citizens; read from the citizen, the list filters items: it is one
question, `meant`.

Wider and narrower topics go together: who asked for 就业创业 is meant by an item about 招聘, and
who asked for 招聘 by one for all of 就业创业. A region means every region inside it and not the one
around it, so 土默特左旗 is reached by what holds for 呼和浩特 and for all of 内蒙古, and 呼和浩特
is not by what is for 土默特左旗 alone, unless its reader chose BELOW. Who did not limit a dimension
asked for each of its values.

A key that was renamed, or merged into another value, means its heir on both sides (taxonomy `was`),
so nobody misses anything until what was kept is written anew (subscriptions/moving.py). One that
was split means each of its parts, for who asked for it and for what was approved for it, until a
person chooses one.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, NamedTuple

from facets.taxonomy import DIMENSIONS, EVERY, NIGHT, OR, URGENT, Taxonomy

TOPICS, GROUPS, REGIONS, INDUSTRIES, KINDS = DIMENSIONS
ANY_TOPIC = "全部主题"
BELOW = "+"
"""Ends the key of a region when what is for a part of it alone is wanted too."""
BELOW_WORDS = "及所辖各地"
_BEFORE = {GROUPS: "人群 ", REGIONS: "地区 ", INDUSTRIES: "行业 ", KINDS: "文种 "}
_PLACES = {name: place for place, name in enumerate(DIMENSIONS)}


class Asked(NamedTuple):
    """One value of each dimension, in the order in which it is said; empty: any."""

    topic: str
    group: str = ""
    region: str = ""
    industry: str = ""
    kind: str = ""


@dataclass(frozen=True)
class Wanted:
    """The values of a subscription that an audience means, by dimension.

    `limits`: of every subscription that counts, of the dimensions that are limited; the topics are
    always there. `each`: dimension and values, every one met by some subscription that counts.
    """

    limits: Mapping[str, frozenset[str]]
    each: Sequence[tuple[str, frozenset[str]]] = ()


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
        for name, value in zip(DIMENSIONS, asked, strict=True)
    )
    return [Asked(*one) for one in product(*every)]


def of_now(taxonomy: Taxonomy, asked: Asked) -> Asked:
    """The same criteria in the keys of now: two that mean the same are equal."""
    return Asked(*(_key(taxonomy, name, key) for name, key in zip(DIMENSIONS, asked, strict=True)))


def _key(taxonomy: Taxonomy, dimension: str, key: str) -> str:
    plain = key.removesuffix(BELOW) if dimension == REGIONS else key
    return taxonomy.key_of(dimension, plain) + key[len(plain) :]


def wanted(taxonomy: Taxonomy, audience: Mapping[str, Any]) -> Wanted:
    """What an audience means; nobody is meant by one without a topic."""
    known = current(taxonomy, audience)
    listed = {name: frozenset(known.get(name) or ()) for name in DIMENSIONS}
    limited = {name for name in DIMENSIONS if listed[name]} | {TOPICS}
    every = [name for name in audience.get(EVERY) or () if name in limited]
    return Wanted(
        {name: _values(taxonomy, name, listed[name]) for name in DIMENSIONS if name in limited},
        [
            (name, _values(taxonomy, name, keys))
            for name in every
            for keys in sorted(
                {frozenset(_now(taxonomy, name, key)) for key in audience[name]}, key=sorted
            )
        ],
    )


def meets(found: Wanted, asked: Sequence[str]) -> bool:
    """Whether a subscription with these values (in the order of Asked) counts."""
    return all(asked[_PLACES[name]] in values for name, values in found.limits.items())


def meant(found: Wanted, own: Iterable[Sequence[str]]) -> bool:
    """Whether somebody with these subscriptions is meant: one counts, and each value is met."""
    counts = [asked for asked in own if meets(found, asked)]
    return bool(counts) and all(
        any(asked[_PLACES[name]] in values for asked in counts) for name, values in found.each
    )


def current(taxonomy: Taxonomy, audience: Mapping[str, Any]) -> dict[str, list[str]]:
    """The same audience in the keys of now, as a form shows it; each value once."""
    found = {name: [*(keys or ())] for name, keys in audience.items()}
    for name in set(found) & set(DIMENSIONS):
        now = (one for key in found[name] for one in _now(taxonomy, name, key))
        found[name] = [*dict.fromkeys(now)]
    return found


def _now(taxonomy: Taxonomy, dimension: str, key: str) -> tuple[str, ...]:
    """The keys of now for one of an audience; an unknown one stays, and means nobody."""
    return taxonomy.now(dimension, str(key)) or (str(key),)


def audience_faults(audience: Mapping[str, Any]) -> list[str]:
    """What an audience says that the model does not know; how many keys it has is not asked."""
    faults = []
    if set(audience) - {*DIMENSIONS, URGENT, EVERY} or audience.get(URGENT, []) not in (
        [],
        [NIGHT],
    ):
        faults.append(f"推送条件只有：{'、'.join(DIMENSIONS)}")
    if set(audience.get(EVERY) or ()) - set(DIMENSIONS):
        faults.append(f"“每一项都要”（{EVERY}）只能写：{'、'.join(DIMENSIONS)}")
    return faults


def _values(taxonomy: Taxonomy, dimension: str, keys: frozenset[str]) -> frozenset[str]:
    """The values of a subscription that any of these keys of now meets; none for no keys."""
    if not keys:
        return keys
    found = keys
    if dimension == TOPICS:
        found = keys | _around(taxonomy, TOPICS, keys) | _below(taxonomy, TOPICS, keys)
    if dimension == REGIONS:
        inside = keys | _below(taxonomy, REGIONS, keys)
        wider = _around(taxonomy, REGIONS, keys)
        found = inside | {key + BELOW for key in inside | wider}
    return found | _former(taxonomy, dimension, found) | {""}


def _former(taxonomy: Taxonomy, dimension: str, found: frozenset[str]) -> frozenset[str]:
    """Rows that were kept under an earlier key keep it."""
    ends = ("", BELOW) if dimension == REGIONS else ("",)
    return frozenset(
        old + end
        for old, heirs in taxonomy.heirs[dimension].items()
        for end in ends
        if any(key + end in found for key in heirs)
    )


def _around(taxonomy: Taxonomy, dimension: str, keys: frozenset[str]) -> frozenset[str]:
    """These values and all that are wider."""
    return frozenset(one for key in keys for one in taxonomy.lineage(dimension, key))


def _below(taxonomy: Taxonomy, dimension: str, keys: Iterable[str]) -> frozenset[str]:
    """Every value inside one of these, and these themselves where they are known."""
    wide = set(keys)
    known = taxonomy.facets[dimension]
    return frozenset(key for key in known if wide & set(taxonomy.lineage(dimension, key)))
