"""Signing in and staying signed in: passwords, server-side sessions, API tokens."""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from config.clock import now
from ledger.append import Ledger
from ledger.changed import row_changed
from staff.models import ApiToken, ConsoleSession, Staff
from staff.people import password_holds
from staff.refusal import Reason, Refused
from staff.standing import FRESH, standing
from storage.cache import Cache
from storage.database import Database

Access = TypeVar("Access", ConsoleSession, ApiToken)

IDLE = timedelta(minutes=30)
ABSOLUTE = timedelta(hours=12)
TOKEN_LIFE = timedelta(days=90)
_SEEN_EVERY = timedelta(seconds=60)
_WINDOW = 900.0  # seconds in which failures are counted
_PERSON_TRIES = 5  # one login from one address, counted before the password is checked
_FAILURES = 50  # one login from anywhere, or one address with any login


@dataclass(frozen=True)
class Visitor:
    """The person behind a request. `csrf` is empty for bearer tokens, which browsers never send."""

    staff_id: str
    login: str
    name: str
    roles: frozenset[str]
    csrf: str = field(repr=False)
    key: str = field(repr=False)


def token_hash(token: str) -> str:
    """What the database keeps of a session or API token."""
    return hashlib.sha256(token.encode()).hexdigest()


def _too_many() -> Refused:
    words = "登录失败次数过多：请 15 分钟后再试，或请管理员重设密码"
    return Refused(429, [Reason("too_many", words)])


@dataclass(frozen=True)
class Attempt:
    """One sign-in form, and where it came from."""

    login: str
    password: str = field(repr=False)
    address: str
    user_agent: str


async def sign_in(ledger: Ledger, cache: Cache, attempt: Attempt) -> str:
    """The token of a new session. Refused says the same for an unknown login and a wrong password.

    Both take the time of one password check; too many failures are refused with 429.
    """
    login = attempt.login[:60].lower()
    person_key = f"signin:person:{token_hash(f'{login}@{attempt.address}')}"
    wide = [f"signin:login:{token_hash(login)}", f"signin:address:{token_hash(attempt.address)}"]
    failures = [int(await cache.get(key) or 0) for key in wide]
    if await cache.count(person_key, _WINDOW) > _PERSON_TRIES or max(failures) >= _FAILURES:
        raise _too_many()
    person = await _person(ledger, attempt.login)
    stored = person.password_hash if person else None
    if not await password_holds(stored, attempt.password) or person is None:
        for key in wide:
            await cache.count(key, _WINDOW)
        raise Refused(401, [Reason("signin", "登录名或密码不对，请检查后重新输入")])
    await cache.delete(person_key)
    token, moment = secrets.token_urlsafe(32), now()
    async with ledger.transaction() as tx:
        tx.session.add(
            ConsoleSession(
                token_hash=token_hash(token),
                staff_id=person.id,
                csrf=secrets.token_urlsafe(24),
                created_at=moment,
                seen_at=moment,
                user_agent=attempt.user_agent[:200],
            )
        )
        await tx.append("signin", subject=f"staff:{person.id}", actor=person.id, body={})
    return token


async def _person(ledger: Ledger, login: str) -> Staff | None:
    """Who signs in with this login: an unbroken row of somebody who works here by signed entry."""
    async with ledger.db.session() as session:
        person = (await session.scalars(select(Staff).where(Staff.login == login))).first()
    if person is None:
        return None
    if not person.whole:
        await row_changed(ledger, "staff", person.id)
        return None
    return person if (await standing(ledger, person.id)).active else None


async def limit_passwords(cache: Cache, staff_id: str) -> None:
    """Refuse (429) a signed-in person who tries too many passwords of their own."""
    if await cache.count(f"password:{staff_id}", _WINDOW) > _PERSON_TRIES:
        raise _too_many()


def live(session: ConsoleSession, moment: datetime) -> bool:
    """Not revoked, used within 30 minutes, begun within 12 hours."""
    return (
        session.revoked_at is None
        and moment - session.seen_at < IDLE
        and moment - session.created_at < ABSOLUTE
    )


