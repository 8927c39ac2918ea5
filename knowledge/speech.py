"""How citizens speak: words that steer an answer, and what they say for what policies write.

Both are settings of the office (`answering`, `synonyms`); `starting_speech()` reads the files of
the program, for `shenfa ask` without an office.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from config.texts import FieldFault

_FILES = Path(__file__).parent.parent / "config"
_GUARDS = ("emergency", "abuse", "fillers", "small_talk")


@dataclass(frozen=True, eq=False)
class Answering:
    """Words that decide before the library is asked, and fillers that carry nothing."""

    emergency: tuple[str, ...]
    abuse: tuple[str, ...]
    fillers: tuple[str, ...]
    small_talk: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Synonyms:
    """What is said to what is written, and words of a question that say nothing of its subject."""

    written: Mapping[str, tuple[str, ...]]
    asking: frozenset[str]


@dataclass(frozen=True, eq=False)
class Speech:
    """Both together, as every question is read with."""

    answering: Answering
    synonyms: Synonyms


def parse_answering(data: Any) -> Answering:
    """Check the parsed YAML of the setting `answering`; FieldFault names the field."""
    if not isinstance(data, Mapping):
        raise FieldFault(f"应写成 {'、'.join(_GUARDS)} 四个列表")
    if unknown := sorted(set(map(str, data)) - {*_GUARDS, "version"}):
        raise FieldFault(f"不认识的字段 {unknown[0]}，请删去", unknown[0])
    read = {name: _words(data.get(name), name) for name in _GUARDS}
    # Without these nobody in danger would be told whom to call.
    if not read["emergency"]:
        raise FieldFault("emergency 不能为空：遇险的话要先认出来", "emergency")
    return Answering(**read)


def parse_synonyms(data: Any) -> Synonyms:
    """Check the parsed YAML of the setting `synonyms`; FieldFault names the field."""
    rows = data.get("synonyms") if isinstance(data, Mapping) else None
    if not isinstance(rows, Mapping):
        raise FieldFault("synonyms 应写成“说法: [政策用语, ...]”", "synonyms")
    written = {str(said): _words(listed, "synonyms", str(said)) for said, listed in rows.items()}
    return Synonyms(written, frozenset(_words(data.get("asking"), "asking")))


def _words(rows: Any, *where: str) -> tuple[str, ...]:
    if not isinstance(rows, list):
        raise FieldFault("应为词的列表", *where)
    for at, word in enumerate(rows):
        if not isinstance(word, str | int) or not str(word).strip():
            raise FieldFault("应为一个词", *where, at)
    return tuple(map(str, rows))


@cache
def starting_speech() -> Speech:
    """The words a new office starts with."""
    return Speech(parse_answering(_read("answering.yaml")), parse_synonyms(_read("synonyms.yaml")))


def _read(name: str) -> Any:
    return yaml.safe_load((_FILES / name).read_text(encoding="utf-8"))
