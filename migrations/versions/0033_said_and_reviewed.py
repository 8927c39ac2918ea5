"""What was answered inside a platform's call; reviewed questions and answers."""

import sqlalchemy as sa
from alembic import op

from storage.database import UtcTime

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    said = sa.Column("said", sa.Text(), server_default="", nullable=False)
    op.add_column("inbound_message", said)
    op.create_table(
        "reviewed_entry",
        sa.Column("key", sa.String(40), primary_key=True),
        sa.Column("version", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("item_id", sa.String(26), nullable=False),
        sa.Column("not_after", UtcTime(), nullable=False),
        sa.Column("at", UtcTime(), nullable=False),
    )
    op.create_index("ix_reviewed_entry_item_id", "reviewed_entry", ["item_id"])


def downgrade() -> None:
    """Undo."""
    op.drop_table("reviewed_entry")
    with op.batch_alter_table("inbound_message") as batch:
        batch.drop_column("said")
