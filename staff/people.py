"""Staff: people, passwords and roles. Role changes are signed ledger entries."""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from config.clock import now
from ledger.append import Transaction
from ledger.verify import Entry
from staff.models import Staff
from staff.refusal import Reason, Refused
from staff.roles import ROLES, role_fault
from storage.database import new_id

_HASHER = PasswordHasher()
_NOBODY = _HASHER.hash("nobody has this password")
MINIMUM_PASSWORD = 10


async def hash_password(password: str) -> str:
    """Argon2id in a thread (about 0.1 s); Refused when it is too short."""
    if len(password) < MINIMUM_PASSWORD:
        raise Refused(422, [Reason("password", f"密码至少 {MINIMUM_PASSWORD} 个字符")])
    return await asyncio.to_thread(_HASHER.hash, password)


async def password_holds(stored: str | None, password: str) -> bool:
    """Whether the password is right; an unknown login takes as long as a known one."""

    def check() -> bool:
        try:
            # An unknown login is checked as well: the time taken must not tell which logins exist.
            return _HASHER.verify(stored or _NOBODY, password) and stored is not None
        except (VerifyMismatchError, InvalidHashError):
            return False

    return await asyncio.to_thread(check)


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
    # Sorted: the signed entry says the same whatever order the form sent.
    row.name, row.roles, row.active = person.name, sorted(person.roles), True
    row.password_hash = person.password_hash
    # The row must exist before the entry that speaks of it is written.
    await tx.session.flush()
    await tx.append(
        "staff.set",
        subject=f"staff:{row.id}",
        actor=actor,
        body={"staff": row.id, "roles": sorted(person.roles), "active": True},
    )
    return row


async def deactivate(tx: Transaction, person: Staff, actor: str) -> None:
    """Take every right from a person; earlier decisions stay valid."""
    person.active = False
    await tx.append(
        "staff.set",
        subject=f"staff:{person.id}",
        actor=actor,
        body={"staff": person.id, "roles": [], "active": False},
    )


def roles_at(entries: Collection[Entry], seq: int) -> frozenset[str]:
    """The roles a person held when entry `seq` was written, from their signed staff entries."""
    held: frozenset[str] = frozenset()
    for entry in entries:
        # The last word before the moment counts: rights given later heal nothing that was done
        # without them.
        if entry.kind == "staff.set" and entry.seq < seq:
            held = frozenset(entry.body["roles"]) if entry.body["active"] else frozenset()
    return held


async def names(session: AsyncSession, ids: Collection[str]) -> dict[str, str]:
    """Display names by staff id."""
    rows = await session.execute(select(Staff.id, Staff.name).where(Staff.id.in_(set(ids))))
    return {row[0]: row[1] for row in rows.all()} | {"robot": "抓取程序", "system": "系统"}


async def read_person(session: AsyncSession, staff_id: str) -> Staff:
    """An active person; Refused (403) otherwise."""
    person = await session.get(Staff, staff_id)
    if person is None or not person.active:
        raise Refused(403, [Reason("staff", "账号已停用，请联系管理员")])
    return person


async def person_with(session: AsyncSession, staff_id: str, wanted: Collection[str]) -> Staff:
    """An active person who holds one of these roles; Refused (403) otherwise.

    Every act that writes a signed entry asks this itself: a page, an API and a command may all
    call it, and whoever forgets a guard there must not write under a name without the right.
    """
    person = await read_person(session, staff_id)
    if set(wanted).isdisjoint(person.roles):
        raise Refused(403, [role_fault(wanted)])
    return person
