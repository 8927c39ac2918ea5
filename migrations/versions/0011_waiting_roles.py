"""Keep the roles that may hold an item's open levels, and salts beside short texts."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply; items that wait already are found by anybody until their next change."""
    op.add_column("item", sa.Column("waiting", sa.String(120), server_default="", nullable=False))
    for table in ("referral", "expert_link"):
        op.add_column(table, sa.Column("salt", sa.String(32), server_default="", nullable=False))
    op.execute(sa.text("UPDATE item SET waiting = '*' WHERE state = 'review'"))


def downgrade() -> None:
    """Undo."""
    for table in ("referral", "expert_link"):
        with op.batch_alter_table(table) as batch:
            batch.drop_column("salt")
    with op.batch_alter_table("item") as batch:
        batch.drop_column("waiting")
