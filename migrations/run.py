"""Bring a database to the newest schema from inside the program, without an ini file."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection

from storage.database import Database

HERE = Path(__file__).parent


def alembic_config(connection: Connection) -> Config:
    """Alembic's settings for an open connection."""
    config = Config()
    config.set_main_option("script_location", str(HERE))
    config.attributes["connection"] = connection
    return config


async def upgrade(db: Database) -> None:
    """Apply every migration that is missing; does nothing when there is none."""

    def run(connection: Connection) -> None:
        command.upgrade(alembic_config(connection), "head")

    async with db.engine.begin() as connection:
        await connection.run_sync(run)
