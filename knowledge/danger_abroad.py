"""Danger said in English, in pinyin or in Mongolian: the usual phrases, as patterns for each class.

The model of danger.py was fitted to Chinese, and hears what it likes in other letters. Here a text
is brought into one form (no tones, no apostrophes, letters of the Mongolian script that look the
same are the same) and whole words are matched. The phrases are in `danger_abroad.yaml`.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

PHRASES = Path(__file__).parent / "danger_abroad.yaml"
_HAN = re.compile(r"[\u3400-\u9fff]+")
_APART = re.compile(r"[^\w]+")
_UNSEEN = re.compile(r"[\u180b-\u180f\u200c\u200d'’‘`]")
_TONE = re.compile(r"([a-z])[1-5](?=\b|[a-z])")
_NEVER_OVER = frozenset({"self_harm", "home", "threat"})
# a e, o u, ö ü, t d, q g, y j of the Mongolian script are written alike.
_FOLD = str.maketrans("ᠠᠡᠢᠣᠤᠥᠦᠧᠨᠩᠪᠫᠬᠭᠮᠯᠰᠱᠲᠳᠴᠵᠶᠷᠸ", "aaioouuengpqggmlsxttcyyrw"[:25])


@dataclass(frozen=True)
class _Phrases:
    kinds: Mapping[str, re.Pattern[str]]
    over: re.Pattern[str]


def danger_abroad(text: str) -> str:
    """The class of danger in the letters of a text that are not Chinese, or an empty text."""
    said = _plain(text)
    if not said:
        return ""
    phrases = _phrases()
    over = phrases.over.search(said) is not None
    for kind, pattern in phrases.kinds.items():
        if pattern.search(said) and not (over and kind not in _NEVER_OVER):
            return kind
    return ""


def _plain(text: str) -> str:
    """Words with one blank between them: lower case, without tones, tone numbers, apostrophes."""
    text = _HAN.sub(" ", unicodedata.normalize("NFKC", text).lower().translate(_FOLD))
    text = _UNSEEN.sub("", text).replace("\u202f", " ")
    bare = "".join(
        unicodedata.normalize("NFD", one)[0] if "à" <= one <= "ǿ" else one for one in text
    )
    return _APART.sub(" ", _TONE.sub(r"\1", bare)).strip()


@cache
def _phrases() -> _Phrases:
    held = yaml.safe_load(PHRASES.read_text(encoding="utf-8"))
    kin = rf"(?:my|our|the|a|his|her) (?:\w+ )?(?:{'|'.join(held['kin'])})"
    me = rf"(?:me|my (?:{'|'.join(held['me'])}))"
    kinds = {}
    for kind, english in held["english"].items():
        words = [one.replace("{kin}", kin).replace("{me}", me) for one in english]
        words += [one.replace(" ", " ?") for one in held["pinyin"].get(kind, ())]
        words += held["mongolian"].get(kind, ())
        kinds[kind] = re.compile("|".join([_whole(words), *_stems(held, kind)]))
    return _Phrases(kinds, re.compile(_whole(held["over"])))


def _whole(words: Sequence[str]) -> str:
    return rf"\b(?:{'|'.join(words)})\b"


def _stems(held: Mapping[str, Any], kind: str) -> list[str]:
    return [_UNSEEN.sub("", one).translate(_FOLD) for one in held["script"].get(kind, ())]
