"""Add column states, documents, snapshots and sketches of articles"""

import sqlalchemy as sa
from alembic import op

import storage.database

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "snapshot",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("article_id", sa.String(length=26), nullable=True),
        sa.Column("url", sa.String(length=500), nullable=False),
        sa.Column("final_url", sa.Text(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("headers", sa.JSON(), nullable=False),
        sa.Column("media", sa.String(length=80), nullable=False),
        sa.Column("fetched_at", storage.database.UtcTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_snapshot_article_id", "snapshot", ["article_id"])
    op.create_index("ix_snapshot_url", "snapshot", ["url"])
    op.create_table(
        "article_sketch",
        sa.Column("number", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("article_id", sa.String(length=26), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("article_id"),
    )
    op.create_table(
        "article_band",
        sa.Column("key", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("key", "number"),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("source_column", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("state", sa.String(length=12), nullable=False, server_default="new")
        )
        batch_op.add_column(sa.Column("failures", sa.Integer(), nullable=False, server_default="0"))
        batch_op.add_column(sa.Column("notes", sa.JSON(), nullable=False, server_default="[]"))
        batch_op.add_column(sa.Column("shape", sa.JSON(), nullable=False, server_default="{}"))

    with op.batch_alter_table("article", schema=None) as batch_op:
        batch_op.add_column(sa.Column("blocks", sa.JSON(), nullable=False, server_default="[]"))
        batch_op.add_column(sa.Column("likeness", sa.Text(), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("policy", sa.JSON(), nullable=False, server_default="{}"))
        batch_op.add_column(
            sa.Column("library", sa.String(length=12), nullable=False, server_default="")
        )
        batch_op.create_index(batch_op.f("ix_article_duplicate_of"), ["duplicate_of"], unique=False)
        batch_op.create_index(batch_op.f("ix_article_library"), ["library"], unique=False)


def downgrade() -> None:
    """Undo."""
    with op.batch_alter_table("article", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_article_library"))
        batch_op.drop_index(batch_op.f("ix_article_duplicate_of"))
        for name in ("library", "policy", "likeness", "blocks"):
            batch_op.drop_column(name)

    with op.batch_alter_table("source_column", schema=None) as batch_op:
        for name in ("shape", "notes", "failures", "state"):
            batch_op.drop_column(name)

    op.drop_table("article_band")
    op.drop_table("article_sketch")
    op.drop_index("ix_snapshot_url", table_name="snapshot")
    op.drop_index("ix_snapshot_article_id", table_name="snapshot")
    op.drop_table("snapshot")
