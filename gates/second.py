"""A second opinion on a swap, fitted to real texts: what looks odd there is right almost always.

The network learned from slips put into texts, every second line one; in what offices write one
character in some ten thousand is wrong. What it holds likely is weighed once more, by its own
certainty, its features and what the text around says, with weights fitted to warnings that people
judged (`scripts/fit_second_opinion.py`). A logistic regression: sixty numbers.
"""

import io
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gates.grams import Real

WEIGHTS = Path(__file__).parent / "second.npz"
FLOOR = 0.3  # certainty of the network below which nothing is asked
TOLD = 0.73  # probability from which on a swap is a warning
TOLD_BY_WORD = 0.33  # the same where the swap makes a word of what is part of none
_REACH = 200  # characters of the line before that may open a quotation
_OLD, _NEW, _AFTER = slice(11, 17), slice(17, 23), 23  # of the features, see gates/spelling.py
_OFTEN = 3
_OPENS, _CLOSES = frozenset("“《（、"), frozenset("”》）、，。；")


@dataclass(frozen=True)
class Second:
    """Weights of the regression; the last one stands alone."""

    mean: Real
    scale: Real
    weights: Real

    @classmethod
    def load(cls, path: Path = WEIGHTS) -> "Second":
        """The fitted weights."""
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as held:
            return cls(held["mean"], held["scale"], held["weights"])

    def probability(self, rows: Real) -> Real:
        """How probable it is that each swap mends a slip; `rows` as `row_of` makes them."""
        value = (rows - self.mean) / self.scale @ self.weights[:-1] + self.weights[-1]
        sure: Real = (1 / (1 + np.exp(-value))).astype(np.float32)
        return sure


class Around:
    """What a text says about a swap in it."""

    def __init__(self, text: str) -> None:
        """Count its pairs."""
        self._text = text
        self._two = Counter(text[at : at + 2] for at in range(len(text) - 1))

    def row_of(self, place: int, right: str, features: Real, sure: float) -> Real:
        """The numbers that are weighed for one swap."""
        sure = min(max(sure, 1e-4), 1 - 1e-4)
        old, new = features[_OLD], features[_NEW]
        runs = [
            *(np.log(sure / (1 - sure)), old[0], old[1], old[:2].min(), old[2:].max()),
            *(new[0], new[1], new[:2].min(), new[2], new[3:].max(), (new[3:] > 0).sum()),
        ]
        rest = [features[:11], features[_AFTER:], self._words(place, right)]
        return np.concatenate([np.array(runs), *rest]).astype(np.float32)

    def _words(self, place: int, right: str) -> Real:
        """Whether the text has either reading elsewhere, and how the place stands."""
        text = self._text
        left, after = text[max(place - 1, 0) : place], text[place + 1 : place + 2]
        line = text[max(text.rfind("\n", 0, place) + 1, place - _REACH) : place]
        pairs = (left + right, right + after, left + text[place], text[place] + after)
        seen = [min(self._two[pair], _OFTEN) for pair in pairs]
        seen[2], seen[3] = max(seen[2] - 1, 0), max(seen[3] - 1, 0)
        stands = [
            line.count("“") > line.count("”"),
            line.count("（") + line.count("(") > line.count("）") + line.count(")"),
            not left or left in _OPENS,
            not after or after in _CLOSES,
            left.isdigit(),
            after.isdigit(),
        ]
        return np.array([*seen, *stands], np.float32)
