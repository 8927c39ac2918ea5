"""Triggers and rules in the database: this program has none, so any is somebody's."""

from sqlalchemy import text

from storage.database import Database

_SQLITE = "SELECT name FROM sqlite_master WHERE type = 'trigger' ORDER BY name"
_POSTGRES = (
    "SELECT t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
    " WHERE NOT t.tgisinternal AND c.relnamespace = current_schema()::regnamespace"
    " UNION SELECT r.rulename FROM pg_rules r WHERE r.schemaname = current_schema() ORDER BY 1"
)


async def triggers_of(db: Database) -> list[str]:
    """Their names: each could forbid an entry or change a row while it is written."""
    async with db.session() as session:
        found = await session.scalars(text(_SQLITE if db.is_sqlite else _POSTGRES))
        return [str(one) for one in found]
