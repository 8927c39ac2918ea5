"""Subscriptions by 行业 and 文种, and with a pause; which messages are one digest.

And since when somebody refuses pushes at their platform.
"""

import sqlalchemy as sa
from alembic import op

from storage.database import UtcTime

revision = "0040"
down_revision = "0034"
branch_labels = None
depends_on = None

_LENGTHS = {"industry": 40, "kind": 40, "paused_until": 10}


def upgrade() -> None:
    """Apply."""
    for name, length in _LENGTHS.items():
        column = sa.Column(name, sa.String(length), server_default="", nullable=False)
        op.add_column("subscription", column)
    op.add_column("contact", sa.Column("refused_at", UtcTime(), nullable=True))
    why = sa.Column("refused_why", sa.String(200), server_default="", nullable=False)
    op.add_column("contact", why)
    off = sa.false()
    op.add_column("delivery", sa.Column("gather", sa.Boolean(), server_default=off, nullable=False))


def downgrade() -> None:
    """Undo."""
    with op.batch_alter_table("delivery") as batch:
        batch.drop_column("gather")
    with op.batch_alter_table("contact") as batch:
        batch.drop_column("refused_why")
        batch.drop_column("refused_at")
    with op.batch_alter_table("subscription") as batch:
        for name in _LENGTHS:
            batch.drop_column(name)
