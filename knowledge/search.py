"""Find clauses for a question: BM25 over character pairs in tantivy, widened and re-ranked.

The index only finds; whether a clause may be quoted is decided by the database.
"""

import logging
import math
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import jieba
import tantivy
from tantivy import Occur, Query

from knowledge.marks import Asked, Candidate, Term
from knowledge.ranking import ranker, without_title
from knowledge.speech import Synonyms, starting_speech

jieba.setLogLevel(logging.WARNING)

_RUN = re.compile(r"[\u4e00-\u9fff]+|[a-z0-9.%]+")
_MAX_QUESTION = 400
_CHAR_WEIGHT = 0.3  # one character against a pair of characters
_CROSSING_WEIGHT = 0.7  # a pair that lies in no word of the question
_SYNONYM_WEIGHT = 0.5
_CANDIDATES = 20  # judged one by one
_SMALL = 10  # keeps rarity meaningful in a library of a few clauses
_NOISE = 0.15


@dataclass(frozen=True)
class Doc:
    """What is indexed under `key`: a clause, with the title (and number, heading) of its policy."""

    key: str
    title: str
    text: str
    group: str = ""  # the document it belongs to; its title when none is named


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
    builder.add_text_field("name", tokenizer_name="raw", index_option="basic")
    for field in ("key", "title", "text", "group"):
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
        given = list(docs)
        if given:  # an office without a policy is asked nothing that would need the dictionary
            jieba.initialize()
        return cls(index).changed((), given)

    def changed(self, gone: Iterable[str], docs: Iterable[Doc]) -> "Index":
        """The index without the clauses of these keys and with `docs`; this one stays as it was."""
        writer = self._index.writer(64_000_000, 1)
        for key in gone:
            writer.delete_documents_by_term("name", key)
        for doc in docs:
            whole = f"{doc.title}\n{without_title(doc.title, doc.text)}"
            writer.add_document(
                tantivy.Document(
                    name=doc.key,
                    key=doc.key.encode(),
                    title=doc.title.encode(),
                    text=doc.text.encode(),
                    group=(doc.group or doc.title).encode(),
                    pairs=" ".join(pairs(whole)),
                    characters=" ".join(_characters(whole)),
                )
            )
        writer.commit()
        writer.wait_merging_threads()
        self._index.reload()
        return Index(self._index)

    @classmethod
    def open(cls, directory: Path) -> "Index":
        """Open what `build` wrote into `directory`."""
        return cls(tantivy.Index.open(str(directory)))

    def __len__(self) -> int:
        """How many clauses are indexed."""
        return self._searcher.num_docs

    def search(self, question: str, k: int = 10, synonyms: Synonyms | None = None) -> list[Found]:
        """At most `k` clauses, best first; none when nothing of the question occurs anywhere."""
        if k < 1:
            return []
        asked, rows = self.candidates(question, synonyms)
        if not rows:
            return []
        judged = ranker().judge(asked, [candidate for _, candidate in rows])
        found = [
            Found(row.key, row.title, row.text, one.score, one.coverage)
            for (row, _), one in zip(rows, judged, strict=True)
        ]
        found.sort(key=lambda hit: -hit.score)
        return found[:k]

    def candidates(
        self, question: str, synonyms: Synonyms | None = None
    ) -> tuple[Asked, list[tuple[Doc, Candidate]]]:
        """The question taken apart, and the clauses that share most with it, unranked yet."""
        question = question[:_MAX_QUESTION]
        synonyms = synonyms or starting_speech().synonyms
        terms = _terms(question, synonyms)
        asked = self._asked(question, terms, synonyms)
        if not terms:
            return asked, []
        query = self._query(question, terms)
        rows = []
        for score, address in self._searcher.search(query, limit=_CANDIDATES, count=False).hits:
            held = self._searcher.doc(address)
            names = ("key", "title", "text", "group")
            row = Doc(*(held[name][0].decode() for name in names))
            title = plain(row.title)
            text = without_title(title, plain(row.text))
            rows.append((row, Candidate(title, text, row.group, float(score))))
        return asked, rows

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

    def _asked(self, question: str, terms: Sequence[_Term], synonyms: Synonyms) -> Asked:
        """How telling each piece is: its rarity in this index; question words count little."""
        pieces = []
        for term in terms:
            seen = self._searcher.doc_freq("pairs", term.pair)
            weight = self._rarity(seen) * term.weight
            if term.asking or (seen == 0 and term.weight < 1.0):
                weight *= _NOISE  # question words, chance neighbours nobody ever wrote
            pieces.append(Term(term.pair, weight, term.others))
        return Asked(
            plain(question),
            tuple(pieces),
            {
                one: self._rarity(self._searcher.doc_freq("characters", one))
                for one in dict.fromkeys(_characters(question))
            },
            {
                word: max(self._rarity(self._searcher.doc_freq("pairs", one)) for one in held)
                for word in dict.fromkeys(jieba.cut(plain(question)))
                if len(word) > 1 and word not in synonyms.asking and (held := pairs(word))
            },
        )

    def _rarity(self, seen: int) -> float:
        return math.log(1 + (max(len(self), 1) + _SMALL) / (seen + 1))


def _held(terms: Iterable[_Term], text: str) -> set[_Term]:
    text = plain(text)
    return {t for t in terms if t.pair in text or any(other in text for other in t.others)}


def wanted_in(question: str, text: str, synonyms: Synonyms | None = None) -> dict[str, float]:
    """The telling pairs of the question that `text` holds, with their weights."""
    return {
        term.pair: _NOISE * term.weight if term.asking else term.weight
        for term in _held(_terms(question, synonyms or starting_speech().synonyms), text)
    }
