"""What still waits of a question in a person's hands, from its signed entries alone.

Neither a deadline nor a mark that was written into the row has anybody called.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from escalations.calendar import OfficeHours
from escalations.commitments import ANSWERED, FAILED, OPENED, REOPENED, due_of, holder_of
from ledger.verify import Entry

CALLED = "ticket.escalated"
LATE = "ticket.overdue"
BETWEEN = timedelta(minutes=1)
"""At most so much lies between a moment in a row and the one of the entry written with it."""
_ENDS = frozenset({ANSWERED, "ticket.closed"})


@dataclass(frozen=True)
class Waiting:
    """A question nobody has answered or closed."""

    holder: str  # who claimed it; "" for nobody
    called: Sequence[Entry]  # one for each person who was told
    call_at: datetime  # when the next one is told, while nobody claims it
    due: datetime
    told: bool  # it was called late already, and rightly
    opened: Entry

    @property
    def claimed(self) -> bool:
        """Somebody took it."""
        return bool(self.holder)

    @property
    def state(self) -> str:
        """What its row says."""
        return "claimed" if self.claimed else "open"

    @property
    def ends_signed(self) -> bool:
        """Whether it ends by a signed entry only: an earlier version signed no erasure."""
        return "acknowledge_by" in self.opened.body


class OpenTickets:
    """The questions that signed entries opened and none ended."""

    def __init__(self) -> None:
        """A ledger tells each entry once."""
        self.ids: dict[str, None] = {}

    def take(self, entry: Entry) -> None:
        """The next signed entry of the chain."""
        if entry.kind in (OPENED, FAILED, REOPENED):
            self.ids[_id(entry)] = None
        elif entry.kind in _ENDS:
            self.ids.pop(_id(entry), None)


def _id(entry: Entry) -> str:
    return entry.subject.partition(":")[2]


def waiting_at(entries: Sequence[Entry], hours: OfficeHours) -> Waiting | None:
    """What waits by a ticket's entries; None when it was never opened or waits no longer.

    `hours` say it for what an earlier version opened, whose entries do not name the moment.
    """
    opened = next((one for one in entries if one.kind == OPENED), None)
    entries = _since_reopened(entries)
    began = entries[0] if entries and entries[0].kind == REOPENED else opened
    # An answer that did not go out ended nothing: the question waits as it did before.
    word = next((one.kind for one in reversed(entries) if one.kind in (FAILED, *_ENDS)), FAILED)
    closed = any(one.kind == "ticket.closed" for one in entries)
    if opened is None or began is None or closed or word != FAILED:
        return None
    called = [one for one in entries if one.kind == CALLED]
    due = due_of(entries) or hours.due_at(_moment(began), hours.answer_minutes)
    if called:
        last = called[-1]
        next_at = hours.due_at(_moment(last), hours.acknowledge_minutes)
    else:
        last, next_at = began, hours.next_working(_moment(began))
    return Waiting(
        holder=holder_of(entries),
        called=called,
        call_at=_said(last, "acknowledge_by") or next_at,
        due=due,
        told=any(one.kind == LATE and _moment(one) >= due - BETWEEN for one in entries),
        opened=opened,
    )


def _since_reopened(entries: Sequence[Entry]) -> Sequence[Entry]:
    """From the last reopening on: what ended, called or held it before counts no more."""
    at = max((at for at, one in enumerate(entries) if one.kind == REOPENED), default=0)
    return entries[at:]


def _said(entry: Entry, name: str) -> datetime | None:
    said = entry.body.get(name)
    return datetime.fromisoformat(said) if said else None


def _moment(entry: Entry) -> datetime:
    return datetime.fromisoformat(entry.at)
