"""Who was told what is sealed, and answers are told beside clauses."""

import sqlalchemy as sa
from alembic import op

revision = "0046"
down_revision = "0047"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    with op.batch_alter_table("told") as batch:
        batch.add_column(sa.Column("seal", sa.String(64), server_default="", nullable=False))
        batch.alter_column("clause_id", type_=sa.String(40), existing_type=sa.String(26))


def downgrade() -> None:
    """Undo."""
    with op.batch_alter_table("told") as batch:
        batch.alter_column("clause_id", type_=sa.String(26), existing_type=sa.String(40))
        batch.drop_column("seal")
