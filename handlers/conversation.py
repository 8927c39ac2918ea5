"""Where a contact stands in a chat flow: kept for a day, forgotten with the contact.

What a number means to a citizen is in these rows, so each proves who wrote it: one that was
changed, led to another contact or put back after a newer one is no open choice and an incident.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import String, delete
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from config.clock import now
from ledger.append import Ledger
from ledger.changed import row_changed
from storage.cache import Cache
from storage.database import Base
from storage.seals import Sealed

LIFE = timedelta(hours=24)


class Conversation(Sealed, Base):
    """Where a contact stands in a chat flow (choosing a topic, a group, a region)."""

    __tablename__ = "chat_draft"
    SEALED = ("contact_id", "step", "data", "updated_at")
    contact_id: Mapped[str] = mapped_column(String(26), primary_key=True)
    step: Mapped[str] = mapped_column(String(40))
    data: Mapped[dict[str, Any]]
    updated_at: Mapped[datetime]

    @property
    def fresh(self) -> bool:
        """Whether the choices still stand: a number sent days later means none of them."""
        return now() - self.updated_at < LIFE


class Conversations:
    """Keeps and proves where contacts stand."""

    def __init__(self, ledger: Ledger, cache: Cache) -> None:
        """`cache` knows when this office wrote last: a seal alone does not tell old from new."""
        self._ledger = ledger
        self._cache = cache

    async def at(self, contact_id: str) -> Conversation | None:
        """Where the contact stands; None when nothing is open or the row is not what we wrote."""
        try:
            async with self._ledger.db.session() as session:
                stood = await session.get(Conversation, contact_id)
            wrong = stood is not None and not (stood.whole and await self._newest(stood))
        except (ValueError, TypeError):  # what stands there is not even JSON, or no moment
            stood, wrong = None, True
        if wrong:
            await row_changed(self._ledger, Conversation.__tablename__, contact_id)
            return None
        return stood if stood is not None and stood.fresh else None

    async def keep(self, contact_id: str, *, step: str, data: Mapping[str, Any]) -> None:
        """The contact stands here now."""
        async with self._ledger.db.writing() as session:  # two acts of one person may cross
            # By statement: a row somebody left there must not lend the new one its wrong seal.
            await forget(session, contact_id)
            moment = now()
            session.add(
                Conversation(contact_id=contact_id, step=step, data=dict(data), updated_at=moment)
            )
        await self._note(contact_id, moment)

    async def end(self, contact_id: str) -> None:
        """Nothing is open for this contact any more."""
        async with self._ledger.db.writing() as session:
            await forget(session, contact_id)
            moment = now()
        await self._note(contact_id, moment)

    async def _newest(self, stood: Conversation) -> bool:
        last = await self._cache.get(_key(stood.contact_id))
        return last is None or stood.updated_at >= datetime.fromisoformat(last)

    async def _note(self, contact_id: str, moment: datetime) -> None:
        await self._cache.set(_key(contact_id), moment.isoformat(), LIFE.total_seconds())


def _key(contact_id: str) -> str:
    return f"stood:{contact_id}"


async def forget(session: AsyncSession, contact_id: str) -> None:
    """Remove what is kept, with whatever else the transaction removes."""
    await session.execute(delete(Conversation).where(Conversation.contact_id == contact_id))
