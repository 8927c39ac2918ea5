"""Changes of the source list, exceptions, picture rights, watched originals, and tasks."""

from datetime import datetime
from typing import Any

from sqlalchemy import String, Text
from sqlalchemy.orm import Mapped, mapped_column

from storage.database import Base


class SourceChange(Base):
    """One proposed change of one source; in force only after another person approved it."""

    __tablename__ = "source_change"
    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    source_id: Mapped[str] = mapped_column(String(26), index=True)
    action: Mapped[str] = mapped_column(String(12))  # add | edit | renew | restore | remove
    fields: Mapped[dict[str, Any]]  # the whole source as it would be
    before: Mapped[dict[str, Any]]  # as it was when this was proposed; empty for a new one
    batch: Mapped[str] = mapped_column(String(26), default="", index=True)  # one imported list
    state: Mapped[str] = mapped_column(String(12), index=True)  # proposed | approved | rejected
    proposed_by: Mapped[str] = mapped_column(String(26))
    proposed_at: Mapped[datetime]
    decided_by: Mapped[str | None] = mapped_column(String(26))
    decided_at: Mapped[datetime | None]


class ListImport(Base):
    """A published list as it was imported: the file, its version, and what it would change."""

    __tablename__ = "source_import"
    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    list_version: Mapped[str] = mapped_column(String(60))
    file_name: Mapped[str] = mapped_column(String(200))
    file: Mapped[str] = mapped_column(String(80))  # sha256 marker
    basis: Mapped[str] = mapped_column(String(300))
    diff: Mapped[dict[str, Any]]  # added, removed, renamed, kept, problems
    state: Mapped[str] = mapped_column(String(12))  # proposed | approved | rejected
    proposed_by: Mapped[str] = mapped_column(String(26))
    proposed_at: Mapped[datetime]
    decided_by: Mapped[str | None] = mapped_column(String(26))
    decided_at: Mapped[datetime | None]


class SourceException(Base):
    """ "原则上": one item may be republished from a place that is not on the list."""

    __tablename__ = "source_exception"
    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    item_id: Mapped[str] = mapped_column(String(26), index=True)
    digest: Mapped[str] = mapped_column(String(64))
    content: Mapped[str] = mapped_column(String(64), index=True)  # what the sender looks up
    url: Mapped[str] = mapped_column(String(500))
    host: Mapped[str] = mapped_column(String(255))
    reason: Mapped[str] = mapped_column(Text)
    salt: Mapped[str] = mapped_column(String(32))
    state: Mapped[str] = mapped_column(String(12), index=True)  # asked | granted | refused
    asked_by: Mapped[str] = mapped_column(String(26))
    asked_at: Mapped[datetime]
    decided_by: Mapped[str | None] = mapped_column(String(26))
    decided_at: Mapped[datetime | None]
    note: Mapped[str] = mapped_column(Text, default="")


class PictureRight(Base):
    """Where a picture of a repost comes from and by what licence it may be shown."""

    __tablename__ = "picture_right"
    media: Mapped[str] = mapped_column(String(80), primary_key=True)  # sha256 marker
    origin: Mapped[str] = mapped_column(String(500))
    licence: Mapped[str] = mapped_column(String(300))
    set_by: Mapped[str] = mapped_column(String(26))
    set_at: Mapped[datetime]


class Watched(Base):
    """The original of a published item, looked at on a schedule that slows down."""

    __tablename__ = "source_watch"
    item_id: Mapped[str] = mapped_column(String(26), primary_key=True)
    article_id: Mapped[str] = mapped_column(String(26), index=True)
    url: Mapped[str] = mapped_column(String(500))
    title: Mapped[str] = mapped_column(String(300))
    text: Mapped[str] = mapped_column(Text)  # as last seen; a difference is told once
    etag: Mapped[str] = mapped_column(String(200), default="")
    last_modified: Mapped[str] = mapped_column(String(80), default="")
    looks: Mapped[int] = mapped_column(default=0)
    failures: Mapped[int] = mapped_column(default=0)
    next_at: Mapped[datetime] = mapped_column(index=True)
    seen_at: Mapped[datetime | None]
    state: Mapped[str] = mapped_column(String(12))  # same | changed | gone | unreachable
    problem: Mapped[str] = mapped_column(Text, default="")
