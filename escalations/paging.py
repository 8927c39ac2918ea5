"""Where the calls for somebody in danger stand, by the signed entries of their ticket. Pure.

`ticket.urgent` begins them, `ticket.paging` says who is being called, `ticket.paged` what came of
it (`to` "" ends a round: everybody was called). Claiming, answering and closing end them; an answer
that did not go out begins them anew.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from escalations.commitments import ANSWERED, CLAIMED, FAILED
from ledger.verify import Entry

URGENT, PAGING, PAGED = "ticket.urgent", "ticket.paging", "ticket.paged"
REASON = "emergency"
AGAIN = timedelta(minutes=10)
"""Within it the same danger calls nobody twice; as long rests the ladder between two rounds."""
NEXT = timedelta(minutes=2)
"""So long has whoever was called to take it."""
CALLING = timedelta(minutes=1)
"""Longer than all ways of one person take: after it whoever called them has died."""
ROUNDS = 3
_ENDS = frozenset({CLAIMED, ANSWERED, "ticket.closed"})


@dataclass(frozen=True)
class Paging:
    """Where the calls of one danger stand."""

    holder: str  # who had the question when it became one, and is called first; "" for nobody
    told: datetime  # when danger was last told
    called: tuple[str, ...]  # in this round, also whoever is being called
    next_at: datetime
    over: bool  # every round is


class UrgentTickets:
    """The questions of people in danger that nobody has taken since."""

    def __init__(self) -> None:
        """A ledger tells each entry once."""
        self.ids: dict[str, None] = {}
        self._ever: set[str] = set()

    def take(self, entry: Entry) -> None:
        """The next signed entry of the chain."""
        ticket_id = entry.subject.partition(":")[2]
        if entry.kind == URGENT:
            self._ever.add(ticket_id)
        if entry.kind == URGENT or (entry.kind == FAILED and ticket_id in self._ever):
            self.ids[ticket_id] = None
        elif entry.kind in _ENDS:
            self.ids.pop(ticket_id, None)


def paging_at(entries: Sequence[Entry]) -> Paging | None:
    """Where the calls stand; None when there is no danger, or somebody took it."""
    began: Entry | None = None
    told: Entry | None = None
    pages: list[Entry] = []
    holder = ""
    for one in entries:
        if one.kind == URGENT:
            told = one
        if one.kind == CLAIMED:
            holder = one.actor
        if one.kind in _ENDS:
            began, pages = None, []
        elif told is not None and one.kind in (URGENT, FAILED):
            # The same danger told again goes on where its calls stood, unless they were over.
            if began is None or _rounds(pages) >= ROUNDS:
                began, pages = one, []
        elif one.kind in (PAGING, PAGED):
            pages.append(one)
    if began is None or told is None:
        return None
    ends = [at for at, one in enumerate(pages) if not one.body["to"]]
    called = dict.fromkeys(str(one.body["to"]) for one in pages[ends[-1] + 1 if ends else 0 :])
    return Paging(holder, at(told), tuple(called), _next(began, pages), len(ends) >= ROUNDS)


def at(entry: Entry) -> datetime:
    """When an entry was signed."""
    return datetime.fromisoformat(entry.at)


def _rounds(pages: Sequence[Entry]) -> int:
    return sum(not one.body["to"] for one in pages)


def _next(began: Entry, pages: Sequence[Entry]) -> datetime:
    if not pages:
        return at(began)
    last = pages[-1]
    if last.kind == PAGING:
        return at(last) + CALLING
    if not last.body["to"]:
        return at(last) + AGAIN
    return at(last) + NEXT if last.body["reached"] else at(last)
