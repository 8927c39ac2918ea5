"""Keep how far each remote anchor place was told, and index what the queue page reads."""

import sqlalchemy as sa
from alembic import op

import storage.database

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "anchor_place",
        sa.Column("address", sa.String(length=300), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("told_at", storage.database.UtcTime(timezone=True), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("next_at", storage.database.UtcTime(timezone=True), nullable=True),
        sa.Column("problem", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("address", name=op.f("pk_anchor_place")),
    )
    op.create_index("ix_item_queue", "item", ["state", "level_due_at"])
    op.create_index("ix_item_updated", "item", ["updated_at"])
    op.create_index("ix_incident_closed", "incident", ["closed_at"])


def downgrade() -> None:
    """Undo."""
    op.drop_index("ix_incident_closed", "incident")
    op.drop_index("ix_item_updated", "item")
    op.drop_index("ix_item_queue", "item")
    op.drop_table("anchor_place")
