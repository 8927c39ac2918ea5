"""An article of an edition names the publication it went out with, and its place there."""

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0037"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    of = sa.Column("edition_id", sa.String(26), server_default="", nullable=False)
    op.add_column("publication", of)
    at = sa.Column("article_index", sa.Integer(), server_default="0", nullable=False)
    op.add_column("publication", at)
    op.create_index("ix_publication_edition_id", "publication", ["edition_id"])


def downgrade() -> None:
    """Undo."""
    op.drop_index("ix_publication_edition_id", "publication")
    with op.batch_alter_table("publication") as batch:
        batch.drop_column("article_index")
        batch.drop_column("edition_id")
