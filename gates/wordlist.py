"""The dictionary of spelling: words of two to four characters, read from jieba's list."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from gates.grams import NO_IDS, NO_VALUES, Grams, Ids, Real, key_of, merge
from gates.language import Alphabet

_LENGTHS = (2, 3, 4)  # of a word
_LONGEST, _IDIOMS = 4, "i"  # kinds of words, as the list marks them
_DIGITS = 9  # of a count in the word list
_NAMED = 50  # how often the name of a division counts as seen
_UNKNOWN = np.uint64(0xFFFF_FFFF_FFFF_FFFF)  # no key: those of four ids have 52 bits


class Listed:
    """A word list as jieba keeps it, `word how-often kind` a line, read without a loop."""

    def __init__(self, alphabet: Alphabet, text: str) -> None:
        """`text`: the whole list."""
        # Half the room of code points: a pair that stands for one is in no word of the alphabet.
        self._codes = np.frombuffer(text.encode("utf-16-le", "surrogatepass"), np.uint16)
        self._alphabet = alphabet
        starts: NDArray[np.intp] = np.r_[0, np.flatnonzero(self._codes == ord("\n")) + 1]
        gaps = np.flatnonzero(self._codes == ord(" "))
        place: NDArray[np.intp] = np.searchsorted(gaps, starts)
        held = place < len(gaps)  # the last line may be empty
        self._starts = starts[held]
        self._sizes = gaps[place[held]] - self._starts

    def words(self, length: int) -> tuple[Ids, NDArray[np.int64]]:
        """The ids of the words of this length, one word a row, and how often each was seen."""
        starts = self._starts[self._sizes == length]
        often = np.zeros(len(starts), np.int64)
        more, last = np.ones(len(starts), bool), len(self._codes) - 1
        for step in range(_DIGITS):
            codes = self._codes[np.minimum(starts + length + 1 + step, last)].astype(np.int64)
            more &= (codes >= ord("0")) & (codes <= ord("9"))
            often = np.where(more, often * 10 + codes - ord("0"), often)
        codes = self._codes[starts[:, None] + np.arange(length)]
        return self._alphabet.of_codes(codes), often

    def idioms(self) -> Ids:
        """The ids of the idioms and set phrases of four characters, one a row."""
        starts, last = self._starts[self._sizes == _LONGEST], len(self._codes) - 1
        at = starts + _LONGEST + 1
        for _ in range(_DIGITS):
            codes = self._codes[np.minimum(at, last)]
            at = at + ((codes >= ord("0")) & (codes <= ord("9")))
        # Behind the count and a space the list says which kind of word it is.
        kinds = self._codes[np.minimum(at + 1, last)]
        rows = starts[np.isin(kinds, [ord(kind) for kind in _IDIOMS])]
        return self._alphabet.of_codes(self._codes[rows[:, None] + np.arange(_LONGEST)])


def _whole_keys(ids: Ids) -> Ids:
    """A key a row; _UNKNOWN for a row with a character outside the alphabet."""
    keys = key_of([ids[:, column] for column in range(ids.shape[1])])
    return np.where((ids >= 4).all(axis=1), keys, _UNKNOWN)


class Words:
    """Dictionary words of two to four characters, by their ids."""

    def __init__(self, alphabet: Alphabet, listed: Listed, names: Iterable[str] = ()) -> None:
        """`names` count as words seen 50 times. What has an unknown character is left out."""
        self.grams: list[Grams] = []
        known = [name for name in names if len(name) in _LENGTHS]
        for length in _LENGTHS:
            ids, seen = listed.words(length)
            own = [name for name in known if len(name) == length]
            mine = alphabet.ids("".join(own)).reshape(-1, length)
            ids, more = _whole_keys(ids), _whole_keys(mine)
            held = (ids != _UNKNOWN) & (seen >= 3) & ~np.isin(ids, more)
            more = np.unique(more[more != _UNKNOWN])
            often = np.r_[seen[held], np.full(len(more), _NAMED)].astype(np.float32)
            self.grams.append(Grams(*merge(np.r_[ids[held], more], np.log10(often + 1))))

    def pseudo_counts(self, order: int) -> tuple[Ids, Real]:
        """Runs of ids inside the words, each weighted by how common the word is (at most 2)."""
        keys, values = [], []
        for length, grams in zip(_LENGTHS, self.grams, strict=True):
            weight = np.minimum(np.float32(2), np.float32(0.35) * grams.values)
            for start in range(length - order + 1):
                shift = np.uint64(13 * (length - order - start))
                keys.append((grams.keys >> shift) & np.uint64((1 << 13 * order) - 1))
                values.append(weight)
        return merge(np.concatenate(keys), np.concatenate(values)) if keys else (NO_IDS, NO_VALUES)

    def in_word(self, ids: Ids, at: int) -> bool:
        """Whether it is part of a word of two or three: 四肢乏力 is as good as 无力."""
        for size, grams in zip(_LENGTHS[:2], self.grams[:2], strict=True):
            starts = range(max(at - size + 1, 0), min(at, len(ids) - size) + 1)
            rows = np.array([ids[start : start + size] for start in starts])
            if len(rows) and grams.count(key_of(list(rows.T))).any():
                return True
        return False

    def cover(self, rows: Ids) -> Real:
        """Length and log frequency of the longest word over the middle; 1 and 0 for none."""
        best = np.tile(np.array([1, 0], np.float32), (len(rows), 1))
        for length, grams in zip(_LENGTHS, self.grams, strict=True):
            if not len(grams.keys):
                continue
            over = np.zeros(len(rows), np.float32)
            for start in range(4 - length, 4):
                columns = [rows[:, start + k] for k in range(length)]
                over = np.maximum(over, grams.count(key_of(columns)))
            best[over > 0] = np.stack([np.full(len(rows), length), over], axis=1)[over > 0]
        return best
