"""Ledger entries and incidents."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from storage.database import Base


class LedgerEntry(Base):
    """One link of the chain. `preimage` is the exact canonical JSON text that was hashed."""

    __tablename__ = "ledger_entry"
    __table_args__ = (Index("ix_ledger_subject", "subject", "seq"),)
    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    kind: Mapped[str] = mapped_column(String(60), index=True)
    subject: Mapped[str] = mapped_column(String(80))
    actor: Mapped[str] = mapped_column(String(40))
    at: Mapped[datetime]
    preimage: Mapped[str] = mapped_column(Text)
    hash: Mapped[str] = mapped_column(String(64))
    signature: Mapped[str | None] = mapped_column(String(128))


class AnchorPlace(Base):
    """How far a remote anchor address (a mail box, a webhook) has been told."""

    __tablename__ = "anchor_place"
    address: Mapped[str] = mapped_column(String(300), primary_key=True)
    seq: Mapped[int] = mapped_column(default=0)
    hash: Mapped[str] = mapped_column(String(64), default="")
    told_at: Mapped[datetime | None]
    tries: Mapped[int] = mapped_column(default=0)  # failed in a row
    next_at: Mapped[datetime | None]
    problem: Mapped[str] = mapped_column(String(200), default="")


class Incident(Base):
    """Something that must not have happened, or was stopped; a person closes it."""

    __tablename__ = "incident"
    __table_args__ = (Index("ix_incident_closed", "closed_at"),)
    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    kind: Mapped[str] = mapped_column(String(60))
    subject: Mapped[str] = mapped_column(String(80), index=True)
    message: Mapped[str] = mapped_column(Text)
    detail: Mapped[dict[str, Any]]
    opened_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[str | None] = mapped_column(String(26))
    resolution: Mapped[str | None] = mapped_column(Text)
