"""What a password must be (NIST SP 800-63B): long, and not what guessers begin with.

No rule says which sorts of characters it has: such rules make people choose Password1.
"""

import re
import unicodedata
from collections.abc import Collection, Iterator
from importlib.metadata import distribution
from itertools import pairwise
from pathlib import Path

from config.settings import CONFIG
from staff.refusal import Reason

LEAST, MOST = 10, 200
COMMON = CONFIG / "common_passwords.txt"
THEIRS = Path(str(distribution("zxcvbn").locate_file("zxcvbn/frequency_lists.py")))
"""Frequency lists of passwords, names and English words, of each list one text with commas."""
_RUN = 4  # so few different steps make a sequence
_OWN = 6  # characters that are left when everybody's words are taken away
_AROUND = re.compile(r"^[\W\d_]+|[\W\d_]+$")
_SERVICE = ("shenfa", "审发")


def normal(password: str) -> str:
    """As it is hashed: the same letters typed on another keyboard are the same password."""
    return unicodedata.normalize("NFKC", password)


def password_faults(password: str, known: Collection[str] = ()) -> list[Reason]:
    """Why this must not be somebody's password; `known` are their login, their name and the like.

    Counted and compared as `normal` has it; one reason, the first that holds.
    """
    words = next(_faults(normal(password), known), "")
    return [Reason("password", words)] if words else []


def _faults(password: str, known: Collection[str]) -> Iterator[str]:
    small = password.lower()
    if len(password) < LEAST:
        yield f"密码至少 {LEAST} 个字符，可以是一句话，空格也算"
    if len(password) > MOST:
        yield f"密码最多 {MOST} 个字符"
    if len(set(small)) < _RUN or _is_sequence(small):
        yield "密码不能只是重复或顺着数的字符：请换一个，例如几个不相干的词"
    left = small
    for word in (*known, *_SERVICE):
        left = left.replace(normal(word).lower(), "") if len(word) > 1 else left
    if len(left) < _OWN:
        yield "密码里除去登录名、姓名和系统名所剩无几，容易被猜到：请换一个"
    if _is_common(small):
        yield "这个密码在常用密码之列，猜密码的人先试它们：请换一个，例如几个不相干的词"


def _is_sequence(small: str) -> bool:
    """Whether each character follows the one before by always the same step."""
    return len({ord(b) - ord(a) for a, b in pairwise(small)}) <= 1


def _is_common(small: str) -> bool:
    """Whether it is in the lists, or something in them with digits or signs around it."""
    wanted = {small, _AROUND.sub("", small)}
    # Read when a password is set, which is seldom: ninety thousand words would stay in memory.
    lists = THEIRS.read_text("utf-8") + f",{COMMON.read_text('utf-8')},".replace("\n", ",")
    return any(f",{word}," in lists or f'"{word},' in lists for word in wanted if word)
