"""Questions to an outside expert: one link each, bound to one digest."""

from datetime import datetime

from sqlalchemy import String, Text
from sqlalchemy.orm import Mapped, mapped_column

from storage.database import Base, new_salt


class ExpertLink(Base):
    """One question to a department outside the console. The token itself is kept nowhere."""

    __tablename__ = "expert_link"
    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    salt: Mapped[str] = mapped_column(String(32), default=new_salt, server_default="")
    item_id: Mapped[str] = mapped_column(String(26), index=True)
    digest: Mapped[str] = mapped_column(String(64))
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    organisation: Mapped[str] = mapped_column(String(120))
    question: Mapped[str] = mapped_column(Text)
    asked_by: Mapped[str] = mapped_column(String(26))
    asked_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]
    answered_at: Mapped[datetime | None]
    verdict: Mapped[str] = mapped_column(String(12), default="")  # agree | problem
    name: Mapped[str] = mapped_column(String(60), default="")
    text: Mapped[str] = mapped_column(Text, default="")
