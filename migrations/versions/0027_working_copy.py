"""Keep what somebody has typed and not saved yet."""

import sqlalchemy as sa
from alembic import op

from storage.database import UtcTime

revision = "0027"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "working_copy",
        sa.Column("staff_id", sa.String(26), primary_key=True),
        sa.Column("place", sa.String(26), primary_key=True),
        sa.Column("fields", sa.Text(), nullable=False),
        sa.Column("at", UtcTime(), nullable=False),
    )


def downgrade() -> None:
    """Undo."""
    op.drop_table("working_copy")
