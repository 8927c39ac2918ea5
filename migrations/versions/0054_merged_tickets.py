"""The question another one was merged into."""

import sqlalchemy as sa
from alembic import op

revision = "0054"
down_revision = "0046a"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("ticket", sa.Column("merged_into", sa.String(26), nullable=True))


def downgrade() -> None:
    """Undo."""
    with op.batch_alter_table("ticket") as batch:
        batch.drop_column("merged_into")
