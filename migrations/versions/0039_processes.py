"""What kind each process is, when each job was last done, what each account may do."""

import sqlalchemy as sa
from alembic import op

from storage.database import UtcTime

revision = "0039"
down_revision = "0040"
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
    op.create_table(
        "account_ability",
        sa.Column("account_id", sa.String(26), primary_key=True),
        sa.Column("name", sa.String(20), primary_key=True),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("label", sa.String(40), nullable=False),
        sa.Column("able", sa.Boolean(), nullable=True),
        sa.Column("needed", sa.Boolean(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("at", UtcTime(), nullable=False),
    )


def downgrade() -> None:
    """Undo."""
    op.drop_table("account_ability")
    op.drop_table("job_run")
    with op.batch_alter_table("process") as batch:
        batch.drop_column("kind")
