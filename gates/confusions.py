"""What a character may have been mistaken for, by sound and by shape."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gates.grams import NO_IDS, Ids, Real
from gates.language import Alphabet


@dataclass(frozen=True)
class Similar:
    """Characters that may be meant: ids, and how they are alike (tone, syllable, near, shape)."""

    ids: Ids
    alike: Real


class Confusions:
    """What each character may have been mistaken for."""

    def __init__(self, alphabet: Alphabet, sounds: Sequence[str], shapes: Sequence[str]) -> None:
        """`sounds`: for each character of the alphabet its syllables with tone, space between.

        `shapes`: rows `character neighbour score neighbour score ...`, scores in hundredths.
        """
        self._alphabet = alphabet
        self._sounds = {
            char: tuple(row.split())
            for char, row in zip(alphabet.characters, sounds, strict=True)
            if row
        }
        self._near: dict[str, list[str]] = {}
        for char, syllables in self._sounds.items():
            for sound in {near_sound(one) for one in syllables}:
                self._near.setdefault(sound, []).append(char)
        self._shapes = {row[0]: row for row in shapes if row}  # taken apart when it is asked for
        self._made: dict[str, Similar] = {}

    def of(self, char: str) -> Similar:
        """The similar characters, made once for each character that is asked about."""
        found = self._made.get(char)
        if found is None:
            found = self._made[char] = self._make(char)
        return found

    def _make(self, char: str) -> Similar:
        tones = set(self._sounds.get(char, ()))
        plain = {sound[:-1] for sound in tones}
        alike: dict[str, list[float]] = {}
        for sound in {near_sound(one) for one in tones}:
            for other in self._near.get(sound, ()):
                theirs = set(self._sounds[other])
                same = bool(plain & {one[:-1] for one in theirs})
                alike[other] = [float(bool(tones & theirs)), float(same), 1.0, 0.0]
        others = self._shapes.get(char, "").split()[1:]
        for other, score in zip(others[::2], others[1::2], strict=True):
            alike.setdefault(other, [0.0, 0.0, 0.0, 0.0])[3] = int(score) / 100
        alike.pop(char, None)
        ids = self._alphabet.ids("".join(alike)) if alike else NO_IDS
        known = ids >= 4
        table = np.array(list(alike.values()), np.float32).reshape(-1, 4)
        return Similar(ids[known], table[known])


def near_sound(syllable: str) -> str:
    """A syllable without tone and without what speakers and keyboards confuse."""
    sound = syllable.rstrip("12345").replace("zh", "z").replace("ch", "c").replace("sh", "s")
    if sound.startswith("n"):
        sound = "l" + sound[1:]
    return sound[:-1] if sound.endswith("ng") else sound
