"""Where an item ends that goes to no account: released into the library, told apart by its kind."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, Protocol, TypeVar

from ledger.append import Transaction
from review_queue.canonical import Draft
from staff.refusal import Reason


@dataclass(frozen=True)
class Shelved:
    """A draft whose release was proved a moment ago; `digest` is the one that was approved."""

    item_id: str
    release_id: str
    digest: str
    draft: Draft


@dataclass(frozen=True)
class ShelfEntry:
    """One place of a library as people see it.

    `state`: in_use, withdrawn, expired, or changed when its text cannot be proved. `fields` stand
    in braces in the text and are filled by the program; `item_id` is "" for a starting text.
    """

    key: str
    label: str
    state: str
    version: int = 0
    text: str = ""
    fields: tuple[str, ...] = ()
    item_id: str = ""
    not_after: datetime | None = None


class OnShelf(Protocol):
    """What the signed entries say of one thing on a shelf."""

    @property
    def item(self) -> str:
        """The item it came of."""
        ...

    @property
    def withdrawn(self) -> bool:
        """Whether it was taken out of use."""
        ...


_Standing = TypeVar("_Standing", bound=OnShelf)


class Withdrawing(ABC, Generic[_Standing]):
    """Taking out of use, the same on every shelf whose things stand by signed entries."""

    @abstractmethod
    async def _standings(self) -> Mapping[str, _Standing]:
        """Of the ledger; of a broken one as it was read last: taking back must always work."""

    @abstractmethod
    async def _withdraw(self, tx: Transaction, one: _Standing, by: str) -> None:
        """Sign that it is not used any more."""

    async def withdraw_entry(self, tx: Transaction, key: str, by: str) -> bool:
        """See Shelf."""
        one = (await self._standings()).get(key)
        if one is None or one.withdrawn:
            return False
        await self._withdraw(tx, one, by)
        return True

    async def take_back(self, tx: Transaction, item_id: str, by: str) -> None:
        """See Shelf."""
        for one in (await self._standings()).values():
            if one.item == item_id and not one.withdrawn:
                await self._withdraw(tx, one, by)


class Shelf(Protocol):
    """What keeps released items of one kind, and says under signature which of them is in use."""

    async def faults(self, draft: Draft) -> Sequence[Reason]:
        """Every reason why this draft could not be used once it is released."""
        ...

    async def put(self, tx: Transaction, one: Shelved) -> None:
        """Keep the text and sign that it is in use; once for a release, however often asked."""
        ...

    async def entries(self) -> Sequence[ShelfEntry]:
        """Everything that is kept, for lists."""
        ...

    async def withdraw_entry(self, tx: Transaction, key: str, by: str) -> bool:
        """Sign that an entry is not used any more; whether it was."""
        ...

    async def take_back(self, tx: Transaction, item_id: str, by: str) -> None:
        """Sign that what came of this item is not used any more; nothing when it is not in use."""
        ...
