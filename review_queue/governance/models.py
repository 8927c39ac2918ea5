"""Changes of authority and what they led to: proposals, level definitions, rule sets, feedback."""

from datetime import datetime

from sqlalchemy import String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from storage.database import Base


class WorkflowRow(Base):
    """One approved definition of a class's levels; the signed entry carries its digest."""

    __tablename__ = "workflow_definition"
    klass: Mapped[str] = mapped_column(String(12), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    body: Mapped[str] = mapped_column(Text)
    digest: Mapped[str] = mapped_column(String(64))
    proposal_id: Mapped[str | None] = mapped_column(String(26))
    proposed_by: Mapped[str] = mapped_column(String(26))
    approved_by: Mapped[str] = mapped_column(String(26))
    approved_seq: Mapped[int]
    approved_at: Mapped[datetime]


class RuleSetRow(Base):
    """One approved version of the rules; `body` is the exact text its signed digest covers."""

    __tablename__ = "ruleset"
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    body: Mapped[str] = mapped_column(Text)
    summary: Mapped[str] = mapped_column(Text)  # what changed, for the history page
    proposal_id: Mapped[str | None] = mapped_column(String(26))
    proposed_by: Mapped[str] = mapped_column(String(26))
    approved_by: Mapped[str] = mapped_column(String(26))
    approved_seq: Mapped[int]
    approved_at: Mapped[datetime]


class RuleFeedback(Base):
    """Somebody says a finding of a rule on an item was a false alarm."""

    __tablename__ = "rule_feedback"
    __table_args__ = (UniqueConstraint("rule", "item_id", "staff_id"),)
    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    rule: Mapped[str] = mapped_column(String(80), index=True)
    item_id: Mapped[str] = mapped_column(String(26))
    staff_id: Mapped[str] = mapped_column(String(26))
    text: Mapped[str] = mapped_column(Text, default="")
    at: Mapped[datetime]
