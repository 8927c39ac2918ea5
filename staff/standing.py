"""Who is active with which roles now: asked of signed entries, wherever somebody acts.

Tables serve lists. A role written into a row past this program counts for nothing.
"""

from dataclasses import dataclass

from ledger.append import Ledger
from ledger.verify import Entry

FRESH = 1.0
"""Seconds for which a page believes what it read of somebody's standing; acts ask anew."""


@dataclass(frozen=True)
class Standing:
    """Whether somebody works here now, and what they may do."""

    active: bool = False
    roles: frozenset[str] = frozenset()


NOBODY = Standing()


def standing_in(entries: list[Entry]) -> Standing:
    """The standing that the last signed word about a person gives them."""
    for entry in reversed(entries):
        if entry.kind == "staff.set":
            active = bool(entry.body["active"])
            return Standing(active, frozenset(entry.body["roles"]) if active else frozenset())
    return NOBODY


async def standing(ledger: Ledger, staff_id: str, *, age: float = 0.0) -> Standing:
    """Somebody's standing from the signed ledger; nobody's for an unknown id. Raises Broken."""
    return standing_in(await ledger.facts(f"staff:{staff_id}", age=age))
