"""Where an item ends that goes to no account: released into the library, told apart by its kind."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

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
