"""Staff, items, revisions, gate runs, decisions, releases. Tables are projections of the ledger."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    Exists,
    Index,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
    and_,
    event,
    false,
    inspect,
    select,
)
from sqlalchemy.orm import Mapped, column_property, mapped_column

from bot.contract import State
from bot.models import Publication
from config.clock import now
from storage.database import Base, new_salt

_RESTING = (State.HELD, State.FAILED, State.ENDED)


def _publications(release_id: Mapped[str | None], *, resting: bool) -> Exists:
    """Whether one of a release's publications rests, or is still to go or out."""
    here = Publication.state.in_(_RESTING) if resting else Publication.state.not_in(_RESTING)
    query = select(Publication.id).where(Publication.release_id == release_id, here)
    return query.correlate_except(Publication).exists()


class Item(Base):
    """What may be published. `state` steers pages only; the sender never trusts it."""

    __tablename__ = "item"
    __table_args__ = (
        Index("ix_item_queue", "state", "level_due_at"),
        Index("ix_item_updated", "updated_at"),
        Index("ix_item_confined", "confined"),
    )
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
    run_seq: Mapped[int | None]  # ledger number of the submission the run began with
    level: Mapped[int] = mapped_column(default=0)  # index of the (first) level that waits
    level_due_at: Mapped[datetime | None]
    waiting: Mapped[str] = mapped_column(String(120), default="", server_default="")
    """Roles that may hold the open levels, each between spaces; * for any (`_note_roles`)."""
    level_reminded: Mapped[bool] = mapped_column(default=False, server_default=false())
    level_overdue: Mapped[bool] = mapped_column(default=False, server_default=false())
    retrospective: Mapped[str] = mapped_column(String(12), default="", server_default="")
    """After 应急: "" (nothing open), review, overdue or rejected; the banner of pages."""
    claimed_by: Mapped[str | None] = mapped_column(String(26))
    claimed_until: Mapped[datetime | None]
    return_reason: Mapped[str] = mapped_column(Text, default="")
    scheduled_at: Mapped[datetime | None]
    release_id: Mapped[str | None] = mapped_column(String(26))
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    confined: Mapped[bool] = mapped_column(default=False, server_default=false())
    """限定知悉范围: only the people of `scope` see it; ends with the release."""
    scope: Mapped[str] = mapped_column(Text, default="", server_default="")
    """Staff ids, each between spaces; kept after the release, to say who it was limited to."""
    since: Mapped[datetime | None]
    """From when on it lies in its state, at its level (`_note_since`)."""
    begun_like: Mapped[str] = mapped_column(String(26), default="", server_default="")
    """The item that was copied to begin this one (照此另写), or ""."""
    topics: Mapped[str] = mapped_column(Text, default="", server_default="")
    regions: Mapped[str] = mapped_column(Text, default="", server_default="")
    """Keys that were approved with the last release, a space between; for pages (`concern.py`)."""
    concern: Mapped[str] = mapped_column(String(12), default="", server_default="")
    """A reviewer's mark of what was released last: ours, other, or "" without one."""

    stopped: Mapped[bool] = column_property(
        and_(
            state == "scheduled",
            _publications(release_id, resting=True),
            ~_publications(release_id, resting=False),
        ),
        expire_on_flush=False,
    )
    """Planned, and goes nowhere by itself: all its publications were stopped or failed."""

    def known_to(self, staff_id: str) -> bool:
        """Whether this person may know of the item."""
        return not self.confined or f" {staff_id} " in self.scope

    @property
    def said_title(self) -> str:
        """How the item is called where somebody outside its circle may read it."""
        return "限定知悉范围的稿件" if self.confined else self.title


@event.listens_for(Item, "before_insert")
@event.listens_for(Item, "before_update")
def _note_roles(_mapper: object, _connection: object, item: Item) -> None:
    """So that a queue of ten thousand is narrowed in the database, not in Python."""
    if item.retrospective in ("review", "overdue"):
        item.waiting = "*"  # the further levels stand elsewhere
        return
    flow = item.workflow or {}
    levels = flow.get("levels", [])
    opened = levels if flow.get("parallel") else levels[item.level or 0 : (item.level or 0) + 1]
    roles = {role for level in opened for role in level.get("roles", ())}
    if item.level_overdue:
        roles |= {role for level in opened for role in level.get("substitutes", ())}
    item.waiting = f" {' '.join(sorted(roles))} " if roles else ""


@event.listens_for(Item, "before_insert")
@event.listens_for(Item, "before_update")
def _note_since(_mapper: object, _connection: object, item: Item) -> None:
    """Whoever moves an item need not remember to say when."""
    columns = inspect(item).attrs
    if item.since is None or any(columns[name].history.has_changes() for name in _PLACE):
        item.since = now()


_PLACE = ("state", "level", "level_overdue", "retrospective")
"""Columns that say where an item stands."""


