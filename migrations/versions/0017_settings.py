"""Add settings and reply templates as rows whose digest a signed entry holds."""

import sqlalchemy as sa
from alembic import op

from storage.database import UtcTime

revision = "0017"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply; an office that stands is given its starting texts once by office/upgrades.py."""
    op.create_table(
        "setting",
        sa.Column("name", sa.String(length=40), primary_key=True),
        sa.Column("version", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("proposal_id", sa.String(length=26), nullable=True),
        sa.Column("proposed_by", sa.String(length=26), nullable=False),
        sa.Column("approved_by", sa.String(length=26), nullable=False),
        sa.Column("approved_seq", sa.Integer(), nullable=False),
        sa.Column("approved_at", UtcTime(), nullable=False),
    )
    op.create_table(
        "reply_template",
        sa.Column("name", sa.String(length=40), primary_key=True),
        sa.Column("version", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("item_id", sa.String(length=26), nullable=True, index=True),
        sa.Column("not_after", UtcTime(), nullable=True),
        sa.Column("at", UtcTime(), nullable=False),
    )


def downgrade() -> None:
    """Undo."""
    op.drop_table("reply_template")
    op.drop_table("setting")
