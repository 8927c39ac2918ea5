"""Organisations, accounts, contacts, acts, publications, deliveries, attempts."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Index, String, Text, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column

from storage.database import Base
from storage.seals import Sealed

OPEN = "open"
ENDS = frozenset({"published", "failed", "unknown", "ended"})
"""States of a delivery after which nothing of it is sent any more."""


def phase(state: str) -> str:
    """What a delivery's seal says of its state: open, or how it ended."""
    return str(state) if state in ENDS else OPEN


ENDED_BODY = "（已撤销"
"""In the name of a body that ended: nothing may belong to it any more."""


class Organisation(Base):
    """A public body, in a tree."""

    __tablename__ = "organisation"
    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    name: Mapped[str] = mapped_column(String(120), unique=True)
    parent_id: Mapped[str | None] = mapped_column(String(26))


class Account(Sealed, Base):
    """One new-media account of an organisation on one platform."""

    __tablename__ = "account"
    SEALED = (
        *("id", "slug", "organisation_id", "platform", "name", "api_base", "secrets", "settings"),
        *("enabled", "assessment_ref"),
    )
    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    slug: Mapped[str] = mapped_column(String(60), unique=True)
    organisation_id: Mapped[str] = mapped_column(String(26), index=True)
    platform: Mapped[str] = mapped_column(String(20))
    name: Mapped[str] = mapped_column(String(120))
    api_base: Mapped[str] = mapped_column(String(300))
    secrets: Mapped[str] = mapped_column(Text)  # encrypted JSON
    settings: Mapped[dict[str, Any]]
    enabled: Mapped[bool] = mapped_column(default=True)
    owner: Mapped[str] = mapped_column(String(60), default="")
    assessment_ref: Mapped[str] = mapped_column(String(120), default="")
    created_at: Mapped[datetime]


class Contact(Sealed, Base):
    """One citizen on one account; the address is encrypted, looked up by its keyed hash.

    The seal holds who a row is. It is asked where a question is opened or answered and not when
    many are written to: there the address opens in its own row alone.
    """

    __tablename__ = "contact"
    SEALED = ("id", "account_id", "subject_ref", "address_hash")
    __table_args__ = (UniqueConstraint("account_id", "address_hash"),)
    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    account_id: Mapped[str] = mapped_column(String(26))
    subject_ref: Mapped[str] = mapped_column(String(26), unique=True)
    address: Mapped[str] = mapped_column(Text)
    address_hash: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(12), default="active", index=True)  # active | ended
    ended_reason: Mapped[str] = mapped_column(String(200), default="")
    ended_at: Mapped[datetime | None]
    # Since when something waits for their next act, and the platform's code, where it said one.
    paused_at: Mapped[datetime | None] = mapped_column(index=True)
    paused_code: Mapped[str] = mapped_column(String(20), default="", server_default="")
    created_at: Mapped[datetime]
    last_inbound_at: Mapped[datetime | None]  # the newest act that opened the long window
    window_used: Mapped[int] = mapped_column(default=0)  # messages sent in that window
    brief_at: Mapped[datetime | None]  # the newest act that opened the short one (delivery/routes)
    brief_used: Mapped[int] = mapped_column(default=0, server_default="0")
    consent_version: Mapped[str] = mapped_column(String(20), default="")
    # They refuse pushes at the platform, since when and in what words; their next act opens it.
    refused_at: Mapped[datetime | None]
    refused_why: Mapped[str] = mapped_column(String(200), default="", server_default="")
    # The newest list of followers that named them (bot/followers.py).
    listed_at: Mapped[datetime | None]
    turn: Mapped[str] = mapped_column(String(26), default="", server_default="")  # bot/turns.py
    turn_until: Mapped[datetime | None]


