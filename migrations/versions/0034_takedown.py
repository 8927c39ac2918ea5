"""Publications that are to be taken off their platforms."""

import sqlalchemy as sa
from alembic import op

from storage.database import UtcTime

revision = "0034"
down_revision = "0038"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "takedown",
        sa.Column("id", sa.String(26), primary_key=True),
        sa.Column("publication_id", sa.String(26), nullable=False),
        sa.Column("item_id", sa.String(26), nullable=False),
        sa.Column("account_id", sa.String(26), nullable=False),
        sa.Column("by", sa.String(26), server_default="", nullable=False),
        sa.Column("article_idx", sa.Integer(), server_default="1", nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("result", sa.String(12), server_default="", nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("owner", sa.String(26), server_default="", nullable=False),
        sa.Column("asked_at", UtcTime(), nullable=False),
        sa.Column("next_at", UtcTime(), nullable=True),
        sa.Column("called_at", UtcTime(), nullable=True),
        sa.Column("finished_at", UtcTime(), nullable=True),
        sa.Column("seal", sa.String(64), server_default="", nullable=False),
        sa.UniqueConstraint("publication_id", "by", "article_idx"),
    )
    op.create_index("ix_takedown_item_id", "takedown", ["item_id"])
    op.create_index("ix_takedown_state", "takedown", ["state"])


def downgrade() -> None:
    """Undo."""
    op.drop_table("takedown")
