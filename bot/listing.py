"""What a channel says of an account's followers where its platform lists them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, runtime_checkable

from bot.contract import AccountView


@dataclass(frozen=True)
class Listed:
    """One page: addresses in the platform's order, and how many there are in all."""

    people: Sequence[str]
    total: int


class NotListed(Exception):
    """The platform did not say, and why, in Chinese; who was read before stays read."""


@runtime_checkable
class Listing(Protocol):
    """A channel whose platform tells who follows. Both raise NotListed."""

    async def followers(self, account: AccountView, after: str) -> Listed:
        """The page behind this person; empty for the first. Without people it was the last."""

    async def followed_at(
        self, account: AccountView, people: Sequence[str]
    ) -> Mapping[str, datetime]:
        """Since when each of these follows; without who does not any more."""
