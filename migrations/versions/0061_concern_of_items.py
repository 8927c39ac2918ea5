"""Topics and regions that were approved with a text, and a reviewer's mark of it."""

import sqlalchemy as sa
from alembic import op

revision = "0061"
down_revision = "0058"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    for name, kind in (("topics", sa.Text()), ("regions", sa.Text()), ("concern", sa.String(12))):
        op.add_column("item", sa.Column(name, kind, nullable=False, server_default=""))


def downgrade() -> None:
    """Undo."""
    with op.batch_alter_table("item") as batch:
        for name in ("topics", "regions", "concern"):
            batch.drop_column(name)
