"""What a changed taxonomy does to the values that were: renamed, merged, split. Pure.

A value that goes names its heir: the one that carries it on lists its key in `was`. One heir is a
rename, several keys with one heir are a merge, one key with several heirs is a split. Nothing that
a citizen may have asked for is left without an heir, at any later change either, so no button and
no subscription ever means nothing; a taxonomy that would do so is refused.
"""

from collections.abc import Iterator

from config.texts import FieldFault
from facets.taxonomy import DIMENSIONS, Facet, Taxonomy


def faults_between(old: Taxonomy, new: Taxonomy) -> Iterator[FieldFault]:
    """Why the newer one cannot follow the older, each with its place and remedy (Chinese)."""
    for dimension in DIMENSIONS:
        yield from _lost(old, new, dimension)
        yield from _unsaid(old, new, dimension)
        yield from _double(new, dimension)


def _lost(old: Taxonomy, new: Taxonomy, dimension: str) -> Iterator[FieldFault]:
    """Values without an heir, and plain ones whose heir is sensitive."""
    for key, before in _values(old, dimension).items():
        heirs = [new.facets[dimension][one] for one in new.now(dimension, key)]
        if not heirs:
            label = old.label(dimension, key)
            words = f"{key}（{label}）不见了：请在接替它的值里写 was: [{key}]，订阅才跟得过去"
            yield FieldFault(words, "dimensions", dimension, "values")
        elif any(one.sensitive for one in heirs) and not all(one.sensitive for one in before):
            label = heirs[0].label
            words = f"{key} 不是敏感标签，不能由敏感的“{label}”接替：敏感的要本人单独同意"
            yield FieldFault(words, "dimensions", dimension, "values", heirs[0].key)


def _unsaid(old: Taxonomy, new: Taxonomy, dimension: str) -> Iterator[FieldFault]:
    """Former names that nobody answers to any more."""
    values = new.facets[dimension].values()
    names = {name for one in values for name in (one.label, *one.aliases)}
    for one in old.facets[dimension].values():
        if one.label not in names:
            words = f"名称“{one.label}”没有了：请留在接替它的值的 aliases 里，群众还会这样说"
            yield FieldFault(words, "dimensions", dimension, "values", one.key)


def _double(new: Taxonomy, dimension: str) -> Iterator[FieldFault]:
    """A name that stands twice in one place: nobody could say which of them is meant."""
    seen: dict[tuple[str, str | None], str] = {}
    for one in new.facets[dimension].values():
        other = seen.setdefault((one.label, one.parent), one.key)
        if other != one.key:
            words = f"{one.key} 的名称“{one.label}”与 {other} 同名同级，请合并或改名"
            yield FieldFault(words, "dimensions", dimension, "values", one.key, "label")


def told_between(old: Taxonomy, new: Taxonomy) -> list[str]:
    """What becomes of subscriptions, a line each change, for who approves it (Chinese)."""
    told: list[str] = []
    for dimension in DIMENSIONS:
        joined: dict[str, list[str]] = {}
        for key in _values(old, dimension):
            heirs, before = new.now(dimension, key), old.label(dimension, key)
            if heirs == old.now(dimension, key):
                continue
            if len(heirs) > 1:
                told.append(
                    f"“{before}”拆成“{new.label(dimension, key)}”：原来的订阅仍收到各类，"
                    "由本人在“我的订阅”里选其中一类"
                )
            elif heirs:
                joined.setdefault(heirs[0], []).append(before)
        for key, labels in joined.items():
            others = [*labels, *([old.label(dimension, key)] if old.get(dimension, key) else [])]
            names = "、".join(f"“{label}”" for label in dict.fromkeys(others))
            after = new.label(dimension, key)
            told.append(
                f"{names}合为“{after}”：订阅转过去，同一个人的几项合成一项"
                if len(others) > 1
                else f"{names}改为“{after}”：订阅转过去"
            )
    return told


def _values(taxonomy: Taxonomy, dimension: str) -> dict[str, list[Facet]]:
    """Every key that may be in a subscription, and what it means in this taxonomy."""
    facets = taxonomy.facets[dimension]
    found = {key: [facet] for key, facet in facets.items()}
    for key, heirs in taxonomy.heirs.get(dimension, {}).items():
        found[key] = [facets[one] for one in heirs]
    return found
