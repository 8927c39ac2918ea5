"""By which way a push went, who agreed to which notice, and since when somebody is out of reach."""

import sqlalchemy as sa
from alembic import op

from storage.database import UtcTime

revision = "0041"
down_revision = "0045"
branch_labels = None
depends_on = None


def _text(name: str, length: int) -> sa.Column[str]:
    return sa.Column(name, sa.String(length), server_default="", nullable=False)


def upgrade() -> None:
    """Apply."""
    op.add_column("delivery", _text("route", 8))
    op.add_column("contact", sa.Column("ended_at", UtcTime(), nullable=True))
    op.add_column("contact", sa.Column("paused_at", UtcTime(), nullable=True))
    op.add_column("contact", _text("paused_code", 20))
    op.create_index("ix_contact_paused_at", "contact", ["paused_at"])
    op.create_table(
        "notice_consent",
        sa.Column("id", sa.String(26), primary_key=True),
        sa.Column("account_id", sa.String(26), nullable=False),
        sa.Column("contact_id", sa.String(26), nullable=False),
        sa.Column("template", sa.String(64), nullable=False),
        sa.Column("left", sa.Integer(), nullable=False),
        sa.Column("ended_at", UtcTime(), nullable=True),
        sa.Column("why", sa.String(12), nullable=False),
        _text("seal", 64),
        sa.UniqueConstraint("contact_id", "template"),
    )
    op.create_index("ix_notice_consent_account_id", "notice_consent", ["account_id"])
    op.create_table(
        "notice_event",
        sa.Column("id", sa.String(26), primary_key=True),
        sa.Column("account_id", sa.String(26), nullable=False),
        sa.Column("contact_id", sa.String(26), nullable=False),
        sa.Column("template", sa.String(64), nullable=False),
        sa.Column("dedupe", sa.String(80), nullable=False),
        sa.Column("did", sa.String(12), nullable=False),
        sa.Column("message", sa.String(40), nullable=False),
        sa.Column("at", UtcTime(), nullable=False),
        _text("seal", 64),
        sa.UniqueConstraint("account_id", "dedupe"),
    )
    op.create_index("ix_notice_event_of", "notice_event", ["contact_id", "template"])
    op.create_table(
        "notice_pause",
        sa.Column("account_id", sa.String(26), primary_key=True),
        sa.Column("template", sa.String(64), primary_key=True),
        sa.Column("code", sa.String(20), nullable=False),
        sa.Column("why", sa.String(200), nullable=False),
        sa.Column("since", UtcTime(), nullable=False),
        sa.Column("until", UtcTime(), nullable=False),
    )


def downgrade() -> None:
    """Undo."""
    for name in ("notice_pause", "notice_event", "notice_consent"):
        op.drop_table(name)
    op.drop_index("ix_contact_paused_at", "contact")
    with op.batch_alter_table("contact") as batch:
        for name in ("paused_code", "paused_at", "ended_at"):
            batch.drop_column(name)
    with op.batch_alter_table("delivery") as batch:
        batch.drop_column("route")
