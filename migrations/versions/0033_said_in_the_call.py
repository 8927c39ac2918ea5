"""What was answered inside a platform's call stands with the act it answers."""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column(
        "inbound_message", sa.Column("said", sa.Text(), server_default="", nullable=False)
    )


def downgrade() -> None:
    """Undo."""
    with op.batch_alter_table("inbound_message") as batch:
        batch.drop_column("said")
