"""Where an item ends that goes to no account: released into the library, told apart by its kind."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, Protocol, TypeVar

from ledger.append import Transaction
from review_queue.canonical import TEMPLATE, Draft
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

    `state`: in_use, withdrawn, lapsed, expired, or changed when its text cannot be proved. `fields`
    stand in braces in the text and are filled by the program; `item_id` is "" for a starting text;
    `rests` are clauses it rests on.
    """

    key: str
    label: str
    state: str
    version: int = 0
    text: str = ""
    fields: tuple[str, ...] = ()
    item_id: str = ""
    not_after: datetime | None = None
    rests: tuple[str, ...] = ()


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


_MOST_RESTS, _LONGEST_KEY = 20, 60


def shelf_faults(old: Draft, draft: Draft) -> list[Reason]:
    """What is for the library stays for the same place in it, and for no account."""
    return _place_faults(old, draft) + _rest_faults(draft)


def _place_faults(old: Draft, draft: Draft) -> list[Reason]:
    if not (old.shelved or draft.shelved):
        return []
    faults = []
    if (old.kind, old.entry) != (draft.kind, draft.entry):
        faults.append(Reason("kind", "入库使用的稿件不能改种类和用处，请另起草一篇"))
    if draft.accounts or draft.audience is not None:
        faults.append(Reason("accounts", f"{draft.kind}不发布到账号，也不推送"))
    return faults


def _rest_faults(draft: Draft) -> list[Reason]:
    """Only what ends in the library beside the policies rests on clauses of theirs."""
    if draft.rests and (draft.kind == TEMPLATE or not draft.shelved):
        return [Reason("rests", "只有入库使用的问答写依据的条文")]
    if len(draft.rests) > _MOST_RESTS or any(len(one) > _LONGEST_KEY for one in draft.rests):
        return [Reason("rests", f"依据的条文最多 {_MOST_RESTS} 条")]
    return []
