"""How many guesses a password stands, by zxcvbn: loaded when one is judged, since it is large.

staff/passwords.py asks it. The lists of common words it brings stay in memory from then on.
"""

import re
from collections.abc import Collection, Iterable

from zxcvbn import zxcvbn
from zxcvbn.frequency_lists import FREQUENCY_LISTS

_LONGEST = 72  # characters it looks at: its work grows with their square
_ENOUGH = 3  # of 4: at least 10^8 guesses, about a year of them at the rate an argon2 hash allows
_WORDS = re.compile(r"[^\W\d_]+")
_WORD = 5  # letters of a word that counts as one; of shorter ones only the most common do
_FIRST = 1000  # of the passwords people have most
_FEW = 2  # words; three that have nothing to do with each other are a good password
_LEFT = 4  # letters beside known words that are nothing of their own


def is_guessed(password: str, own: Collection[str]) -> bool:
    """Whether guessers come to it early; `own` is what they know of the person and the office."""
    small = password.lower()
    judged = zxcvbn(small[:_LONGEST], user_inputs=sorted(own), max_length=_LONGEST)
    return judged["score"] < _ENOUGH or _is_words_and_signs(small, own)


def _is_words_and_signs(small: str, own: Iterable[str]) -> bool:
    """Whether it is a common word or two, the office's among them, with digits or signs around.

    zxcvbn counts each sign as ten guesses, and everybody puts the year there.
    """
    left = small
    for word in sorted(own, key=len, reverse=True):
        left = left.replace(word, " 0 ") if len(word) > 1 else left
    words = _WORDS.findall(left)
    known = [one for one in words if _is_common(one)]
    rest = sum(len(one) for one in words) - sum(len(one) for one in known)
    taken = len(known) + left.count(" 0 ")
    return 0 < taken <= _FEW and rest < _LEFT


def _is_common(word: str) -> bool:
    if len(word) < _WORD:
        return word in FREQUENCY_LISTS["passwords"][:_FIRST]
    return any(word in words for words in FREQUENCY_LISTS.values())