class ItemWords(Base):
    """What is searched and compared of an item's latest revision; made from it, never sent.

    `words` are the letters (gates/alike.py) of the title, of the text and of what stands beside
    it, with a space between; `accounts` ids, each between spaces; then the window of its sending;
    `sketch` is the minhash of the text, None where it was not made yet.
    """

    __tablename__ = "item_words"
    item_id: Mapped[str] = mapped_column(String(26), primary_key=True)
    words: Mapped[str] = mapped_column(Text)
    accounts: Mapped[str] = mapped_column(Text, default="", server_default="")
    not_before: Mapped[datetime | None]
    not_after: Mapped[datetime | None]
    sketch: Mapped[bytes | None] = mapped_column(LargeBinary)


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
    verdict: Mapped[str] = mapped_column(String(12))  # approve | return | refer
    gates: Mapped[dict[str, Any]]  # gate -> {"ok": bool, "note": str}
    note: Mapped[str] = mapped_column(Text, default="")
    attachments: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")
    """Secrecy answered for each attachment: sha256 marker -> bool."""
    proof: Mapped[bool] = mapped_column(default=False, server_default=false())
    gate: Mapped[str] = mapped_column(String(12), default="", server_default="")
    """The gate a return is tied to."""
    span: Mapped[dict[str, Any] | None]  # the marked place: field, start, end, text
    in_place_of: Mapped[str] = mapped_column(String(26), default="", server_default="")
    """The absent person's id, "overdue" for the next in line, or ""."""
    retrospective: Mapped[bool] = mapped_column(default=False, server_default=false())
    at: Mapped[datetime]
    ledger_seq: Mapped[int] = mapped_column(index=True)


class ReleaseRow(Base):
    """A digest that passed every level; proof lies in the ledger, not here."""

    __tablename__ = "release"
    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    item_id: Mapped[str] = mapped_column(String(26), index=True)
    digest: Mapped[str] = mapped_column(String(64))
    ruleset: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime]
    recalled_at: Mapped[datetime | None]


class Referral(Base):
    """A question to the competent department; the item waits in state `referred` until answered."""

    __tablename__ = "referral"
    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    salt: Mapped[str] = mapped_column(String(32), default=new_salt, server_default="")
    item_id: Mapped[str] = mapped_column(String(26), index=True)
    digest: Mapped[str] = mapped_column(String(64))
    level: Mapped[int]
    department: Mapped[str] = mapped_column(String(80))
    question: Mapped[str] = mapped_column(Text)
    due_at: Mapped[datetime] = mapped_column(index=True)
    asked_by: Mapped[str] = mapped_column(String(26))
    asked_at: Mapped[datetime]
    ledger_seq: Mapped[int]
    answer: Mapped[str] = mapped_column(Text, default="")
    answered_by: Mapped[str | None] = mapped_column(String(26))  # staff id, or "expert"
    answered_at: Mapped[datetime | None]
    voided_at: Mapped[datetime | None]
    reminded: Mapped[bool] = mapped_column(default=False, server_default=false())


class Emergency(Base):
    """One 应急 run and the levels of the normal class that follow it."""

    __tablename__ = "emergency"
    id: Mapped[str] = mapped_column(String(26), primary_key=True)  # also the salt of the reason
    item_id: Mapped[str] = mapped_column(String(26), index=True)
    run_seq: Mapped[int]
    digest: Mapped[str] = mapped_column(String(64))
    klass: Mapped[str] = mapped_column(String(12))  # the normal class
    workflow: Mapped[dict[str, Any]]  # the normal class's levels, as frozen
    reason: Mapped[str] = mapped_column(Text)
    staff_id: Mapped[str] = mapped_column(String(26))
    at: Mapped[datetime]
    released_at: Mapped[datetime | None]
    level: Mapped[int] = mapped_column(default=0)  # index into `workflow` of the level that waits
    due_at: Mapped[datetime | None] = mapped_column(index=True)
    state: Mapped[str] = mapped_column(String(12))  # running|review|overdue|rejected|closed|void
    closed_at: Mapped[datetime | None]


class Waiver(Base):
    """One person's permission for one blocking finding on exactly one digest."""

    __tablename__ = "waiver"
    id: Mapped[str] = mapped_column(String(26), primary_key=True)  # also the salt of its texts
    item_id: Mapped[str] = mapped_column(String(26), index=True)
    digest: Mapped[str] = mapped_column(String(64))
    gate: Mapped[str] = mapped_column(String(12))
    rule: Mapped[str] = mapped_column(String(120))
    span: Mapped[dict[str, Any]]  # the finding's place: field, start, end, text
    reason: Mapped[str] = mapped_column(Text)
    staff_id: Mapped[str] = mapped_column(String(26))
    at: Mapped[datetime]
    ledger_seq: Mapped[int]


class Remark(Base):
    """The words behind a ledger entry that carries only their salted commitment."""

    __tablename__ = "remark"
    id: Mapped[str] = mapped_column(String(26), primary_key=True)  # the salt
    item_id: Mapped[str] = mapped_column(String(26), index=True)
    ledger_seq: Mapped[int]
    text: Mapped[str] = mapped_column(Text)


class ScopeAsk(Base):
    """One person asked for somebody else to see a confined item; a second one decides."""

    __tablename__ = "scope_ask"
    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    item_id: Mapped[str] = mapped_column(String(26), index=True)
    staff_id: Mapped[str] = mapped_column(String(26))  # who would be let in
    asked_by: Mapped[str] = mapped_column(String(26))
    reason: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime]
    state: Mapped[str] = mapped_column(String(12))  # asked | added | refused
    decided_by: Mapped[str] = mapped_column(String(26), default="")


class ItemLook(Base):
    """Somebody looked at a confined item: when, and at what of it."""

    __tablename__ = "item_look"
    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    item_id: Mapped[str] = mapped_column(String(26), index=True)
    staff_id: Mapped[str] = mapped_column(String(26))
    what: Mapped[str] = mapped_column(String(80))
    at: Mapped[datetime]
