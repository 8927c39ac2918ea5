"""Tables of notices: who agreed to which template, what was told, and which templates rest."""

from datetime import datetime

from sqlalchemy import Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from storage.database import Base
from storage.seals import Sealed


class NoticeConsent(Sealed, Base):
    """What one person has agreed to of one notice template: the sum of its events.

    `left` counts agreements that are not used up; of a standing one it stays above zero.
    """

    __tablename__ = "notice_consent"
    SEALED = ("id", "account_id", "contact_id", "template", "left", "ended_at", "why")
    __table_args__ = (UniqueConstraint("contact_id", "template"),)
    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    account_id: Mapped[str] = mapped_column(String(26), index=True)
    contact_id: Mapped[str] = mapped_column(String(26))
    template: Mapped[str] = mapped_column(String(64))
    left: Mapped[int] = mapped_column(default=0)
    ended_at: Mapped[datetime | None]
    why: Mapped[str] = mapped_column(String(12), default="")  # bot/noticing.py (Did)


class NoticeEvent(Sealed, Base):
    """One agreement, refusal or use of a notice template, kept once (bot/consents.py)."""

    __tablename__ = "notice_event"
    SEALED = ("id", "account_id", "contact_id", "template", "dedupe", "did", "message", "at")
    __table_args__ = (
        UniqueConstraint("account_id", "dedupe"),
        Index("ix_notice_event_of", "contact_id", "template"),
    )
    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    account_id: Mapped[str] = mapped_column(String(26))
    contact_id: Mapped[str] = mapped_column(String(26))
    template: Mapped[str] = mapped_column(String(64))
    dedupe: Mapped[str] = mapped_column(String(80))
    did: Mapped[str] = mapped_column(String(12))
    message: Mapped[str] = mapped_column(String(40), default="")  # the platform's number of it
    at: Mapped[datetime]


class NoticePause(Base):
    """A notice template that the platform refused for everybody; not called before `until`."""

    __tablename__ = "notice_pause"
    account_id: Mapped[str] = mapped_column(String(26), primary_key=True)
    template: Mapped[str] = mapped_column(String(64), primary_key=True)
    code: Mapped[str] = mapped_column(String(20))
    why: Mapped[str] = mapped_column(String(200))
    since: Mapped[datetime]
    until: Mapped[datetime]
