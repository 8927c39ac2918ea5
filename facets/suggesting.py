"""Tags a text suggests, each with the words that speak for it. Pure.

A suggestion selects nobody: it stands beside the form until a person chooses.
"""

from dataclasses import dataclass

from facets.tagger import Use, tag, uses
from facets.taxonomy import DIMENSIONS, Taxonomy

NEAR = 0.7
"""How strong a further value must be beside the best of its dimension."""
_MOST = {"topics": 3}
_MOST_OTHERS = 2
_WORDS = 4


@dataclass(frozen=True)
class Suggestion:
    """One value, how sure the tagger is (0..1), and why."""

    dimension: str
    key: str
    label: str
    score: float
    uses: tuple[Use, ...]

    @property
    def why(self) -> str:
        """标题有“招聘会”；正文有“就业”6 次、“稳岗”2 次: the words that weigh most."""
        head = [f"“{one.word}”" for one in self.uses if one.title]
        body = [
            f"“{one.word}”" + (f"{one.body} 次" if one.body > 1 else "")
            for one in self.uses
            if one.body
        ]
        parts = (("标题有", head), ("正文有", body))
        return "；".join(f"{where}{'、'.join(words)}" for where, words in parts if words)


def suggestions(title: str, text: str, taxonomy: Taxonomy) -> list[Suggestion]:
    """What a text may be tagged with, the best of each dimension first; nothing without words."""
    found, spoken = tag(text, title, taxonomy), uses(title, text, taxonomy)
    rows: list[Suggestion] = []
    for dimension in DIMENSIONS:
        entries = found[dimension]
        best = max((one["score"] for one in entries), default=0.0)
        near = [one for one in entries if one["score"] >= best * NEAR]
        for one in near[: _MOST.get(dimension, _MOST_OTHERS)]:
            # 其他 fits everything: it says nothing, and no word speaks for it.
            if words := spoken.get((dimension, one["key"])):
                why = tuple(words[:_WORDS])
                rows.append(Suggestion(dimension, one["key"], one["label"], one["score"], why))
    return rows
