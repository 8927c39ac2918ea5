"""Leases and rests in the database; acts of citizens that wait for their answer."""

import sqlalchemy as sa
from alembic import op

from storage.database import UtcTime

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "process",
        sa.Column("id", sa.String(26), primary_key=True),
        sa.Column("place", sa.String(200), nullable=False),
        sa.Column("since", sa.Double(), nullable=False),
        sa.Column("until", sa.Double(), nullable=False),
        sa.Column("worked", sa.Double()),
    )
    op.create_table(
        "account_rest",
        sa.Column("account_id", sa.String(26), primary_key=True),
        sa.Column("scope", sa.String(12), nullable=False),
        sa.Column("until", UtcTime(), nullable=False),
    )
    table = "inbound_message"
    op.add_column(table, sa.Column("key", sa.String(128), server_default="", nullable=False))
    op.add_column(table, sa.Column("owner", sa.String(26), server_default="", nullable=False))
    op.add_column(table, sa.Column("waits", sa.String(64), server_default="", nullable=False))
    op.create_index("ix_inbound_message_waits", table, ["waits"])
    # A refused credential was kept under its number, and whoever freed an account asked for this.
    op.execute(
        sa.text("UPDATE delivery SET hold = 'account' WHERE state = 'held' AND hold = '401'")
    )


def downgrade() -> None:
    """Undo."""
    op.drop_index("ix_inbound_message_waits", "inbound_message")
    for name in ("waits", "owner", "key"):
        with op.batch_alter_table("inbound_message") as batch:
            batch.drop_column(name)
    op.drop_table("account_rest")
    op.drop_table("process")
