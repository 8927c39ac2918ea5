"""Tickets, their messages, the roster, and consultations with what citizens wrote to them."""

from datetime import datetime
from typing import Any

from sqlalchemy import String, Text
from sqlalchemy.orm import Mapped, mapped_column

from storage.database import Base
from storage.seals import Sealed


class Ticket(Base):
    """A question in a person's hands."""

    __tablename__ = "ticket"
    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    account_id: Mapped[str] = mapped_column(String(26))
    contact_id: Mapped[str] = mapped_column(String(26), index=True)
    question: Mapped[str] = mapped_column(Text)  # masked
    topic: Mapped[str] = mapped_column(String(40), default="")
    reason: Mapped[str] = mapped_column(String(40))  # the closed answer status, or asked_for_person
    candidates: Mapped[list[Any]]  # clauses the answering found, for the person
    state: Mapped[str] = mapped_column(
        String(12), index=True
    )  # open | claimed | replied (not out yet) | answered | closed
    tier: Mapped[int] = mapped_column(default=0)
    notified: Mapped[list[Any]]  # staff ids told so far, with times
    claimed_by: Mapped[str | None] = mapped_column(String(26))
    acknowledge_by: Mapped[datetime]
    due_at: Mapped[datetime]
    created_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]
    # A number left for a call back, encrypted; gone when the ticket is closed (calling_back.py).
    phone: Mapped[str] = mapped_column(Text, default="", server_default="")
    # The question it was merged into, while it is (merging.py).
    merged_into: Mapped[str | None] = mapped_column(String(26))


class TicketReply(Base):
    """What a person wrote back; a blocking finding needs a second person."""

    __tablename__ = "ticket_reply"
    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    ticket_id: Mapped[str] = mapped_column(String(26), index=True)
    staff_id: Mapped[str] = mapped_column(String(26))
    second_id: Mapped[str | None] = mapped_column(String(26))
    text: Mapped[str] = mapped_column(Text)
    salt: Mapped[str] = mapped_column(String(32), default="", server_default="")
    findings: Mapped[list[Any]]
    state: Mapped[str] = mapped_column(String(12))  # stopped, or a Came (outcomes.py)
    why: Mapped[str] = mapped_column(Text, default="", server_default="")  # it is not sent yet
    delivery_id: Mapped[str | None] = mapped_column(String(26))
    created_at: Mapped[datetime]


class RosterEntry(Base):
    """Who is on duty for a topic ("" is every topic), in order within a tier."""

    __tablename__ = "roster_entry"
    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    topic: Mapped[str] = mapped_column(String(40), default="")
    tier: Mapped[int] = mapped_column(default=0)
    position: Mapped[int] = mapped_column(default=0)
    staff_id: Mapped[str] = mapped_column(String(26))


class TicketMessage(Base):
    """What the citizen added while a person holds the question; masked."""

    __tablename__ = "ticket_message"
    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    ticket_id: Mapped[str] = mapped_column(String(26), index=True)
    text: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime]


class TicketNote(Base):
    """What a colleague noted about a question; the citizen never sees it."""

    __tablename__ = "ticket_note"
    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    ticket_id: Mapped[str] = mapped_column(String(26), index=True)
    staff_id: Mapped[str] = mapped_column(String(26))
    text: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime]


class Consultation(Sealed, Base):
    """意见征集: what is asked, of whom, and from when until when (consultations.py)."""

    __tablename__ = "consultation"
    SEALED = (
        *("id", "title", "about", "accounts", "promise"),
        *("begins_at", "ends_at", "result_by", "result_item", "told_at"),
    )
    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    title: Mapped[str] = mapped_column(String(60))
    about: Mapped[str] = mapped_column(String(26))  # the released item it is about
    accounts: Mapped[list[Any]]  # ids
    promise: Mapped[str] = mapped_column(Text)  # what happens with what is written
    begins_at: Mapped[datetime]
    ends_at: Mapped[datetime]  # the first moment after it
    result_by: Mapped[datetime]
    result_item: Mapped[str] = mapped_column(String(26), default="", server_default="")
    told_at: Mapped[datetime | None]


class Opinion(Sealed, Base):
    """What a citizen wrote to a consultation, masked, and what became of it (opinions.py)."""

    __tablename__ = "opinion"
    SEALED = (
        *("id", "consultation_id", "contact_id", "text", "at"),
        *("topic", "verdict", "reason", "decided_by"),
    )
    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    consultation_id: Mapped[str] = mapped_column(String(26), index=True)
    contact_id: Mapped[str] = mapped_column(String(26), index=True)
    text: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime]
    topic: Mapped[str] = mapped_column(String(40), default="", server_default="")
    verdict: Mapped[str] = mapped_column(String(12), default="", server_default="")
    reason: Mapped[str] = mapped_column(Text, default="", server_default="")
    decided_by: Mapped[str] = mapped_column(String(26), default="", server_default="")