async def visitor_of_session(ledger: Ledger, token: str) -> Visitor | None:
    """Who holds this session cookie, or None when it ended, was forged, or they left."""
    key, moment = token_hash(token), now()
    async with ledger.db.session() as session:
        row = await session.get(ConsoleSession, key)
        if row is not None and row.whole and live(row, moment) and _long_ago(row, moment):
            row.seen_at = moment
        person = await session.get(Staff, row.staff_id) if row is not None else None
    if row is None or person is None:
        return None
    if not row.whole:
        await row_changed(ledger, "console_session", key)
        return None
    return await _visitor(ledger, person, row.csrf, key) if live(row, moment) else None


def _long_ago(row: ConsoleSession, moment: datetime) -> bool:
    """A write a minute keeps a session alive; one a request would only wear the disk."""
    return moment - row.seen_at > _SEEN_EVERY


async def visitor_of_token(ledger: Ledger, token: str) -> Visitor | None:
    """Who owns this API token, or None."""
    key = token_hash(token)
    async with ledger.db.session() as session:
        row = await session.get(ApiToken, key)
        person = await session.get(Staff, row.staff_id) if row is not None else None
    if row is None or person is None:
        return None
    if not row.whole:
        await row_changed(ledger, "api_token", key)
        return None
    if row.revoked_at is not None or row.expires_at < now():
        return None
    return await _visitor(ledger, person, "", key)


async def _visitor(ledger: Ledger, person: Staff, csrf: str, key: str) -> Visitor | None:
    """The person behind a session or token, with the roles of their signed entries."""
    if not person.whole:
        await row_changed(ledger, "staff", person.id)
        return None
    stands = await standing(ledger, person.id, age=FRESH)
    if not stands.active:
        return None
    return Visitor(person.id, person.login, person.name, stands.held, csrf, key)


async def sign_out(db: Database, key: str) -> None:
    """End one session."""
    async with db.session() as session:
        row = await session.get(ConsoleSession, key)
        if row is not None:
            row.revoked_at = now()


async def end_other_sessions(db: Database, visitor: Visitor) -> None:
    """End every other session of this person."""
    async with db.session() as session:
        for row in await _unrevoked(session, ConsoleSession, visitor.staff_id):
            if row.token_hash != visitor.key:
                row.revoked_at = now()


async def end_access(session: AsyncSession, staff_id: str) -> None:
    """End every session and every API token of a person, in the caller's transaction."""
    for row in await _unrevoked(session, ConsoleSession, staff_id):
        row.revoked_at = now()
    for token in await _unrevoked(session, ApiToken, staff_id):
        token.revoked_at = now()


async def _unrevoked(session: AsyncSession, table: type[Access], staff_id: str) -> Sequence[Access]:
    """Rows one by one, not in one statement: each is sealed anew with its end."""
    query = select(table).where(table.staff_id == staff_id, table.revoked_at.is_(None))
    return (await session.scalars(query)).all()


async def sessions_of(session: AsyncSession, staff_id: str) -> list[ConsoleSession]:
    """The live sessions of a person, newest first."""
    query = select(ConsoleSession).where(
        ConsoleSession.staff_id == staff_id, ConsoleSession.revoked_at.is_(None)
    )
    moment = now()
    rows = (await session.scalars(query.order_by(ConsoleSession.created_at.desc()))).all()
    return [row for row in rows if live(row, moment)]


async def new_token(db: Database, staff_id: str, name: str) -> str:
    """Make an API token of a person; shown once."""
    if not name.strip():
        raise Refused(422, [Reason("name", "请给令牌起一个名字，例如“统计脚本”")])
    token = "sf_" + secrets.token_urlsafe(32)
    async with db.session() as session:
        session.add(
            ApiToken(
                token_hash=token_hash(token),
                staff_id=staff_id,
                name=name.strip()[:60],
                created_at=now(),
                expires_at=now() + TOKEN_LIFE,
            )
        )
    return token


async def revoke_tokens(db: Database, staff_id: str) -> None:
    """End every API token of a person."""
    async with db.session() as session:
        for row in await _unrevoked(session, ApiToken, staff_id):
            row.revoked_at = now()
