"""Somebody is in danger: they read whom to call, and whoever is on duty is called.

`Danger(wiring)` is a Handler and the first one: nothing that was asked, chosen or left open before
stands in front of it. Whether a turn tells of danger is in `Turn.danger`.
"""

from dataclasses import replace

import structlog

from bot.contract import ReplyBasis
from escalations.paging import REASON
from escalations.tickets import Question, short
from escalations.urgent import open_urgent
from handlers.commands import CommandWiring
from handlers.templates import TOLD
from handlers.turn import Said, Turn, fill

_log = structlog.get_logger("handlers.danger")


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
        line = Said(
            fill(name if self._w.templates.usable(name) else "emergency"),
            basis=ReplyBasis.DANGER,
        )
        try:
            question = Question(self._w.mask(turn.text), REASON)
            ticket = await open_urgent(self._w.tickets, turn.contact, question)
        except Exception:  # noqa: BLE001  whatever holds the office up, the number is said
            _log.exception("nobody could be called for a danger", contact=turn.contact.id)
            return line
        if not self._w.templates.usable(TOLD):
            return line
        return replace(line, pieces=(*line.pieces, *fill(TOLD, ticket=short(ticket))))
