"""Followers as their platform lists them, and comments under what was sent."""

import sqlalchemy as sa
from alembic import op

from storage.database import UtcTime

revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None

_COUNTS = ("total", "listed", "made", "back", "gone")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "follower_run",
        sa.Column("account_id", sa.String(26), primary_key=True),
        sa.Column("began", UtcTime(), nullable=False),
        sa.Column("after", sa.Text(), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in _COUNTS),
        sa.Column("tried", UtcTime(), nullable=False),
        sa.Column("ended", UtcTime(), nullable=True),
        sa.Column("problem", sa.Text(), nullable=False),
    )
    op.add_column("contact", sa.Column("listed_at", UtcTime(), nullable=True))
    op.create_table(
        "comment_area",
        sa.Column("id", sa.String(26), primary_key=True),
        sa.Column("publication_id", sa.String(26), nullable=False),
        sa.Column("item_id", sa.String(26), nullable=False),
        sa.Column("account_id", sa.String(26), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("data", sa.String(40), nullable=False),
        sa.Column("closed", sa.Boolean(), nullable=False),
        sa.Column("next_at", UtcTime(), nullable=True),
        sa.Column("problem", sa.Text(), nullable=False),
        _seal(),
        sa.UniqueConstraint("publication_id", "place"),
    )
    op.create_table(
        "comment",
        sa.Column("id", sa.String(26), primary_key=True),
        sa.Column("area_id", sa.String(26), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("at", UtcTime(), nullable=False),
        sa.Column("featured", sa.Boolean(), nullable=False),
        sa.Column("reply", sa.Text(), nullable=False),
        sa.Column("gone", sa.Boolean(), nullable=False),
        _seal(),
        sa.UniqueConstraint("area_id", "number"),
    )
    op.create_table(
        "comment_act",
        sa.Column("id", sa.String(26), primary_key=True),
        sa.Column("area_id", sa.String(26), nullable=False, index=True),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("act", sa.String(12), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("salt", sa.String(32), nullable=False),
        sa.Column("by", sa.String(26), nullable=False),
        sa.Column("state", sa.String(12), nullable=False, index=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("asked_at", UtcTime(), nullable=False),
        sa.Column("next_at", UtcTime(), nullable=True),
        sa.Column("finished_at", UtcTime(), nullable=True),
        _seal(),
    )


def _seal() -> sa.Column[str]:
    return sa.Column("seal", sa.String(64), server_default="", nullable=False)


def downgrade() -> None:
    """Undo."""
    for table in ("comment_act", "comment", "comment_area"):
        op.drop_table(table)
    with op.batch_alter_table("contact") as batch:
        batch.drop_column("listed_at")
    op.drop_table("follower_run")
