"""The migrations make exactly the tables the models declare, on both databases."""

import json
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text

from config.clock import now
from migrations.run import alembic_config, upgrade
from storage.database import Base, Database
from tests.made import SEALS


def differences(connection: Connection) -> list[str]:
    """What `models.py` declares otherwise than the migrated database has it."""
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    return [str(change) for change in compare_metadata(context, Base.metadata)]


async def test_a_migrated_sqlite_has_every_table_and_column(tmp_path: Path) -> None:
    db = Database(f"sqlite+aiosqlite:///{tmp_path / 'migrated.db'}", SEALS)
    await upgrade(db)
    async with db.engine.connect() as connection:
        assert await connection.run_sync(differences) == []
    await upgrade(db)
    await db.close()


@pytest.mark.servers
async def test_a_migrated_postgresql_has_every_table_and_column(postgres_url: str) -> None:
    db = Database(postgres_url, SEALS)
    async with db.engine.begin() as connection:
        await connection.execute(text("DROP SCHEMA public CASCADE"))
        await connection.execute(text("CREATE SCHEMA public"))
    await upgrade(db)
    async with db.engine.connect() as connection:
        assert await connection.run_sync(differences) == []
    await db.close()


def canonical(**changes: Any) -> str:
    """A revision as offices of that time kept it."""
    moments = {"not_before": "2026-11-01T00:00:00+00:00", "not_after": "2026-12-01T00:00:00+00:00"}
    words = {"title": "标题", "body": "正文", "attribution": {}, "accounts": ["a"]}
    return json.dumps(words | moments | changes)


ODD = {
    "deep": "[" * 200_000,
    "no text": "",
    "first day": canonical(not_before="0001-01-01T00:00:00+14:00"),
    "last day": canonical(not_after="9999-12-31T23:00:00-14:00"),
    "no zone": canonical(not_before="2026-11-01T08:00:00"),
    "good": canonical(),
}


async def test_no_odd_revision_keeps_an_office_from_its_upgrade(tmp_path: Path) -> None:
    db = Database(f"sqlite+aiosqlite:///{tmp_path / 'odd.db'}", SEALS)
    insert = text(
        "INSERT INTO revision (id, item_id, number, digest, canonical, editor_id, created_at) "
        "VALUES (:id, :id, 1, '', :said, '', :at)"
    )
    async with db.engine.begin() as connection:
        await connection.run_sync(lambda one: command.upgrade(alembic_config(one), "0027"))
        for name, said in ODD.items():
            await connection.execute(insert, {"id": name, "said": said, "at": str(now())})
    await upgrade(db)
    async with db.engine.connect() as connection:
        query = text("SELECT item_id, not_before FROM item_words ORDER BY item_id")
        found = {row.item_id: row.not_before for row in await connection.execute(query)}
    await db.close()
    assert set(found) == {"good", "no zone"}  # the others are found by nothing, until changed
    assert found["good"].startswith("2026-11-01 00:00:00")
