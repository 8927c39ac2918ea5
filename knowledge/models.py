"""Policies, their clauses, events in their life, and who was told which clause."""

from datetime import datetime
from typing import Any

from sqlalchemy import String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from storage.database import Base
from storage.seals import Sealed


class Policy(Base):
    """One policy document. Dates are `YYYY-MM-DD`; validity is computed from them, never stored.

    A row alone says nothing: it is used while it is what the newest signed entry says (proof.py).
    """

    __tablename__ = "policy"
    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    title: Mapped[str] = mapped_column(String(300), index=True)
    doc_number: Mapped[str] = mapped_column(String(60), default="", index=True)
    issuer: Mapped[str] = mapped_column(String(120), default="")
    url: Mapped[str] = mapped_column(String(500), default="")
    issued_on: Mapped[str | None] = mapped_column(String(10))
    effective_from: Mapped[str | None] = mapped_column(String(10))
    effective_to: Mapped[str | None] = mapped_column(String(10))
    repealed_on: Mapped[str | None] = mapped_column(String(10))
    amended_on: Mapped[str | None] = mapped_column(String(10))
    successor_id: Mapped[str | None] = mapped_column(String(26))
    stated: Mapped[str | None] = mapped_column(String(12))  # what its source said of its status
    topics: Mapped[str | None] = mapped_column(String(300))  # keys between commas, as signed
    text: Mapped[str] = mapped_column(Text)
    facets: Mapped[dict[str, Any]]
    state: Mapped[str] = mapped_column(String(12))  # active; earlier: proposed, rejected
    proposed_by: Mapped[str] = mapped_column(String(26))
    approved_by: Mapped[str | None] = mapped_column(String(26))
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime]


class Clause(Base):
    """Addressable text: policy.text[start:end] == text.

    An amended clause has a row for each wording; the words of a later one stand behind the
    document in policy.text, and `place` names the clause whose words they take.
    """

    __tablename__ = "clause"
    __table_args__ = (UniqueConstraint("policy_id", "number"),)
    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    policy_id: Mapped[str] = mapped_column(String(26), index=True)
    number: Mapped[int]
    label: Mapped[str] = mapped_column(String(60), default="")
    heading: Mapped[str] = mapped_column(String(300), default="")
    text: Mapped[str] = mapped_column(Text)
    start: Mapped[int]
    end: Mapped[int]
    repealed_on: Mapped[str | None] = mapped_column(String(10))
    place: Mapped[int | None]
    effective_from: Mapped[str | None] = mapped_column(String(10))
    replaced_on: Mapped[str | None] = mapped_column(String(10))


class PolicyChange(Base):
    """A change as the version before kept it: read as history, written by nobody any more."""

    __tablename__ = "policy_change"
    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    policy_id: Mapped[str] = mapped_column(String(26), index=True)
    change: Mapped[dict[str, Any]]
    state: Mapped[str] = mapped_column(String(12))  # approved | rejected | lapsed
    proposed_by: Mapped[str] = mapped_column(String(26))
    approved_by: Mapped[str | None] = mapped_column(String(26))
    created_at: Mapped[datetime]


class Told(Sealed, Base):
    """Something was told to a contact, for tracing a correction back.

    `clause_id` is a clause, or a reviewed answer as entry:KEY.
    """

    __tablename__ = "told"
    SEALED = ("id", "contact_id", "clause_id", "at")
    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    contact_id: Mapped[str] = mapped_column(String(26), index=True)
    clause_id: Mapped[str] = mapped_column(String(40), index=True)
    at: Mapped[datetime]
