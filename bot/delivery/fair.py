"""A queue for each account: a slow one delays no other."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.delivery.outbox import DUE, Work
from bot.models import Delivery
from storage.database import UNREADABLE, unreadable

AGAIN = 0.5  # seconds after which somebody else's rows are looked for, while others are sent

Look = Callable[[Collection[str]], Awaitable[Mapping[str, Sequence[str]]]]
Serve = Callable[[Sequence[str]], Coroutine[Any, Any, int]]


class Slots:
    """How many calls may be on their way at once, shared among the accounts that send."""

    def __init__(self, most: int, lanes: int) -> None:
        """`most` calls, whoever makes them; `lanes` of each account."""
        self._most = most
        self.lanes = lanes
        self._free = asyncio.Semaphore(most)
        self._waiting = 0
        self.accounts = 1

    @property
    def wanted(self) -> bool:
        """Whether somebody waits for a place."""
        return self._waiting > 0

    async def take(self) -> int:
        """Wait for a place, and take as many as a lane may have; how many."""
        self._waiting += 1
        try:
            await self._free.acquire()
        finally:
            self._waiting -= 1
        return await self.fit(1)

    async def fit(self, places: int) -> int:
        """As many places as a lane may have now, by what it holds; never waits."""
        share = max(1, self._most // max(1, self.accounts) // self.lanes)
        self.give(max(0, places - share))
        places = min(places, share)
        # Only what is free at once: who holds some while it waits for more could wait for itself.
        while places < share and not self._free.locked():
            await self._free.acquire()
            places += 1
        return places

    def give(self, number: int) -> None:
        """These places are free again."""
        for _ in range(number):
            self._free.release()


@dataclass(frozen=True)
class Lanes:
    """Two lanes an account, side by side: while the calls of one are on their way, the other writes
    what became of its own and claims anew, so that neither the network nor the database waits.
    """

    slots: Slots
    turn: Callable[[Sequence[Work], Sequence[str]], Awaitable[list[Work]]]
    send: Callable[[Sequence[Work]], Awaitable[None]]
    stopping: Callable[[], bool]

    async def serve(self, queue: Sequence[str]) -> int:
        """Send one account's rows; how many got an outcome."""
        waiting = deque(queue)
        lanes = [self._lane(waiting) for _ in range(self.slots.lanes)]
        ends = await asyncio.gather(*lanes, return_exceptions=True)
        for end in ends:  # only now: what the other lane had on its way has its outcome first
            if isinstance(end, BaseException):
                raise end
        return sum(end for end in ends if isinstance(end, int))

    async def _lane(self, waiting: deque[str]) -> int:
        done = 0
        work: list[Work] = []
        places = await self.slots.take()
        try:
            while work or (waiting and not self.stopping()):
                if self.slots.wanted and work:
                    # Another account waits: it is let in, and no outcome waits meanwhile.
                    done, work = done + len(work), await self.turn(work, ())
                    self.slots.give(places)
                    places = 0
                    places = await self.slots.take()
                    continue
                places = await self.slots.fit(places)
                take = 0 if self.stopping() else min(places, len(waiting))
                batch = [waiting.popleft() for _ in range(take)]
                done, work = done + len(work), await self.turn(work, batch)
                await self.send(work)
        finally:
            self.slots.give(places)
        return done


async def each_account(slots: Slots, look: Look, serve: Serve) -> int:
    """Serve every account with due rows beside the others; how many rows got an outcome.

    `look` gives the queues of all accounts but those named. While a slow one is not through, the
    others are looked after again and again.
    """
    running: dict[asyncio.Task[int], str] = {}
    served: set[str] = set()
    ended: list[asyncio.Task[int]] = []
    try:
        while True:
            queues = await look(set(running.values()) or served)
            for account, queue in queues.items():
                running[asyncio.create_task(serve(queue))] = account
            served.update(queues)
            slots.accounts = len(running)
            if not running:
                break
            through, _ = await asyncio.wait(
                running, timeout=AGAIN, return_when=asyncio.FIRST_COMPLETED
            )
            ended += through
            for task in through:
                del running[task]
    except asyncio.CancelledError:
        for task in running:
            task.cancel()
        raise
    finally:
        if running:  # what is on its way has its outcome before anybody hears of a fault
            await asyncio.wait(running)
    return sum(task.result() for task in ended)


async def waiting_accounts(session: AsyncSession) -> list[str] | None:
    """Accounts with rows that may be due; None when one of their names cannot be read.

    By one step through the index for each account, however many rows it has.
    """
    found: dict[str, None] = {}
    try:
        for state in DUE:
            next_one = select(func.min(Delivery.account_id)).where(Delivery.state == state)
            last = await session.scalar(next_one)
            while last is not None:
                found[last] = None
                last = await session.scalar(next_one.where(Delivery.account_id > last))
    except UNREADABLE as error:
        if not unreadable(error):
            raise
        return None
    return list(found)
