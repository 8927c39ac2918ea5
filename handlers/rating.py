"""好差评 in chat: asked once after a person's answer, answered by a button, a number or the word.

`Rating(wiring)` is a Handler. `ask_due` is a job: it never asks into another choice that is open,
for then a number would mean two things.
"""

from escalations.ratings import LOW, STARS, ask, last_asked, rate, to_ask
from handlers.commands import CommandWiring
from handlers.conversation import Conversations
from handlers.turn import Said, Turn, fill

_WORDS = {label: stars for stars, label in STARS.items()}
HEAD = "rate"
STEP = "rating"


class Rating:
    """Keeps what a citizen says of an answer."""

    def __init__(self, wiring: CommandWiring) -> None:
        """Tickets and their ledger."""
        self._w = wiring

    async def __call__(self, turn: Turn) -> Said | None:
        """See Handler."""
        head, _, rest = turn.key.partition(":")
        ticket_id, _, grade = rest.partition(":")
        if head != HEAD:
            grade = "" if turn.key else str(_WORDS.get(turn.text.strip("。.!！ "), ""))
            ticket_id = await last_asked(self._w.tickets, turn.contact) if grade else ""
            if not ticket_id:
                return None
        stars = int(grade) if grade.isdecimal() else 0
        new = await rate(self._w.tickets, ticket_id, turn.contact, stars)
        if new is None:
            return Said(fill("stale"))
        if not new:
            return Said(fill("rated_before"))
        low = stars <= LOW
        phone = {"phone": self._w.tickets.hours.hotline} if low else {}
        return Said(fill("rated_low" if low else "rated", **phone))


async def ask_due(wiring: CommandWiring, conversations: Conversations) -> int:
    """Ask everybody whose answer went out a while ago and who is in no other choice; how many."""
    asked = 0
    waiting = await to_ask(wiring.tickets)
    if not waiting:
        return 0
    await wiring.fresh()
    if not wiring.templates.usable("rate_ask", "rated"):
        return 0
    for ticket in waiting:
        stood = await conversations.at(ticket.contact_id)
        if stood is not None and stood.data.get("choices"):
            continue
        parts = await ask(wiring.tickets, ticket.id)
        if parts is None:
            continue
        keys = [key for _, key in parts.choices]
        await conversations.keep(ticket.contact_id, step=STEP, data={"choices": keys})
        asked += 1
    return asked
