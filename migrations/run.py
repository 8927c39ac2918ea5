"""Bring a database to the newest schema from inside the program, without an ini file."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from storage.database import Database

HERE = Path(__file__).parent
_ONE_AT_A_TIME = 0x5348474D  # an advisory lock on PostgreSQL; SQLite has one writer anyway


def alembic_config(connection: Connection) -> Config:
    """Alembic's settings for an open connection."""
    config = Config()
    config.set_main_option("script_location", str(HERE))
    config.attributes["connection"] = connection
    return config


async def upgrade(db: Database, revision: str = "head") -> None:
    """Apply every migration that is missing up to `revision`; does nothing when there is none.

    Of several processes that start at once, one applies them, and the others wait for it.
    """

    def run(connection: Connection) -> None:
        if not db.is_sqlite:
            connection.execute(text(f"SELECT pg_advisory_xact_lock({_ONE_AT_A_TIME})"))
        command.upgrade(alembic_config(connection), revision)

    async with db.engine.begin() as connection:
        await connection.run_sync(run)


def known_revisions() -> frozenset[str]:
    """Every revision this program can bring to its newest."""
    return frozenset(one.revision for one in ScriptDirectory(str(HERE)).walk_revisions())


def revision_of(connection: Connection) -> str | None:
    """At which revision a database is; None when it has none."""
    return MigrationContext.configure(connection).get_current_revision()
