"""意见征集: consultations and what citizens wrote to them."""

import sqlalchemy as sa
from alembic import op

from storage.database import UtcTime

revision = "0060"
down_revision = "0061"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "consultation",
        sa.Column("id", sa.String(26), primary_key=True),
        sa.Column("title", sa.String(60), nullable=False),
        sa.Column("about", sa.String(26), nullable=False),
        sa.Column("accounts", sa.JSON(), nullable=False),
        sa.Column("promise", sa.Text(), nullable=False),
        sa.Column("begins_at", UtcTime(), nullable=False),
        sa.Column("ends_at", UtcTime(), nullable=False),
        sa.Column("result_by", UtcTime(), nullable=False),
        sa.Column("result_item", sa.String(26), nullable=False, server_default=""),
        sa.Column("told_at", UtcTime(), nullable=True),
        sa.Column("seal", sa.String(64), nullable=False, server_default=""),
    )
    op.create_table(
        "opinion",
        sa.Column("id", sa.String(26), primary_key=True),
        sa.Column("consultation_id", sa.String(26), nullable=False),
        sa.Column("contact_id", sa.String(26), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("at", UtcTime(), nullable=False),
        sa.Column("topic", sa.String(40), nullable=False, server_default=""),
        sa.Column("verdict", sa.String(12), nullable=False, server_default=""),
        sa.Column("reason", sa.Text(), nullable=False, server_default=""),
        sa.Column("decided_by", sa.String(26), nullable=False, server_default=""),
        sa.Column("seal", sa.String(64), nullable=False, server_default=""),
    )
    op.create_index("ix_opinion_consultation_id", "opinion", ["consultation_id"])
    op.create_index("ix_opinion_contact_id", "opinion", ["contact_id"])


def downgrade() -> None:
    """Undo."""
    op.drop_table("opinion")
    op.drop_table("consultation")
