"""Keep the passkeys of staff."""

import sqlalchemy as sa
from alembic import op

import storage.database

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    moment = storage.database.UtcTime(timezone=True)
    op.create_table(
        "passkey",
        sa.Column("id", sa.String(26), primary_key=True),
        sa.Column("staff_id", sa.String(26), nullable=False),
        sa.Column("credential", sa.Text(), nullable=False),
        sa.Column("public_key", sa.Text(), nullable=False),
        sa.Column("rp_id", sa.String(253), nullable=False),
        sa.Column("origin", sa.String(300), nullable=False),
        sa.Column("label", sa.String(60), nullable=False),
        sa.Column("sign_count", sa.Integer(), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("confirmed_by", sa.String(26), nullable=True),
        sa.Column("confirmed_at", moment, nullable=True),
        sa.Column("revoked_at", moment, nullable=True),
    )
    op.create_index("ix_passkey_staff_id", "passkey", ["staff_id"])


def downgrade() -> None:
    """Undo."""
    op.drop_table("passkey")
