"""Where a contact stands in a chat flow: kept for a day, forgotten with the contact."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import String, delete
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from config.clock import now
from storage.database import Base

LIFE = timedelta(hours=24)


class Conversation(Base):
    """Where a contact stands in a chat flow (choosing a topic, a group, a region)."""

    __tablename__ = "chat_draft"
    contact_id: Mapped[str] = mapped_column(String(26), primary_key=True)
    step: Mapped[str] = mapped_column(String(40))
    data: Mapped[dict[str, Any]]
    updated_at: Mapped[datetime]

    @property
    def fresh(self) -> bool:
        """Whether the choices still stand: a number sent days later means none of them."""
        return now() - self.updated_at < LIFE


async def remember(
    session: AsyncSession, contact_id: str, *, step: str, data: Mapping[str, Any]
) -> None:
    """Keep where the contact stands now."""
    await session.merge(
        Conversation(contact_id=contact_id, step=step, data=dict(data), updated_at=now())
    )


async def forget(session: AsyncSession, contact_id: str) -> None:
    """Nothing is open for this contact any more."""
    await session.execute(delete(Conversation).where(Conversation.contact_id == contact_id))
