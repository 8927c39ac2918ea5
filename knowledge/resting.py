"""What a reviewed answer rests on: clauses, and whether each is in force on a day."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from knowledge.proof import WholeClause, whole_clauses
from ledger.append import Ledger
from ledger.verify import Broken


class Rest(StrEnum):
    """How the clauses stand that an answer rests on."""

    HOLDS = "holds"
    ENDED = "ended"
    """One of them was repealed, has ended or has other words: the answer ends with it."""
    UNPROVED = "unproved"
    """One cannot be proved now: the answer is not said, and is said again when it can."""


@dataclass(frozen=True)
class Rested:
    """The clauses of some answers as they were signed, by id; read once for all of them."""

    clauses: Mapping[str, WholeClause]

    def on(self, rests: Collection[str], day: date) -> Rest:
        """How these stand on a day."""
        known = [self.clauses.get(one) for one in rests]
        if any(one is not None and not one.citable(day) for one in known):
            return Rest.ENDED
        return Rest.HOLDS if all(known) else Rest.UNPROVED


async def rested(ledger: Ledger, clauses: Collection[str]) -> Rested:
    """What stands of these clauses; nothing while the ledger cannot be read."""
    try:
        return Rested(await whole_clauses(ledger, clauses) if clauses else {})
    except Broken:
        return Rested({})
