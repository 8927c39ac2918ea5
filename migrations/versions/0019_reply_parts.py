"""Seal what is on its way to citizens, and keep the salt of what staff answered."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply; what stands already is sealed once by office/upgrades.py, which has the key."""
    seal = sa.Column("seal", sa.String(64), server_default="", nullable=False)
    late: sa.Column[bool] = sa.Column(
        "late", sa.Boolean(), server_default=sa.false(), nullable=False
    )
    salt = sa.Column("salt", sa.String(32), server_default="", nullable=False)
    op.add_column("delivery", seal)
    op.add_column("delivery", late)
    op.add_column("ticket_reply", salt)


def downgrade() -> None:
    """Undo."""
    with op.batch_alter_table("ticket_reply") as batch:
        batch.drop_column("salt")
    with op.batch_alter_table("delivery") as batch:
        batch.drop_column("late")
        batch.drop_column("seal")
