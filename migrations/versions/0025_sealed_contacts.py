"""Seal who a contact is; `serve` seals those of an earlier version once (office/upgrades.py)."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("contact", sa.Column("seal", sa.String(64), server_default="", nullable=False))


def downgrade() -> None:
    """Undo."""
    with op.batch_alter_table("contact") as batch:
        batch.drop_column("seal")
