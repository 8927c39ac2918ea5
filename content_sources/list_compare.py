"""A published list against the sources in force: what it adds, drops and renames. Pure."""

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from content_sources.list_files import Parsed, Unit, unit_key
from content_sources.models import Source

_ALIKE = 0.84  # names at least so similar are one unit that was renamed
_OFFICE = re.compile(r"办公[室厅]|委员会|[局厅部处]$")


@dataclass(frozen=True)
class Difference:
    """A list against the present one. `renamed` are (source id, old name, new name)."""

    added: tuple[str, ...]
    removed: tuple[tuple[str, str], ...]
    renamed: tuple[tuple[str, str, str], ...]
    kept: int
    problems: tuple[str, ...]


def compare(parsed: Parsed, present: Sequence[Source], replaces: str) -> Difference:
    """What the list changes against the sources in force."""
    by_key = {unit_key(row.organisation): row for row in present}
    on_list = {unit_key(unit.name) for unit in parsed.units}
    fresh = [unit for unit in parsed.units if unit_key(unit.name) not in by_key]
    gone = [
        row
        for key, row in by_key.items()
        if key not in on_list and replaces and row.list_version == replaces
    ]
    renamed = _renamed(fresh, gone)
    old, new = {one[0] for one in renamed}, {one[2] for one in renamed}
    return Difference(
        added=tuple(unit.name for unit in fresh if unit.name not in new),
        removed=tuple((row.id, row.organisation) for row in gone if row.id not in old),
        renamed=tuple(renamed),
        kept=len(on_list & set(by_key)),
        problems=parsed.problems,
    )


def _renamed(fresh: Sequence[Unit], gone: Sequence[Source]) -> list[tuple[str, str, str]]:
    """Pairs of a unit that left and one that came whose names are nearly the same, best first."""
    pairs = sorted(
        (
            (
                _likeness(unit_key(row.organisation), unit_key(unit.name)),
                row.id,
                row.organisation,
                unit.name,
            )
            for row in gone
            for unit in fresh
        ),
        reverse=True,
    )
    taken: set[str] = set()
    found = []
    for likeness, key, old, new in pairs:
        if likeness < _ALIKE:
            break
        if key not in taken and new not in taken:
            taken |= {key, new}
            found.append((key, old, new))
    return found


def _likeness(old: str, new: str) -> float:
    if sorted(_OFFICE.findall(old)) != sorted(_OFFICE.findall(new)):
        return 0.0  # an office of the same body is another unit
    return difflib.SequenceMatcher(None, old, new, autojunk=False).ratio()
