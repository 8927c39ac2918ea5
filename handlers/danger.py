"""Somebody is in danger: they read whom to call, and whoever is on duty is called.

`Danger(wiring)` is a Handler and the first one: nothing that was asked, chosen or left open before
stands in front of it. Whether a turn tells of danger is in `Turn.danger`.
"""

from escalations.tickets import Question, short
from escalations.urgent import REASON, open_urgent
from handlers.commands import CommandWiring
from handlers.turn import Said, Turn, fill
from ledger.verify import Broken
from staff.refusal import Refused


class Danger:
    """Says the number to call, with a warm word, and has the person on duty paged."""

    def __init__(self, wiring: CommandWiring) -> None:
        """Tickets, templates and masking are the wiring's."""
        self._w = wiring

    async def __call__(self, turn: Turn) -> Said | None:
        """See Handler."""
        if not turn.danger:
            return None
        # For an office's own words, and where a line was withdrawn: one line for all of them.
        name = f"danger_{turn.danger}"
        line = fill(name if self._w.templates.usable(name) else "emergency")
        try:
            question = Question(self._w.mask(turn.text), REASON)
            ticket = await open_urgent(self._w.tickets, turn.contact, question)
        except (Refused, Broken):  # whatever holds the office up, the number is said
            return Said(line)
        if not self._w.templates.usable("danger_told"):
            return Said(line)
        return Said((*line, *fill("danger_told", ticket=short(ticket))))
