"""Wordings of a clause with days of their own; topics and stated status of a policy."""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("policy", sa.Column("stated", sa.String(12)))
    op.add_column("policy", sa.Column("topics", sa.String(300)))
    op.add_column("clause", sa.Column("place", sa.Integer()))
    op.add_column("clause", sa.Column("effective_from", sa.String(10)))
    op.add_column("clause", sa.Column("replaced_on", sa.String(10)))


def downgrade() -> None:
    """Undo."""
    for name in ("replaced_on", "effective_from", "place"):
        with op.batch_alter_table("clause") as batch:
            batch.drop_column(name)
    for name in ("topics", "stated"):
        with op.batch_alter_table("policy") as batch:
            batch.drop_column(name)
