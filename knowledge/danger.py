"""Whether somebody is in danger now, in whatever words a citizen says it: one of ten classes.

`danger(text) -> str` is one of CLASSES, or "". A linear model over runs of one to three characters
reads the message as a whole, and of a long one each sentence and each few clauses; it was fitted to
sentences that are kept beside `scripts/build_danger.py`, which also makes `danger.npz`. What only
sounds like danger (a bill, a drill, money after a fire) is among those sentences as well, and is
left to the answers.
What is said in other letters is read by danger_abroad.py.
"""

import re
import unicodedata
import zlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np
import opencc
from numpy.typing import NDArray

from knowledge.danger_abroad import danger_abroad

CLASSES = (
    "self_harm",
    "fire",
    "gas",
    "electric",
    "water",
    "illness",
    "home",
    "missing",
    "threat",
    "fraud",
)
MODEL = Path(__file__).parent / "danger.npz"
LONGEST = 3  # characters of a run
SURE = 0.42  # from which share of all classes of danger together a message is one
_SURE_OF_CLAUSES = {1: 0.9, 2: 0.88, 3: 0.88}  # of so many that were taken out of their story
_SURE_OF_LAST = 0.86  # of its last one, with which people say what they came for
_SURE_OF_SENTENCE = 0.7  # of a whole sentence: it says more than its clauses
_SHORT = 10  # signs up to which a message is read as a whole only
_NUMBER = re.compile(r"[\d零〇一二两三四五六七八九十百千万几]+")
_HAN = re.compile(r"[\u3400-\u9fff]|^\W*\d{3,5}\W*$")  # or a number somebody calls for help
_REST = re.compile(r"[^\w]+")
_STOPS = re.compile(r"(?<=[。！？!?；;\n])")
_ENDS = re.compile(r"(?<=[。！？!?；;\n])|(?<=[，,、 ])(?=\S{4})")

Keys = NDArray[np.uint32]


def danger(text: str) -> str:
    """The class of danger somebody speaks of, or an empty text."""
    if abroad := danger_abroad(text):
        return abroad
    if not _HAN.search(text):
        return ""
    for part, sure in _parts(text):
        shares = model().shares(part)
        if shares.sum() > sure:
            return CLASSES[int(shares.argmax())]
    return ""


def _parts(text: str) -> Iterator[tuple[str, float]]:
    yield text, SURE
    if len(text) <= _SHORT:
        return
    clauses = [one for one in _ENDS.split(text) if one.strip()]
    for last in clauses[-1:]:
        yield last, _SURE_OF_LAST
    for together, sure in _SURE_OF_CLAUSES.items():
        for at in range(len(clauses) - together + 1):
            yield "".join(clauses[at : at + together]), sure
    for sentence in _STOPS.split(text):
        if len(sentence.strip()) > _SHORT:
            yield sentence, _SURE_OF_SENTENCE


class Model:
    """Keys of runs, sorted, with their weight for "no danger" and each class."""

    def __init__(self, keys: Keys, weights: NDArray[np.float32]) -> None:
        """`weights` has a row for each key and at last one for no key at all."""
        self._keys, self._weights = keys, weights

    def shares(self, text: str) -> NDArray[np.float32]:
        """How much speaks for each class, 0..1; what is left to 1 is for no danger."""
        found = np.fromiter(runs(text), np.uint32)
        place = np.searchsorted(self._keys, found)
        place[place == len(self._keys)] = 0
        place = place[self._keys[place] == found]
        told = self._weights[place].sum(axis=0) / np.sqrt(max(len(place), 1)) + self._weights[-1]
        shares = np.exp(told - told.max())
        return np.asarray(shares[1:] / shares.sum(), np.float32)


@cache
def model() -> Model:
    """The fitted model of the program."""
    with np.load(MODEL) as held:
        return Model(held["keys"], held["weights"].astype(np.float32))


def runs(text: str) -> set[int]:
    """A key for each run of one to LONGEST characters; a number is one sign, so are marks."""
    plain = _simplified().convert(unicodedata.normalize("NFKC", text).lower())
    said = f"^{_REST.sub('，', _NUMBER.sub('0', plain))}$"
    return {
        zlib.crc32(said[at : at + size].encode())
        for size in range(1, LONGEST + 1)
        for at in range(len(said) - size + 1)
    }


@cache
def _simplified() -> opencc.OpenCC:
    return opencc.OpenCC("t2s")
