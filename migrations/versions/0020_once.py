"""Seal the publications."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply; what stands already is sealed once by office/stood.py, which has the keys."""
    op.add_column(
        "publication", sa.Column("seal", sa.String(64), server_default="", nullable=False)
    )


def downgrade() -> None:
    """Undo."""
    with op.batch_alter_table("publication") as batch:
        batch.drop_column("seal")
