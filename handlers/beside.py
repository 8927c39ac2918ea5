"""Whether a message belongs to the question a person holds, or is a matter of its own.

The bot is silent on the ticket's matter alone. A message belongs to it when it shares its words,
or when the citizen asked for a person and had not yet said what for.
"""

from collections.abc import Sequence

from escalations.models import Ticket
from handlers.commands import NOT_SAID
from knowledge.answering import content
from knowledge.search import pairs

_SHARE = 0.5
_LEAST = 2  # one pair of characters (补贴) is no matter


def continues(ticket: Ticket, added: Sequence[str], text: str) -> bool:
    """Whether `text` goes on with what the ticket is about; `added`: what was added to it."""
    said = [ticket.question, *added]
    if ticket.question == NOT_SAID and not added:
        return True
    return any(_close(text, one) for one in said)


def _close(one: str, other: str) -> bool:
    ours, theirs = set(pairs(content(one))), set(pairs(content(other)))
    shared = len(ours & theirs)
    return shared >= _LEAST and shared >= _SHARE * min(len(ours), len(theirs))
