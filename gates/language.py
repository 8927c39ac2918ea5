"""The character language model: an alphabet, interpolated 4-grams, the words of a dictionary."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gates.grams import BITS, Grams, Ids, Real, key_of

_OTHER, EDGE = 0, 1  # ids of a character outside the vocabulary, and of the text's edge

_DISCOUNT = 0.75


class Alphabet:
    """Characters to ids: digits are one, letters are one, what is unknown is one."""

    def __init__(self, characters: str) -> None:
        """`characters` have the ids from 4 on."""
        self.characters = characters
        table = np.zeros(0x10000, np.uint64)
        for number, char in enumerate(characters):
            table[ord(char)] = number + 4
        for char in "0123456789０１２３４５６７８９":
            table[ord(char)] = 2
        for code in (*range(ord("a"), ord("z") + 1), *range(ord("A"), ord("Z") + 1)):
            table[code] = 3
        table[ord("\n")] = EDGE
        self._table = table

    def __len__(self) -> int:
        """How many ids there are."""
        return len(self.characters) + 4

    def ids(self, text: str) -> Ids:
        """One id a code point."""
        # One number a code point; above the basic plane there is no character of the vocabulary.
        codes = np.frombuffer(text.encode("utf-32-le"), np.uint32)
        return self._table[np.where(codes < 0x10000, codes, 0)]

    def of_codes(self, codes: NDArray[np.uint16]) -> Ids:
        """One id a code of the basic plane."""
        return self._table[codes]

    def char(self, number: int) -> str:
        """The character of an id from 4 on."""
        return self.characters[number - 4]


class Language:
    """Interpolated 4-gram probabilities over ids, and the words of a dictionary."""

    def __init__(self, alphabet: Alphabet, grams: Sequence[tuple[Ids, Real]]) -> None:
        """`grams` are the counts of orders 1 to 4."""
        self.alphabet = alphabet
        self.single = np.zeros(len(alphabet), np.float32)
        keys, values = grams[0]
        self.single[keys.astype(np.intp)] = values
        self._base = ((self.single + 0.5) / (self.single.sum() + 4000)).astype(np.float32)
        every = np.arange(len(alphabet), dtype=np.uint64)
        self._first = _contexts(every, *grams[1])
        self.grams = [
            Grams(*grams[1], *_contexts(grams[1][0], *grams[2])),
            Grams(*grams[2], *_contexts(grams[2][0], *grams[3])),
            Grams(*grams[3]),
        ]
        self._pairs = _bits(grams[1][0])

    def pair_seen(self, left: Ids, right: Ids) -> NDArray[np.bool_]:
        """Whether the two ids were ever seen side by side."""
        key = (left << BITS) | right
        seen: NDArray[np.bool_] = (
            self._pairs[(key >> np.uint64(3)).astype(np.intp)]
            >> (key & np.uint64(7)).astype(np.uint8)
        ) & 1 == 1
        return seen

    def log(self, columns: Sequence[Ids]) -> Real:
        """Log probability of the last of four columns after the three before it."""
        chance = self._base[columns[-1].astype(np.intp)]
        for order in (2, 3, 4):
            held = self.grams[order - 2].count(key_of(columns[-order:]))
            total, kinds = self._after(order, columns[-order:-1])
            known = total > 0
            # Where nothing was seen the division must not be by zero; its result is not used.
            safe = np.where(known, total, 1)
            share = np.maximum(held - _DISCOUNT, 0) / safe
            rest = np.minimum(1, _DISCOUNT * kinds / safe)
            chance = np.where(known, share + rest * chance, chance)
        logs: Real = np.log(chance)
        return logs

    def _after(self, order: int, columns: Sequence[Ids]) -> tuple[Real, Real]:
        """How much was seen behind the columns, and how many kinds of it."""
        if order == 2:
            last = columns[0].astype(np.intp)
            return self._first[0][last], self._first[1][last]
        shorter = self.grams[order - 3]
        place, held = shorter.find(key_of(columns))
        total, kinds = shorter.more
        if not len(total):
            return np.zeros(len(place), np.float32), np.zeros(len(place), np.float32)
        return np.where(held, total[place], 0), np.where(held, kinds[place], 0)

    def window(self, rows: Ids) -> Real:
        """Log probabilities of the middle and the three after it; `rows` are 7 ids wide."""
        columns = [rows[:, index] for index in range(7)]
        return np.stack([self.log(columns[step : step + 4]) for step in range(4)], axis=1)

    def support(self, rows: Ids) -> Real:
        """How often the runs around the middle were seen: 2 pairs, 3 triples, the best four."""
        columns = [rows[:, index] for index in range(7)]
        two, three, four = (grams.count for grams in self.grams)
        seen = [
            two(key_of(columns[2:4])),
            two(key_of(columns[3:5])),
            three(key_of(columns[2:5])),
            three(key_of(columns[1:4])),
            three(key_of(columns[3:6])),
            np.max([four(key_of(columns[start : start + 4])) for start in range(4)], axis=0),
        ]
        support: Real = np.log1p(np.stack(seen, axis=1))
        return support


def _bits(pairs: Ids) -> NDArray[np.uint8]:
    """One bit for every possible pair."""
    held = np.zeros(1 << (2 * int(BITS) - 3), np.uint8)
    places = (pairs >> np.uint64(3)).astype(np.intp)
    np.bitwise_or.at(held, places, np.uint8(1) << (pairs & np.uint64(7)).astype(np.uint8))
    return held


def _contexts(keys: Ids, longer: Ids, values: Real) -> tuple[Real, Real]:
    """For each key: the sum and the number of what follows it; both lists are sorted."""
    total, kinds = np.zeros(len(keys), np.float32), np.zeros(len(keys), np.float32)
    heads = longer >> BITS
    if len(heads):
        first = np.flatnonzero(np.r_[True, heads[1:] != heads[:-1]])
        place = np.searchsorted(keys, heads[first])
        # searchsorted may point past the end; the comparison below then fails, as it should.
        place[place == len(keys)] = 0
        held = keys[place] == heads[first]
        total[place[held]] = np.add.reduceat(values, first)[held]
        kinds[place[held]] = np.diff(np.r_[first, len(heads)])[held]
    return total, kinds
