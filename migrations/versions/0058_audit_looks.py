"""What an auditor looked at is remembered."""

import sqlalchemy as sa
from alembic import op

from storage.database import UtcTime

revision = "0058"
down_revision = "0056"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "audit_look",
        sa.Column("id", sa.String(26), primary_key=True),
        sa.Column("staff_id", sa.String(26), nullable=False),
        sa.Column("what", sa.String(300), nullable=False),
        sa.Column("at", UtcTime(), nullable=False),
    )
    op.create_index("ix_audit_look_staff_id", "audit_look", ["staff_id"])
    op.create_index("ix_audit_look_at", "audit_look", ["at"])


def downgrade() -> None:
    """Undo."""
    op.drop_table("audit_look")
