"""Classes of items: their ranks, and the words of a text that raise the class (分级分类)."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Self

import yaml

import config
from config.texts import FieldFault
from gates.normalise import normalise
from review_queue.canonical import Draft

TRIGGERS = Path(config.__file__).parent / "class_triggers.yaml"
_WORDS, _EXAMPLES = 300, 60  # of one row
RANKS: Mapping[str, int] = {"日常": 1, "重要": 2, "敏感": 3}
"""应急 stands apart: it is a way of reviewing, and keeps the item's normal class beside it."""


class TriggerError(FieldFault):
    """A trigger row that cannot be used; the text names the row and the remedy."""


@dataclass(frozen=True)
class Trigger:
    """Words that make an item at least `klass`; `must` and `must_not` are its own examples."""

    klass: str
    words: tuple[str, ...]
    unless: tuple[str, ...]
    basis: str
    must: tuple[str, ...]
    must_not: tuple[str, ...]


class Triggers:
    """Every trigger row, ready to look through a text."""

    def __init__(self, rows: Sequence[Trigger]) -> None:
        """Use `load` to read a file."""
        self.rows = tuple(rows)
        self._dense = [
            (normalise(word).text, word, row.klass, [normalise(one).text for one in row.unless])
            for row in rows
            for word in row.words
        ]
        self.found = lru_cache(maxsize=256)(self._found)
        """Each trigger word that occurs in (title, body), with the class it asks for."""

    @classmethod
    def load(cls, path: Path = TRIGGERS) -> Self:
        """Read a YAML file; TriggerError names the row that is wrong."""
        try:
            rows = yaml.safe_load(path.read_text(encoding="utf-8"))
        except (OSError, yaml.YAMLError) as error:
            raise TriggerError(f"{path.name}：读不出（{error}），请检查路径和缩进") from error
        return cls.parse(rows)

    @classmethod
    def parse(cls, rows: Any) -> Self:
        """Check the parsed YAML of a trigger file; TriggerError names the row that is wrong."""
        if not isinstance(rows, list):
            raise TriggerError("应当是触发词的列表（每条以 - 开头）")
        return cls([_read(row, number) for number, row in enumerate(rows, 1)])

    def _found(self, title: str, body: str) -> Mapping[str, str]:
        dense = normalise(f"{title}\n{body}").text
        found: dict[str, str] = {}
        for needle, word, klass, unless in self._dense:
            if needle not in dense:
                continue
            left = dense
            for innocent in unless:
                left = left.replace(innocent, "")
            if needle in left:
                found[word] = klass
        return found

    def of(self, draft: Draft) -> Mapping[str, str]:
        """The trigger words of a draft."""
        return self.found(draft.title, draft.body)


TriggerSource = Callable[[], Awaitable[Triggers]]
"""Gives the trigger words in force; Refused 409 when none can be proved."""


@cache
def _starting() -> Triggers:
    return Triggers.load()


async def starting() -> Triggers:
    """The trigger words an office starts with, for who has no office."""
    return _starting()


def rank(klass: str | None) -> int:
    """How high a class stands; 0 for 应急 and for none."""
    return RANKS.get(klass or "", 0)


def highest(klasses: Sequence[str]) -> str:
    """The highest of some classes, or "" without any."""
    return max(klasses, key=rank, default="")


def _read(row: Any, number: int) -> Trigger:
    where = f"类别触发词第 {number} 条"
    try:
        fields = {
            name: tuple(str(word) for word in row.get(name, []))
            for name in ("words", "unless", "must", "must_not")
        }
        trigger = Trigger(klass=str(row["klass"]), basis=str(row["basis"]), **fields)
    except (KeyError, TypeError, AttributeError) as error:
        words = f"{where}缺少或写错字段（需要 klass、words、basis、must）"
        raise TriggerError(words, number - 1) from error
    if trigger.klass not in RANKS:
        raise TriggerError(f"{where}的 klass 只能是：{'、'.join(RANKS)}", number - 1, "klass")
    if not trigger.words or not trigger.basis or not trigger.must:
        raise TriggerError(f"{where}要写 words、basis 和至少一个 must 例句", number - 1)
    # Each example is looked through for each word: two long lists would hold up the office.
    if len(trigger.words) > _WORDS or len(trigger.must) + len(trigger.must_not) > _EXAMPLES:
        words = f"{where}最多 {_WORDS} 个词、{_EXAMPLES} 个例句，请分成几条"
        raise TriggerError(words, number - 1, "words")
    one = Triggers([trigger])
    if missed := [text for text in trigger.must if not one.found("", text)]:
        raise TriggerError(f"{where}应当命中而没有命中：{missed[0]}", number - 1, "must")
    if wrong := [text for text in trigger.must_not if one.found("", text)]:
        raise TriggerError(f"{where}不应命中而命中了：{wrong[0]}", number - 1, "must_not")
    return trigger
