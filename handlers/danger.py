"""Somebody is in danger: they read whom to call, and whoever is on duty is called.

The dispatcher asks for it before everything else: nothing that was asked, chosen, stopped or left
open before stands in front of it.
"""

import structlog

from bot.contract import ReplyBasis
from bot.models import Contact
from escalations.paging import REASON
from escalations.tickets import Question, short
from escalations.urgent import open_urgent
from handlers.commands import CommandWiring
from handlers.templates import TOLD
from handlers.turn import Said, fill

_log = structlog.get_logger("handlers.danger")


async def in_danger(wiring: CommandWiring, contact: Contact, text: str, kind: str) -> Said:
    """The number to call, with a warm word, and the person on duty paged.

    `kind` is a class of knowledge.danger, or "other" for an office's own words.
    """
    # For an office's own words, and where a line was withdrawn: one line for all of them.
    name = f"danger_{kind}"
    line = fill(name if wiring.templates.usable(name) else "emergency")
    try:
        question = Question(wiring.mask(text), REASON)
        ticket = await open_urgent(wiring.tickets, contact, question)
        if wiring.templates.usable(TOLD):
            line = (*line, *fill(TOLD, ticket=short(ticket)))
    except Exception:  # noqa: BLE001  whatever holds the office up, the number is said
        _log.exception("nobody could be called for a danger", contact=contact.id)
    return Said(line, basis=ReplyBasis.DANGER)
