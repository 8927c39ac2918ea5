"""Acts of citizens that wait for their answer: a process that dies leaves its own to the others.

The row says so by a seal over the act, put there when it was stored and taken away with its answer:
nobody else makes the office answer what was not asked. An act is answered again only while its
answer is still of use (bot/delivery/life.py); what is older is told to staff.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog
from sqlalchemy import and_, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from bot.contacts import Contacts
from bot.contract import Inbound, InboundKind
from bot.delivery.life import AT_ONCE
from bot.delivery.processes import living
from bot.met import Met
from bot.models import Account, Contact, Delivery, InboundMessage
from bot.replies import Parts
from bot.said import keep
from storage.away import gone
from storage.database import Database, id_at, made_at, rows_of
from storage.seals import seals_of

SAID_AGAIN = 60.0  # seconds in which a platform that got no answer asks again (W1)
STRANGER = 30.0  # seconds for which an act of a process that nobody knows of is left to it
OWN = 5.0
TRIES = 3
"""Times one process answers the same act: one that always fails is a fault, and told to staff."""
MOST = 100
LOST = "程序中断期间的来信没有得到答复，已经过了时效：请在会话里查看这些来信，需要时由人答复"
Answer = Callable[[Inbound, Contact, str], Awaitable[None]]
_log = structlog.get_logger("bot.callbacks")
_row = InboundMessage


def took(row_id: str) -> int:
    """Milliseconds since the act was stored, by the machine's own clock, which made its id."""
    return max(0, round((time.time() - made_at(row_id)) * 1000))


def open_act(session: AsyncSession, row: InboundMessage, owner: str) -> None:
    """Mark a new row as waiting for its answer by this process."""
    row.owner, row.waits = owner, seals_of(session).of(*_said(row))


@dataclass(frozen=True)
class Wiring:
    """`owner` is this process; `answer(inbound, contact, row)` answers once more, and marks it."""

    db: Database
    contacts: Contacts
    owner: str
    answer: Answer
    on_incident: Callable[[str, str, str], Awaitable[None]]
    on_changed: Callable[[str, str], Awaitable[None]]


