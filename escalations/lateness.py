"""What still waits of a question in a person's hands, from its signed entries alone.

Neither a deadline nor a mark that was written into the row has anybody called.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from escalations.calendar import OfficeHours
from escalations.commitments import CLAIMED, OPENED
from ledger.verify import Entry

CALLED = "ticket.escalated"
LATE = "ticket.overdue"
BETWEEN = timedelta(minutes=1)
"""At most so much lies between a moment in a row and the one of the entry written with it."""
_ENDS = frozenset({"ticket.answered", "ticket.closed"})


@dataclass(frozen=True)
class Waiting:
    """A question nobody has answered or closed."""

    claimed: bool
    called: Sequence[Entry]  # one for each person who was told
    call_at: datetime  # when the next one is told, while nobody claims it
    due: datetime
    told: bool  # it was called late already, and rightly


def waiting_at(entries: Sequence[Entry], hours: OfficeHours) -> Waiting | None:
    """What waits by a ticket's entries; None when it was never opened or waits no longer.

    `hours` say it for what an earlier version opened, whose entries do not name the moment.
    """
    opened = next((one for one in entries if one.kind == OPENED), None)
    if opened is None or any(one.kind in _ENDS for one in entries):
        return None
    called = [one for one in entries if one.kind == CALLED]
    due = _said(opened, "due_at") or hours.due_at(_moment(opened), hours.answer_minutes)
    if called:
        last = called[-1]
        next_at = hours.due_at(_moment(last), hours.acknowledge_minutes)
    else:
        last, next_at = opened, hours.next_working(_moment(opened))
    return Waiting(
        claimed=any(one.kind == CLAIMED for one in entries),
        called=called,
        call_at=_said(last, "acknowledge_by") or next_at,
        due=due,
        told=any(one.kind == LATE and _moment(one) >= due - BETWEEN for one in entries),
    )


def _said(entry: Entry, name: str) -> datetime | None:
    said = entry.body.get(name)
    return datetime.fromisoformat(said) if said else None


def _moment(entry: Entry) -> datetime:
    return datetime.fromisoformat(entry.at)
