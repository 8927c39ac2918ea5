"""A clause seen among the others that were found: what sets it apart there, and its document. Pure.

What every clause found has (the name of the matter) tells them apart no more; what one of a
document has and its neighbours have not does. People name the matter first and ask of it last.
"""

import re
from collections.abc import Sequence

import numpy as np

from knowledge.marks import Asked, Candidate, Marked, Marks, Rows, Values
from knowledge.subject import PLACES

_PLACE = re.compile(r"[\u4e00-\u9fff]{2,3}?(?:省|市|区|县|州|镇|乡|街道|自治区)")
_BEGINNING = 200  # characters in which a text says of where it is
_COMPARED = [0, 1, 2, 5, 6, 8]  # columns that are also seen beside the best of all

Documents = Sequence[Sequence[int]]  # places of the candidates of each


def among(asked: Asked, candidates: Sequence[Candidate], marks: Sequence[Marked]) -> Rows:
    """Features of each candidate, a row each; the columns are those of the model."""
    heads, bodies = np.array([one.head for one in marks]), np.array([one.body for one in marks])
    documents, sentences = _documents(candidates), _Sentences(marks)
    rows = np.stack(
        [
            *_apart(asked, bodies, sentences),
            *_in_document(asked, heads | bodies, marks, documents),
            *_by_place(asked, heads, bodies, sentences),
            *_where(asked, candidates, documents),
        ],
        axis=1,
    )
    beside = rows[:, _COMPARED]
    return np.asarray(np.hstack([rows, beside - beside.max(axis=0)]), np.float32)


def _documents(candidates: Sequence[Candidate]) -> Documents:
    found: dict[str, list[int]] = {}
    for place, one in enumerate(candidates):
        found.setdefault(one.group, []).append(place)
    return list(found.values())


class _Sentences:
    """The sentences of some candidates together: one product instead of one each."""

    def __init__(self, marks: Sequence[Marked]) -> None:
        self._held = np.vstack([one.held for one in marks]).astype(np.float32)
        self._starts = np.cumsum([0, *(len(one.held) for one in marks[:-1])])

    def best(self, weights: Values) -> Values:
        """What the best sentence of each candidate holds."""
        return np.asarray(np.maximum.reduceat(self._held @ weights, self._starts))


def _apart(asked: Asked, bodies: Marks, sentences: _Sentences) -> list[Values]:
    """Coverage by pieces as rare among the candidates: of the text, of the best sentence."""
    seen = bodies.sum(axis=0)
    telling = np.maximum(np.log((len(bodies) + 1) / (seen + 0.5)), 0) * np.sqrt(asked.rare + 1e-9)
    whole = float(telling[seen > 0].sum()) or 1.0
    return [bodies @ telling / whole, sentences.best(telling) / whole]


def _in_document(
    asked: Asked, there: Marks, marks: Sequence[Marked], documents: Documents
) -> list[Values]:
    """Coverage by all of a document together, and by one clause of what the others have not."""
    together, text, sentence = np.zeros((3, len(marks)))
    for places in documents:
        together[places] = there[places].any(axis=0) @ asked.rare / (asked.rare.sum() or 1.0)
        if len(places) == 1:
            text[places] = sentence[places] = 1.0
            continue
        mine = [marks[at] for at in places]
        bodies = np.array([one.body for one in mine])
        seen = bodies.sum(axis=0)
        rare = np.where(seen > 0, np.log((len(places) + 1) / (seen + 0.5)), 0) * asked.rare
        rare = np.maximum(rare, 0)
        whole = float(rare.sum()) or 1.0
        text[places], sentence[places] = bodies @ rare / whole, _Sentences(mine).best(rare) / whole
    return [together, text, sentence]


def _by_place(asked: Asked, heads: Marks, bodies: Marks, sentences: _Sentences) -> list[Values]:
    """Coverage of the end of the question by the text, and of its beginning by the title."""
    place = np.arange(len(asked.rare)) / max(len(asked.rare) - 1, 1)
    late, early = asked.rare * place, asked.rare * (1 - place)
    end, start = float(late.sum()) or 1.0, float(early.sum()) or 1.0
    return [
        bodies @ late / end,
        sentences.best(late) / end,
        heads @ early / start,
        (heads | bodies) @ early / start,
    ]


def _where(asked: Asked, candidates: Sequence[Candidate], documents: Documents) -> list[Values]:
    """How many of the places asked about it names, and its document; whether only others."""
    named = {*_PLACE.findall(asked.text), *PLACES.findall(asked.text)}
    if not named:
        half = np.full(len(candidates), 0.5)
        return [half, half, np.zeros(len(candidates))]
    said = np.array(
        [np.mean([one in each.title or one in each.text for one in named]) for each in candidates]
    )
    document = np.zeros(len(candidates))
    for places in documents:
        document[places] = said[places].max()
    others = [PLACES.search(f"{one.title}{one.text[:_BEGINNING]}") for one in candidates]
    return [said, document, (said == 0) & np.array([one is not None for one in others])]
