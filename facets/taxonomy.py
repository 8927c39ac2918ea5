"""The facet taxonomy: dimensions, their values in Chinese and the evidence words of each."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import yaml

from config.texts import FieldFault

DIMENSIONS = ("topics", "groups", "regions", "industries", "kinds")
URGENT = "urgent"
"""Beside the dimensions in an audience: ["night"] where it was reviewed to go at night too."""
NIGHT = "night"
EVERY = "all"
"""Beside the dimensions in an audience: those of which every listed value must be met."""
OR = "或"
"""Between the parts of a value that was split: who asked for it gets both until they choose."""
STARTING_FILE = Path(__file__).parent.parent / "config" / "taxonomy.yaml"
_FIELDS = {"label", "aliases", "words", "parent", "sensitive", "first", "was", "learned", "beside"}


class TaxonomyError(FieldFault):
    """The taxonomy cannot be used; the message names the place and the remedy (Chinese)."""


@dataclass(frozen=True, eq=False)
class Facet:
    """One value of one dimension. `words` maps an evidence word to its weight.

    Of those, `learned` are what was learned from confirmed items (learning.py).
    """

    dimension: str
    key: str
    label: str
    aliases: tuple[str, ...]
    words: Mapping[str, float]
    parent: str | None
    sensitive: bool
    first: bool = False
    """Offered among the widest values of its dimension, however narrow it is."""
    was: tuple[str, ...] = ()
    """Keys it is found by too: its own from before a rename, those of values merged into it, and of
    one that was split into it and others."""
    learned: Mapping[str, float] = field(default_factory=dict)
    beside: frozenset[str] = frozenset()
    """Of the words, those that speak only beside another one, of this or a wider value: 新城区."""


class Labels(dict[str, str]):
    """Label by key, in the order of the taxonomy; a former key is understood and not listed."""

    def __init__(
        self,
        labels: Mapping[str, str],
        former: Mapping[str, str],
        split: Mapping[str, str] | None = None,
    ) -> None:
        """`former`: the key of now by each that it had before; `split`: labels of split ones."""
        super().__init__(labels)
        self.former = former
        self.split = split or {}

    def get(self, key: str, default: Any = None) -> Any:
        """The label of a key, also of one that was renamed or split."""
        return self.split.get(key) or super().get(self.former.get(key, key), default)


@dataclass(frozen=True, eq=False)
class Taxonomy:
    """Every facet by dimension and key, in the order of the file."""

    labels: Mapping[str, str]
    facets: Mapping[str, Mapping[str, Facet]]
    silent: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """By dimension: longer words inside which none of its words means anything: 大兴安岭."""
    _known: dict[tuple[str, ...], Mapping[str, tuple[Facet, ...]]] = field(default_factory=dict)

    @property
    def itself(self) -> "Taxonomy":
        """This taxonomy, also when asked through one that stands for whatever is in force."""
        return self

    @cached_property
    def former(self) -> Mapping[str, Mapping[str, str]]:
        """By dimension: the key of now by each that it had before, of those that mean one."""
        return {
            name: {old: keys[0] for old, keys in gone.items() if len(keys) == 1}
            for name, gone in self.heirs.items()
        }

    @cached_property
    def heirs(self) -> Mapping[str, Mapping[str, tuple[str, ...]]]:
        """By dimension: what carries on each key that is no more; several where it was split."""
        found: dict[str, dict[str, tuple[str, ...]]] = {}
        for name, values in self.facets.items():
            gone = found[name] = {}
            for key, facet in values.items():
                for old in facet.was:
                    gone[old] = (*gone.get(old, ()), key)
        return found

    def now(self, dimension: str, key: str) -> tuple[str, ...]:
        """Itself while it is there, else what carries it on, or nothing."""
        known = key in self.facets.get(dimension, {})
        return (key,) if known else self.heirs.get(dimension, {}).get(key, ())

    def keys_now(self, dimension: str, keys: Iterable[str]) -> tuple[str, ...]:
        """What kept keys mean now, each once: the heirs of one that is no more, else itself."""
        found = (one for key in keys for one in self.now(dimension, key) or (key,))
        return tuple(dict.fromkeys(found))

    def with_former(self, dimension: str, keys: Iterable[str]) -> frozenset[str]:
        """These keys, and those before them that are kept somewhere."""
        known = frozenset(keys)
        heirs = self.heirs.get(dimension, {}).items()
        return known | {old for old, now in heirs if not known.isdisjoint(now)}

    def key_of(self, dimension: str, key: str) -> str:
        """The key of now: what was chosen before a rename or a merging goes on to mean its heir."""
        return self.former.get(dimension, {}).get(key, key)

    def get(self, dimension: str, key: str) -> Facet | None:
        """The facet, also by a key it had before, or None."""
        return self.facets.get(dimension, {}).get(self.key_of(dimension, key))

    def names(self, dimension: str) -> Labels:
        """Label by key of one dimension."""
        values = self.facets.get(dimension, {})
        labels = {key: facet.label for key, facet in values.items()}
        split = {
            old: self.label(dimension, old)
            for old, heirs in self.heirs.get(dimension, {}).items()
            if len(heirs) > 1
        }
        return Labels(labels, self.former.get(dimension, {}), split)

    def label(self, dimension: str, key: str) -> str:
        """What people see for `key`; the key itself when nothing in the taxonomy carries it on."""
        found = [self.facets[dimension][one].label for one in self.now(dimension, key)]
        return OR.join(found) or key

    def offered(self, dimension: str, within: str = "") -> list[Facet]:
        """The values a menu shows: those directly within one, else the widest and the next wide."""
        values = self.facets[dimension].values()
        if within:
            above = self.key_of(dimension, within)
            return [one for one in values if one.parent == above]
        top = {one.key for one in values if one.parent is None}
        deep = top if dimension == "regions" else set()
        return [one for one in values if one.first or one.parent is None or one.parent in deep]

    def lineage(self, dimension: str, key: str) -> tuple[str, ...]:
        """`key` and the wider values that contain it, nearest first (青禾县, 盟市, 自治区)."""
        chain: list[str] = []
        current: str | None = self.key_of(dimension, key)
        while current is not None and current not in chain:
            chain.append(current)
            facet = self.get(dimension, current)
            current = facet.parent if facet else None
        return tuple(chain)

    def find(self, words: str, dimensions: Iterable[str] = DIMENSIONS) -> list[Facet]:
        """Facets whose label or alias is in what a citizen typed, the longest name first.

        A name inside a longer name that was found does not count again (就业 in 灵活就业).
        """
        names: dict[str, list[Facet]] = {}
        for dimension in dimensions:
            for facet in self.facets[dimension].values():
                for name in (facet.label, *facet.aliases):
                    names.setdefault(name, []).append(facet)
        found: list[Facet] = []
        for name in sorted(names, key=len, reverse=True):
            if name in words:
                found += names[name]
                words = words.replace(name, "\0")
        return list(dict.fromkeys(found))

    def spans(
        self, words: str, dimensions: Iterable[str] = DIMENSIONS
    ) -> dict[int, tuple[str, tuple[Facet, ...]]]:
        """By the place where it begins: the longest name that stands there, and whose it is.

        A name that several dimensions know is the first one's: 旅游 is a topic before it is an
        industry.
        """
        known = self._names(tuple(dimensions))
        widest = max(map(len, known), default=0)
        found: dict[int, tuple[str, tuple[Facet, ...]]] = {}
        for at in range(len(words)):
            for size in range(min(widest, len(words) - at), 0, -1):
                if owners := known.get(words[at : at + size]):
                    found[at] = (words[at : at + size], owners)
                    break
        return found

    def _names(self, dimensions: tuple[str, ...]) -> Mapping[str, tuple[Facet, ...]]:
        if dimensions not in self._known:
            names: dict[str, tuple[Facet, ...]] = {}
            for dimension in dimensions:
                own: dict[str, tuple[Facet, ...]] = {}
                for facet in self.facets[dimension].values():
                    for name in dict.fromkeys((facet.label, *facet.aliases)):
                        own[name] = (*own.get(name, ()), facet)
                names = own | names
            self._known[dimensions] = names
        return self._known[dimensions]


def parse_taxonomy(data: Any) -> Taxonomy:
    """Check the parsed YAML and build the taxonomy. Raises TaxonomyError naming the place."""
    dimensions = data.get("dimensions") if isinstance(data, dict) else None
    if not isinstance(dimensions, dict) or set(dimensions) != set(DIMENSIONS):
        words = f"dimensions：应当正好有 {'、'.join(DIMENSIONS)} 五个维度"
        raise TaxonomyError(words, "dimensions")
    labels, facets, silent = {}, {}, {}
    for dimension in DIMENSIONS:
        body = dimensions[dimension]
        if not isinstance(body, dict) or not isinstance(body.get("values"), dict):
            words = f"dimensions.{dimension}：应当有 label 和 values"
            raise TaxonomyError(words, "dimensions", dimension)
        labels[dimension] = str(body.get("label") or dimension)
        silent[dimension] = _listed(body, "silent", "dimensions", dimension)
        facets[dimension] = {
            str(key): _facet(dimension, str(key), value) for key, value in body["values"].items()
        }
        for facet in facets[dimension].values():
            if facet.parent is not None and facet.parent not in facets[dimension]:
                words = f"{dimension}.{facet.key}.parent：没有 {facet.parent} 这个值"
                raise TaxonomyError(words, *_where(dimension, facet.key, "parent"))
        _no_circle(dimension, facets[dimension])
        _gone(dimension, facets[dimension])
    return Taxonomy(labels, facets, silent)


def _listed(value: Mapping[str, Any], name: str, *where: str) -> tuple[str, ...]:
    listed = value.get(name) or []
    if not isinstance(listed, list):
        raise TaxonomyError(f"{'.'.join((*where, name))}：应为列表", *where, name)
    return tuple(map(str, listed))


def _no_circle(dimension: str, facets: Mapping[str, Facet]) -> None:
    for facet in facets.values():
        seen, above = {facet.key}, facet.parent
        while above is not None:
            if above in seen:
                words = f"{dimension}.{facet.key}.parent：上级绕回了自己，请改成真正的上级"
                raise TaxonomyError(words, *_where(dimension, facet.key, "parent"))
            seen.add(above)
            above = facets[above].parent


def _gone(dimension: str, facets: Mapping[str, Facet]) -> None:
    """A former key is none that is there itself: nobody could say which of them is meant."""
    for facet in facets.values():
        for old in facet.was:
            if old in facets:
                words = f"{dimension}.{facet.key}.was：{old} 还在，不能由别的值接替，请删去其中一个"
                raise TaxonomyError(words, *_where(dimension, facet.key, "was"))


def _facet(dimension: str, key: str, value: Any) -> Facet:
    place = f"{dimension}.{key}"
    if not isinstance(value, dict) or not str(value.get("label") or "").strip():
        raise TaxonomyError(
            f"{place}.label：缺少中文名称，请填写", *_where(dimension, key, "label")
        )
    if unknown := sorted(set(map(str, value)) - _FIELDS):
        words = f"{place}.{unknown[0]}：不认识的字段，请删去"
        raise TaxonomyError(words, *_where(dimension, key, unknown[0]))
    evidence, learnt = value.get("words") or {}, value.get("learned") or {}
    learned = _evidence(learnt, f"{place}.learned", _where(dimension, key, "learned"))
    lists = {
        name: _listed(value, name, *_where(dimension, key, "")[:-1])
        for name in ("aliases", "was", "beside")
    }
    return Facet(
        dimension=dimension,
        key=key,
        label=str(value["label"]),
        aliases=lists["aliases"],
        words=_evidence(evidence, f"{place}.words", _where(dimension, key, "words")) | learned,
        parent=value.get("parent"),
        sensitive=bool(value.get("sensitive", False)),
        first=bool(value.get("first", False)),
        was=tuple(dict.fromkeys(lists["was"])),
        learned=learned,
        beside=frozenset(lists["beside"]),
    )


def _where(dimension: str, key: str, field: str) -> tuple[str, ...]:
    return ("dimensions", dimension, "values", key, field)


def _evidence(rows: Any, place: str, where: tuple[str, ...]) -> dict[str, float]:
    """Words to weights."""
    wrong = f"{place}：应写成“权重: [词, 词]”，权重大于 0"
    if not isinstance(rows, dict):
        raise TaxonomyError(wrong, *where)
    words: dict[str, float] = {}
    for weight, listed in rows.items():
        if not isinstance(weight, int | float) or weight <= 0 or not isinstance(listed, list):
            raise TaxonomyError(wrong, *where)
        words.update({str(word): float(weight) for word in listed})
    return words


def load_taxonomy(path: Path) -> Taxonomy:
    """Read a taxonomy file. Raises TaxonomyError naming file and place."""
    try:
        return parse_taxonomy(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise TaxonomyError(f"{path.name}：无法读取（{_first_line(error)}）") from error
    except TaxonomyError as error:
        raise TaxonomyError(f"{path.name}：{error}") from error


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__


@cache
def starting_taxonomy() -> Taxonomy:
    """The taxonomy a new office starts with (`config/taxonomy.yaml`)."""
    return load_taxonomy(STARTING_FILE)
