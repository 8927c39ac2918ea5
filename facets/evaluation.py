"""`shenfa eval tags`: how well topics are suggested on texts that somebody labelled.

`evaluate(folder, taxonomy, step)` reads the sets that are there (`policy_docs_title_labelled`,
`letters_labelled_raw` below `2_policy_docs`); absent ones are left out. Nothing of an office is
read.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from facets.suggesting import suggestions
from facets.tagger import tag
from facets.taxonomy import Taxonomy

Row = Mapping[str, Any]
GOAL, TOP_GOAL, LETTERS_GOAL = 0.88, 0.78, 0.70
_WATCHED = ("employment", "consumption")
_DOCUMENTS, _LETTERS = "policy_docs_title_labelled", "letters_labelled_raw"
_OF_LETTERS = {
    "城乡建设": {"urban_rural", "housing"},
    "教育文体": {"education", "culture"},
    "劳动和社会保障": {"labour_social_security", "employment"},
    "商贸旅游": {"consumption"},
    "卫生计生": {"health"},
    "交通运输": {"transport"},
    "环境保护": {"environment"},
}
"""What the departments' own labels mean in the starting taxonomy."""


@dataclass(frozen=True)
class Measure:
    """A share of `cases`, and what it is to reach."""

    name: str
    value: float
    cases: int
    goal: float

    @property
    def ok(self) -> bool:
        """Whether the goal is reached."""
        return self.value >= self.goal


def evaluate(
    data: Path, taxonomy: Taxonomy, step: Callable[[], None] = lambda: None
) -> list[Measure]:
    """Every measure of the sets in a folder; ValueError for a row that is no JSON."""
    documents, letters = _read(data, _DOCUMENTS), _read(data, _LETTERS)
    return [*_documents(documents, taxonomy, step), *_letters(letters, taxonomy, step)]


def count_texts(data: Path) -> int:
    """How many texts `evaluate` tags."""
    return sum(len(_read(data, name)) for name in (_DOCUMENTS, _LETTERS))


def _documents(
    rows: Sequence[Row], taxonomy: Taxonomy, step: Callable[[], None]
) -> Iterator[Measure]:
    """Documents without their title: the top topic, and who is suggested for the two topics."""
    if not rows:
        return
    told: list[tuple[str, str, frozenset[str]]] = []
    for row in rows:
        text = str(row["text_without_title"])
        found = suggestions("", text, taxonomy)
        keys = frozenset(one.key for one in found if one.dimension == "topics")
        told.append((str(row["label"]), tag(text, None, taxonomy)["topics"][0]["key"], keys))
        step()
    right = sum(label == top for label, top, _ in told)
    yield Measure("文件：第一主题正确", right / len(told), len(told), TOP_GOAL)
    for key in _WATCHED:
        label = taxonomy.label("topics", key)
        gold = [keys for own, _, keys in told if own == key]
        named = [own for own, _, keys in told if key in keys]
        hits = sum(key in keys for keys in gold)
        yield Measure(f"文件：{label}查准", hits / max(1, len(named)), len(named), GOAL)
        yield Measure(f"文件：{label}查全", hits / max(1, len(gold)), len(gold), GOAL)


def _letters(
    rows: Sequence[Row], taxonomy: Taxonomy, step: Callable[[], None]
) -> Iterator[Measure]:
    known = [row for row in rows if row["label"] in _OF_LETTERS]
    if not known:
        return
    right = 0
    for row in known:
        top = tag(str(row["body"]), str(row["title"]), taxonomy)["topics"][0]["key"]
        right += top in _OF_LETTERS[row["label"]]
        step()
    yield Measure("来信：第一主题正确", right / len(known), len(known), LETTERS_GOAL)


def _read(data: Path, name: str) -> list[Row]:
    folder = data / "2_policy_docs" if (data / "2_policy_docs").is_dir() else data
    rows: list[Row] = []
    for path in sorted(folder.glob(f"{name}.*jsonl")):
        lines = path.read_text(encoding="utf-8").splitlines()
        rows += [json.loads(line) for line in lines if line.strip()]
    return rows
