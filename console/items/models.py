"""Tokens for the JSON API, what each person has seen of an item, and notes on items."""

from datetime import datetime

from sqlalchemy import String, Text
from sqlalchemy.orm import Mapped, mapped_column

from storage.database import Base


class ItemView(Base):
    """One person had one version of an item before them; `at` is the last time."""

    __tablename__ = "item_view"
    item_id: Mapped[str] = mapped_column(String(26), primary_key=True)
    staff_id: Mapped[str] = mapped_column(String(26), primary_key=True)
    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    at: Mapped[datetime]


class ItemNote(Base):
    """A remark among colleagues on one version of an item; never part of the digest."""

    __tablename__ = "item_note"
    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    item_id: Mapped[str] = mapped_column(String(26), index=True)
    digest: Mapped[str] = mapped_column(String(64))
    staff_id: Mapped[str] = mapped_column(String(26))
    text: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime]


class WorkingCopy(Base):
    """What somebody has typed and not saved yet, apart from revisions; gone once it is saved.

    `place` is the id of an item, or NEW; `fields` the form as encrypted JSON, bound to its row.
    """

    __tablename__ = "working_copy"
    staff_id: Mapped[str] = mapped_column(String(26), primary_key=True)
    place: Mapped[str] = mapped_column(String(26), primary_key=True)
    fields: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime]
