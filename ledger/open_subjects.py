"""What signed entries opened and no later one ended: kept in memory, as the chain is read.

Jobs that find what is late start from here: a row that was deleted, or marked as done past this
program, keeps nothing quiet.
"""

from collections.abc import Iterable
from typing import Protocol, TypeVar

from ledger.verify import Entry


class Follower(Protocol):
    """What is told every signed entry once, in the order of the chain."""

    def take(self, entry: Entry) -> None:
        """The next one."""


Followed = TypeVar("Followed", bound=Follower)


class Followers:
    """One of each kind that was asked for; it is told what was read before, too."""

    def __init__(self) -> None:
        """Nobody asked yet."""
        self._made: dict[type[Follower], Follower] = {}

    def of(self, kind: type[Followed], before: Iterable[Entry]) -> Followed:
        """The one of this kind; `before` is every entry read so far, for a new one."""
        found = self._made.get(kind)
        if not isinstance(found, kind):
            found = kind()
            for entry in sorted(before, key=lambda one: one.seq):
                found.take(entry)
            self._made[kind] = found
        return found

    def take(self, entry: Entry) -> None:
        """The next entry, for all of them."""
        for one in self._made.values():
            one.take(entry)
