"""One turn of a conversation: what came in, what is said back, and the choices left open."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from bot.contract import Inbound, ReplyBasis
from bot.models import Contact
from bot.replies import Filled, Piece


@dataclass(frozen=True)
class Turn:
    """A citizen's act. `key` is the menu, button, number or command meant; `text` is normalised.

    `step` and `data` are where this contact stood (see handlers.conversation.Conversation).
    """

    inbound: Inbound
    contact: Contact
    text: str = ""
    key: str = ""
    step: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Choice:
    """A button, or a numbered line where there are none; `key` is at most 64 bytes (T6)."""

    label: str
    key: str


@dataclass(frozen=True)
class Said:
    """What a handler says, before it has words; no piece is silence.

    `step` and `data` are for the next turn.
    """

    pieces: tuple[Piece, ...]
    choices: tuple[Choice, ...] = ()
    basis: ReplyBasis = ReplyBasis.TEMPLATE
    step: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)


def fill(name: str, **fields: str) -> tuple[Piece, ...]:
    """One template with its fields; words are made of it by whoever sends (handlers/answers.py)."""
    return (Filled(name, fields),)


class Handler(Protocol):
    """Says something, or None to let the next handler try."""

    async def __call__(self, turn: Turn) -> Said | None:
        """Answer the turn or pass."""
