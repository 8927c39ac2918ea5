"""How far another office's open data was read."""

import sqlalchemy as sa
from alembic import op

revision = "0056"
down_revision = "0057"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    cursor = sa.Column("cursor", sa.String(200), nullable=False, server_default="")
    op.add_column("source_column", cursor)


def downgrade() -> None:
    """Undo."""
    with op.batch_alter_table("source_column") as batch:
        batch.drop_column("cursor")
