"""Tables of who works here: roles, absences, sessions, tokens, passkeys, proposals."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from storage.database import Base
from storage.seals import Sealed


class Staff(Sealed, Base):
    """A person with roles: editor, reviewer_1..3, secrecy, admin, duty, supervisor, auditor.

    Who signs in has the roles of staff/standing.py; the row's own are for lists, and sealed.
    """

    __tablename__ = "staff"
    SEALED = (
        *("id", "login", "roles", "password_hash", "active"),
        *("alarm_account", "alarm_address"),
    )
    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    login: Mapped[str] = mapped_column(String(60), unique=True)
    name: Mapped[str] = mapped_column(String(60))
    roles: Mapped[list[str]]
    password_hash: Mapped[str] = mapped_column(String(200))
    active: Mapped[bool] = mapped_column(default=True)
    # Where an earlier version kept the one way a person was alarmed by: moved to AlarmRoute once.
    alarm_account: Mapped[str] = mapped_column(String(60), default="")
    alarm_address: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime]


class AlarmRoute(Sealed, Base):
    """One way a person is alarmed by. Which ways count, and in what order, is a signed entry.

    What came of its last use stands beside the seal: it is shown and decides nothing.
    """

    __tablename__ = "alarm_route"
    SEALED = ("id", "staff_id", "kind", "account", "address")
    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    staff_id: Mapped[str] = mapped_column(String(26), index=True)
    kind: Mapped[str] = mapped_column(String(20))  # a platform, webhook or mail
    account: Mapped[str] = mapped_column(String(60), default="")  # slug; "": the first of its kind
    address: Mapped[str] = mapped_column(Text)  # encrypted
    used_at: Mapped[datetime | None]
    worked: Mapped[bool | None]
    why: Mapped[str] = mapped_column(Text, default="")  # why it did not, in Chinese


class Absence(Base):
    """A person is away and another acts for them; the signed entry is staff.absent."""

    __tablename__ = "absence"
    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    staff_id: Mapped[str] = mapped_column(String(26), index=True)
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    substitute_id: Mapped[str] = mapped_column(String(26), index=True)
    set_by: Mapped[str] = mapped_column(String(26))
    at: Mapped[datetime]


class ConsoleSession(Sealed, Base):
    """A signed-in browser: hashed token, idle and absolute time-outs, revocable."""

    __tablename__ = "console_session"
    SEALED = ("token_hash", "staff_id", "csrf", "created_at", "seen_at", "revoked_at")
    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    staff_id: Mapped[str] = mapped_column(String(26), index=True)
    csrf: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    user_agent: Mapped[str] = mapped_column(String(200), default="")


class Proposal(Base):
    """A change that takes two people. `payload` is the exact text its signed digest covers."""

    __tablename__ = "proposal"
    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    kind: Mapped[str] = mapped_column(String(20))
    subject: Mapped[str] = mapped_column(String(80))
    payload: Mapped[str] = mapped_column(Text)
    digest: Mapped[str] = mapped_column(String(64))
    effect: Mapped[dict[str, Any]]  # what would change, as shown before approval
    proposed_by: Mapped[str] = mapped_column(String(26))
    reason: Mapped[str] = mapped_column(Text)
    salt: Mapped[str] = mapped_column(String(32))
    state: Mapped[str] = mapped_column(String(12), index=True)  # see proposals.STATES
    decided_by: Mapped[str | None] = mapped_column(String(26))
    note: Mapped[str] = mapped_column(Text, default="")
    proposed_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]


class Setting(Base):
    """One approved version of a setting; the signed entry carries the digest of its text."""

    __tablename__ = "setting"
    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    text: Mapped[str] = mapped_column(Text)
    digest: Mapped[str] = mapped_column(String(64))
    proposal_id: Mapped[str | None] = mapped_column(String(26))
    proposed_by: Mapped[str] = mapped_column(String(26))
    approved_by: Mapped[str] = mapped_column(String(26))
    approved_seq: Mapped[int]
    approved_at: Mapped[datetime]


class ApiToken(Sealed, Base):
    """A bearer token, kept only as its hash; it has exactly its owner's rights."""

    __tablename__ = "api_token"
    SEALED = ("token_hash", "staff_id", "created_at", "expires_at", "revoked_at")
    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    staff_id: Mapped[str] = mapped_column(String(26), index=True)
    name: Mapped[str] = mapped_column(String(60))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class Passkey(Base):
    """One credential of one person. The sender reads the signed entries, never this row."""

    __tablename__ = "passkey"
    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    staff_id: Mapped[str] = mapped_column(String(26), index=True)
    credential: Mapped[str] = mapped_column(Text)  # base64url
    public_key: Mapped[str] = mapped_column(Text)  # COSE, base64url
    rp_id: Mapped[str] = mapped_column(String(253))
    origin: Mapped[str] = mapped_column(String(300))
    label: Mapped[str] = mapped_column(String(60))
    sign_count: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    confirmed_by: Mapped[str | None] = mapped_column(String(26))
    confirmed_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class SecondFactor(Sealed, Base):
    """The one-time codes of a person: what their phone counts with. Signed entries say that it is.

    `recovery` and `used` are keyed hashes; `last_step` is the newest step a code was taken for.
    """

    __tablename__ = "second_factor"
    SEALED = ("staff_id", "secret", "recovery", "used", "last_step", "set_at")
    staff_id: Mapped[str] = mapped_column(String(26), primary_key=True)
    secret: Mapped[str] = mapped_column(Text)  # encrypted, bound to this row
    recovery: Mapped[list[str]]
    used: Mapped[list[str]]
    last_step: Mapped[int] = mapped_column(BigInteger)
    set_at: Mapped[datetime]


class Task(Base):
    """Something a person has to do, with a deadline; today all of them are about sources."""

    __tablename__ = "source_task"
    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    kind: Mapped[str] = mapped_column(String(12))  # see content_sources.tasks.KINDS
    title: Mapped[str] = mapped_column(String(300))
    url: Mapped[str] = mapped_column(String(500), default="")
    item_id: Mapped[str | None] = mapped_column(String(26), index=True)
    source_id: Mapped[str | None] = mapped_column(String(26), index=True)
    accounts: Mapped[list[str]]  # of a repost: where it must appear
    detail: Mapped[dict[str, Any]]  # what its kind needs: before and after, where it is out
    assignee: Mapped[str | None] = mapped_column(String(26), index=True)
    due_at: Mapped[datetime]
    reminded_at: Mapped[datetime | None]
    state: Mapped[str] = mapped_column(String(12), index=True)  # open | done
    outcome: Mapped[str] = mapped_column(String(20), default="")
    note: Mapped[str] = mapped_column(Text, default="")
    created_by: Mapped[str] = mapped_column(String(26))
    created_at: Mapped[datetime]
    done_by: Mapped[str | None] = mapped_column(String(26))
    done_at: Mapped[datetime | None]
