"""Stop switches as pages list them: who turned one and why; the ledger says which are off."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from config.clock import now
from storage.database import Base


class Switch(Base):
    """A named stop: `publishing`, `push`, `answers`, or `account:<id>`."""

    __tablename__ = "switch"
    name: Mapped[str] = mapped_column(String(80), primary_key=True)
    stopped: Mapped[bool]
    reason: Mapped[str] = mapped_column(String(400), default="")
    changed_by: Mapped[str] = mapped_column(String(26), default="")
    changed_at: Mapped[datetime]


async def set_switch(
    session: AsyncSession, name: str, *, stopped: bool, reason: str, by: str
) -> None:
    """Stop or resume `name`; the caller writes the ledger entry in the same transaction."""
    await session.merge(
        Switch(name=name, stopped=stopped, reason=reason, changed_by=by, changed_at=now())
    )
