"""What colleagues note about a question, and a number left for a call back."""

import sqlalchemy as sa
from alembic import op

from storage.database import UtcTime

revision = "0047"
down_revision = "0049"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "ticket_note",
        sa.Column("id", sa.String(26), primary_key=True),
        sa.Column("ticket_id", sa.String(26), nullable=False),
        sa.Column("staff_id", sa.String(26), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("at", UtcTime(), nullable=False),
    )
    op.create_index("ix_ticket_note_ticket_id", "ticket_note", ["ticket_id"])
    op.add_column("ticket", sa.Column("phone", sa.Text(), nullable=False, server_default=""))


def downgrade() -> None:
    """Undo."""
    with op.batch_alter_table("ticket") as batch:
        batch.drop_column("phone")
    op.drop_table("ticket_note")
