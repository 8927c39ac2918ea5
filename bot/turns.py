"""Acts of one contact are acted on one after the other, in the platform's order, by any process.

Each act is a row with its place in that order before anybody acts on it. Whoever is to act takes
the contact's turn: a column that one process holds at a time, and for LEASE at the most. It is not
free for an act while an earlier one of the same contact waits. Different contacts never meet.

The order is the platform's own number of the act, or the second it happened in and then the number
of the message; events of that second have none and stand before its messages.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import ColumnElement, and_, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from bot.contract import Inbound
from bot.models import Contact, InboundMessage
from config.clock import now
from storage.database import Database, id_at

LEASE = 20.0
"""Seconds after which a turn whose process died is free, and an act nobody acts on waited for."""
KNOWN = timedelta(hours=24)
"""So long ago an act can still come after a later one: no platform keeps it longer (T9), and after
a week of silence one begins its numbers anew."""
SETTLE = 0.3
"""Seconds for which an act that changes consent waits for an earlier one still under way to us."""
_POLL = 0.05


@dataclass(frozen=True)
class Act:
    """One stored act: its row, whose it is, and its place in the platform's order."""

    row: str
    contact: str
    position: int
    place: int

    @classmethod
    def of(cls, row: str, contact: str, inbound: Inbound) -> "Act":
        """The act a platform told of."""
        return cls(row, contact, inbound.position, inbound.place)


class Turns:
    """One a process."""

    def __init__(self, db: Database) -> None:
        """Nobody has a turn yet."""
        self._db = db
        self._ends: dict[str, asyncio.Event] = {}

    @asynccontextmanager
    async def turn(self, act: Act, *, taken: bool) -> AsyncIterator[None]:
        """What is done inside is done alone for this contact. `taken`: when the act was stored."""
        patience = time.monotonic() + 2 * LEASE
        while not taken and time.monotonic() < patience:
            end = self._ends.setdefault(act.contact, asyncio.Event())
            async with self._db.session() as session:
                taken = await take(session, act)
            if not taken:
                # Another process tells nobody here that it is through: looked at again and again.
                with suppress(TimeoutError):
                    await asyncio.wait_for(end.wait(), _POLL)
        try:
            yield
        finally:
            await self._end(act)

    async def _end(self, act: Act) -> None:
        async with self._db.session() as session:
            await session.execute(
                update(Contact)
                .where(Contact.id == act.contact, Contact.turn == act.row)
                .values(turn="", turn_until=None)
            )
            await session.execute(
                update(InboundMessage).where(InboundMessage.id == act.row).values(handled_at=now())
            )
        if (end := self._ends.pop(act.contact, None)) is not None:
            end.set()

    async def overtaken(self, act: Act) -> bool:
        """Whether something that this contact did later was acted on before."""
        row = InboundMessage
        later = [row.position > act.position]
        if act.place:
            later.append(and_(row.position == act.position, row.place > act.place))
        query = select(row.id).where(
            row.contact_id == act.contact, row.handled_at > now() - KNOWN, or_(*later)
        )
        async with self._db.session() as session:
            return (await session.scalars(query.limit(1))).first() is not None


async def take(session: AsyncSession, act: Act) -> bool:
    """Take the contact's turn for this act, when it is free and the act is the first that waits."""
    # Locked by itself: the next statement then sees what stood when the lock was free.
    await session.execute(select(Contact.id).where(Contact.id == act.contact).with_for_update())
    moment, lease = now(), timedelta(seconds=LEASE)
    free = or_(
        Contact.turn == "",
        Contact.turn_until < moment,
        Contact.turn_until > moment + lease,  # of no process: a clock set back, or written by hand
    )
    earlier = select(InboundMessage.id).where(
        InboundMessage.contact_id == act.contact,
        InboundMessage.handled_at.is_(None),
        InboundMessage.id > id_at(time.time() - LEASE),
        _before(act),
    )
    taken = await session.execute(
        update(Contact)
        .where(Contact.id == act.contact, free, ~earlier.exists())
        .values(turn=act.row, turn_until=moment + lease)
        .returning(Contact.id)
        .execution_options(synchronize_session=False)
    )
    return taken.first() is not None


def _before(act: Act) -> ColumnElement[bool]:
    row = InboundMessage
    return or_(
        row.position < act.position,
        and_(row.position == act.position, row.place < act.place),
        and_(row.position == act.position, row.place == act.place, row.id < act.row),
    )
