"""Add what decisions, referrals, emergencies, waivers and absences need.

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op

import storage.database

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "absence",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("staff_id", sa.String(length=26), nullable=False),
        sa.Column("starts_at", storage.database.UtcTime(timezone=True), nullable=False),
        sa.Column("ends_at", storage.database.UtcTime(timezone=True), nullable=False),
        sa.Column("substitute_id", sa.String(length=26), nullable=False),
        sa.Column("set_by", sa.String(length=26), nullable=False),
        sa.Column("at", storage.database.UtcTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("absence", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_absence_staff_id"), ["staff_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_absence_substitute_id"), ["substitute_id"], unique=False
        )

    op.create_table(
        "emergency",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("item_id", sa.String(length=26), nullable=False),
        sa.Column("run_seq", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("klass", sa.String(length=12), nullable=False),
        sa.Column("workflow", sa.JSON(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("staff_id", sa.String(length=26), nullable=False),
        sa.Column("at", storage.database.UtcTime(timezone=True), nullable=False),
        sa.Column("released_at", storage.database.UtcTime(timezone=True), nullable=True),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("due_at", storage.database.UtcTime(timezone=True), nullable=True),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("closed_at", storage.database.UtcTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("emergency", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_emergency_due_at"), ["due_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_emergency_item_id"), ["item_id"], unique=False)

    op.create_table(
        "referral",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("item_id", sa.String(length=26), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("department", sa.String(length=80), nullable=False),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("due_at", storage.database.UtcTime(timezone=True), nullable=False),
        sa.Column("asked_by", sa.String(length=26), nullable=False),
        sa.Column("asked_at", storage.database.UtcTime(timezone=True), nullable=False),
        sa.Column("ledger_seq", sa.Integer(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("answered_by", sa.String(length=26), nullable=True),
        sa.Column("answered_at", storage.database.UtcTime(timezone=True), nullable=True),
        sa.Column("voided_at", storage.database.UtcTime(timezone=True), nullable=True),
        sa.Column("reminded", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("referral", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_referral_due_at"), ["due_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_referral_item_id"), ["item_id"], unique=False)

    op.create_table(
        "remark",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("item_id", sa.String(length=26), nullable=False),
        sa.Column("ledger_seq", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("remark", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_remark_item_id"), ["item_id"], unique=False)

    op.create_table(
        "waiver",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("item_id", sa.String(length=26), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("gate", sa.String(length=12), nullable=False),
        sa.Column("rule", sa.String(length=120), nullable=False),
        sa.Column("span", sa.JSON(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("staff_id", sa.String(length=26), nullable=False),
        sa.Column("at", storage.database.UtcTime(timezone=True), nullable=False),
        sa.Column("ledger_seq", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("waiver", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_waiver_item_id"), ["item_id"], unique=False)

    with op.batch_alter_table("decision", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("attachments", sa.JSON(), server_default="{}", nullable=False)
        )
        batch_op.add_column(
            sa.Column("proof", sa.Boolean(), server_default=sa.false(), nullable=False)
        )
        batch_op.add_column(
            sa.Column("gate", sa.String(length=12), server_default="", nullable=False)
        )
        batch_op.add_column(sa.Column("span", sa.JSON(), nullable=True))
        batch_op.add_column(
            sa.Column("in_place_of", sa.String(length=26), server_default="", nullable=False)
        )
        batch_op.add_column(
            sa.Column("retrospective", sa.Boolean(), server_default=sa.false(), nullable=False)
        )
        batch_op.create_index(batch_op.f("ix_decision_ledger_seq"), ["ledger_seq"], unique=False)

    with op.batch_alter_table("item", schema=None) as batch_op:
        batch_op.add_column(sa.Column("run_seq", sa.Integer(), nullable=True))
        batch_op.add_column(
            sa.Column("level_reminded", sa.Boolean(), server_default=sa.false(), nullable=False)
        )
        batch_op.add_column(
            sa.Column("level_overdue", sa.Boolean(), server_default=sa.false(), nullable=False)
        )
        batch_op.add_column(
            sa.Column("retrospective", sa.String(length=12), server_default="", nullable=False)
        )
    op.execute(
        "UPDATE item SET run_seq = (SELECT max(seq) FROM ledger_entry WHERE"
        " kind = 'item.submitted' AND subject = 'item:' || item.id) WHERE workflow IS NOT NULL"
    )


def downgrade() -> None:
    """Undo."""
    with op.batch_alter_table("item", schema=None) as batch_op:
        batch_op.drop_column("retrospective")
        batch_op.drop_column("level_overdue")
        batch_op.drop_column("level_reminded")
        batch_op.drop_column("run_seq")

    with op.batch_alter_table("decision", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_decision_ledger_seq"))
        batch_op.drop_column("retrospective")
        batch_op.drop_column("in_place_of")
        batch_op.drop_column("span")
        batch_op.drop_column("gate")
        batch_op.drop_column("proof")
        batch_op.drop_column("attachments")

    with op.batch_alter_table("waiver", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_waiver_item_id"))

    op.drop_table("waiver")
    with op.batch_alter_table("remark", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_remark_item_id"))

    op.drop_table("remark")
    with op.batch_alter_table("referral", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_referral_item_id"))
        batch_op.drop_index(batch_op.f("ix_referral_due_at"))

    op.drop_table("referral")
    with op.batch_alter_table("emergency", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_emergency_item_id"))
        batch_op.drop_index(batch_op.f("ix_emergency_due_at"))

    op.drop_table("emergency")
    with op.batch_alter_table("absence", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_absence_substitute_id"))
        batch_op.drop_index(batch_op.f("ix_absence_staff_id"))

    op.drop_table("absence")
