"""Subscription criteria: any/all over facets, matching and the reasons in words."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from facets.taxonomy import DIMENSIONS, Taxonomy, starting_taxonomy

# An item that names no value in these is meant for everyone.
OPEN_DIMENSIONS = frozenset({"groups", "regions", "industries", "kinds"})

Facets = Mapping[str, Collection[str]]


class CriteriaError(ValueError):
    """Criteria that cannot be used; the message names the field and the remedy (Chinese)."""


@dataclass(frozen=True)
class Rule:
    """What one dimension must have: one of `any`, and every one of `all`."""

    any: tuple[str, ...] = ()
    all: tuple[str, ...] = ()


@dataclass(frozen=True)
class Criteria:
    """Rules by dimension, which must all hold. JSON: {"topics": {"any": ["employment"]}}."""

    rules: Mapping[str, Rule]

    def to_json(self) -> dict[str, dict[str, list[str]]]:
        """The stored form; empty parts are left out."""
        return {
            dimension: {
                name: list(keys) for name, keys in (("any", rule.any), ("all", rule.all)) if keys
            }
            for dimension, rule in self.rules.items()
        }

    @classmethod
    def from_json(cls, data: Any, taxonomy: Taxonomy | None = None) -> "Criteria":
        """Check and build. Raises CriteriaError naming the field."""
        taxonomy = taxonomy or starting_taxonomy()
        if not isinstance(data, dict) or not data:
            raise CriteriaError("criteria：不能为空，请至少选一个主题")
        rules = {}
        for dimension, body in data.items():
            if dimension not in DIMENSIONS:
                raise CriteriaError(
                    f"criteria.{dimension}：没有这个维度，可用 {'、'.join(DIMENSIONS)}"
                )
            rules[dimension] = _rule(dimension, body, taxonomy)
        return cls(rules)


def _rule(dimension: str, body: Any, taxonomy: Taxonomy) -> Rule:
    place = f"criteria.{dimension}"
    if not isinstance(body, dict) or not body or set(body) - {"any", "all"}:
        raise CriteriaError(f"{place}：应当是 any 或 all 的列表")
    parts = {}
    for name, keys in body.items():
        if not isinstance(keys, list) or not keys:
            raise CriteriaError(f"{place}.{name}：应当是不为空的列表")
        for key in keys:
            if not isinstance(key, str) or taxonomy.get(dimension, key) is None:
                raise CriteriaError(f"{place}.{name}：没有“{key}”这个值，请从分类表中选")
        parts[name] = tuple(dict.fromkeys(keys))
    return Rule(**parts)


def matches(criteria: Criteria, facets: Facets, taxonomy: Taxonomy | None = None) -> bool:
    """Whether an item with `facets` (dimension -> keys) is for this subscription.

    A region wanted is met by an item for it or for a wider region that contains it.
    """
    taxonomy = taxonomy or starting_taxonomy()
    return all(
        _holds(dimension, rule, facets, taxonomy) for dimension, rule in criteria.rules.items()
    )


def _holds(dimension: str, rule: Rule, facets: Facets, taxonomy: Taxonomy) -> bool:
    have = facets.get(dimension) or ()
    if not have and dimension in OPEN_DIMENSIONS:
        return True
    return (not rule.any or any(_met(dimension, key, have, taxonomy) for key in rule.any)) and all(
        _met(dimension, key, have, taxonomy) for key in rule.all
    )


def _met(dimension: str, key: str, have: Collection[str], taxonomy: Taxonomy) -> str:
    """The value of the item that meets `key`, or ""."""
    return next((wider for wider in taxonomy.lineage(dimension, key) if wider in have), "")


def explain(criteria: Criteria, facets: Facets, taxonomy: Taxonomy | None = None) -> list[str]:
    """为什么收到: one sentence a dimension, naming what matched; empty when it does not match."""
    taxonomy = taxonomy or starting_taxonomy()
    if not matches(criteria, facets, taxonomy):
        return []
    reasons = []
    for dimension, rule in criteria.rules.items():
        name = taxonomy.labels[dimension]
        have = facets.get(dimension) or ()
        if not have:
            reasons.append(f"{name}：这条内容面向所有{name}")
            continue
        for key in dict.fromkeys((*rule.all, *rule.any)):
            met = _met(dimension, key, have, taxonomy)
            if met:
                labels = taxonomy.label(dimension, key), taxonomy.label(dimension, met)
                reasons.append(_reason(name, *labels))
    return reasons


def _reason(name: str, chosen: str, met: str) -> str:
    if met == chosen:
        return f"{name}：您订阅了“{chosen}”，这条内容属于“{chosen}”"
    return f"{name}：您订阅了“{chosen}”，这条内容面向“{met}”，包括“{chosen}”"
