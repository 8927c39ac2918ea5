"""Sources with their proof, columns that are polled, articles that were fetched."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from storage.database import Base


class Source(Base):
    """A determined 稿源单位 with its proof, hosts and validity."""

    __tablename__ = "source"
    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    organisation: Mapped[str] = mapped_column(String(120))
    hosts: Mapped[list[str]]  # exact hosts, `host:port` where the port is not the default
    allow_http: Mapped[bool] = mapped_column(default=False)
    paths: Mapped[list[str]] = mapped_column(default=list)  # prefixes that may be used; empty: all
    topics: Mapped[list[str]] = mapped_column(default=list)  # facet keys; empty: all
    picture_licence: Mapped[str] = mapped_column(String(200), default="")
    basis: Mapped[str] = mapped_column(String(300))  # authorising document
    basis_file: Mapped[str] = mapped_column(String(80), default="")  # its sha256 marker
    list_version: Mapped[str] = mapped_column(String(60), default="")
    owner: Mapped[str] = mapped_column(String(60), default="")  # login or name
    told: Mapped[str] = mapped_column(
        String(12), default=""
    )  # expiry notice given: 30 | 7 | expired
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
    kind: Mapped[str] = mapped_column(String(12))  # feed | list | sitemap | opendata
    selectors: Mapped[dict[str, Any]]  # of a list: item, link, date; of articles: page_body ...
    every_minutes: Mapped[int] = mapped_column(default=30)
    enabled: Mapped[bool] = mapped_column(default=True)
    next_at: Mapped[datetime]
    last_ok_at: Mapped[datetime | None]
    last_error: Mapped[str] = mapped_column(Text, default="")
    etag: Mapped[str] = mapped_column(String(200), default="")
    last_modified: Mapped[str] = mapped_column(String(80), default="")
    # How far another office's open data was read; opaque, theirs.
    cursor: Mapped[str] = mapped_column(String(200), default="", server_default="")
    read_count: Mapped[int] = mapped_column(default=0)
    state: Mapped[str] = mapped_column(String(12), default="new")  # new | ok | failing | alarm
    failures: Mapped[int] = mapped_column(default=0)  # in a row
    notes: Mapped[list[str]] = mapped_column(default=list)  # what was odd about the last reading
    shape: Mapped[dict[str, Any]] = mapped_column(default=dict)  # of the last good reading


class Article(Base):
    """One fetched page, with snapshot and hash."""

    __tablename__ = "article"
    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    source_id: Mapped[str] = mapped_column(String(26), index=True)
    column_id: Mapped[str | None] = mapped_column(String(26))
    url: Mapped[str] = mapped_column(String(500), unique=True)
    final_url: Mapped[str] = mapped_column(String(500), default="", index=True)  # after redirects
    title: Mapped[str] = mapped_column(String(300))
    author: Mapped[str] = mapped_column(String(120), default="")
    source_name: Mapped[str] = mapped_column(String(120), default="")
    published_on: Mapped[str | None] = mapped_column(String(10))
    text: Mapped[str] = mapped_column(Text)
    blocks: Mapped[list[Any]] = mapped_column(default=list)  # the document, see blocks.py
    images: Mapped[list[Any]]  # {"url", "alt", "media", "origin", "licence"}
    attachments: Mapped[list[Any]]  # {"url", "name", "media"}
    headers: Mapped[dict[str, Any]]
    snapshot: Mapped[str] = mapped_column(String(80))  # sha256 marker of the fetched bytes
    text_hash: Mapped[str] = mapped_column(String(64), index=True)
    duplicate_of: Mapped[str | None] = mapped_column(String(26), index=True)
    likeness: Mapped[str] = mapped_column(Text, default="")  # how it is like `duplicate_of`
    policy: Mapped[dict[str, Any]] = mapped_column(default=dict)  # information box of a policy page
    library: Mapped[str] = mapped_column(
        String(12), default="", index=True
    )  # its way into the library: empty, waiting, superior, offered, proposed, known, ended
    item_id: Mapped[str | None] = mapped_column(String(26))
    state: Mapped[str] = mapped_column(String(12))  # new | item | duplicate | refused
    problem: Mapped[str] = mapped_column(Text, default="")
    fetched_at: Mapped[datetime]


class Snapshot(Base):
    """One answer of a site as it came: the bytes are kept once per content, compressed."""

    __tablename__ = "snapshot"
    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    article_id: Mapped[str | None] = mapped_column(String(26), index=True)
    url: Mapped[str] = mapped_column(String(500), index=True)
    final_url: Mapped[str] = mapped_column(Text)
    status: Mapped[int]
    headers: Mapped[dict[str, Any]]
    media: Mapped[str] = mapped_column(String(80))  # sha256 marker of the bytes
    fetched_at: Mapped[datetime]


class Sketch(Base):
    """The minhash of an article's text; its bands lead to it."""

    __tablename__ = "article_sketch"
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    article_id: Mapped[str] = mapped_column(String(26), unique=True)
    signature: Mapped[bytes] = mapped_column(LargeBinary)


class Band(Base):
    """One band of a sketch: like texts share at least one."""

    __tablename__ = "article_band"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012  SQLAlchemy's own form
    key: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
