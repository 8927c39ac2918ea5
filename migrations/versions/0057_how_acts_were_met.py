"""How an act of a citizen was met and how long it took: the promises of a day are counted."""

import sqlalchemy as sa
from alembic import op

revision = "0057"
down_revision = "0054"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column(
        "inbound_message", sa.Column("met", sa.String(12), nullable=False, server_default="")
    )
    op.add_column("inbound_message", sa.Column("took", sa.Integer(), nullable=True))
    op.create_index("ix_inbound_message_at", "inbound_message", ["at"])


def downgrade() -> None:
    """Undo."""
    op.drop_index("ix_inbound_message_at", "inbound_message")
    op.drop_column("inbound_message", "took")
    op.drop_column("inbound_message", "met")
