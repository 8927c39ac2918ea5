"""The tables of an office as files and back: SQLite's own copy, PostgreSQL's own COPY."""

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Column, Connection, DefaultClause, MetaData, false, func, inspect, select

from migrations.run import upgrade
from storage.database import Database

DATABASE = "shenfa.db"
_VERSION = "alembic_version"
_HEAD = "SELECT seq, hash FROM ledger_entry ORDER BY seq DESC LIMIT 1"
_COLUMNS = (
    "SELECT table_name, column_name FROM information_schema.columns"
    " WHERE table_schema = current_schema() ORDER BY table_name, ordinal_position"
)


@dataclass(frozen=True)
class Dump:
    """What was copied: its files in a folder, and where it stands."""

    revision: str
    entries: int
    head: str
    files: list[str]


def dump_sqlite(source: Path, folder: Path) -> Dump:
    """One consistent copy of a file that may be in use."""
    with (
        closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True)) as old,
        closing(sqlite3.connect(folder / DATABASE)) as new,
    ):
        # SQLite's own way: a copy of the file of a running office could be torn.
        old.backup(new)
        entries, head = new.execute(_HEAD).fetchone() or (0, "")
        (revision,) = new.execute(f"SELECT version_num FROM {_VERSION}").fetchone()  # noqa: S608  our own name
    return Dump(revision, entries, head, [DATABASE])


async def dump_postgres(db: Database, folder: Path) -> Dump:
    """All tables as of one moment, each in a file: its columns in the first line, then its rows."""
    async with _driver(db) as driver, driver.transaction(isolation="repeatable_read"):
        columns: dict[str, list[str]] = {}
        for table, column in await driver.fetch(_COLUMNS):
            columns.setdefault(table, []).append(column)
        revision = await driver.fetchval(f"SELECT version_num FROM {_VERSION}")  # noqa: S608  our own name
        head = await driver.fetchrow(_HEAD)
        tables = sorted(columns.keys() - {_VERSION})
        for table in tables:
            with (folder / f"{table}.copy").open("wb") as file:
                file.write(json.dumps(columns[table]).encode() + b"\n")
                await driver.copy_from_table(table, columns=columns[table], output=file)
    entries, digest = head or (0, "")
    return Dump(revision, entries, digest, [f"{table}.copy" for table in tables])


async def load_postgres(db: Database, folder: Path, revision: str) -> None:
    """Into an empty database: the tables as they were at `revision`, with the rows of the files."""
    await upgrade(db, revision)
    files = await asyncio.to_thread(lambda: sorted(folder.glob("*.copy")))
    async with _driver(db) as driver, driver.transaction():
        for path in files:
            await driver.execute(f'TRUNCATE "{path.stem}"')  # what a migration wrote itself
        for path in files:
            with path.open("rb") as file:
                columns = json.loads(file.readline())
                await driver.copy_to_table(path.stem, columns=columns, source=file)
    async with db.engine.begin() as connection:
        await connection.run_sync(_count_on)


def _count_on(connection: Connection) -> None:
    """A column that numbers its rows itself goes on after the last of them."""
    for column in _numbered(connection):
        largest = select(func.coalesce(func.max(column), 0) + 1).scalar_subquery()
        sequence = func.pg_get_serial_sequence(column.table.name, column.name)
        connection.execute(select(func.setval(sequence, largest, false())))


def _numbered(connection: Connection) -> Iterator[Column[Any]]:
    tables = MetaData()
    tables.reflect(connection)
    for table in tables.sorted_tables:
        yield from (one for one in table.columns if _counts(one))


def _counts(column: Column[Any]) -> bool:
    default = column.server_default
    return isinstance(default, DefaultClause) and str(default.arg).startswith("nextval(")


async def is_empty(db: Database) -> bool:
    """Whether a server's database holds no table at all."""
    async with db.engine.connect() as connection:
        return not await connection.run_sync(lambda one: inspect(one).get_table_names())


async def empty(db: Database) -> None:
    """Drop every table again of a database that had none before."""

    def drop(connection: Connection) -> None:
        tables = MetaData()
        tables.reflect(connection)
        tables.drop_all(connection)

    async with db.engine.begin() as connection:
        await connection.run_sync(drop)


@asynccontextmanager
async def _driver(db: Database) -> AsyncIterator[Any]:
    """The connection below SQLAlchemy: only it can COPY."""
    async with db.engine.connect() as connection:
        yield (await connection.get_raw_connection()).driver_connection
