"""What an account is for: the topics and regions of its body's own work, and what a post is to it.

A remit is written in the account's settings and changed by two people. It is kept with every value
below what was chosen, so that a report finds in the signed entries all that it needs. Nothing is
guessed: a post speaks by the topics approved on it or by a reviewer's mark, or not at all.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from facets.taxonomy import Taxonomy

TOPICS, REGIONS, ABOVE = "remit_topics", "remit_regions", "remit_above"
"""Settings of an account; ABOVE are the regions around its own, whose rules hold there too."""
LABELS = {TOPICS: "职责主题", REGIONS: "所辖地区"}
_DIMENSIONS = {TOPICS: "topics", REGIONS: "regions"}
_BETWEEN = re.compile(r"[\s、，,；;]+")


class Concern(StrEnum):
    """What a post is to the work of the account's body."""

    OURS = "ours"
    OTHER = "other"
    UNSAID = "unsaid"


class Ground(StrEnum):
    """Why it is so."""

    MARKED_OURS = "marked_ours"
    MARKED_OTHER = "marked_other"
    TOPIC = "topic"
    TOPIC_OUTSIDE = "topic_outside"
    REGION_OUTSIDE = "region_outside"
    NO_REMIT = "no_remit"
    NO_TOPICS = "no_topics"


_CONCERN = {
    Ground.MARKED_OURS: Concern.OURS,
    Ground.MARKED_OTHER: Concern.OTHER,
    Ground.TOPIC: Concern.OURS,
    Ground.TOPIC_OUTSIDE: Concern.OTHER,
    Ground.REGION_OUTSIDE: Concern.OTHER,
    Ground.NO_REMIT: Concern.UNSAID,
    Ground.NO_TOPICS: Concern.UNSAID,
}
MARKS = {Concern.OURS: Ground.MARKED_OURS, Concern.OTHER: Ground.MARKED_OTHER}
"""What a reviewer may say of a post."""


@dataclass(frozen=True)
class Remit:
    """Keys of the taxonomy; without topics nothing is known of the account's work."""

    topics: frozenset[str] = frozenset()
    regions: frozenset[str] = frozenset()


NO_REMIT = Remit()


def remit_of(settings: Mapping[str, Any]) -> Remit:
    """The remit in the settings of an account, or in the signed entry about it."""
    topics, regions, above = (str(settings.get(name, "")) for name in (TOPICS, REGIONS, ABOVE))
    return Remit(frozenset(topics.split()), frozenset(regions.split() + above.split()))


def ground_of(remit: Remit, topics: Iterable[str], regions: Iterable[str], mark: str) -> Ground:
    """Why a post with these approved facets is what it is; a reviewer's mark goes before them."""
    if mark in MARKS:
        return MARKS[Concern(mark)]
    said, places = frozenset(topics), frozenset(regions)
    if not remit.topics:
        return Ground.NO_REMIT
    if not said:
        return Ground.NO_TOPICS
    if said.isdisjoint(remit.topics):
        return Ground.TOPIC_OUTSIDE
    elsewhere = bool(places and remit.regions) and places.isdisjoint(remit.regions)
    return Ground.REGION_OUTSIDE if elsewhere else Ground.TOPIC


def concern_of(ground: Ground) -> Concern:
    """What a post is, by its ground."""
    return _CONCERN[ground]


def written(taxonomy: Taxonomy, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings with the remit in keys and whole; ValueError names a word that nothing is called."""
    found = {name: value for name, value in settings.items() if name not in (*LABELS, ABOVE)}
    for name, dimension in _DIMENSIONS.items():
        chosen = [_key(taxonomy, name, word) for word in _words(settings.get(name, ""))]
        below = [
            key
            for key in taxonomy.facets[dimension]
            if not set(chosen).isdisjoint(taxonomy.lineage(dimension, key))
        ]
        if below:
            found[name] = " ".join(below)
    if REGIONS in found:
        mine = found[REGIONS].split()
        around = {one for key in mine for one in taxonomy.lineage("regions", key)} - set(mine)
        found |= {ABOVE: " ".join(sorted(around))} if around else {}
    return found


def in_words(taxonomy: Taxonomy, settings: Mapping[str, Any], name: str) -> str:
    """就业创业、招聘信息: what `written` understands again."""
    keys = str(settings.get(name, "")).split()
    return "、".join(taxonomy.label(_DIMENSIONS[name], key) for key in keys)


def _words(said: object) -> list[str]:
    return [word for word in _BETWEEN.split(str(said)) if word]


def _key(taxonomy: Taxonomy, name: str, word: str) -> str:
    dimension = _DIMENSIONS[name]
    facet = taxonomy.get(dimension, word)
    for one in taxonomy.facets[dimension].values():
        if facet is None and word in (one.label, *one.aliases):
            facet = one
    if facet is None:
        raise ValueError(f"{LABELS[name]}里没有“{word}”：请写分类里的名称，用顿号隔开")
    return facet.key
