"""Tag a text with facets by weighted evidence words; the title weighs more than the body."""

import math
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple, TypedDict

from ahocorasick_rs import AhoCorasick, MatchKind

from facets.taxonomy import DIMENSIONS, Taxonomy, starting_taxonomy

_TITLE_WEIGHT = 4.0
_LEAD_CHARS, _LEAD_WEIGHT = 240, 2.0  # the opening says what a text is about
_MAX_TEXT = 200_000
_KIND_LEAD = 80
_SILENT = ""  # owner of words that only hide what is inside them
_NO_DISTRICT = "位域块划间别段分"  # 海南｜区位, 松山｜区域
_STREET = re.compile(r"[东西南北中]?(?:路|街|大街|大道|巷)|大厦|宾馆|酒店|饭店|广场|小区|大桥|牌")
_NEAR = 0.5
"""How strong a further value must be beside the best: half as much said of it, or it is only
mentioned."""
_FLOOR = {"topics": 0.12, "groups": 0.25, "regions": 0.25, "industries": 0.25, "kinds": 0.0}
_ENOUGH = 8.0  # evidence at which a score passes one half


class Entry(TypedDict):
    """One facet that a text speaks of; `score` is 0..1."""

    key: str
    label: str
    score: float


@dataclass(frozen=True)
class _Evidence:
    automaton: AhoCorasick
    words: list[str]
    owners: dict[str, list[tuple[str, str, float]]]  # word -> (dimension, key, weight)
    beside: Mapping[tuple[str, str, str], frozenset[str]]  # (dimension, key, word) -> keys asked


@lru_cache(maxsize=4)
def _compile(taxonomy: Taxonomy) -> _Evidence:
    owners: dict[str, list[tuple[str, str, float]]] = {}
    for dimension in DIMENSIONS:
        for facet in taxonomy.facets[dimension].values():
            for word, weight in facet.words.items():
                owners.setdefault(word, []).append((dimension, facet.key, weight))
        for word in taxonomy.silent.get(dimension, ()):
            owners.setdefault(word, []).append((dimension, _SILENT, 0.0))
    beside = {
        (dimension, facet.key, word): frozenset(taxonomy.lineage(dimension, facet.key))
        for dimension in DIMENSIONS
        for facet in taxonomy.facets[dimension].values()
        for word in facet.beside
    }
    words = list(owners)
    return _Evidence(AhoCorasick(words, matchkind=MatchKind.Standard), words, owners, beside)


def tag(
    text: str, title: str | None = None, taxonomy: Taxonomy | None = None
) -> dict[str, list[Entry]]:
    """Facets of a text: {"topics": [{"key", "label", "score"}, ...], "groups": ...}, best first.

    Scores are 0..1. Topics always has at least one entry (other when nothing speaks). Without
    `taxonomy` the starting one of the program: for tools that have no office.
    """
    known = (taxonomy or starting_taxonomy()).itself
    text = text[:_MAX_TEXT]
    totals = _totals(text, title or "", _compile(known))
    found = {d: _ranked(d, totals.get(d, {})) for d in DIMENSIONS if d != "kinds"}
    found["topics"] = found["topics"] or [("other", 0.1)]
    found["kinds"] = _kinds(title or "", text, known)
    return {d: [_entry(known, d, key, score) for key, score in rows] for d, rows in found.items()}


def _totals(text: str, title: str, evidence: _Evidence) -> dict[str, dict[str, float]]:
    """Evidence by dimension and key: each word counts with the logarithm of its weighted uses."""
    uses: dict[tuple[str, str, str], float] = {}
    weights: dict[tuple[str, str, str], float] = {}
    for field, weigh in ((title, _title_weight), (text, _text_weight)):
        for start, word, dimension, key, weight in _longest(evidence, field):
            use = (dimension, key, word)
            uses[use] = uses.get(use, 0.0) + weigh(start)
            weights[use] = weight
    for use in _unsupported(evidence, uses):
        del uses[use]
    totals: dict[str, dict[str, float]] = {}
    for use, amount in uses.items():
        scores = totals.setdefault(use[0], {})
        scores[use[1]] = scores.get(use[1], 0.0) + weights[use] * math.log1p(amount)
    return totals


def _unsupported(
    evidence: _Evidence, uses: Collection[tuple[str, str, str]]
) -> list[tuple[str, str, str]]:
    """Uses of words that say nothing alone, with nothing beside them that says the same."""
    sure = {
        (dimension, key)
        for dimension, key, word in uses
        if not evidence.beside.get((dimension, key, word))
    }
    return [
        use
        for use in uses
        if (asked := evidence.beside.get(use)) and not any((use[0], key) in sure for key in asked)
    ]


