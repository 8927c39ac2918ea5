"""The character language model: an alphabet, interpolated 4-grams, the words of a dictionary."""

from collections.abc import Sequence

import numpy as np

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
        self.grams = [Grams(*pair) for pair in grams[1:]]
        every = np.arange(len(alphabet), dtype=np.uint64)
        holders = [Grams(every, self.single), *self.grams[:2]]
        self._context = [
            _contexts(holder.keys, longer)
            for holder, longer in zip(holders, self.grams, strict=True)
        ]

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
        total, kinds = self._context[order - 2]
        if order == 2:
            place = columns[0].astype(np.intp)
            return total[place], kinds[place]
        place, held = self.grams[order - 3].find(key_of(columns))
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


def _contexts(keys: Ids, longer: Grams) -> tuple[Real, Real]:
    """For each key: the sum and the number of what follows it, seen in the longer grams."""
    total, kinds = np.zeros(len(keys), np.float32), np.zeros(len(keys), np.float32)
    heads = longer.keys >> BITS
    if len(heads):
        first = np.flatnonzero(np.r_[True, heads[1:] != heads[:-1]])
        place = np.searchsorted(keys, heads[first])
        # searchsorted may point past the end; the comparison below then fails, as it should.
        place[place == len(keys)] = 0
        held = keys[place] == heads[first]
        total[place[held]] = np.add.reduceat(longer.values, first)[held]
        kinds[place[held]] = np.diff(np.r_[first, len(heads)])[held]
    return total, kinds
