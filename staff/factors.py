"""Who has a second step for signing in, and who must: read from signed entries alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from ledger.append import Ledger
from ledger.verify import Entry
from staff.passkeys import keys_in
from staff.roles import REVIEWERS

FIRST_WEEK = timedelta(days=7)
OFFICE = "office"
BEGUN = "office.second_factor"
SET, REMOVED, RECOVERED = "second_factor.set", "second_factor.removed", "second_factor.recovered"
NEEDED = REVIEWERS | {"admin"}
"""Roles that may not go on without a second step after the office's first week."""

CODES = 10
"""How many recovery codes somebody gets."""


@dataclass(frozen=True)
class Factor:
    """What signed entries say of a person's one-time codes."""

    digest: str
    used: frozenset[str]
    at: datetime | None = None

    @property
    def left(self) -> int:
        """How many recovery codes are left."""
        return CODES - len(self.used)


def factor_in(entries: Sequence[Entry]) -> Factor | None:
    """The one-time codes that a person's entries leave in force."""
    used: set[str] = set()
    for entry in reversed(entries):
        if entry.kind == RECOVERED:
            used.add(str(entry.body["code"]))
        elif entry.kind == REMOVED:
            return None
        elif entry.kind == SET:
            moment = datetime.fromisoformat(str(entry.body["at"]))
            return Factor(str(entry.body["digest"]), frozenset(used), moment)
    return None


def required_from(entries: Sequence[Entry]) -> datetime | None:
    """When the office's first week ends, by its signed entries."""
    for entry in reversed(entries):
        if entry.kind in (BEGUN, "genesis") and "second_factor_from" in entry.body:
            return datetime.fromisoformat(str(entry.body["second_factor_from"]))
    return None


async def set_up_by(
    ledger: Ledger, staff_id: str, roles: frozenset[str], *, age: float = 0.0
) -> datetime | None:
    """Until when this person has to set up a second step; None when there is nothing to do."""
    if NEEDED.isdisjoint(roles):
        return None
    entries = await ledger.facts(f"staff:{staff_id}", age=age)
    if factor_in(entries) is not None or keys_in(entries):
        return None
    return required_from(await ledger.facts(OFFICE, age=age))