class Use(NamedTuple):
    """How often one evidence word speaks for a value, and how much it weighs."""

    word: str
    weight: float
    title: int
    body: int

    @property
    def amount(self) -> float:
        """What it adds; nearly as the tagger counts it, which also looks at the opening."""
        return self.weight * math.log1p(self.title * _TITLE_WEIGHT + self.body)


def uses(title: str, text: str, taxonomy: Taxonomy) -> dict[tuple[str, str], list[Use]]:
    """Why a text is tagged: the words of each (dimension, key), the most telling first."""
    evidence = _compile(taxonomy.itself)
    counts: dict[tuple[str, str], dict[str, list[float]]] = {}
    for at, field in enumerate((title, text[:_MAX_TEXT])):
        for _, word, dimension, key, weight in _longest(evidence, field):
            row = counts.setdefault((dimension, key), {}).setdefault(word, [weight, 0, 0])
            row[1 + at] += 1
    every = [(*place, word) for place, words in counts.items() for word in words]
    for dimension, key, word in _unsupported(evidence, every):
        del counts[dimension, key][word]
    found = {
        place: [Use(word, row[0], int(row[1]), int(row[2])) for word, row in words.items()]
        for place, words in counts.items()
        if words
    }
    return {place: sorted(rows, key=lambda use: -use.amount) for place, rows in found.items()}


def _title_weight(_start: int) -> float:
    return _TITLE_WEIGHT


def _text_weight(start: int) -> float:
    return _LEAD_WEIGHT if start < _LEAD_CHARS else 1.0


def _longest(evidence: _Evidence, field: str) -> list[tuple[int, str, str, str, float]]:
    """Hits (start, word, dimension, key, weight) in no longer hit of the same dimension.

    生态环境 speaks, the 环境 inside it does not.
    """
    hits = [
        (start, end, evidence.words[index])
        for index, start, end in evidence.automaton.find_matches_as_indexes(field, overlapping=True)
        if not _cut_out(field, start, end)
    ]
    hits.sort(key=lambda hit: (hit[0], -hit[1]))
    kept: list[tuple[int, str, str, str, float]] = []
    reach: dict[str, int] = {}
    for start, end, word in hits:
        free = {d for d, _, _ in evidence.owners[word] if end > reach.get(d, 0)}
        kept += [
            (start, word, d, key, weight)
            for d, key, weight in evidence.owners[word]
            if d in free and key != _SILENT
        ]
        reach.update(dict.fromkeys(free, end))
    return kept


def _cut_out(field: str, start: int, end: int) -> bool:
    """Whether a place name is none here: 海南区位, 赤峰路, 打招呼市民."""
    last, after = field[end - 1], field[end : end + 3]
    if last == "区":
        return after[:1] in _NO_DISTRICT and after != ""
    if last == "市":
        return after[:1] in "民场" and field[start - 1 : start] in ("招", "称", "欢", "惊")
    return bool(_STREET.match(after))


def _ranked(dimension: str, scores: dict[str, float]) -> list[tuple[str, float]]:
    if not scores:
        return []
    best = max(scores.values())
    kept = [(key, _score(value, best)) for key, value in scores.items() if value >= best * _NEAR]
    kept = [(key, score) for key, score in kept if score >= _FLOOR[dimension]]
    return sorted(kept, key=lambda row: (-row[1], row[0]))[:5]


def _score(value: float, best: float) -> float:
    return round(value / (value + _ENOUGH) * (0.5 + 0.5 * value / best), 4)


def _entry(taxonomy: Taxonomy, dimension: str, key: str, score: float) -> Entry:
    return {"key": key, "label": taxonomy.label(dimension, key), "score": score}


def _kinds(title: str, text: str, taxonomy: Taxonomy) -> list[tuple[str, float]]:
    """The 文种 is the last kind word of the title (…办法的通知 is a 通知), else of the opening."""
    for field, score in ((title, 0.95), (text[:_KIND_LEAD].split("\n")[0], 0.6)):
        last: tuple[int, str] | None = None
        for facet in taxonomy.facets["kinds"].values():
            for word in facet.words:
                at = max((m.end() for m in re.finditer(re.escape(word), field)), default=0)
                if at and (last is None or at > last[0]):
                    last = (at, facet.key)
        if last is not None:
            return [(last[1], score)]
    return []


class TagInputError(ValueError):
    """A record that cannot be tagged; the message names the field (Chinese)."""


def tag_record(record: Any) -> Mapping[str, Any]:
    """The `tag` filter: {id, text, title?} -> {id, topics, groups, regions, industries, kinds}."""
    if not isinstance(record, dict):
        raise TagInputError("这一行应当是一个 JSON 对象")
    text, title = record.get("text"), record.get("title")
    if not isinstance(text, str):
        raise TagInputError("text：应当是文字")
    if title is not None and not isinstance(title, str):
        raise TagInputError("title：应当是文字或 null")
    return {"id": record.get("id"), **tag(text, title)}
