"""What evidence words are worth, learned from what people confirmed. Pure.

`learned(text, examples)` gives the taxonomy of an office with a field `learned` beside the words
its people wrote, and a line for each word saying why. It is a text like any other: two people
approve it, so what is learned has a version and is taken back by an older text. It is always
learned anew from the words people wrote: learning twice changes nothing.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import yaml

from facets.merging import written
from facets.suggesting import suggestions
from facets.tagger import uses
from facets.taxonomy import Taxonomy, parse_taxonomy

ENOUGH = 5
"""Confirmed texts a known word must be in before its weight moves."""
NEW_ENOUGH = 3
"""Confirmed titles a new word must be in, all of which lacked the value as a suggestion."""
NEW_WEIGHT = 3.0
_SURE = 0.9  # of the texts with a new word, how many must have the value
_LEARNS = ("topics", "groups", "industries")
_WORD = re.compile(r"[\u4e00-\u9fff]{2,}")
_SIZES = range(2, 13)
_EMPTY = frozenset("的了和与及在为对等关于印发通知办法意见方案公告实施进一步做好工作全区我市全市")
_HEAD = "# 从审核通过的稿件里学到的权重（learned），人写的词和权重（words）没有改。\n"
_TAIL = "# 请核对后由两人批准：shenfa settings propose taxonomy.yaml --by … --reason …\n"


@dataclass(frozen=True)
class Example:
    """One text that was approved, and the values people chose for it."""

    title: str
    text: str
    chosen: Mapping[str, frozenset[str]]


@dataclass(frozen=True)
class Learned:
    """One word whose weight moves, or that is new (`before` is 0), with the counts behind it."""

    dimension: str
    key: str
    label: str
    word: str
    before: float
    after: float
    texts: int
    confirmed: int

    @property
    def why(self) -> str:
        """The line a person reads."""
        said = f"{self.label}：“{self.word}”在 {self.texts} 篇里，其中 {self.confirmed} 篇确认了它"
        if not self.before:
            return f"{said}，新增，权重 {self.after:g}"
        return f"{said}，权重 {self.before:g} 改为 {self.after:g}"


def learned(text: str, examples: Sequence[Example]) -> tuple[str, list[Learned]]:
    """The text to propose, and what it learned; the same text where there was nothing to learn."""
    data = yaml.safe_load(text)
    for values in (data["dimensions"][name]["values"] for name in _LEARNS):
        for value in values.values():
            value.pop("learned", None)
    plain = parse_taxonomy(data)
    examples = [_of_now(plain, one) for one in examples]
    found = [*_known(plain, examples), *_new(plain, examples)]
    if not found:
        return text, []
    rows: dict[tuple[str, str], dict[float, list[str]]] = defaultdict(dict)
    for one in found:
        rows[one.dimension, one.key].setdefault(one.after, []).append(one.word)
    for (dimension, key), weights in rows.items():
        data["dimensions"][dimension]["values"][key]["learned"] = weights
    why = "".join(f"# {one.why}\n" for one in found)
    return written(_HEAD + why + _TAIL, data), found


def _of_now(taxonomy: Taxonomy, one: Example) -> Example:
    """What people chose by a key that was renamed, merged or split speaks for its heirs."""
    keys = {name: frozenset(taxonomy.keys_now(name, chosen)) for name, chosen in one.chosen.items()}
    return replace(one, chosen=keys)


def _known(taxonomy: Taxonomy, examples: Sequence[Example]) -> Iterator[Learned]:
    """Words people wrote, weighed by how often the value was confirmed where they stand."""
    texts: Counter[tuple[str, str, str]] = Counter()
    confirmed: Counter[tuple[str, str, str]] = Counter()
    weights: dict[tuple[str, str, str], float] = {}
    for one in examples:
        for (dimension, key), words in uses(one.title, one.text, taxonomy).items():
            if dimension not in _LEARNS or not one.chosen.get(dimension):
                continue  # what nobody limited says nothing about its values
            right = _means(taxonomy, dimension, key, one)
            for use in words:
                place = (dimension, key, use.word)
                weights[place] = use.weight
                texts[place] += 1
                confirmed[place] += right
    for place, number in sorted(texts.items()):
        if number < ENOUGH:
            continue
        share = (confirmed[place] + 1) / (number + 2)
        before = weights[place]
        after = round(before * (0.5 + share) * 2) / 2  # between half and half as much again
        if after and after != before:
            dimension, key, word = place
            label = taxonomy.label(dimension, key)
            counts = (number, confirmed[place])
            yield Learned(dimension, key, label, word, before, after, *counts)


def _means(taxonomy: Taxonomy, dimension: str, key: str, one: Example) -> bool:
    """Whether people chose this value, a part of it, or what it is a part of."""
    chosen = one.chosen[dimension]
    wider = set(taxonomy.lineage(dimension, key))
    return bool(wider & chosen) or any(key in taxonomy.lineage(dimension, own) for own in chosen)


def _new(taxonomy: Taxonomy, examples: Sequence[Example]) -> Iterator[Learned]:
    """Words of titles whose value people chose although nothing suggested it."""
    inside = [_grams(one.title) for one in examples]
    missed: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for one, grams in zip(examples, inside, strict=True):
        told = {(row.dimension, row.key) for row in suggestions(one.title, one.text, taxonomy)}
        for dimension in _LEARNS:
            for key in one.chosen.get(dimension, ()):
                if (dimension, key) not in told and taxonomy.get(dimension, key) is not None:
                    missed[dimension, key].update(grams)
    for (dimension, key), counts in sorted(missed.items()):
        known = taxonomy.facets[dimension][key].words
        words = [
            word
            for word, number in counts.items()
            if number >= NEW_ENOUGH and not any(word in own or own in word for own in known)
        ]
        for word in sorted(_longest(words)):
            having = [one for one, grams in zip(examples, inside, strict=True) if word in grams]
            right = sum(key in one.chosen.get(dimension, ()) for one in having)
            if right / len(having) >= _SURE:
                label = taxonomy.label(dimension, key)
                counted = (len(having), right)
                yield Learned(dimension, key, label, word, 0.0, NEW_WEIGHT, *counted)


def _grams(title: str) -> set[str]:
    """Runs of characters that may be words: none begins or ends with a filler."""
    return {
        run[at : at + size]
        for run in _WORD.findall(title)
        for size in _SIZES
        for at in range(len(run) - size + 1)
        if run[at] not in _EMPTY and run[at + size - 1] not in _EMPTY
    }


def _longest(words: Sequence[str]) -> list[str]:
    """Of runs that lie in one another the longest: what several titles share is one word."""
    return [one for one in words if not any(one != other and one in other for other in words)]


def examples_of(rows: Sequence[Mapping[str, Any]]) -> list[Example]:
    """Examples of canonical texts (review_queue/canonical.py) that were approved for somebody."""
    found = []
    for row in rows:
        audience = row.get("audience") or {}
        if audience:
            chosen = {name: frozenset(map(str, audience.get(name) or ())) for name in _LEARNS}
            found.append(Example(str(row.get("title")), str(row.get("body")), chosen))
    return found
