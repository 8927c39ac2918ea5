"""What waits for a second person, shown on 今日 and 待批准 without knowing the kinds."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from console.settings.frame import people_of
from console.web.deps import Deps
from staff.models import Proposal

_FURTHER = 3  # lines beside the headline; the change's own page has all of them
_WIDE = 44  # characters of such a line
_PAGES = {
    "item": ("/console/items/{}", "打开稿件"),
    "source": ("/console/sources/{}", "打开稿源"),
    "policy": ("/console/policies/{}", "打开政策"),
    "sha256": ("/console/media/{}", "打开文件"),
}
"""Where the subject of a proposal stands, by the word before its colon."""


@dataclass(frozen=True)
class Line:
    """One proposal in a list: what it is, what would change, who proposed it, since when, why."""

    id: str
    label: str
    headline: str
    further: tuple[str, ...]
    more: int
    who: str
    since: datetime
    reason: str
    state: str
    decided_by: str


def changes_of(row: Proposal) -> list[str]:
    """What a proposal would change, a line each; a row that says nothing has none."""
    lines: Any = row.effect.get("changes", ())
    return [str(line.get("text", "")) for line in lines]


def headline(row: Proposal, label: str) -> str:
    """The first line of what would change, else the kind and what it is about."""
    said = changes_of(row)
    return said[0] if said and said[0] else f"{label} {row.subject}"


def place_of(row: Proposal) -> tuple[str, str] | None:
    """Path and words of the page of what a proposal is about, where it has one."""
    sort, _, key = row.subject.partition(":")
    found = _PAGES.get(sort)
    return (found[0].format(key), found[1]) if found and key.isalnum() else None


def labels_of(deps: Deps) -> dict[str, str]:
    """The words for each kind this office knows."""
    return {name: kind.label for name, kind in deps.governance.proposals.kinds.items()}


async def lines_of(deps: Deps, rows: Iterable[Proposal]) -> list[Line]:
    """Proposals as lists show them."""
    rows, labels = list(rows), labels_of(deps)
    ids = {row.proposed_by for row in rows} | {row.decided_by or "" for row in rows}
    people = await people_of(deps, ids)
    return [_line(row, labels.get(row.kind, row.kind), people) for row in rows]


def _cut(words: str) -> str:
    return words if len(words) <= _WIDE else f"{words[: _WIDE - 1]}…"


def _line(row: Proposal, label: str, people: dict[str, str]) -> Line:
    said = changes_of(row)[1:]
    return Line(
        id=row.id,
        label=label,
        headline=headline(row, label),
        further=tuple(_cut(words) for words in said[:_FURTHER]),
        more=max(0, len(said) - _FURTHER),
        who=people.get(row.proposed_by, "已离开的人员"),
        since=row.proposed_at,
        reason=row.reason,
        state=row.state,
        decided_by=people.get(row.decided_by or "", ""),
    )
