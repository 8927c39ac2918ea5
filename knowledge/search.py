"""Find clauses for a question: BM25 over character pairs in tantivy, widened and re-ranked.

The index only finds; whether a clause may be quoted is decided by the database.
"""

import logging
import math
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

import jieba
import tantivy
from tantivy import Occur, Query

from knowledge.clauses import sentences
from knowledge.speech import Synonyms, starting_speech

jieba.setLogLevel(logging.WARNING)

_RUN = re.compile(r"[\u4e00-\u9fff]+|[a-z0-9.%]+")
_MAX_QUESTION = 400
_CHAR_WEIGHT = 0.3  # one character against a pair of characters
_CROSSING_WEIGHT = 0.7  # a pair that lies in no word of the question
_SYNONYM_WEIGHT = 0.5
_CANDIDATES = 40  # re-ranked by how well one sentence covers the question
_COVER_BONUS = 0.5
_NUMBER_BONUS = 0.1
_SMALL = 10  # keeps rarity meaningful in a library of a few clauses
_NOISE = 0.15
_ASKS_NUMBER = re.compile(r"多少|几|何时|时间|什么时候|多长|多久|电话|日期|比例|金额|号码")


@dataclass(frozen=True)
class Doc:
    """What is indexed under `key`: a clause, with the title (and number, heading) of its policy."""

    key: str
    title: str
    text: str


@dataclass(frozen=True)
class Found:
    """One hit. `coverage` 0..1: weight of the question's pairs in title and best sentences."""

    key: str
    title: str
    text: str
    score: float
    coverage: float


def plain(text: str) -> str:
    """Normal form: full-width letters and digits narrowed, lower case."""
    return unicodedata.normalize("NFKC", text).lower()


def runs(text: str) -> list[str]:
    """Runs of Han characters, and of Latin letters and digits, in normal form."""
    return _RUN.findall(plain(text))


def pairs(text: str) -> list[str]:
    """Overlapping pairs of Han characters; single ones and Latin runs whole."""
    result: list[str] = []
    for run in runs(text):
        if run[0] >= "\u4e00" and len(run) > 1:
            result += [run[at : at + 2] for at in range(len(run) - 1)]
        else:
            result.append(run)
    return result


def _characters(text: str) -> list[str]:
    result: list[str] = []
    for run in runs(text):
        result += run if run[0] >= "\u4e00" else [run]
    return result


@dataclass(frozen=True)
class _Term:
    """A pair of the question; `others` are synonyms whose presence covers it too."""

    pair: str
    weight: float  # for ranking
    others: tuple[str, ...]
    asking: bool  # belongs to a word like 什么时候: no matter whether a clause has it


@lru_cache(maxsize=256)
def _terms(question: str, synonyms: Synonyms) -> tuple[_Term, ...]:
    inside: set[str] = set()
    telling: set[str] = set()
    previous = ""
    for word in jieba.cut(question):
        inside.update(pairs(word))
        if word in synonyms.asking:
            previous = ""
            continue
        telling.update(pairs(word), pairs(previous[-1:] + word[:1]))
        previous = word
    spoken: dict[str, tuple[str, ...]] = {}
    for said, written in synonyms.written.items():
        if said in question:
            for pair in pairs(said):
                spoken[pair] = (*spoken.get(pair, ()), *written)
    return tuple(
        _Term(
            pair,
            1.0 if pair in inside else _CROSSING_WEIGHT,
            spoken.get(pair, ()),
            pair not in telling and pair not in spoken,
        )
        for pair in dict.fromkeys(pairs(question))
    )


def _schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    for field in ("pairs", "characters"):
        builder.add_text_field(field, tokenizer_name="whitespace", index_option="freq")
    for field in ("key", "title", "text"):
        builder.add_bytes_field(field, stored=True)
    return builder.build()


