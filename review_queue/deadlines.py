"""Deadlines of review: remind in time, then let the next in line act, alarm the supervisor.

The functions are jobs: they may run twice and anywhere. What they find due they settle in one short
transaction an item, and tell people afterwards through the function they were given.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, update

from config.clock import now
from ledger.append import Transaction
from ledger.changed import row_changed
from review_queue import rounds
from review_queue.desk import Queue
from review_queue.lateness import BETWEEN, LATE, Waiting, run_of, waiting_at
from review_queue.models import Item
from review_queue.overdue import (
    Told,
    call_answer,
    call_follow_up,
    late_answers,
    late_follow_ups,
    signed_of,
)
from review_queue.states import ItemState
from staff.absence import Away, set_absent
from staff.models import Absence, Staff
from staff.people import active_with
from storage.database import Base, rows_of

Notify = Callable[[Sequence[str], str], Awaitable[None]]
"""Staff ids and a sentence."""
_LONGEST_LEAD = timedelta(hours=4)
_FRESH = 20.0
"""Seconds: a look that old is good enough to find what is due; the act reads anew."""


@dataclass(frozen=True)
class Clock:
    """One public deadline after an emergency began."""

    name: str
    hours: int
    due_at: datetime
    basis: str


def emergency_clocks(began: datetime) -> list[Clock]:
    """The three clocks of an emergency, counted from when it was submitted."""
    rows = (
        ("发布权威信息", 5, "国办发〔2016〕80号：重大突发事件 5 小时内发布权威信息"),
        ("召开新闻发布会", 24, "国办发〔2016〕80号：24 小时内举行新闻发布会"),
        ("回应政务舆情", 48, "国办发〔2016〕80号：其他政务舆情 48 小时内予以回应"),
    )
    return [
        Clock(name, hours, began + timedelta(hours=hours), basis) for name, hours, basis in rows
    ]


def _put_off(item: Item, waiting: Waiting) -> bool:
    """Whether the level is late by signed entries and its row names a later moment, or none."""
    until, said = waiting.until, item.level_due_at
    return until is not None and until <= now() and (said is None or said - until > BETWEEN)


class Deadlines:
    """The jobs over one queue."""

    def __init__(self, queue: Queue, notify: Notify) -> None:
        """`notify` reaches staff by whatever route the office has."""
        self._queue = queue
        self._ledger = queue.ledger
        self._notify = notify

    async def run_due(self) -> int:
        """Everything that is due now; how many things were done."""
        levels, referrals = await self.remind_due(), await self.remind_referrals()
        return levels + referrals + await self.watch_retrospectives()

    # --- levels -------------------------------------------------------------------------

    async def remind_due(self) -> int:
        """Remind once before a level's deadline; at the deadline let the next in line act."""
        query = select(Item.id).where(Item.state == ItemState.REVIEW).order_by(Item.id)
        async with self._ledger.db.session() as session:
            ids = (await session.scalars(query)).all()
            rows = await rows_of(session, Item, ids)
        # Not by the deadline in the row alone: it can be put off, taken away or made unreadable.
        due = [one for one in ids if await self._is_due(one, rows.get(one))]
        return sum([await self._one_level(item_id) for item_id in due])

    async def _is_due(self, item_id: str, item: Item | None) -> bool:
        if item is None:
            return True
        said, moment = item.level_due_at, now()
        if said is not None and said <= moment + (
            timedelta(0) if item.level_reminded else _LONGEST_LEAD
        ):
            return True
        waiting = await self._waiting(item_id, _FRESH)
        return waiting is not None and _put_off(item, waiting)

    async def _one_level(self, item_id: str) -> int:
        async with self._ledger.transaction() as tx:
            item = (await rows_of(tx.session, Item, [item_id])).get(item_id)
            told: list[Told] = []
            if item is None:
                changed = await self._readable(tx, item_id)
            # Decided between the look and the lock: the job of another process, or a person, was
            # faster.
            elif item.state != ItemState.REVIEW:
                return 0
            else:
                told, changed = await self._late_or_soon(tx, item)
        if changed:
            await row_changed(self._ledger, Item.__tablename__, item_id)
        return await self._tell(told)

    async def _readable(self, tx: Transaction, item_id: str) -> bool:
        """Put the signed deadline into a row that cannot be read; False for one that is gone."""
        waiting = await self._waiting(item_id)
        until = waiting.until if waiting else None
        mine = select(Item.id).where(Item.id == item_id)
        if (await tx.session.scalars(mine)).first() is None:
            return False
        items = Base.metadata.tables[Item.__tablename__]
        await tx.session.execute(
            update(items).where(items.c.id == item_id).values(level_due_at=until)
        )
        return True

    async def _late_or_soon(self, tx: Transaction, item: Item) -> tuple[list[Told], bool]:
        """Call the level late or remind, by what is signed; True when the row says otherwise."""
        waiting = await self._waiting(item.id)
        if waiting is None or waiting.until is None:
            return [], False
        if _put_off(item, waiting):
            item.level_due_at = waiting.until  # the next turn calls it late
            return [], True
        if item.level_due_at is None:
            return [], False
        # The entry is what lets the next in line decide: it is not signed because a row was
        # written, neither its deadline nor a decision that opened another level.
        early = waiting.until - item.level_due_at
        item.level_due_at = max(item.level_due_at, waiting.until)
        round_ = await rounds.round_of(tx.session, item)
        if early > BETWEEN or (round_ is not None and set(round_.open) != set(waiting.due)):
            return [], True
        if item.level_due_at <= now():
            return await self._overdue(tx, item), False
        return await self._remind(tx, item), False

    async def _waiting(self, item_id: str, age: float = 0.0) -> Waiting | None:
        """What waits by signed entries; None when the ledger does not hold or names no run."""
        told = await signed_of(self._ledger, item_id, age)
        if told is None:
            return None
        run = run_of(told)
        return waiting_at(told, *run) if run else None

    async def _remind(self, tx: Transaction, item: Item) -> list[Told]:
        round_ = await rounds.round_of(tx.session, item)
        if round_ is None or item.level_reminded or item.level_due_at is None:
            return []
        levels = [round_.flow.levels[index] for index in round_.open]
        # A quarter of the time, at most four hours: a reminder for a one-hour level does not come
        # before its beginning.
        lead = min(_LONGEST_LEAD, timedelta(hours=min(one.hours for one in levels)) / 4)
        if item.level_due_at - now() > lead:
            return []
        # Set in the transaction that writes the entry: twice running tells once.
        item.level_reminded = True
        for index in round_.open:
            await tx.append(
                "level.reminded", subject=f"item:{item.id}", actor="system", body={"level": index}
            )
        people = await rounds.who_may(tx.session, item)
        names = "、".join(level.name for level in levels)
        return [Told(people, f"《{item.said_title}》等待{names}，快到时限了，请尽快审核")]

    async def _overdue(self, tx: Transaction, item: Item) -> list[Told]:
        round_ = await rounds.round_of(tx.session, item)
        if round_ is None:
            return []
        levels = [round_.flow.levels[index] for index in round_.open]
        for index in round_.open:
            await tx.append(LATE, subject=f"item:{item.id}", actor="system", body={"level": index})
        # The deadline starts anew for the next in line; only a second miss goes to the supervisor.
        again, item.level_overdue, item.level_reminded = item.level_overdue, True, False
        item.level_due_at = now() + timedelta(hours=min(level.hours for level in levels))
        people = await rounds.who_may(tx.session, item)
        names = "、".join(level.name for level in levels)
        told = [Told(people, f"《{item.said_title}》的{names}已超时，候补的人现在也可以审核")]
        # With nobody in line a second deadline would wait for nobody.
        if again or not people:
            supervisors = await active_with(tx.session, {"supervisor"})
            told.append(
                Told(supervisors, f"《{item.said_title}》的{names}再次超时，请督促或安排人")
            )
        return told

    # --- questions to departments -------------------------------------------------------

    async def remind_referrals(self) -> int:
        """Tell once when a department's answer is late."""
        late = await late_answers(self._ledger)
        return sum([await self._tell(await call_answer(self._ledger, one)) for one in late])

    # --- after an emergency -------------------------------------------------------------

    async def watch_retrospectives(self) -> int:
        """Of each that is late: an incident, an alarm to supervisors, and the next in line acts."""
        late = await late_follow_ups(self._ledger)
        return sum([await self._tell(await call_follow_up(self._ledger, one)) for one in late])

    # --- absence ------------------------------------------------------------------------

    async def set_absent(self, away: Away, by: str) -> Absence:
        """Record an absence and tell the substitute."""
        async with self._ledger.transaction() as tx:
            row = await set_absent(tx, away, by)
            person = await tx.session.get(Staff, away.staff_id)
        name = person.name if person else ""
        await self._tell([Told([away.substitute_id], f"{name}外出期间，由您代为审核稿件")])
        return row

    async def _tell(self, told: Sequence[Told]) -> int:
        for one in told:
            # No supervisor may be appointed yet; the entry in the ledger stands all the same.
            if one.people:
                await self._notify(list(dict.fromkeys(one.people)), one.text)
        return len(told)
