"""Staff: people, passwords and roles. Role changes are signed ledger entries."""

import asyncio
import base64
import hashlib
import secrets
from collections.abc import Collection
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from config.clock import now
from ledger.append import Transaction
from staff.models import AlarmRoute, Staff
from staff.newest import password_digest
from staff.passwords import normal
from staff.refusal import Reason, Refused
from staff.roles import ROLES, role_fault
from staff.standing import WAITING, all_facts_or_refuse, standing_in, standing_of
from storage.database import new_id

_HASHER = PasswordHasher()
ALARMS = "staff.alarms"
"""Signs by which ways a person is alarmed; see escalations/routes.py."""
_HALVES = "halves:"  # before the hash of a code that two people hold half of each
_HALF_BYTES = 10  # 80 bits: the approver sees the digest of the first half and may guess at home


async def hash_password(password: str) -> str:
    """Argon2id in a thread (about 0.1 s); what it must be says staff/passwords.py."""
    return await asyncio.to_thread(_HASHER.hash, normal(password))


@dataclass(frozen=True)
class Half:
    """One half of a one-time code: what a person is shown once, and what is kept of it."""

    shown: str = field(repr=False)
    kept: str


def new_half() -> Half:
    """A fresh half of a code, for whoever proposes a reset."""
    shown = _half()
    return Half(shown, _kept(shown))


def _half() -> str:
    """16 letters and digits that nobody takes for one another when they are read aloud."""
    return base64.b32encode(secrets.token_bytes(_HALF_BYTES)).decode().lower()


def _kept(shown: str) -> str:
    return hashlib.sha256(shown.encode()).hexdigest()


async def second_half(kept: str) -> tuple[str, str]:
    """The other half of a code whose first is kept so, and what the person's row is to hold.

    Signed in is with `first-second`. Whoever knows one of them, and the database, has nothing.
    """
    shown = _half()
    return shown, _HALVES + await hash_password(kept + shown)


@cache
def _nobody() -> str:
    return _HASHER.hash("nobody has this password")


async def password_holds(stored: str | None, password: str) -> bool:
    """Whether the password is right; an unknown login takes as long as a known one."""
    if stored is not None and stored.startswith(_HALVES):
        first, _, second = password.strip().lower().partition("-")
        stored, password = stored.removeprefix(_HALVES), _kept(first.strip()) + second.strip()

    def check(one: str) -> bool:
        nobody = _nobody()  # always, so that the first time tells nothing either
        try:
            # An unknown login is checked as well: the time taken must not tell which logins exist.
            return _HASHER.verify(stored or nobody, one) and stored is not None
        except (VerifyMismatchError, InvalidHashError):
            return False

    # As an earlier version hashed it, where that differs.
    tries = dict.fromkeys((normal(password), password))
    return await asyncio.to_thread(lambda: any(check(one) for one in tries))


@dataclass(frozen=True)
class Person:
    """Who somebody is to be from now on; `password_hash` comes from hash_password."""

    login: str
    name: str
    roles: tuple[str, ...]
    password_hash: str


async def set_staff(tx: Transaction, person: Person, actor: str) -> Staff:
    """Add a person, or change the one with this login; the roles become a signed entry."""
    if unknown := set(person.roles) - set(ROLES):
        raise Refused(422, [Reason("roles", f"不认识的角色：{'、'.join(sorted(unknown))}")])
    query = select(Staff).where(Staff.login == person.login)
    row = (await tx.session.scalars(query)).first()
    if row is None:
        row = Staff(id=new_id(), login=person.login, created_at=now())
        tx.session.add(row)
    told: dict[str, Any] = {}
    # Only a password set now: signing what the row holds would make an older one good again.
    if row.password_hash != person.password_hash:
        told["password_digest"] = password_digest(row.id, person.password_hash)
    # Sorted: the signed entry says the same whatever order the form sent.
    row.name, row.roles, row.active = person.name, sorted(person.roles), True
    row.password_hash = person.password_hash
    # The row must exist before the entry that speaks of it is written.
    await tx.session.flush()
    await tx.append(
        "staff.set",
        subject=f"staff:{row.id}",
        actor=actor,
        body={"staff": row.id, "roles": sorted(person.roles), "active": True, **told},
    )
    return row


async def deactivate(tx: Transaction, person: Staff, actor: str) -> None:
    """Take every right from a person; earlier decisions stay valid. Nobody is alarmed any more."""
    person.active = False
    own = delete(AlarmRoute).where(AlarmRoute.staff_id == person.id).returning(AlarmRoute.id)
    # Where somebody is reached is kept while they work here, and no longer.
    if (await tx.session.execute(own)).first() is not None:
        body: dict[str, Any] = {"staff": person.id, "routes": []}
        await tx.append(ALARMS, subject=f"staff:{person.id}", actor=actor, body=body)
    await tx.append(
        "staff.set",
        subject=f"staff:{person.id}",
        actor=actor,
        body={"staff": person.id, "roles": [], "active": False},
    )


async def names(session: AsyncSession, ids: Collection[str]) -> dict[str, str]:
    """Display names by staff id."""
    rows = await session.execute(select(Staff.id, Staff.name).where(Staff.id.in_(set(ids))))
    return {row[0]: row[1] for row in rows.all()} | {"robot": "抓取程序", "system": "系统"}


@dataclass(frozen=True)
class Member:
    """Somebody who acts: the name of their row, the roles of their signed entries."""

    id: str
    login: str
    name: str
    roles: frozenset[str]
    waiting: bool = False


async def read_person(session: AsyncSession, staff_id: str) -> Member:
    """Who works here by signed entry; Refused (403) otherwise."""
    person = await session.get(Staff, staff_id)
    stands = await standing_of(session, staff_id)
    if person is None or not stands.active:
        raise Refused(403, [Reason("staff", "账号已停用，请联系管理员")])
    if not person.whole:
        words = "人员记录被绕过本系统改动，不能再用：请管理员查明后重新核定这个人"
        raise Refused(403, [Reason("staff", words)])
    return Member(person.id, person.login, person.name, stands.roles, stands.waiting)


async def person_with(session: AsyncSession, staff_id: str, wanted: Collection[str]) -> Member:
    """An active person who holds one of these roles; Refused (403) otherwise.

    Every act that writes a signed entry asks this itself: a page, an API and a command may all
    call it, and whoever forgets a guard there must not write under a name without the right.
    """
    person = await read_person(session, staff_id)
    if faults := lacking(person, wanted):
        raise Refused(403, faults)
    return person


async def active_with(session: AsyncSession, wanted: Collection[str]) -> list[str]:
    """Ids of everybody who holds one of these roles by signed entry, sorted; for any decision.

    The table only says whom to look at: an office has some dozen people.
    """
    ids = (await session.scalars(select(Staff.id).order_by(Staff.id))).all()
    told = await all_facts_or_refuse(session, [f"staff:{one}" for one in ids]) if ids else {}
    stands = {one: standing_in(told[f"staff:{one}"]) for one in ids}
    return [one for one, stand in stands.items() if not stand.roles.isdisjoint(wanted)]


def lacking(person: Member, wanted: Collection[str]) -> list[Reason]:
    """Why this person's roles do not allow what one of `wanted` may do; empty when they do."""
    if not person.roles.isdisjoint(wanted):
        return []
    return [WAITING] if person.waiting else [role_fault(wanted)]
