"""Which pieces of a question stand where in a clause: in title, text and sentences. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from knowledge.clauses import sentences

Rows = NDArray[np.float32]
Values = NDArray[np.floating[Any]]
Marks = NDArray[np.bool_]


@dataclass(frozen=True)
class Term:
    """A piece of the question with its weight; `others` are synonyms that stand for it."""

    text: str
    weight: float
    others: tuple[str, ...] = ()


@dataclass(frozen=True)
class Asked:
    """A question taken apart: pairs (weighted by rarity), and rarities of its other pieces."""

    text: str  # in normal form
    pairs: tuple[Term, ...]  # as they follow one another
    characters: Mapping[str, float]
    words: Mapping[str, float]  # what it is about, without words of asking

    @cached_property
    def rare(self) -> Rows:
        """The weights of its pairs."""
        return np.array([term.weight for term in self.pairs], np.float32)


@dataclass(frozen=True)
class Candidate:
    """A clause as the index found it; `title` and `text` in normal form."""

    title: str
    text: str
    group: str  # the document it belongs to
    score: float


@dataclass(frozen=True)
class Marked:
    """Of each pair of the question whether it stands there; `held` has a row a sentence."""

    head: Marks
    body: Marks
    parts: Sequence[str]
    held: Marks


def marked(asked: Asked, candidates: Sequence[Candidate]) -> list[Marked]:
    """Where the pairs of a question stand in each candidate."""
    titles = {one.title: _marks(asked.pairs, one.title) for one in candidates}
    return [_marked(asked.pairs, one, titles[one.title]) for one in candidates]


def _marked(terms: Sequence[Term], one: Candidate, head: Marks) -> Marked:
    body = _marks(terms, one.text)
    parts = [one.text[start:end] for start, end in sentences(one.text)] or [one.text]
    there = np.flatnonzero(body)
    known = [terms[int(at)] for at in there]
    held = np.zeros((len(parts), len(terms)), bool)
    held[:, there] = [_marks(known, part) for part in parts]
    return Marked(head, body, parts, held)


def _marks(terms: Sequence[Term], text: str) -> Marks:
    marks = [
        t.text in text or (bool(t.others) and any(one in text for one in t.others)) for t in terms
    ]
    return np.array(marks, bool)
