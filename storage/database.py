"""The database: one async engine, short transactions, the types every table shares."""

import asyncio
import json
import secrets
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import DateTime, Engine, create_engine, event, select, text
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.types import JSON, TypeDecorator

from storage.aside import Aside
from storage.seals import INFO, Seals

Found = TypeVar("Found")
_ID_LENGTH = 26
_BASE32 = "0123456789abcdefghjkmnpqrstvwxyz"
_LETTERS = frozenset(_BASE32)
_MOMENT = 10
"""So many letters of an id, the first ones, are the moment it was made; the rest is chance."""
UNREADABLE = (ValueError, TypeError, OverflowError, RecursionError, DBAPIError)
"""What loading a row raises that holds something no column of its kind could: SQLite keeps anything
anywhere, and JSON may be nested without end."""
_MANY = 1000  # ids in one query
_WRITE_LOCK = 0x5348454E  # one advisory lock on PostgreSQL for chained writes


class UtcTime(TypeDecorator[datetime]):
    """An aware UTC moment; SQLite keeps it without zone, so the zone is put back on reading."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse naive moments: they are a bug, not a value."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment without a time zone was given to the database")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Every moment read is aware UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """Parent of every table."""

    type_annotation_map = {  # noqa: RUF012  SQLAlchemy reads it as a plain class attribute
        datetime: UtcTime(),
        dict[str, Any]: JSON(),
        list[Any]: JSON(),
        list[str]: JSON(),
    }


def unreadable(error: BaseException) -> bool:
    """Whether one of UNREADABLE is about what a row holds, and not about the database itself."""
    return not isinstance(error, DBAPIError) or "could not decode" in str(error.orig).lower()


Row = TypeVar("Row", bound=Base)


async def rows_of(session: AsyncSession, model: type[Row], ids: Sequence[str]) -> dict[str, Row]:
    """The rows with these ids, without those that cannot be read at all: one hides no other."""
    if len(ids) > _MANY:
        parts = [ids[at : at + _MANY] for at in range(0, len(ids), _MANY)]
        return {k: v for part in parts for k, v in (await rows_of(session, model, part)).items()}
    key: Any = model.__table__.c.id
    try:
        # Base itself has no id; every table that is read so has one.
        found: Any = await session.scalars(select(model).where(key.in_(ids)))
        return {row.id: row for row in found}
    except UNREADABLE:
        if len(ids) == 1:
            return {}
    alone: dict[str, Row] = {}
    for one in ids:
        alone |= await rows_of(session, model, [one])
    return alone


def new_id() -> str:
    """A 26-character id that sorts by creation time (48 bits of milliseconds, 80 random)."""
    return _as_id((int(time.time() * 1000) << 80) | secrets.randbits(80))


def id_at(moment: float) -> str:
    """Between the ids made before and after this moment, in seconds since 1970."""
    return _as_id(int(moment * 1000) << 80)


def _as_id(number: int) -> str:
    return "".join(_BASE32[(number >> shift) & 31] for shift in range(125, -1, -5))


def made_at(key: str) -> float:
    """When an id of `new_id` was made, in seconds since 1970; 0 for anything else."""
    if len(key) != _ID_LENGTH or not _LETTERS.issuperset(key):
        return 0.0
    number = 0
    for letter in key[:_MOMENT]:
        number = number << 5 | _BASE32.index(letter)
    return number / 1000


def new_salt() -> str:
    """32 hex digits that keep a short text behind its digest; they stay in the row."""
    return secrets.token_hex(16)


class Database:
    """One engine. `session()` commits on success and rolls back on any error."""

    def __init__(self, url: str, seals: Seals | None = None, connections: int = 30) -> None:
        """Connect lazily to `url` (sqlite+aiosqlite or postgresql+asyncpg).

        Without `seals` no sealed row can be read or written (storage/seals.py). `connections`: at
        most so many at once to a server; who comes then waits for one.
        """
        self.url = url
        self._info: dict[str, Any] = {INFO: seals}
        self.is_sqlite = url.startswith("sqlite")
        if (path := sqlite_file(url)) is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
        self.engine = create_async_engine(
            url,
            hide_parameters=True,  # what citizens wrote must not reach a log through an error
            json_deserializer=_from_json,
            **({"connect_args": {"timeout": 30}} if self.is_sqlite else _pool(connections)),
        )
        if self.is_sqlite:
            event.listen(self.engine.sync_engine, "connect", _tune_sqlite)
            event.listen(self.engine.sync_engine, "begin", _begin_sqlite)
        self._make = async_sessionmaker(self.engine, expire_on_commit=False, info=self._info)
        self._reader: Engine | None = None
        self._aside: Aside | None = None
        if sqlite_file(url) is not None:
            self._reader = create_engine(
                url.replace("+aiosqlite", ""), hide_parameters=True, json_deserializer=_from_json
            )
            event.listen(self._reader, "connect", _only_read)
            self._aside = Aside(url.replace("+aiosqlite", ""), _tune_sqlite)

    def carry(self, name: str, value: object) -> None:
        """Give every later session this in its `info`: what decides beside the tables."""
        self._info[name] = value

    @asynccontextmanager
    async def session(self) -> AsyncIterator[AsyncSession]:
        """One short transaction; never keep it open across a network call."""
        async with self._make() as session, session.begin():
            yield session

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncSession]:
        """A transaction that holds the one write lock: for chained and checked-then-done writes."""
        async with self._make() as session:
            connection = await session.connection(
                execution_options={"shenfa_immediate": True} if self.is_sqlite else {}
            )
            if not self.is_sqlite:
                await connection.execute(text(f"SELECT pg_advisory_xact_lock({_WRITE_LOCK})"))
            try:
                yield session
                await session.commit()
            except BaseException:
                await session.rollback()
                raise

    async def unheard(self, act: Callable[[Session], Found]) -> Found:
        """A short transaction that is no news to this process: signs of life, and no more.

        `act` is given an ordinary (not async) session.
        """
        if self._aside is None:
            async with self.session() as session:
                return await session.run_sync(act)
        return await asyncio.to_thread(self._aside.write, act)

    @property
    def tells_news(self) -> bool:
        """Whether `version` can say that nothing was written: of a file, not of a server."""
        return self._aside is not None

    def version(self) -> int | None:
        """Another number than before once anything was written, by whomever; None: not known."""
        return None if self._aside is None else self._aside.version()

    async def read(self, look: Callable[[Session], Found]) -> Found:
        """Several reads in one step; `look` is given an ordinary (not async) session.

        On SQLite each statement of an async session wakes its thread four times; here all take
        one turn of one thread, for what must be fast.
        """
        if self._reader is None:
            async with self.session() as session:
                return await session.run_sync(look)
        return await asyncio.to_thread(self._read, look)

    def _read(self, look: Callable[[Session], Found]) -> Found:
        with Session(self._reader, expire_on_commit=False, info=dict(self._info)) as session:
            return look(session)

    @property
    def seals(self) -> Seals | None:
        """What seals this office's rows, for whoever seals what is no row."""
        seals: Seals | None = self._info[INFO]
        return seals

    @property
    def engines(self) -> list[Engine]:
        """What sends statements, for whoever counts them."""
        aside = [] if self._aside is None else [self._aside.engine]
        return [
            self.engine.sync_engine,
            *([self._reader] if self._reader is not None else []),
            *aside,
        ]

    async def create_all(self) -> None:
        """Create every table known to the metadata (tests; offices use the migrations)."""
        async with self.engine.begin() as connection:
            await connection.run_sync(Base.metadata.create_all)

    async def close(self) -> None:
        """Give every connection back."""
        await self.engine.dispose()
        if self._reader is not None:
            self._reader.dispose()
        if self._aside is not None:
            self._aside.engine.dispose()


