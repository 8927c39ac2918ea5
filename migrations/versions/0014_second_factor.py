"""Keep the one-time codes of people."""

import sqlalchemy as sa
from alembic import op

from storage.database import UtcTime

revision = "0014"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "second_factor",
        sa.Column("staff_id", sa.String(26), primary_key=True),
        sa.Column("secret", sa.Text, nullable=False),
        sa.Column("recovery", sa.JSON, nullable=False),
        sa.Column("used", sa.JSON, nullable=False),
        sa.Column("last_step", sa.BigInteger, nullable=False),
        sa.Column("set_at", UtcTime(timezone=True), nullable=False),
        sa.Column("seal", sa.String(64), server_default="", nullable=False),
    )


def downgrade() -> None:
    """Undo."""
    op.drop_table("second_factor")
