"""How often an account called each method of its platform on one day."""

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "call_count",
        sa.Column("account_id", sa.String(26), primary_key=True),
        sa.Column("day", sa.String(10), primary_key=True),
        sa.Column("call", sa.String(60), primary_key=True),
        sa.Column("count", sa.Integer(), nullable=False),
    )


def downgrade() -> None:
    """Undo."""
    op.drop_table("call_count")