class FollowerRun(Base):
    """How far the list of an account's followers was read, in counts; `after` is encrypted."""

    __tablename__ = "follower_run"
    account_id: Mapped[str] = mapped_column(String(26), primary_key=True)
    began: Mapped[datetime]
    after: Mapped[str] = mapped_column(Text)  # the last person of the last step
    total: Mapped[int] = mapped_column(default=0)
    listed: Mapped[int] = mapped_column(default=0)
    made: Mapped[int] = mapped_column(default=0)
    back: Mapped[int] = mapped_column(default=0)
    gone: Mapped[int] = mapped_column(default=0)
    tried: Mapped[datetime]
    ended: Mapped[datetime | None]
    problem: Mapped[str] = mapped_column(Text, default="")


class InboundMessage(Base):
    """One act of a citizen, stored once; text is masked before it is stored.

    `position` and `place` are its order by the platform (bot/turns.py); `handled_at` is empty until
    somebody has acted on it.
    """

    __tablename__ = "inbound_message"
    __table_args__ = (
        UniqueConstraint("account_id", "dedupe"),
        Index("ix_inbound_message_at", "at"),
    )
    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    account_id: Mapped[str] = mapped_column(String(26))
    contact_id: Mapped[str | None] = mapped_column(String(26), index=True)
    dedupe: Mapped[str] = mapped_column(String(120))
    kind: Mapped[str] = mapped_column(String(12))
    text: Mapped[str] = mapped_column(Text, default="")
    key: Mapped[str] = mapped_column(String(128), default="", server_default="")  # a button's
    owner: Mapped[str] = mapped_column(String(26), default="", server_default="")  # who answers it
    # Over the act while it waits for its answer (bot/unanswered.py), empty once it has one.
    waits: Mapped[str] = mapped_column(String(64), default="", server_default="", index=True)
    # What was answered inside the call (bot/said.py); what follows as a message has its delivery.
    said: Mapped[str] = mapped_column(Text, default="", server_default="")
    at: Mapped[datetime]
    position: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    place: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    handled_at: Mapped[datetime | None]
    # How it was met (bot/met.py); empty while nothing was said to it.
    met: Mapped[str] = mapped_column(String(12), default="", server_default="")
    # Milliseconds until the platform had the answer; None where that was later, or never.
    took: Mapped[int | None]


class Process(Base):
    """One process of the office; its signs of life by the database's own clock.

    Seconds since 1970: processes on several machines are compared, and no clock of theirs is asked.
    """

    __tablename__ = "process"
    id: Mapped[str] = mapped_column(String(26), primary_key=True)  # the owner of its rows
    place: Mapped[str] = mapped_column(String(200), default="")  # see bot/delivery/leases.py
    since: Mapped[float]
    until: Mapped[float]
    worked: Mapped[float | None]  # when its task engine last did a job
    kind: Mapped[str] = mapped_column(String(10), default="all", server_default="all")


class JobRun(Base):
    """When a job of the office was last done, by any process; by the database's own clock."""

    __tablename__ = "job_run"
    name: Mapped[str] = mapped_column(String(20), primary_key=True)
    every: Mapped[float]  # seconds from one turn to the next, as it should be
    began: Mapped[float]
    ended: Mapped[float | None]  # empty while it was still being done
    failed: Mapped[float | None]  # when it last failed, and with what kind of error
    problem: Mapped[str] = mapped_column(String(80), default="", server_default="")


class AccountAbility(Base):
    """What a platform lets an account do, as it said last (bot/abilities.py); decides nothing."""

    __tablename__ = "account_ability"
    account_id: Mapped[str] = mapped_column(String(26), primary_key=True)
    name: Mapped[str] = mapped_column(String(20), primary_key=True)
    number: Mapped[int]
    label: Mapped[str] = mapped_column(String(40))
    able: Mapped[bool | None]  # None: nobody can tell
    needed: Mapped[bool]
    words: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime]


class AccountRest(Base):
    """An account that the platform told to wait; no process sends through it before `until`."""

    __tablename__ = "account_rest"
    account_id: Mapped[str] = mapped_column(String(26), primary_key=True)
    scope: Mapped[str] = mapped_column(String(12))  # account | messages
    until: Mapped[datetime]


