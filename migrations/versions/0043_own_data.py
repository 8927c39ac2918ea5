"""Subscriptions that follow one policy, and those whose narrowing is set aside."""

import sqlalchemy as sa
from alembic import op

revision = "0043"
down_revision = "0041"
branch_labels = None
depends_on = None

_COLUMNS: dict[str, sa.types.TypeEngine[str]] = {
    "aside": sa.String(140),
    "policy": sa.String(26),
    "known": sa.Text(),
}


def upgrade() -> None:
    """Apply."""
    for name, kind in _COLUMNS.items():
        op.add_column("subscription", sa.Column(name, kind, server_default="", nullable=False))
    op.create_index("ix_subscription_policy", "subscription", ["policy"])


def downgrade() -> None:
    """Undo."""
    op.drop_index("ix_subscription_policy", "subscription")
    with op.batch_alter_table("subscription") as batch:
        for name in _COLUMNS:
            batch.drop_column(name)
