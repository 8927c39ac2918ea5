"""Alembic environment: one metadata for every room, SQLite altered in batches."""

from alembic import context

from migrations.env_tables import TABLES
from storage.database import Base

if not TABLES:
    raise RuntimeError("no tables are declared")

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,
    compare_type=False,
)
with context.begin_transaction():
    context.run_migrations()
