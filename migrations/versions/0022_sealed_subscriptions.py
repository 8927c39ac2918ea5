"""Seal subscriptions, and stamp them with the last signed end of their contact."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply; what stands is sealed when the office opens (office/upgrades.py)."""
    op.add_column(
        "subscription", sa.Column("seal", sa.String(64), server_default="", nullable=False)
    )
    op.add_column(
        "subscription", sa.Column("after_end", sa.Integer(), server_default="0", nullable=False)
    )


def downgrade() -> None:
    """Undo."""
    with op.batch_alter_table("subscription") as batch:
        batch.drop_column("after_end")
        batch.drop_column("seal")
