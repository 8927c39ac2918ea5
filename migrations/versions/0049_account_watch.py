"""Accounts are watched: when they were updated, and whether they answer."""

import sqlalchemy as sa
from alembic import op

from storage.database import UtcTime

revision = "0049"
down_revision = "0043"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "account_watch",
        sa.Column("account_id", sa.String(26), primary_key=True),
        sa.Column("told_days", sa.Integer(), nullable=False),
        sa.Column("told_since", UtcTime(), nullable=True),
        sa.Column("told_at", UtcTime(), nullable=True),
        sa.Column("tested_at", UtcTime(), nullable=True),
        sa.Column("faults", sa.JSON(), nullable=False),
        sa.Column("problem", sa.String(300), nullable=False),
        sa.Column("red_since", UtcTime(), nullable=True),
    )
    op.create_index("ix_publication_out", "publication", ["state", "account_id", "published_at"])
    op.create_index("ix_publication_at", "publication", ["published_at"])


def downgrade() -> None:
    """Undo."""
    op.drop_index("ix_publication_at", "publication")
    op.drop_index("ix_publication_out", "publication")
    op.drop_table("account_watch")