class Unanswered:
    """What this process knows of acts under way, and its look for those that nobody answers."""

    def __init__(self, wiring: Wiring) -> None:
        """Nothing is under way."""
        self._w = wiring
        self._hands: set[str] = set()
        self._tries: Counter[str] = Counter()

    def took(self, row_id: str) -> None:
        """This process answers it now."""
        self._hands.add(row_id)

    def gave(self, row_id: str) -> None:
        """It does so no more, whatever came of it."""
        self._hands.discard(row_id)

    async def done(
        self, row_id: str, said: Parts | None = None, met: str = "", took: int | None = None
    ) -> None:
        """The act has its answer, or needs none; `said` when that stood in the call itself.

        `met` and `took` are for the counts of a day.
        """
        counted = {"met": met, "took": took} if met else {}
        async with self._w.db.session() as session:
            mine = update(_row).where(_row.id == row_id)
            await session.execute(mine.values(waits="", **counted))
            if said is not None:
                # Of somebody who has just been forgotten nothing is kept.
                stays = or_(_row.kind != InboundKind.TEXT, _row.text > "")
                words = keep(seals_of(session), row_id, said)
                await session.execute(mine.where(stays).values(said=words))

    async def asked_again(self, account_id: str, dedupe: str) -> None:
        """The platform tells of an act once more, and its answer is gone with a process.

        It asks again only when it got nothing; a message that was sent is its answer all the same.
        """
        db = self._w.db
        async with db.writing() if db.is_sqlite else db.session() as session:
            query = select(_row).where(_row.account_id == account_id, _row.dedupe == dedupe)
            row = (await session.scalars(query)).first()
            young = row is not None and time.time() - made_at(row.id) < SAID_AGAIN
            if row is None or not young or row.waits or row.id in self._hands:
                return
            if row.kind != InboundKind.UNFOLLOW and not await _was_sent(session, row.id):
                open_act(session, row, self._w.owner)

    async def sweep(self) -> int:
        """Answer what is left of dead processes, and of our own failures; how many."""
        answered = 0
        old: Counter[str] = Counter()
        for row in await self._left():
            if not await self._claim(row):
                continue
            if time.time() - made_at(row.id) > AT_ONCE or self._tries[row.id] >= TRIES:
                old[row.account_id] += 1
                await self.done(row.id, met=Met.LOST)
                self.gave(row.id)
                continue
            # One that cannot be answered keeps nobody else waiting.
            [came] = await asyncio.gather(self._again(row), return_exceptions=True)
            self.gave(row.id)
            if isinstance(came, BaseException):
                self._failed(row, came)
            else:
                answered += came
        for account_id in old:
            await self._w.on_incident("inbound_unanswered", f"account:{account_id}", LOST)
        return answered

    def _failed(self, row: InboundMessage, error: BaseException) -> None:
        if gone(error):
            _log.warning("answer_waits", row=row.id, error=type(error).__name__)
            return
        self._tries[row.id] += 1
        _log.error("answer_failed", row=row.id, exc_info=error)

    async def _left(self) -> list[InboundMessage]:
        async with self._w.db.session() as session:
            alive, known = await living(session, self._w.db)
            moment = time.time()
            ours = and_(
                _row.owner == self._w.owner,
                _row.id < id_at(moment - OWN),
                _row.id.not_in(self._hands),
            )
            dead = and_(_row.owner.in_(known - alive), _row.owner != self._w.owner)
            strangers = and_(_row.owner.not_in(known), _row.id < id_at(moment - STRANGER))
            query = select(_row.id).where(_row.waits > "", or_(ours, dead, strangers))
            ids = [*(await session.scalars(query.order_by(_row.id).limit(MOST)))]
            found = await rows_of(session, _row, ids)
        for row_id in ids:
            if row_id not in found:  # it keeps nobody else waiting
                await self._w.on_changed(_row.__tablename__, row_id)
                await self.done(row_id)
        return [one for key, one in sorted(found.items()) if key not in self._hands]

    async def _claim(self, row: InboundMessage) -> bool:
        """Take it over; False when another process was faster, or it was answered meanwhile."""
        mine = update(_row).where(_row.id == row.id, _row.waits == row.waits)
        mine = mine.where(_row.owner == row.owner).values(owner=self._w.owner)
        async with self._w.db.session() as session:
            taken = (await session.scalars(mine.returning(_row.id))).first() is not None
        if taken:
            self.took(row.id)
        return taken

    async def _again(self, row: InboundMessage) -> int:
        """Answer one; what was sent already, or was never asked, is only marked."""
        async with self._w.db.session() as session:
            whole = seals_of(session).hold(row.waits, *_said(row))
            sent = await _was_sent(session, row.id)
            account = await session.get(Account, row.account_id)
            contact = await session.get(Contact, row.contact_id) if row.contact_id else None
        if not whole:
            await self._w.on_changed(_row.__tablename__, row.id)
        elif not sent and account is not None and contact is not None and contact.address:
            try:
                address = self._w.contacts.address_on(row.account_id, contact)
            except ValueError:
                await self._w.on_changed("contact", contact.id)
            else:
                await self._w.answer(_inbound(row, account.platform, address), contact, row.id)
                return 1
        await self.done(row.id, met=Met.OTHER if whole and sent else "")
        return 0


def _said(row: InboundMessage) -> tuple[str, list[str | None]]:
    said = [row.id, row.account_id, row.contact_id, row.dedupe, str(row.kind), row.text, row.key]
    return _row.__tablename__, said


async def _was_sent(session: AsyncSession, row_id: str) -> bool:
    """Whether an answer stands in the outbox: it is sent, or will be."""
    query = select(Delivery.id).where(Delivery.content_key == f"in:{row_id}").limit(1)
    return (await session.scalars(query)).first() is not None


def _inbound(row: InboundMessage, platform: str, address: str) -> Inbound:
    """The act as it was stored; of its text personal data were taken out."""
    return Inbound(
        account_id=row.account_id,
        platform=platform,
        address=address,
        kind=InboundKind(row.kind),
        at=row.at,
        dedupe=row.dedupe,
        text=row.text,
        key=row.key,
        position=row.position,
        place=row.place,
    )
