"""Add changes, imports, exceptions, picture rights, watch and tasks to the source list"""

import sqlalchemy as sa
from alembic import op

import storage.database

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "picture_right",
        sa.Column("media", sa.String(length=80), nullable=False),
        sa.Column("origin", sa.String(length=500), nullable=False),
        sa.Column("licence", sa.String(length=300), nullable=False),
        sa.Column("set_by", sa.String(length=26), nullable=False),
        sa.Column("set_at", storage.database.UtcTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("media"),
    )
    op.create_table(
        "source_change",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("source_id", sa.String(length=26), nullable=False),
        sa.Column("action", sa.String(length=12), nullable=False),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.Column("before", sa.JSON(), nullable=False),
        sa.Column("batch", sa.String(length=26), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("proposed_by", sa.String(length=26), nullable=False),
        sa.Column("proposed_at", storage.database.UtcTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.String(length=26), nullable=True),
        sa.Column("decided_at", storage.database.UtcTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("source_change", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_source_change_batch"), ["batch"], unique=False)
        batch_op.create_index(batch_op.f("ix_source_change_source_id"), ["source_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_source_change_state"), ["state"], unique=False)

    op.create_table(
        "source_exception",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("item_id", sa.String(length=26), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("content", sa.String(length=64), nullable=False),
        sa.Column("url", sa.String(length=500), nullable=False),
        sa.Column("host", sa.String(length=255), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("salt", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("asked_by", sa.String(length=26), nullable=False),
        sa.Column("asked_at", storage.database.UtcTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.String(length=26), nullable=True),
        sa.Column("decided_at", storage.database.UtcTime(timezone=True), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("source_exception", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_source_exception_content"), ["content"], unique=False)
        batch_op.create_index(batch_op.f("ix_source_exception_item_id"), ["item_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_source_exception_state"), ["state"], unique=False)

    op.create_table(
        "source_import",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("list_version", sa.String(length=60), nullable=False),
        sa.Column("file_name", sa.String(length=200), nullable=False),
        sa.Column("file", sa.String(length=80), nullable=False),
        sa.Column("basis", sa.String(length=300), nullable=False),
        sa.Column("diff", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("proposed_by", sa.String(length=26), nullable=False),
        sa.Column("proposed_at", storage.database.UtcTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.String(length=26), nullable=True),
        sa.Column("decided_at", storage.database.UtcTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "source_task",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("title", sa.String(length=300), nullable=False),
        sa.Column("url", sa.String(length=500), nullable=False),
        sa.Column("item_id", sa.String(length=26), nullable=True),
        sa.Column("source_id", sa.String(length=26), nullable=True),
        sa.Column("accounts", sa.JSON(), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.Column("assignee", sa.String(length=26), nullable=True),
        sa.Column("due_at", storage.database.UtcTime(timezone=True), nullable=False),
        sa.Column("reminded_at", storage.database.UtcTime(timezone=True), nullable=True),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("outcome", sa.String(length=20), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("created_by", sa.String(length=26), nullable=False),
        sa.Column("created_at", storage.database.UtcTime(timezone=True), nullable=False),
        sa.Column("done_by", sa.String(length=26), nullable=True),
        sa.Column("done_at", storage.database.UtcTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("source_task", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_source_task_assignee"), ["assignee"], unique=False)
        batch_op.create_index(batch_op.f("ix_source_task_item_id"), ["item_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_source_task_source_id"), ["source_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_source_task_state"), ["state"], unique=False)

    op.create_table(
        "source_watch",
        sa.Column("item_id", sa.String(length=26), nullable=False),
        sa.Column("article_id", sa.String(length=26), nullable=False),
        sa.Column("url", sa.String(length=500), nullable=False),
        sa.Column("title", sa.String(length=300), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("etag", sa.String(length=200), nullable=False),
        sa.Column("last_modified", sa.String(length=80), nullable=False),
        sa.Column("looks", sa.Integer(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("next_at", storage.database.UtcTime(timezone=True), nullable=False),
        sa.Column("seen_at", storage.database.UtcTime(timezone=True), nullable=True),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("item_id"),
    )
    with op.batch_alter_table("source_watch", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_source_watch_article_id"), ["article_id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_source_watch_next_at"), ["next_at"], unique=False)

    with op.batch_alter_table("article", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("final_url", sa.String(length=500), nullable=False, server_default="")
        )
        batch_op.create_index(batch_op.f("ix_article_final_url"), ["final_url"], unique=False)

    with op.batch_alter_table("source", schema=None) as batch_op:
        batch_op.add_column(sa.Column("paths", sa.JSON(), nullable=False, server_default="[]"))
        batch_op.add_column(sa.Column("topics", sa.JSON(), nullable=False, server_default="[]"))
        batch_op.add_column(
            sa.Column("picture_licence", sa.String(length=200), nullable=False, server_default="")
        )
        batch_op.add_column(
            sa.Column("told", sa.String(length=12), nullable=False, server_default="")
        )
        batch_op.add_column(
            sa.Column("basis_file", sa.String(length=80), nullable=False, server_default="")
        )


def downgrade() -> None:
    """Undo."""
    with op.batch_alter_table("source", schema=None) as batch_op:
        batch_op.drop_column("told")
        batch_op.drop_column("basis_file")
        batch_op.drop_column("picture_licence")
        batch_op.drop_column("topics")
        batch_op.drop_column("paths")

    with op.batch_alter_table("article", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_article_final_url"))
        batch_op.drop_column("final_url")

    with op.batch_alter_table("source_watch", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_source_watch_next_at"))
        batch_op.drop_index(batch_op.f("ix_source_watch_article_id"))

    op.drop_table("source_watch")
    with op.batch_alter_table("source_task", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_source_task_state"))
        batch_op.drop_index(batch_op.f("ix_source_task_source_id"))
        batch_op.drop_index(batch_op.f("ix_source_task_item_id"))
        batch_op.drop_index(batch_op.f("ix_source_task_assignee"))

    op.drop_table("source_task")
    op.drop_table("source_import")
    with op.batch_alter_table("source_exception", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_source_exception_state"))
        batch_op.drop_index(batch_op.f("ix_source_exception_item_id"))
        batch_op.drop_index(batch_op.f("ix_source_exception_content"))

    op.drop_table("source_exception")
    with op.batch_alter_table("source_change", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_source_change_state"))
        batch_op.drop_index(batch_op.f("ix_source_change_source_id"))
        batch_op.drop_index(batch_op.f("ix_source_change_batch"))

    op.drop_table("source_change")
    op.drop_table("picture_right")
