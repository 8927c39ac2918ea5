"""What the office remembers about watching its accounts; it decides nothing."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from storage.database import Base


class AccountWatch(Base):
    """One account: when its owner was last reminded to update it, and its last self-test."""

    __tablename__ = "account_watch"
    account_id: Mapped[str] = mapped_column(String(26), primary_key=True)
    told_days: Mapped[int] = mapped_column(default=0)  # the last step that was told
    told_since: Mapped[datetime | None]  # the update that it counts from
    told_at: Mapped[datetime | None]
    tested_at: Mapped[datetime | None]
    faults: Mapped[list[str]]  # labels of menu entries that gave no answer
    problem: Mapped[str] = mapped_column(String(300), default="")
    red_since: Mapped[datetime | None]


class AuditLook(Base):
    """A look of an auditor, or of anybody at the auditor's desk: who, when, at what."""

    __tablename__ = "audit_look"
    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    staff_id: Mapped[str] = mapped_column(String(26), index=True)
    what: Mapped[str] = mapped_column(String(300))
    at: Mapped[datetime] = mapped_column(index=True)
