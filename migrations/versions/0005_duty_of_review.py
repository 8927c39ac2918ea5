"""Keep the questions to outside experts."""

import sqlalchemy as sa
from alembic import op

import storage.database

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    moment = storage.database.UtcTime(timezone=True)
    op.create_table(
        "expert_link",
        sa.Column("id", sa.String(26), primary_key=True),
        sa.Column("item_id", sa.String(26), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("token_hash", sa.String(64), nullable=False, unique=True),
        sa.Column("organisation", sa.String(120), nullable=False),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("asked_by", sa.String(26), nullable=False),
        sa.Column("asked_at", moment, nullable=False),
        sa.Column("expires_at", moment, nullable=False),
        sa.Column("withdrawn_at", moment, nullable=True),
        sa.Column("answered_at", moment, nullable=True),
        sa.Column("verdict", sa.String(12), nullable=False),
        sa.Column("name", sa.String(60), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
    )
    op.create_index("ix_expert_link_item_id", "expert_link", ["item_id"])


def downgrade() -> None:
    """Undo."""
    op.drop_table("expert_link")
