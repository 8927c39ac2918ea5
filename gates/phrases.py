"""Set phrases of official language with one of their characters written as another like it."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import ahocorasick_rs

import config
from gates.confusions import Confusions
from gates.idioms import NEVER, NUMBERS, Slip
from gates.language import Alphabet
from gates.wordlist import Words

TABLE = Path(config.__file__).parent / "rules" / "phrases.txt"
SHORTEST = 4  # these are found as idioms are
_SHORT = 6  # up to here the odd character may belong to another word
_LONG = 8  # from here two of them may be wrong


def read_phrases() -> list[str]:
    """The phrases of the table."""
    return sorted(set(TABLE.read_text(encoding="utf-8").split()))


class Phrases:
    """Phrases of five characters and more, found by either half of them."""

    def __init__(self, phrases: Sequence[str], alphabet: Alphabet, similar: Confusions) -> None:
        """Shorter phrases are left to `Idioms`."""
        self._alphabet, self._similar = alphabet, similar
        self._of: dict[str, list[tuple[int, str]]] = defaultdict(list)
        for phrase in phrases:
            if len(phrase) > SHORTEST:
                middle = len(phrase) // 2
                self._of[phrase[:middle]].append((0, phrase))
                self._of[phrase[middle:]].append((middle, phrase))
        self._halves = list(self._of)
        self._finder = ahocorasick_rs.AhoCorasick(self._halves)

    def slips(self, text: str, words: Words) -> Iterator[Slip]:
        """Where one half of a phrase stands beside a near miss of the other."""
        told: set[int] = set()
        for index, start, _ in self._finder.find_matches_as_indexes(text, overlapping=True):
            for offset, phrase in self._of[self._halves[index]]:
                begin = start - offset
                if begin < 0 or begin + len(phrase) > len(text):
                    continue
                for slip in self._missed(text, begin, phrase, words):
                    if slip.start not in told:
                        told.add(slip.start)
                        yield slip

    def _missed(self, text: str, begin: int, phrase: str, words: Words) -> list[Slip]:
        stands = text[begin : begin + len(phrase)]
        slips = [
            Slip(begin + at, wrong, right)
            for at, (wrong, right) in enumerate(zip(stands, phrase, strict=True))
            if wrong != right
        ]
        most = 2 if len(phrase) >= _LONG else 1
        if not 0 < len(slips) <= most or not all(map(self._alike, slips)):
            return []
        never = NEVER if len(phrase) <= _SHORT else NUMBERS
        if any(slip.wrong in never for slip in slips):
            return []
        if len(phrase) <= _SHORT and words.in_word(self._alphabet.ids(text), slips[0].start):
            return []
        return slips

    def _alike(self, slip: Slip) -> bool:
        meant = self._alphabet.ids(slip.right)[0]
        return meant in self._similar.of(slip.wrong).ids
