"""What is asked often, remembered shortly: verified releases, opened accounts, stop switches."""

import asyncio
import math
import time
from collections.abc import Iterable, Mapping
from typing import TypeVar

from sqlalchemy import select

from bot.contract import AccountView, NotReleased, Release
from bot.delivery.wiring import Wiring
from storage.switches import Switch

VERIFY_FOR = 1.0  # seconds one verification serves the same push
STOPS_FOR = 0.5
Known = TypeVar("Known")


class Recent:
    """One a process, given to whoever publishes and to whoever sends."""

    def __init__(self, wiring: Wiring) -> None:
        """Nothing is known yet."""
        self._w = wiring
        self._verifying = asyncio.Lock()
        self._opening = asyncio.Lock()
        self._verified: dict[str, tuple[float, Release | NotReleased]] = {}
        self._opened: dict[str, tuple[float, AccountView | str]] = {}
        self._finished: dict[str, tuple[float, bool]] = {}
        self._stops: tuple[float, frozenset[str]] = (0.0, frozenset())
        self._paused: dict[str, float] = {}  # account id to monotonic time

    async def release(self, release_id: str) -> Release | NotReleased:
        """Verified at most VERIFY_FOR seconds ago, so a recall stops a push within a second."""
        if (known := _fresh(self._verified, release_id)) is not None:
            return known
        # One lock for all: eight messages of one push would otherwise verify it eight times.
        async with self._verifying:
            if (known := _fresh(self._verified, release_id)) is not None:
                return known
            proof: Release | NotReleased
            try:
                proof = await self._w.verify(release_id)
            except NotReleased as refused:
                proof = refused
            self._verified[release_id] = (time.monotonic() + VERIFY_FOR, proof)
        return proof

    async def finished(self, publication_id: str) -> bool:
        """Whether the signed end of this push stands; what stood once stands for ever."""
        if (known := _fresh(self._finished, publication_id)) is not None:
            return known
        async with self._verifying:
            if (known := _fresh(self._finished, publication_id)) is not None:
                return known
            found = await self._w.finished(publication_id)
            until = math.inf if found else time.monotonic() + VERIFY_FOR
            self._finished[publication_id] = (until, found)
        return found

    async def account(self, account_id: str) -> AccountView | str:
        """The opened account, or why it cannot be used."""
        if (known := _fresh(self._opened, account_id)) is not None:
            return known
        # One lock here too: a batch of one push would otherwise open it once a message.
        async with self._opening:
            if (known := _fresh(self._opened, account_id)) is not None:
                return known
            try:
                view: AccountView | str = await self._w.open_account(account_id)
            except (LookupError, ValueError) as error:
                view = str(error)
            self._opened[account_id] = (time.monotonic() + VERIFY_FOR, view)
        return view

    async def stops(self) -> frozenset[str]:
        """Names of the switches that are off; a stop is obeyed within half a second."""
        if self._stops[0] < time.monotonic():
            async with self._w.db.session() as session:
                names = await session.scalars(select(Switch.name).where(Switch.stopped.is_(True)))
                self._stops = (time.monotonic() + STOPS_FOR, frozenset(names))
        return self._stops[1]

    def pause(self, account_id: str, seconds: float) -> None:
        """Leave this account alone for a while: the platform said so."""
        self._paused[account_id] = time.monotonic() + seconds

    def resting(self) -> list[str]:
        """Accounts that are paused now."""
        moment = time.monotonic()
        return [account for account, until in self._paused.items() if until > moment]

    def forget_account(self, account_id: str) -> None:
        """Open it anew, and at once."""
        self._opened.pop(account_id, None)
        self._paused.pop(account_id, None)


def _fresh(known: Mapping[str, tuple[float, Known]], key: str) -> Known | None:
    found = known.get(key)
    return None if found is None or found[0] < time.monotonic() else found[1]


def stopped_accounts(stops: Iterable[str]) -> list[str]:
    """Ids of the accounts that are stopped one by one."""
    return [name.removeprefix("account:") for name in stops if name.startswith("account:")]
