"""What the digests of an account came to on one day."""

import sqlalchemy as sa
from alembic import op

revision = "0062"
down_revision = "0060"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "digest_day",
        sa.Column("account_id", sa.String(26), primary_key=True),
        sa.Column("day", sa.String(10), primary_key=True),
        sa.Column("began", sa.DateTime(timezone=True), nullable=False),
        sa.Column("newest", sa.DateTime(timezone=True), nullable=False),
        *(
            sa.Column(name, sa.Integer(), nullable=False)
            for name in ("messages", "items", "skipped", "failed")
        ),
    )


def downgrade() -> None:
    """Undo."""
    op.drop_table("digest_day")
