"""How alike two texts are: common groups of characters, sketches, numbers that differ. Pure.

What is compared are letters: a text without space, punctuation and width.
"""

import re
import struct
import unicodedata
from collections import Counter

from rensa import RMinHash

ALIKE = 0.7
"""From this share of common groups on, two texts are alike."""
VALUES = 125
"""Minhash values of a sketch."""
SHORTEST = 40  # letters; below this only the very same text counts
LONGEST = 50_000  # letters that are compared
_SEED = 20
_LETTERS = re.compile(r"[^\w]|_")
_NUMBERS = re.compile(
    r"\d+(?:\.\d+)?|[〇零一二三四五六七八九十百千万亿两]+(?=[元个名人位天日月年号时点分次万亿条项家套户亩岁周届期倍成])"
)


def letters(text: str) -> str:
    """The text without space, punctuation and width: what is compared and looked for."""
    return _LETTERS.sub("", unicodedata.normalize("NFKC", text)).lower()[:LONGEST]


def groups(plain: str, size: int = 3) -> set[str]:
    """The groups of so many letters that follow each other."""
    return {plain[at : at + size] for at in range(max(len(plain) - size + 1, 1))}


def sketch(text: str) -> bytes:
    """The minhash of a text; empty for one that is too short to be judged."""
    plain = letters(text)
    if len(plain) < SHORTEST:
        return b""
    machine = RMinHash(num_perm=VALUES, seed=_SEED)
    machine.update(list(groups(plain)))
    return struct.pack(f"<{VALUES}I", *machine.digest())


def agreement(one: bytes, other: bytes) -> float:
    """The share two texts have in common, estimated from their sketches."""
    left, right = struct.unpack(f"<{VALUES}I", one), struct.unpack(f"<{VALUES}I", other)
    return float(sum(a == b for a, b in zip(left, right, strict=True))) / VALUES


def share(one: str, other: str) -> float:
    """The part of 3-character groups two texts have in common."""
    left, right = groups(letters(one)), groups(letters(other))
    return len(left & right) / len(left | right) if left | right else 1.0


def other_numbers(one: str, other: str) -> tuple[str, ...]:
    """Numbers that only one of the two texts has: amounts, dates, telephones."""
    left, right = (
        Counter(_NUMBERS.findall(unicodedata.normalize("NFKC", text))) for text in (one, other)
    )
    return tuple([*(left - right), *(right - left)][:6])
