"""Staying signed in: server-side sessions and API tokens. The way in is staff/door.py."""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TypeVar

from sqlalchemy import Select, bindparam, select
from sqlalchemy.ext.asyncio import AsyncSession

from config.clock import now
from ledger.append import Ledger, Transaction
from ledger.changed import row_changed
from staff.access import SESSIONS, TOKENS, access_entries, ended, sign_end
from staff.factors import set_up_by
from staff.models import ApiToken, ConsoleSession, Staff
from staff.refusal import Reason, Refused
from staff.slowing import WINDOW
from staff.standing import FRESH, standing
from storage.cache import Cache
from storage.database import Database

Access = TypeVar("Access", ConsoleSession, ApiToken)

IDLE = timedelta(minutes=30)
ABSOLUTE = timedelta(hours=12)
TOKEN_LIFE = timedelta(days=90)
PERSONAL, SERVICE = "sf_", "ss_"
"""How a token begins: one with its owner's rights, and one that only reads and drafts."""
_SEEN_EVERY = timedelta(seconds=60)
_OWN_TRIES = 5  # passwords a signed-in person may try within the window of staff/slowing.py


@dataclass(frozen=True)
class Visitor:
    """The person behind a request. `csrf` is empty for bearer tokens, which browsers never send.

    `set_up_by`: until when they have to set up a second step; after it they can do nothing else.
    """

    staff_id: str
    login: str
    name: str
    roles: frozenset[str]
    csrf: str = field(repr=False)
    key: str = field(repr=False)
    set_up_by: datetime | None = None
    service: bool = False
    """A service's token: it reads and drafts, and decides nothing."""

    @property
    def must_set_up(self) -> bool:
        """Whether nothing but setting up a second step is open to them."""
        return self.set_up_by is not None and self.set_up_by <= now()


def token_hash(token: str) -> str:
    """What the database keeps of a session or API token."""
    return hashlib.sha256(token.encode()).hexdigest()


async def begin_session(tx: Transaction, person: Staff, user_agent: str, by: str) -> str:
    """The token of a new session; `by` says how the person proved who they are."""
    token, moment = secrets.token_urlsafe(32), now()
    tx.session.add(
        ConsoleSession(
            token_hash=token_hash(token),
            staff_id=person.id,
            csrf=secrets.token_urlsafe(24),
            created_at=moment,
            seen_at=moment,
            user_agent=user_agent[:200],
        )
    )
    await tx.append("signin", subject=f"staff:{person.id}", actor=person.id, body={"by": by})
    return token


async def limit_passwords(cache: Cache, staff_id: str) -> None:
    """Refuse (429) a signed-in person who tries too many passwords of their own."""
    if await cache.count(f"password:{staff_id}", WINDOW) > _OWN_TRIES:
        words = "密码试得太多：请 15 分钟后再试，或请管理员重设密码"
        raise Refused(429, [Reason("too_many", words)])


async def password_was_right(cache: Cache, staff_id: str) -> None:
    """Forget the tries before."""
    await cache.delete(f"password:{staff_id}")


def live(session: ConsoleSession, moment: datetime) -> bool:
    """Not revoked, used within 30 minutes, begun within 12 hours."""
    return (
        session.revoked_at is None
        and moment - session.seen_at < IDLE
        and moment - session.created_at < ABSOLUTE
    )


async def visitor_of_session(ledger: Ledger, token: str) -> Visitor | None:
    """Who holds this session cookie, or None when it ended, was forged, or they left."""
    found = await _of_session(ledger, token)
    if found is None:
        return None
    row, moment = found[0], now()
    if _long_ago(row, moment):
        await _seen(ledger.db, row.token_hash, moment)
    return found[1]


async def still_open(ledger: Ledger, token: str) -> Visitor | None:
    """The same, and no sign of life: a page that is left open keeps no session alive."""
    found = await _of_session(ledger, token)
    return found[1] if found else None


async def _of_session(ledger: Ledger, token: str) -> tuple[ConsoleSession, Visitor] | None:
    key = token_hash(token)
    found = await _owned(ledger.db, _SESSION, key)
    if found is None:
        return None
    row, person = found
    if not row.whole:
        await row_changed(ledger, "console_session", key)
        return None
    if not live(row, now()) or await _put_back(ledger, row):
        return None
    visitor = await _visitor(ledger, person, row.csrf, key)
    return (row, visitor) if visitor else None


async def timed_out_session(db: Database, token: str) -> ConsoleSession | None:
    """The session of a cookie that ran out by itself within the last day; None for any other.

    It opens nothing: it only says whose words a form holds that came too late.
    """
    async with db.session() as session:
        row = await session.get(ConsoleSession, token_hash(token))
    if row is None or not row.whole or row.revoked_at is not None:
        return None
    return row if now() - row.created_at < ABSOLUTE * 2 else None


