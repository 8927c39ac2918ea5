"""How often topics are left, how it is said and after which push."""

import sqlalchemy as sa
from alembic import op

revision = "0044"
down_revision = "0039"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "leave_count",
        sa.Column("day", sa.String(10), nullable=False),
        sa.Column("account_id", sa.String(26), nullable=False),
        sa.Column("topic", sa.String(40), nullable=False),
        sa.Column("how", sa.String(12), nullable=False),
        sa.Column("item_id", sa.String(26), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("day", "account_id", "topic", "how", "item_id"),
    )


def downgrade() -> None:
    """Undo."""
    op.drop_table("leave_count")