def _pool(most: int) -> dict[str, Any]:
    """Two thirds are kept open; the rest are given back after a rush."""
    kept = max(1, most * 2 // 3)
    return {"pool_size": kept, "max_overflow": most - kept}


def _from_json(said: str | bytes) -> Any:
    """What a JSON column holds; ValueError for every text that is none, however deep."""
    try:
        return json.loads(said)
    except (RecursionError, TypeError) as error:  # a hundred thousand brackets, or a number
        raise ValueError("a column of JSON holds what cannot be read") from error


def _only_read(connection: Any, _record: object) -> None:
    for pragma in ("query_only=ON", "busy_timeout=30000"):
        connection.execute(f"PRAGMA {pragma}").close()


def sqlite_file(url: str) -> Path | None:
    """The file behind a SQLite address; None for a server's."""
    return Path(url.split("///", 1)[1]) if url.startswith("sqlite") and "///" in url else None


def _tune_sqlite(connection: Any, _record: object) -> None:
    # Reads run outside a transaction; the first write begins one and waits for the write lock.
    # A deferred transaction that read first could not write once anybody else had committed.
    connection.isolation_level = "IMMEDIATE"
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.execute("PRAGMA busy_timeout=30000")
    cursor.close()


def _begin_sqlite(connection: Any) -> None:
    if connection.get_execution_options().get("shenfa_immediate"):
        connection.exec_driver_sql("BEGIN IMMEDIATE")
