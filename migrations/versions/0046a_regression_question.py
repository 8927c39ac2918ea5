"""Questions that a library is held against before it changes."""

import sqlalchemy as sa
from alembic import op

from storage.database import UtcTime

revision = "0046a"
down_revision = "0046"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "regression_question",
        sa.Column("id", sa.String(26), primary_key=True),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("policy_id", sa.String(26), nullable=False),
        sa.Column("label", sa.String(60), nullable=False),
        sa.Column("title", sa.String(300), nullable=False),
        sa.Column("by", sa.String(26), nullable=False),
        sa.Column("at", UtcTime(), nullable=False),
        sa.Column("seal", sa.String(64), server_default="", nullable=False),
    )


def downgrade() -> None:
    """Undo."""
    op.drop_table("regression_question")