class CallCount(Base):
    """How often an account called one method of its platform on one Beijing day (2026-11-29)."""

    __tablename__ = "call_count"
    account_id: Mapped[str] = mapped_column(String(26), primary_key=True)
    day: Mapped[str] = mapped_column(String(10), primary_key=True)
    call: Mapped[str] = mapped_column(String(60), primary_key=True)
    count: Mapped[int] = mapped_column(default=0)


class DigestDay(Base):
    """What the digests of an account came to on one Beijing day, in counts (delivery/digested.py).

    Which item a person got in one is said by the rows of its push: nobody is counted from here.
    """

    __tablename__ = "digest_day"
    account_id: Mapped[str] = mapped_column(String(26), primary_key=True)
    day: Mapped[str] = mapped_column(String(10), primary_key=True)
    began: Mapped[datetime]  # the first one of the day
    newest: Mapped[datetime]
    messages: Mapped[int] = mapped_column(default=0)
    items: Mapped[int] = mapped_column(default=0)  # in these messages
    skipped: Mapped[int] = mapped_column(default=0)  # nothing was left of it: no message
    failed: Mapped[int] = mapped_column(default=0)  # refused for good, or nobody knows its end


class Publication(Sealed, Base):
    """One release on one account's public timeline.

    Whether it went out already, and under which address, is said by signed entries
    (bot/delivery/once.py); the seal holds what this row adds to them.
    """

    __tablename__ = "publication"
    SEALED = (
        *("id", "release_id", "item_id", "account_id", "digest", "state", "ref", "url"),
        *("due_at", "published_at", "pushed_at"),
    )
    __table_args__ = (
        UniqueConstraint("release_id", "account_id"),
        Index("ix_publication_out", "state", "account_id", "published_at"),
        Index("ix_publication_at", "published_at"),
    )
    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    release_id: Mapped[str] = mapped_column(String(26), index=True)
    item_id: Mapped[str] = mapped_column(String(26), index=True)
    account_id: Mapped[str] = mapped_column(String(26))
    digest: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(12), index=True)
    ref: Mapped[str] = mapped_column(String(200), default="")
    url: Mapped[str] = mapped_column(String(500), default="")
    reason: Mapped[str] = mapped_column(Text, default="")
    due_at: Mapped[datetime]
    next_at: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    claimed_until: Mapped[datetime | None]
    owner: Mapped[str] = mapped_column(String(26), default="")  # the process that publishes it
    published_at: Mapped[datetime | None]
    pushed_at: Mapped[datetime | None]  # when its delivery rows were all created
    edition_id: Mapped[str] = mapped_column(String(26), default="", server_default="", index=True)
    """The publication it went out with, as one article of an edition; empty for one by itself."""
    article_index: Mapped[int] = mapped_column(default=0, server_default="0")
    """Which article of that edition it is, from 1 as the platform counts; 0 for one by itself."""

    def values(self) -> list[Any]:
        """Its place in an edition only where it has one: older rows keep their seals."""
        place = [self.edition_id, self.article_index] if self.edition_id else []
        return [*super().values(), *place]


class Takedown(Sealed, Base):
    """One publication that is to go off its platform, or to give way to its correction.

    That it shall, that it was called and what came of it is said by signed entries
    (bot/delivery/taken.py); this row is what a worker finds.
    """

    __tablename__ = "takedown"
    SEALED = ("id", "publication_id", "item_id", "account_id", "by", "article_idx", "state")
    __table_args__ = (UniqueConstraint("publication_id", "by", "article_idx"),)
    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    publication_id: Mapped[str] = mapped_column(String(26))
    item_id: Mapped[str] = mapped_column(String(26), index=True)
    account_id: Mapped[str] = mapped_column(String(26))
    # The publication of the correction it gives way to; empty when it was recalled.
    by: Mapped[str] = mapped_column(String(26), default="", server_default="")
    article_idx: Mapped[int] = mapped_column(default=1, server_default="1")  # 0: all of the send
    state: Mapped[str] = mapped_column(String(12), index=True)  # waiting | calling | ended
    result: Mapped[str] = mapped_column(String(12), default="", server_default="")
    reason: Mapped[str] = mapped_column(Text, default="", server_default="")
    attempts: Mapped[int] = mapped_column(default=0, server_default="0")
    owner: Mapped[str] = mapped_column(String(26), default="", server_default="")
    asked_at: Mapped[datetime]
    next_at: Mapped[datetime | None]
    called_at: Mapped[datetime | None]  # counted against the platform's deletions of a day
    finished_at: Mapped[datetime | None]


