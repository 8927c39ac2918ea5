"""Remember what each person has seen of an item, and keep notes on items."""

import sqlalchemy as sa
from alembic import op

import storage.database

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "item_view",
        sa.Column("item_id", sa.String(length=26), nullable=False),
        sa.Column("staff_id", sa.String(length=26), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("at", storage.database.UtcTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("item_id", "staff_id", "digest"),
    )
    op.create_table(
        "item_note",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("item_id", sa.String(length=26), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("staff_id", sa.String(length=26), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("at", storage.database.UtcTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("item_note", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_item_note_item_id"), ["item_id"], unique=False)


def downgrade() -> None:
    """Undo."""
    op.drop_table("item_note")
    op.drop_table("item_view")
