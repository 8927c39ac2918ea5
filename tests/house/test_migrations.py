"""The migrations make exactly the tables the models declare, on both databases."""

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text

from migrations.run import upgrade
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
