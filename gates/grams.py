"""Counted runs of characters: sorted keys and their values, in arrays. Pure."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.uint64]
Real = NDArray[np.float32]

BITS = np.uint64(13)  # a character id has 13 bits, so four fit into one key


class Grams:
    """Counts of one order: sorted keys with their values; what is not there counts zero."""

    def __init__(self, keys: Ids, values: Real) -> None:
        """`keys` are sorted and distinct."""
        self.keys, self.values = keys, values

    def find(self, keys: Ids) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
        """Where the keys stand, and which of them are there at all."""
        place = np.searchsorted(self.keys, keys)
        place[place == len(self.keys)] = 0
        return place, self.keys[place] == keys

    def count(self, keys: Ids) -> Real:
        """The value of each key."""
        place, held = self.find(keys)
        return np.where(held, self.values[place], np.float32(0))


def key_of(columns: Sequence[Ids]) -> Ids:
    """One key for each row of the columns: up to four ids side by side in 64 bits."""
    key = columns[0]
    for column in columns[1:]:
        key = (key << BITS) | column
    return key


def count_grams(rows: Iterable[tuple[Ids, float]], order: int) -> tuple[Ids, Real]:
    """Sorted keys of every run of `order` ids and their weighted counts."""
    keys, weights = [], []
    for ids, weight in rows:
        if len(ids) >= order:
            size = len(ids) - order + 1
            keys.append(key_of([ids[start : start + size] for start in range(order)]))
            weights.append(np.full(size, weight, np.float32))
    return merge(np.concatenate(keys), np.concatenate(weights)) if keys else (NO_IDS, NO_VALUES)


NO_IDS: Ids = np.zeros(0, np.uint64)
NO_VALUES: Real = np.zeros(0, np.float32)


def merge(keys: Ids, values: Real) -> tuple[Ids, Real]:
    """Sort keys and add up the values of equal ones."""
    if not len(keys):
        return keys, values
    order = np.argsort(keys, kind="stable")
    keys, values = keys[order], values[order]
    first = np.flatnonzero(np.r_[True, keys[1:] != keys[:-1]])
    return keys[first], np.add.reduceat(values, first).astype(np.float32)


def pack(keys: Ids) -> NDArray[np.uint64]:
    """Differences of sorted keys, which compress well."""
    return np.diff(keys, prepend=np.uint64(0))


def unpack(steps: NDArray[np.uint64]) -> Ids:
    """The keys that `pack` made differences of."""
    return np.cumsum(steps, dtype=np.uint64)
