"""Alembic environment: one metadata for every room, SQLite altered in batches."""

from alembic import context

import bot.models
import content_sources.models
import escalations.models
import knowledge.models
import ledger.models
import review_queue.models
import storage.media
import storage.switches
import subscriptions.models
from storage.database import Base

TABLES = (
    bot.models,
    content_sources.models,
    escalations.models,
    knowledge.models,
    ledger.models,
    review_queue.models,
    storage.media,
    storage.switches,
    subscriptions.models,
)

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,
    compare_type=False,
)
with context.begin_transaction():
    context.run_migrations()
