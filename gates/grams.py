"""Counted runs of characters: sorted keys and their values, in arrays. Pure."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.uint64]
Real = NDArray[np.float32]

BITS = np.uint64(13)  # a character id has 13 bits, so four fit into one key


_MIX = np.uint64(0x9E37_79B9_7F4A_7C15)  # odd, spreads keys over the buckets (Fibonacci hashing)
_NO_KEY = np.uint64(0xFFFF_FFFF_FFFF_FFFF)  # those of four ids have 52 bits


class Grams:
    """Counts of one order, found by hashing; what is not there counts zero.

    Keys lie in buckets of one on average, those of a bucket side by side: a look-up reads where the
    bucket begins and one or two keys, where a search in sorted keys reads twenty.
    """

    def __init__(self, keys: Ids, values: Real, *more: Real) -> None:
        """`keys` are distinct; `more` are further values of each key."""
        bits = max(4, len(keys).bit_length())
        self._shift = np.uint64(64 - bits)
        bucket = ((keys * _MIX) >> self._shift).astype(np.uint32)
        order = np.argsort(bucket, kind="stable")
        # An empty last bucket begins behind all keys.
        self._listed = np.r_[keys[order], _NO_KEY]
        self.keys, self.values = self._listed[:-1], values[order]
        self.more = [column[order] for column in more]
        ends = np.cumsum(np.bincount(bucket, minlength=1 << bits))
        self._starts: NDArray[np.int32] = np.r_[0, ends].astype(np.int32)

    def find(self, keys: Ids) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
        """Where the keys stand, and which of them are there at all; 0 for the others."""
        bucket = ((keys * _MIX) >> self._shift).astype(np.intp)
        place, end = self._starts[bucket], self._starts[bucket + 1]
        held = self._listed[place] == keys  # in an empty bucket this is a key of the next one
        rest = np.flatnonzero(~held & (place + 1 < end))
        while len(rest):
            place[rest] += 1
            same = self._listed[place[rest]] == keys[rest]
            held[rest[same]] = True
            rest = rest[~same & (place[rest] + 1 < end[rest])]
        place[~held] = 0
        return place, held

    def count(self, keys: Ids) -> Real:
        """The value of each key."""
        if not len(self.keys):
            return np.zeros(len(keys), np.float32)
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
