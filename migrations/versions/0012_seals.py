"""Seal the rows that let somebody in or say where something goes."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

SEALED = ("staff", "console_session", "api_token", "account")


def upgrade() -> None:
    """Apply; what stands already is sealed once by office/upgrades.py, which has the key."""
    for table in SEALED:
        op.add_column(table, sa.Column("seal", sa.String(64), server_default="", nullable=False))


def downgrade() -> None:
    """Undo."""
    for table in SEALED:
        with op.batch_alter_table(table) as batch:
            batch.drop_column("seal")
