"""By when a citizen is answered, as they are told: and how, when the platform closes first.

The hour is the signed one. Where the platform takes no answer by then, the citizen is told until
when it does and how the answer reaches them afterwards.
"""

from datetime import datetime, timedelta

from bot.delivery.routes import Route, route, window_of
from bot.replies import Piece
from config.clock import now
from escalations import tickets
from escalations.announcing import offered
from escalations.calendar import in_words
from escalations.models import Ticket
from escalations.paging import REASON
from escalations.tickets import TicketWiring, short
from handlers.templates import TOLD, Texts
from handlers.turn import Turn, fill

SOON = timedelta(minutes=5)
"""Nobody answers a question that fast."""


def _route(wiring: TicketWiring, turn: Turn) -> Route | None:
    channel = wiring.channels.get(turn.inbound.platform)
    if channel is None or not channel.window_seconds:
        return None
    return route(window_of(channel, {}), turn.contact, now())


def must_write(wiring: TicketWiring, turn: Turn) -> bool:
    """Whether the platform will take no answer by the time that a person has written one."""
    found = _route(wiring, turn)
    return found is not None and (found.until is None or found.until - now() < SOON)


def taken_until(wiring: TicketWiring, turn: Turn) -> datetime | None:
    """Until when the platform takes an answer; None where that is no matter of hours."""
    found = _route(wiring, turn)
    return None if found is None or must_write(wiring, turn) else found.until


async def promise(
    wiring: TicketWiring, texts: Texts, turn: Turn, ticket: Ticket, name: str
) -> tuple[Piece, ...]:
    """The template with number and hour; Refused when that hour cannot be proved.

    While somebody is in danger no hour is told: the numbers to call are, once more.
    """
    if ticket.reason == REASON and texts.usable(TOLD):
        return (*fill("emergency"), *fill(TOLD, ticket=short(ticket)))
    due = await tickets.promised(wiring, ticket, turn.contact)
    fields = {"ticket": short(ticket), "due": in_words(due)}
    phone = wiring.hours.hotline
    said = fill(name, **fields, **({"phone": phone} if name == "person_opened" else {}))
    until = taken_until(wiring, turn)
    if name == "person_opened" and until is not None and texts.usable("person_notice"):
        link = await offered(wiring, turn.contact)
        said = (*said, *fill("person_notice", link=link)) if link else said
    if until is None or due <= until or not texts.usable("person_late"):
        return said
    return (*said, *fill("person_late", due=in_words(until), phone=phone))
