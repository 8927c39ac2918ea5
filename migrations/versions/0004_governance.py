"""Add proposals, approved levels, rule sets and rule feedback."""

import sqlalchemy as sa
from alembic import op

from storage.database import UtcTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "proposal",
        sa.Column("id", sa.String(length=26), primary_key=True),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("subject", sa.String(length=80), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("effect", sa.JSON(), nullable=False),
        sa.Column("proposed_by", sa.String(length=26), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("salt", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("decided_by", sa.String(length=26), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("proposed_at", UtcTime(), nullable=False),
        sa.Column("decided_at", UtcTime(), nullable=True),
    )
    op.create_index("ix_proposal_state", "proposal", ["state"])
    op.create_table(
        "workflow_definition",
        sa.Column("klass", sa.String(length=12), primary_key=True),
        sa.Column("version", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("proposal_id", sa.String(length=26), nullable=True),
        sa.Column("proposed_by", sa.String(length=26), nullable=False),
        sa.Column("approved_by", sa.String(length=26), nullable=False),
        sa.Column("approved_seq", sa.Integer(), nullable=False),
        sa.Column("approved_at", UtcTime(), nullable=False),
    )
    op.create_table(
        "ruleset",
        sa.Column("version", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("digest", sa.String(length=64), nullable=False, unique=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("proposal_id", sa.String(length=26), nullable=True),
        sa.Column("proposed_by", sa.String(length=26), nullable=False),
        sa.Column("approved_by", sa.String(length=26), nullable=False),
        sa.Column("approved_seq", sa.Integer(), nullable=False),
        sa.Column("approved_at", UtcTime(), nullable=False),
    )
    op.create_table(
        "rule_feedback",
        sa.Column("id", sa.String(length=26), primary_key=True),
        sa.Column("rule", sa.String(length=80), nullable=False),
        sa.Column("item_id", sa.String(length=26), nullable=False),
        sa.Column("staff_id", sa.String(length=26), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("at", UtcTime(), nullable=False),
        sa.UniqueConstraint("rule", "item_id", "staff_id"),
    )
    op.create_index("ix_rule_feedback_rule", "rule_feedback", ["rule"])


def downgrade() -> None:
    """Undo."""
    op.drop_table("rule_feedback")
    op.drop_table("ruleset")
    op.drop_table("workflow_definition")
    op.drop_table("proposal")