class Delivery(Sealed, Base):
    """One message of a publication to one contact; unique, so nobody gets a thing twice.

    Statements that write many rows past the ORM seal them with bot/sealing.py.
    """

    __tablename__ = "delivery"
    SEALED = (
        *("id", "content_key", "release_id", "publication_id", "account_id", "contact_id"),
        *("reason", "reply", "late", "phase"),
    )
    __table_args__ = (
        UniqueConstraint("content_key", "contact_id"),
        Index("ix_delivery_due", "state", "account_id", "next_at"),
    )
    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    content_key: Mapped[str] = mapped_column(String(80))  # release id, or ticket and reply number
    release_id: Mapped[str | None] = mapped_column(String(26), index=True)
    publication_id: Mapped[str | None] = mapped_column(String(26), index=True)
    account_id: Mapped[str] = mapped_column(String(26))
    contact_id: Mapped[str] = mapped_column(String(26), index=True)
    reason: Mapped[str] = mapped_column(Text, default="")  # 为什么收到, in words
    reply: Mapped[dict[str, Any] | None]  # what a reply is built from (bot/parts.py), no words
    late: Mapped[bool] = mapped_column(default=False, server_default=false())  # push.py, life.py
    state: Mapped[str] = mapped_column(String(12))
    ref: Mapped[str] = mapped_column(String(200), default="")
    why: Mapped[str] = mapped_column(Text, default="")
    code: Mapped[str] = mapped_column(String(40), default="", server_default="")  # the platform's
    hold: Mapped[str] = mapped_column(String(20), default="")  # held by: window|release|account
    owner: Mapped[str] = mapped_column(String(26), default="")  # the process that sends it
    attempts: Mapped[int] = mapped_column(default=0)
    # One message with all others that are due to the same person (delivery/digest.py).
    gather: Mapped[bool] = mapped_column(default=False, server_default=false())
    # By which way a push went or waits (delivery/choosing.py); empty where there is one way only.
    route: Mapped[str] = mapped_column(String(8), default="", server_default="")
    created_at: Mapped[datetime]
    next_at: Mapped[datetime | None]
    sending_since: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]

    @property
    def phase(self) -> str:
        """Open, or how it ended: a part of the seal."""
        return phase(self.state)

    def values(self) -> list[Any]:
        """Its way only where one was chosen: older rows keep their seals."""
        return [*super().values(), *([self.route] if self.route else [])]


class Reading(Base):
    """What readers did with one publication up to the end of a day, as its platform counts it."""

    __tablename__ = "reading"
    account_id: Mapped[str] = mapped_column(String(26), primary_key=True)
    ref: Mapped[str] = mapped_column(String(200), primary_key=True)
    day: Mapped[str] = mapped_column(String(10), primary_key=True)  # ISO, of Beijing; empty: asked
    publication_id: Mapped[str] = mapped_column(String(26), index=True)
    readers: Mapped[int]
    reads: Mapped[int]
    sharers: Mapped[int]
    shares: Mapped[int]
    at: Mapped[datetime]


class Attempt(Base):
    """One call to a platform: a row before it, its outcome after it."""

    __tablename__ = "attempt"
    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    delivery_id: Mapped[str | None] = mapped_column(String(26), index=True)
    publication_id: Mapped[str | None] = mapped_column(String(26), index=True)
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    state: Mapped[str] = mapped_column(String(12), default="sending")
    code: Mapped[str] = mapped_column(String(40), default="")
    detail: Mapped[dict[str, Any]] = mapped_column(default=dict)
