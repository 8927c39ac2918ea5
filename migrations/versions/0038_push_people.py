"""The platform's code of each message; what readers did with an article, day by day."""

import sqlalchemy as sa
from alembic import op

from storage.database import UtcTime

revision = "0038"
down_revision = "0035"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("delivery", sa.Column("code", sa.String(40), server_default="", nullable=False))
    op.create_table(
        "reading",
        sa.Column("account_id", sa.String(26), primary_key=True),
        sa.Column("ref", sa.String(200), primary_key=True),
        sa.Column("day", sa.String(10), primary_key=True),
        sa.Column("publication_id", sa.String(26), nullable=False),
        sa.Column("readers", sa.Integer(), nullable=False),
        sa.Column("reads", sa.Integer(), nullable=False),
        sa.Column("sharers", sa.Integer(), nullable=False),
        sa.Column("shares", sa.Integer(), nullable=False),
        sa.Column("at", UtcTime(), nullable=False),
    )
    op.create_index("ix_reading_publication_id", "reading", ["publication_id"])


def downgrade() -> None:
    """Undo."""
    op.drop_table("reading")
    with op.batch_alter_table("delivery") as batch:
        batch.drop_column("code")
