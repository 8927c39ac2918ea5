"""Staff, items, revisions, gate runs, decisions, releases. Tables are projections of the ledger."""

from datetime import datetime
from typing import Any

from sqlalchemy import String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from storage.database import Base


class Staff(Base):
    """A person with roles: editor, reviewer_1..3, secrecy, admin, duty, supervisor, auditor."""

    __tablename__ = "staff"
    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    login: Mapped[str] = mapped_column(String(60), unique=True)
    name: Mapped[str] = mapped_column(String(60))
    roles: Mapped[list[str]]
    password_hash: Mapped[str] = mapped_column(String(200))
    active: Mapped[bool] = mapped_column(default=True)
    alarm_account: Mapped[str] = mapped_column(String(60), default="")  # account slug for alarms
    alarm_address: Mapped[str] = mapped_column(Text, default="")  # encrypted
    created_at: Mapped[datetime]


class Item(Base):
    """What may be published. `state` steers pages only; the sender never trusts it."""

    __tablename__ = "item"
    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    kind: Mapped[str] = mapped_column(String(12))
    klass: Mapped[str] = mapped_column(String(12))
    state: Mapped[str] = mapped_column(String(16), index=True)
    title: Mapped[str] = mapped_column(String(300))
    author_id: Mapped[str] = mapped_column(String(26))  # staff id, or "robot"
    last_editor_id: Mapped[str] = mapped_column(String(26))
    article_id: Mapped[str | None] = mapped_column(String(26), index=True)
    revision: Mapped[int] = mapped_column(default=1)
    version: Mapped[int] = mapped_column(default=1)  # optimistic check, counts every change
    workflow: Mapped[dict[str, Any] | None]  # frozen at submission
    level: Mapped[int] = mapped_column(default=0)  # index of the level that waits
    level_due_at: Mapped[datetime | None]
    claimed_by: Mapped[str | None] = mapped_column(String(26))
    claimed_until: Mapped[datetime | None]
    return_reason: Mapped[str] = mapped_column(Text, default="")
    scheduled_at: Mapped[datetime | None]
    release_id: Mapped[str | None] = mapped_column(String(26))
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class Revision(Base):
    """An immutable version of an item: `canonical` is the RFC 8785 text the digest covers."""

    __tablename__ = "revision"
    __table_args__ = (UniqueConstraint("item_id", "number"),)
    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    item_id: Mapped[str] = mapped_column(String(26), index=True)
    number: Mapped[int]
    digest: Mapped[str] = mapped_column(String(64), index=True)
    canonical: Mapped[str] = mapped_column(Text)
    editor_id: Mapped[str] = mapped_column(String(26))
    created_at: Mapped[datetime]


class GateRun(Base):
    """The findings of one rule set on one revision."""

    __tablename__ = "gate_run"
    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    item_id: Mapped[str] = mapped_column(String(26), index=True)
    digest: Mapped[str] = mapped_column(String(64), index=True)
    ruleset: Mapped[str] = mapped_column(String(64))
    findings: Mapped[list[Any]]
    at: Mapped[datetime]


class Decision(Base):
    """One person's signed verdict on one digest at one level."""

    __tablename__ = "decision"
    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    item_id: Mapped[str] = mapped_column(String(26), index=True)
    digest: Mapped[str] = mapped_column(String(64))
    level: Mapped[int]
    level_name: Mapped[str] = mapped_column(String(20))
    staff_id: Mapped[str] = mapped_column(String(26))
    verdict: Mapped[str] = mapped_column(String(12))  # approve | return
    gates: Mapped[dict[str, Any]]  # gate -> {"ok": bool, "note": str}
    note: Mapped[str] = mapped_column(Text, default="")
    at: Mapped[datetime]
    ledger_seq: Mapped[int]


class ReleaseRow(Base):
    """A digest that passed every level; proof lies in the ledger, not here."""

    __tablename__ = "release"
    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    item_id: Mapped[str] = mapped_column(String(26), index=True)
    digest: Mapped[str] = mapped_column(String(64))
    ruleset: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime]
    recalled_at: Mapped[datetime | None]


class ConsoleSession(Base):
    """A signed-in browser: hashed token, idle and absolute time-outs, revocable."""

    __tablename__ = "console_session"
    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    staff_id: Mapped[str] = mapped_column(String(26), index=True)
    csrf: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    user_agent: Mapped[str] = mapped_column(String(200), default="")
