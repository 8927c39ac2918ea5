"""Idioms of four characters with one of them written as one that sounds or looks like it."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gates.confusions import Confusions
from gates.evidence import EVERYDAY
from gates.grams import NO_VALUES, Grams, Ids, Real, key_of
from gates.language import Alphabet, Language
from gates.wordlist import Words

_FOUR = 4
_PLACE = np.uint64(1 << 39)  # above a key of three ids: which of the four is left out
# 门前五包 is no 三包, 春节前已 no 前夕: numbers and words that stand beside anything.
NUMBERS = frozenset("一二三四五六七八九十百千万两已")
NEVER = EVERYDAY | NUMBERS
_MANY = np.float32(-1)  # two idioms that differ in one character say nothing of it


@dataclass(frozen=True)
class Slip:
    """The place of one character, what stands there, and what the idiom has."""

    start: int
    wrong: str
    right: str


class Idioms:
    """The idioms of the dictionary, found by any three of their characters."""

    def __init__(self, alphabet: Alphabet, ids: Ids, words: Words, similar: Confusions) -> None:
        """`ids`: an idiom a row; `words` are all words: what stands there and is one is no slip."""
        self._alphabet, self._similar = alphabet, similar
        self._listed, self._words = words, words.grams[-1]
        ids = ids[(ids >= _FOUR).all(axis=1)]
        keys = np.concatenate([_without(ids, place) for place in range(_FOUR)])
        right = np.concatenate([ids[:, place] for place in range(_FOUR)]).astype(np.float32)
        order = np.argsort(keys, kind="stable")
        keys, right = keys[order], right[order]
        first = np.flatnonzero(np.r_[True, keys[1:] != keys[:-1]]) if len(keys) else keys
        size = np.diff(np.r_[first, len(keys)])
        self._right = Grams(keys[first], np.where(size > 1, _MANY, right[first]))

    def slips(self, text: str, ids: Ids, language: Language) -> Iterator[Slip]:
        """Where three characters of an idiom stand with one that was never seen between them."""
        if len(ids) < _FOUR:
            return
        rows = np.lib.stride_tricks.sliding_window_view(ids, _FOUR)
        known = (rows >= _FOUR).all(axis=1)
        right = np.stack([self._found(rows, place) for place in range(_FOUR)], axis=1)
        odd = np.flatnonzero(known & (right > 0).any(axis=1))
        odd = odd[self._words.count(_whole(rows[odd])) == 0]
        told = -1
        places = np.argmax(right[odd] > 0, axis=1)
        new = ~_seen(language, rows[odd], places)
        for start, place in zip(odd[new].tolist(), places[new].tolist(), strict=True):
            at, meant = start + place, int(right[start, place])
            if at == told or text[at] in NEVER or self._listed.in_word(ids, at):
                continue
            if meant in self._similar.of(text[at]).ids:
                told = at
                yield Slip(at, text[at], self._alphabet.char(meant))

    def _found(self, rows: Ids, place: int) -> Real:
        if not len(self._right.keys):
            return np.zeros(len(rows), np.float32)
        return self._right.count(_without(rows, place))


def _without(rows: Ids, place: int) -> Ids:
    left = [rows[:, column] for column in range(_FOUR) if column != place]
    return key_of(left) + np.uint64(place) * _PLACE


def _whole(rows: Ids) -> Ids:
    return key_of([rows[:, column] for column in range(_FOUR)])


def _seen(language: Language, rows: Ids, places: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Whether the four, or three of them with the odd one, were seen in other texts."""
    if not len(rows):
        return NO_VALUES > 0
    columns = [rows[:, column] for column in range(_FOUR)]
    three, four = language.grams[1:]
    seen = four.count(key_of(columns)) > 0
    for at in (0, 1):
        holds = (places >= at) & (places < at + _FOUR - 1)
        seen |= holds & (three.count(key_of(columns[at : at + 3])) > 0)
    return seen
