"""Whatever is written into the tables past this program: nobody is told a word the ledger has not.

Every column that holds words or refers to something is changed by SQL, one at a time, in a running
office; then its jobs and conversations run, and what reaches the platforms is compared with what
the untouched office said.
"""

import json
import os
import re
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from sandbox.app import start
from sandbox.state import STATE
from storage.database import Base
from tests.proof.known import Known, known
from tests.proof.world import FORGED, World, attempt, make

CHINESE = re.compile("[\u4e00-\u9fff]{2,}")
Change = Callable[[sqlite3.Connection], object]


def words(table: str, column: str) -> Change:
    """Other words in every row: in place of the Chinese ones, else in place of all."""

    def change(connection: sqlite3.Connection) -> int:
        rows = connection.execute(f'SELECT rowid, "{column}" FROM "{table}"').fetchall()
        for rowid, value in rows:
            connection.execute(
                f'UPDATE OR IGNORE "{table}" SET "{column}" = ? WHERE rowid = ?',
                (forged(value), rowid),
            )
        return len(rows)

    return change


def forged(value: Any) -> Any:
    """A value of the same shape that says something else."""
    if isinstance(value, str) and value[:1] in ("{", "["):
        try:
            return json.dumps(_forged_json(json.loads(value)))
        except ValueError:
            return FORGED
    if isinstance(value, str) and CHINESE.search(value):
        return CHINESE.sub(FORGED, value, count=1)
    if isinstance(value, str) and "://" in value:
        return value.split("://")[0] + "://forged.example/" + value.split("/")[-1]
    return FORGED


def _forged_json(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _forged_json(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_forged_json(one) for one in value]
    return forged(value) if isinstance(value, str) else value


def exchanged(table: str, column: str) -> Change:
    """The values of every row moved to the next one: each a real value, in the wrong place."""

    def change(connection: sqlite3.Connection) -> int:
        rows = connection.execute(f'SELECT rowid, "{column}" FROM "{table}"').fetchall()
        values = [value for _, value in rows]
        for (rowid, _), value in zip(rows, values[1:] + values[:1], strict=True):
            connection.execute(
                f'UPDATE OR IGNORE "{table}" SET "{column}" = ? WHERE rowid = ?', (value, rowid)
            )
        return len(set(values))

    return change


def again(table: str, column: str, value: str) -> Change:
    """Every row back at the start of its life."""

    def change(connection: sqlite3.Connection) -> int:
        return connection.execute(f'UPDATE "{table}" SET "{column}" = ?', (value,)).rowcount

    return change


def columns() -> Iterator[tuple[str, str]]:
    """Every column that holds words, JSON or a reference."""
    for table in sorted(Base.metadata.tables.values(), key=lambda one: one.name):
        for column in table.columns:
            if column.type.python_type in (str, dict, list):
                yield table.name, column.name


STARTS = {
    "publication": ("created", "retrying"),
    "delivery": ("created", "retrying"),
    "item": ("approved", "scheduled", "published"),
    "source": ("active",),
    "policy": ("in_force",),
    "contact": ("active",),
    "subscription": ("active",),
    "ticket": ("open", "claimed"),
}


def attempts() -> Iterator[tuple[str, str, str, Change]]:
    """Table, column, what is done to it, and the doing."""
    for table, column in columns():
        yield table, column, "words", words(table, column)
        yield table, column, "exchanged", exchanged(table, column)
    for table, values in STARTS.items():
        for value in values:
            yield table, "state", f"all {value}", again(table, "state", value)


NEAREST = (
    *("account", "chat_draft", "clause", "contact", "delivery", "item", "policy"),
    *("publication", "release"),
    *("reply_template", "revision", "setting", "subscription", "ticket", "ticket_reply"),
)
"""Tables nearest to what is told; with SHENFA_EVERY_COLUMN=1 (`make proof`) all are tried."""


def near(one: tuple[str, str, str, Change]) -> bool:
    """Whether an attempt belongs to every run of the tests."""
    table, column, what, _ = one
    return table in NEAREST and (what == "words" or (column == "state" and "all" in what))


TRIED = [one for one in attempts() if os.environ.get("SHENFA_EVERY_COLUMN") or near(one)]
TABLES = sorted({table for table, *_ in TRIED})


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[World, Known]]:
    """The office, and what it says when nobody touched it."""
    folder: Path = tmp_path_factory.mktemp("world")
    runner, url = await start("127.0.0.1", 0)
    made = await make(folder / "office", url, runner.app[STATE])
    usual = await attempt(made, folder / "usual", lambda connection: None)
    assert sum(usual.values()) > 40
    yield made, known(made, usual)
    await runner.cleanup()


def changes(made: World, one: tuple[str, str, str, Change]) -> bool:
    """Whether the attempt changes anything in this office: an empty table has nothing to try."""
    table, column, _, change = one
    look = f'SELECT rowid, "{column}" FROM "{table}" ORDER BY rowid'
    connection = sqlite3.connect(made.home / "shenfa.db", isolation_level=None)
    connection.execute("BEGIN")
    before = connection.execute(look).fetchall()
    change(connection)
    after = connection.execute(look).fetchall()
    connection.rollback()
    connection.close()
    return before != after


@pytest.mark.servers
@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("table", TABLES)
async def test_nothing_the_ledger_has_not_reaches_anybody(
    world: tuple[World, Known], tmp_path: Path, table: str
) -> None:
    made, may = world
    leaked = {}
    tried = [one for one in TRIED if one[0] == table and changes(made, one)]
    for number, (_, column, what, change) in enumerate(tried):
        sent = await attempt(made, tmp_path / str(number), change)
        if more := may.leaks(sent):
            leaked[f"{column}, {what}"] = more
    assert leaked == {}


@pytest.mark.servers
@pytest.mark.asyncio(loop_scope="module")
async def test_what_is_tried_is_there_to_be_changed(world: tuple[World, Known]) -> None:
    tried = [one for one in TRIED if changes(world[0], one)]
    assert len(tried) >= (300 if os.environ.get("SHENFA_EVERY_COLUMN") else 90)
    assert set(NEAREST) <= {one[0] for one in tried}
