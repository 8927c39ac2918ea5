"""What kind each process is, and when each job was last done."""

import sqlalchemy as sa
from alembic import op

revision = "0039"
down_revision = "0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    kind = sa.Column("kind", sa.String(10), server_default="all", nullable=False)
    op.add_column("process", kind)
    op.create_table(
        "job_run",
        sa.Column("name", sa.String(20), primary_key=True),
        sa.Column("every", sa.Double(), nullable=False),
        sa.Column("began", sa.Double(), nullable=False),
        sa.Column("ended", sa.Double(), nullable=True),
        sa.Column("failed", sa.Double(), nullable=True),
        sa.Column("problem", sa.String(80), server_default="", nullable=False),
    )


def downgrade() -> None:
    """Undo."""
    op.drop_table("job_run")
    with op.batch_alter_table("process") as batch:
        batch.drop_column("kind")
