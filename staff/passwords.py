"""What a password must be (NIST SP 800-63B): long, and not what guessers come to early.

No rule says which sorts of characters it has: such rules make people choose Password1.
"""

import re
import unicodedata
from collections.abc import Collection, Iterator
from importlib import import_module
from itertools import pairwise

from config.settings import CONFIG
from staff.refusal import Reason

LEAST, MOST = 10, 200
COMMON = CONFIG / "common_passwords.txt"
_RUN = 4  # so few different steps make a sequence
_OWN = 6  # characters that are left when everybody's words are taken away
_AROUND = re.compile(r"^[\W\d_]+|[\W\d_]+$")
_APART = re.compile(r"[\W_]+")
_SERVICE = ("shenfa", "审发", "系统", "管理员", "密码")
_SHORTEST = 3  # letters of a part of a name, such as `qinghe` of `qinghe-wx`, that counts


def normal(password: str) -> str:
    """As it is hashed: the same letters typed on another keyboard are the same password."""
    return unicodedata.normalize("NFKC", password)


def password_faults(password: str, known: Collection[str] = ()) -> list[Reason]:
    """Why this must not be somebody's password; `known` are their login, their name and the like.

    Counted and compared as `normal` has it; one reason, the first that holds.
    """
    words = next(_faults(normal(password), _own(known)), "")
    return [Reason("password", words)] if words else []


def _own(known: Collection[str]) -> list[str]:
    """What everybody in the office could say, the longest first; a name of parts also in parts."""
    whole = {normal(word).lower() for word in (*known, *_SERVICE)}
    parts = {part for word in whole for part in _APART.split(word) if len(part) >= _SHORTEST}
    return sorted((one for one in whole | parts if len(one) > 1), key=len, reverse=True)


def _faults(password: str, own: Collection[str]) -> Iterator[str]:
    small = password.lower()
    if len(password) < LEAST:
        yield f"密码至少 {LEAST} 个字符，可以是一句话，空格也算"
    if len(password) > MOST:
        yield f"密码最多 {MOST} 个字符"
    if len(set(small)) < _RUN or _is_sequence(small):
        yield "密码不能只是重复或顺着数的字符：请换一个，例如几个不相干的词"
    left = small
    for word in own:
        left = left.replace(word, "")
    if len(left) < _OWN:
        yield "密码里除去登录名、姓名、单位名和系统名所剩无几，容易被猜到：请换一个"
    if _is_listed(small):
        yield "这个密码在常用密码之列，猜密码的人先试它们：请换一个，例如几个不相干的词"
    # Loaded when a password is set, which is seldom: its lists take fourteen megabytes.
    if import_module("staff.guessing").is_guessed(small, own):
        yield (
            "这个密码容易被猜到：常用密码、常用的词和它的拼音、姓名、单位或系统的名字，加上数字或符号，"
            "都是最先试的。请换成几个不相干的词，或再长一些"
        )


def _is_sequence(small: str) -> bool:
    """Whether each character follows the one before by always the same step."""
    return len({ord(b) - ord(a) for a, b in pairwise(small)}) <= 1


def _is_listed(small: str) -> bool:
    """Whether it is one of this country's, or one of them with digits or signs around it."""
    listed = COMMON.read_text("utf-8").splitlines()
    return not {small, _AROUND.sub("", small)}.isdisjoint(listed)
