"""The ways a person is alarmed by; `serve` moves the one an office had (office/upgrades.py)."""

import sqlalchemy as sa
from alembic import op

from storage.database import UtcTime

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "alarm_route",
        sa.Column("id", sa.String(26), primary_key=True),
        sa.Column("staff_id", sa.String(26), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("account", sa.String(60), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("used_at", UtcTime()),
        sa.Column("worked", sa.Boolean()),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("seal", sa.String(64), server_default="", nullable=False),
    )
    op.create_index("ix_alarm_route_staff_id", "alarm_route", ["staff_id"])


def downgrade() -> None:
    """Undo."""
    op.drop_table("alarm_route")
