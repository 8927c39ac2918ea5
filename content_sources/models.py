"""Sources with their proof, columns that are polled, articles that were fetched."""

from datetime import datetime
from typing import Any

from sqlalchemy import String, Text
from sqlalchemy.orm import Mapped, mapped_column

from storage.database import Base


class Source(Base):
    """A determined 稿源单位 with its proof, hosts and validity."""

    __tablename__ = "source"
    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    organisation: Mapped[str] = mapped_column(String(120))
    hosts: Mapped[list[str]]  # exact hosts, `host:port` where the port is not the default
    allow_http: Mapped[bool] = mapped_column(default=False)
    basis: Mapped[str] = mapped_column(String(300))  # authorising document
    list_version: Mapped[str] = mapped_column(String(60), default="")
    owner: Mapped[str] = mapped_column(String(60), default="")
    valid_from: Mapped[datetime]
    valid_to: Mapped[datetime | None]
    state: Mapped[str] = mapped_column(String(12))  # proposed | active | revoked
    proposed_by: Mapped[str] = mapped_column(String(26))
    approved_by: Mapped[str | None] = mapped_column(String(26))


class Column(Base):
    """One feed or list page of a source."""

    __tablename__ = "source_column"
    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    source_id: Mapped[str] = mapped_column(String(26), index=True)
    name: Mapped[str] = mapped_column(String(120))
    url: Mapped[str] = mapped_column(String(500))
    kind: Mapped[str] = mapped_column(String(12))  # feed | list
    selectors: Mapped[dict[str, Any]]  # of a list: item, link, date; of articles: page_body ...
    every_minutes: Mapped[int] = mapped_column(default=30)
    enabled: Mapped[bool] = mapped_column(default=True)
    next_at: Mapped[datetime]
    last_ok_at: Mapped[datetime | None]
    last_error: Mapped[str] = mapped_column(Text, default="")
    etag: Mapped[str] = mapped_column(String(200), default="")
    last_modified: Mapped[str] = mapped_column(String(80), default="")
    read_count: Mapped[int] = mapped_column(default=0)


class Article(Base):
    """One fetched page, with snapshot and hash."""

    __tablename__ = "article"
    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    source_id: Mapped[str] = mapped_column(String(26), index=True)
    column_id: Mapped[str | None] = mapped_column(String(26))
    url: Mapped[str] = mapped_column(String(500), unique=True)
    title: Mapped[str] = mapped_column(String(300))
    author: Mapped[str] = mapped_column(String(120), default="")
    source_name: Mapped[str] = mapped_column(String(120), default="")
    published_on: Mapped[str | None] = mapped_column(String(10))
    text: Mapped[str] = mapped_column(Text)
    images: Mapped[list[Any]]  # {"url", "alt", "media"}
    attachments: Mapped[list[Any]]  # {"url", "name", "media"}
    headers: Mapped[dict[str, Any]]
    snapshot: Mapped[str] = mapped_column(String(80))  # sha256 marker of the fetched bytes
    text_hash: Mapped[str] = mapped_column(String(64), index=True)
    duplicate_of: Mapped[str | None] = mapped_column(String(26))
    item_id: Mapped[str | None] = mapped_column(String(26))
    state: Mapped[str] = mapped_column(String(12))  # new | item | duplicate | refused
    problem: Mapped[str] = mapped_column(Text, default="")
    fetched_at: Mapped[datetime]