class Index:
    """A derived index over clauses; throw it away and build it again at any time."""

    def __init__(self, index: tantivy.Index) -> None:
        """Use `Index.build` or `Index.open`."""
        self._index = index
        self._schema = index.schema
        self._searcher = index.searcher()

    @classmethod
    def build(cls, docs: Iterable[Doc], directory: Path | None = None) -> "Index":
        """Index `docs` in memory, or in `directory` (made; must hold no index yet)."""
        if directory is not None:
            directory.mkdir(parents=True, exist_ok=True)
        index = tantivy.Index(_schema(), path=str(directory) if directory else None, reuse=False)
        writer = index.writer(64_000_000, 1)
        for doc in docs:
            whole = f"{doc.title}\n{doc.text}"
            writer.add_document(
                tantivy.Document(
                    key=doc.key.encode(),
                    title=doc.title.encode(),
                    text=doc.text.encode(),
                    pairs=" ".join(pairs(whole)),
                    characters=" ".join(_characters(whole)),
                )
            )
        writer.commit()
        writer.wait_merging_threads()
        index.reload()
        jieba.initialize()
        return cls(index)

    @classmethod
    def open(cls, directory: Path) -> "Index":
        """Open what `build` wrote into `directory`."""
        return cls(tantivy.Index.open(str(directory)))

    def __len__(self) -> int:
        """How many clauses are indexed."""
        return self._searcher.num_docs

    def search(self, question: str, k: int = 10, synonyms: Synonyms | None = None) -> list[Found]:
        """At most `k` clauses, best first; none when nothing of the question occurs anywhere."""
        question = question[:_MAX_QUESTION]
        terms = _terms(question, synonyms or starting_speech().synonyms)
        if not terms or k < 1:
            return []
        query = self._query(question, terms)
        hits = self._searcher.search(query, limit=max(k, _CANDIDATES), count=False).hits
        if not hits:
            return []
        weights = self._weights(terms)
        best = float(hits[0][0])
        wants_number = bool(_ASKS_NUMBER.search(question))
        found = []
        for score, address in hits:
            row = self._searcher.doc(address)
            key, title, text = (row[name][0].decode() for name in ("key", "title", "text"))
            coverage = _coverage(weights, title, text)
            value = float(score) / best + _COVER_BONUS * coverage
            if wants_number and any(character.isdigit() for character in text[10:]):
                value += _NUMBER_BONUS
            found.append(Found(key, title, text, best * value, coverage))
        found.sort(key=lambda hit: -hit.score)
        return found[:k]

    def _query(self, question: str, terms: Sequence[_Term]) -> Query:
        boosts: dict[tuple[str, str], float] = {}
        for term in terms:
            boosts["pairs", term.pair] = term.weight
            for other in term.others:
                for pair in pairs(other):
                    boosts.setdefault(("pairs", pair), _SYNONYM_WEIGHT)
        for character in _characters(question):
            boosts["characters", character] = _CHAR_WEIGHT
        return Query.boolean_query(
            [
                (
                    Occur.Should,
                    Query.boost_query(Query.term_query(self._schema, field, word, "freq"), boost),
                )
                for (field, word), boost in boosts.items()
            ]
        )

    def _weights(self, terms: Sequence[_Term]) -> dict[_Term, float]:
        """How telling each pair is: its rarity in this index; question words count little."""
        total = max(len(self), 1)
        result = {}
        for term in terms:
            seen = self._searcher.doc_freq("pairs", term.pair)
            rarity = math.log(1 + (total + _SMALL) / (seen + 1))
            if term.asking or (seen == 0 and term.weight < 1.0):
                rarity *= _NOISE  # question words, chance neighbours nobody ever wrote
            result[term] = rarity * term.weight
        return result


def _coverage(weights: Mapping[_Term, float], title: str, text: str) -> float:
    """Share of the question's weight in the title and the best two neighbouring sentences."""
    whole = sum(weights.values())
    if whole <= 0:
        return 0.0
    head = _held(weights, title)
    spans = [text[start:end] for start, end in sentences(text)] or [text]
    held = [head | _held(weights, span) for span in spans]
    windows = [a | b for a, b in pairwise(held)] or held
    return max(sum(weights[term] for term in window) for window in windows) / whole


def _held(terms: Iterable[_Term], text: str) -> set[_Term]:
    text = plain(text)
    return {t for t in terms if t.pair in text or any(other in text for other in t.others)}


def wanted_in(question: str, text: str, synonyms: Synonyms | None = None) -> dict[str, float]:
    """The telling pairs of the question that `text` holds, with their weights."""
    return {
        term.pair: _NOISE * term.weight if term.asking else term.weight
        for term in _held(_terms(question, synonyms or starting_speech().synonyms), text)
    }
