"""Drop the table of working days: the published arrangements and the signed setting say them.

The program wrote nothing into it but the published holidays and make-up workdays, which it now
reads from where they come. No page and no command ever changed a row; what an office had set there
by hand can only have come by SQL, which nobody approved, and goes with the table. Its place is
`days` in the setting `calendar`, changed by two people.
"""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.drop_table("calendar_day")


def downgrade() -> None:
    """Undo; the version before fills the table when it starts."""
    op.create_table(
        "calendar_day",
        sa.Column("day", sa.String(10), primary_key=True),
        sa.Column("working", sa.Boolean(), nullable=False),
        sa.Column("note", sa.String(80), nullable=False),
    )
