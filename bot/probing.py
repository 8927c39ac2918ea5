"""What a channel says of an account that it asked its platform about."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from bot.contract import AccountView

MESSAGES = "messages"
"""Ability.name: messages to one person outside of their own call."""


@dataclass(frozen=True)
class Ability:
    """One thing an account may do or not; None where nobody can tell, and then `words` say why.

    `needed`: by what this account does here, as its settings have it.
    """

    name: str
    label: str
    able: bool | None
    words: str = ""
    needed: bool = False


@runtime_checkable
class Probing(Protocol):
    """A channel that can tell."""

    async def abilities(self, account: AccountView) -> Sequence[Ability]:
        """By calls that change nothing and that nobody sees."""
