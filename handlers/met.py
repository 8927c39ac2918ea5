"""How an act was met, told by what is said to it (bot/met.py)."""

from bot.contract import InboundKind, ReplyBasis
from bot.met import Met
from bot.replies import Filled
from handlers.turn import Said, Turn

_ASKING = frozenset({"clarify", "may_fit", "may_fit_of"})
_OPENED = "person_opened"
_OPEN = frozenset(
    {"not_found", "out_of_scope", "unavailable", "stopped", "slow_down"}
    | {"refuse_own", "refuse_future", "refuse_verdict"}
)
"""Templates by which a question stays without an answer of ours."""


def met_of(turn: Turn, said: Said) -> Met:
    """A question is a text that is neither a command nor a choice of what was offered."""
    if said.basis is ReplyBasis.DANGER:
        return Met.DANGER
    names = {one.name for one in said.pieces if isinstance(one, Filled)}
    quoted = said.basis is ReplyBasis.QUOTE
    if turn.key:
        return Met.CHOSEN if quoted else Met.CALLED if _OPENED in names else Met.OTHER
    if turn.inbound.kind is not InboundKind.TEXT:
        return Met.OTHER
    if quoted:
        return Met.ANSWERED
    if names & _ASKING:
        return Met.ASKED_BACK
    if _OPENED in names:
        return Met.PERSON
    return Met.OPEN if names & _OPEN else Met.OTHER
