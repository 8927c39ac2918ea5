"""Limit an item to named people, and remember who looked."""

import sqlalchemy as sa
from alembic import op

from storage.database import UtcTime

revision = "0021"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply; no item that stands is limited."""
    op.add_column(
        "item", sa.Column("confined", sa.Boolean(), server_default=sa.false(), nullable=False)
    )
    op.add_column("item", sa.Column("scope", sa.Text(), server_default="", nullable=False))
    op.create_index("ix_item_confined", "item", ["confined"])
    op.create_table(
        "scope_ask",
        sa.Column("id", sa.String(26), primary_key=True),
        sa.Column("item_id", sa.String(26), nullable=False),
        sa.Column("staff_id", sa.String(26), nullable=False),
        sa.Column("asked_by", sa.String(26), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", UtcTime(), nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("decided_by", sa.String(26), nullable=False),
    )
    op.create_index("ix_scope_ask_item_id", "scope_ask", ["item_id"])
    op.create_table(
        "item_look",
        sa.Column("id", sa.String(26), primary_key=True),
        sa.Column("item_id", sa.String(26), nullable=False),
        sa.Column("staff_id", sa.String(26), nullable=False),
        sa.Column("what", sa.String(80), nullable=False),
        sa.Column("at", UtcTime(), nullable=False),
    )
    op.create_index("ix_item_look_item_id", "item_look", ["item_id"])


def downgrade() -> None:
    """Undo."""
    op.drop_table("item_look")
    op.drop_table("scope_ask")
    op.drop_index("ix_item_confined", "item")
    with op.batch_alter_table("item") as batch:
        batch.drop_column("scope")
        batch.drop_column("confined")