def _with_person(table: type[Access]) -> Select[Access, Staff]:
    query = select(table, Staff).join(Staff, Staff.id == table.staff_id)
    return query.where(table.token_hash == bindparam("key"))


# Built once: every page asks one of them, and putting them together took longer than the answer.
_SESSION, _TOKEN = _with_person(ConsoleSession), _with_person(ApiToken)


async def _owned(
    db: Database, query: Select[Access, Staff], key: str
) -> tuple[Access, Staff] | None:
    """A session or token with its person, in one step."""
    found = await db.read(lambda session: session.execute(query, {"key": key}).first())
    return (found[0], found[1]) if found is not None else None


async def _seen(db: Database, key: str, moment: datetime) -> None:
    async with db.session() as session:
        row = await session.get(ConsoleSession, key)
        if row is not None and row.whole:
            row.seen_at = moment


def _long_ago(row: ConsoleSession, moment: datetime) -> bool:
    """A write a minute keeps a session alive; one a request would only wear the disk."""
    return moment - row.seen_at > _SEEN_EVERY


async def visitor_of_token(ledger: Ledger, token: str) -> Visitor | None:
    """Who owns this API token, or None."""
    key = token_hash(token)
    found = await _owned(ledger.db, _TOKEN, key)
    if found is None:
        return None
    row, person = found
    if not row.whole:
        await row_changed(ledger, "api_token", key)
        return None
    if row.revoked_at is not None or row.expires_at < now() or await _put_back(ledger, row):
        return None
    visitor = await _visitor(ledger, person, "", key)
    # The token itself says what it is: its hash is stored, so nobody can make it another sort.
    return replace(visitor, service=token.startswith(SERVICE)) if visitor else None


async def _put_back(ledger: Ledger, row: Access) -> bool:
    """Whether it was ended by a signed entry, though the row, sealed as it is, says it goes on."""
    if not ended(row, await access_entries(ledger, row.staff_id, age=FRESH)):
        return False
    async with ledger.db.session() as session:
        stands = await session.get(type(row), row.token_hash)
    # Read again: whoever signs out in this very moment put nothing back.
    if stands is not None and stands.revoked_at is None:
        await row_changed(ledger, str(type(row).__tablename__), row.token_hash)
    return True


async def _visitor(ledger: Ledger, person: Staff, csrf: str, key: str) -> Visitor | None:
    """The person behind a session or token, with the roles of their signed entries."""
    if not person.whole:
        await row_changed(ledger, "staff", person.id)
        return None
    stands = await standing(ledger, person.id, age=FRESH)
    if not stands.active:
        return None
    roles = stands.held
    late = await set_up_by(ledger, person.id, roles, age=FRESH)
    return Visitor(person.id, person.login, person.name, roles, csrf, key, late)


async def sign_out(ledger: Ledger, visitor: Visitor) -> None:
    """End this session, by a signed entry."""
    async with ledger.transaction() as tx:
        row = await tx.session.get(ConsoleSession, visitor.key)
        if row is not None:
            row.revoked_at = now()
        await sign_end(tx, visitor.staff_id, {"token": visitor.key})


async def end_other_sessions(ledger: Ledger, visitor: Visitor) -> None:
    """End every other session of this person, by a signed entry."""
    async with ledger.transaction() as tx:
        await _end_sessions(tx.session, visitor.staff_id, visitor.key)
        await sign_end(tx, visitor.staff_id, {"all": SESSIONS, "kept": visitor.key})


async def _end_sessions(session: AsyncSession, staff_id: str, kept: str) -> None:
    for row in await _unrevoked(session, ConsoleSession, staff_id):
        if row.token_hash != kept:
            row.revoked_at = now()


async def end_access(session: AsyncSession, staff_id: str, *, kept: str = "") -> None:
    """End every session, but the one kept, and every API token of a person.

    In the caller's transaction, beside the signed entry that says so (staff/access.py).
    """
    await _end_sessions(session, staff_id, kept)
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


async def new_token(db: Database, staff_id: str, name: str, *, sort: str = PERSONAL) -> str:
    """Make an API token of a person, PERSONAL or SERVICE; shown once."""
    if not name.strip():
        raise Refused(422, [Reason("name", "请给令牌起一个名字，例如“统计脚本”")])
    token = sort + secrets.token_urlsafe(32)
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


async def revoke_tokens(ledger: Ledger, staff_id: str) -> None:
    """End every API token of a person, by a signed entry."""
    async with ledger.transaction() as tx:
        for row in await _unrevoked(tx.session, ApiToken, staff_id):
            row.revoked_at = now()
        await sign_end(tx, staff_id, {"all": TOKENS})
