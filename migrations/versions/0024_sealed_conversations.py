"""Seal where contacts stand in a conversation.

What stands open at the upgrade goes: nobody can tell any more who wrote it, and it would be an
incident for each citizen who writes within the day. They are asked to choose once more.
"""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.execute(sa.text("DELETE FROM chat_draft"))
    op.add_column("chat_draft", sa.Column("seal", sa.String(64), server_default="", nullable=False))


def downgrade() -> None:
    """Undo."""
    with op.batch_alter_table("chat_draft") as batch:
        batch.drop_column("seal")
