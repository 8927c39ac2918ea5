"""Acts of one contact in their order, a window for each kind of act, the end of a staff answer."""

import sqlalchemy as sa
from alembic import op

from storage.database import UtcTime

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

_NEW = (
    ("contact", "brief_at", UtcTime(), None),
    ("contact", "brief_used", sa.Integer(), "0"),
    ("contact", "turn", sa.String(26), ""),
    ("contact", "turn_until", UtcTime(), None),
    ("inbound_message", "position", sa.BigInteger(), "0"),
    ("inbound_message", "place", sa.BigInteger(), "0"),
    ("inbound_message", "handled_at", UtcTime(), None),
    ("ticket_reply", "why", sa.Text(), ""),
)


def upgrade() -> None:
    """Apply. The long window stood after every act; now it is that of the newest message."""
    for table, name, kind, default in _NEW:
        nullable = default is None
        op.add_column(table, sa.Column(name, kind, server_default=default, nullable=nullable))
    op.execute(
        "UPDATE contact SET last_inbound_at = (SELECT max(m.at) FROM inbound_message m"
        " WHERE m.contact_id = contact.id AND m.dedupe NOT LIKE 'e:%')"
        " WHERE EXISTS (SELECT 1 FROM inbound_message m"
        " WHERE m.contact_id = contact.id AND m.dedupe LIKE 'e:%')"
    )
    # Staff were told "sent" and "answered" of answers that waited.
    op.execute(
        "UPDATE ticket_reply SET state = 'sending' WHERE state = 'sent' AND delivery_id IN"
        " (SELECT id FROM delivery WHERE state IN ('created', 'retrying', 'sending', 'held'))"
    )
    op.execute(
        "UPDATE ticket SET state = 'replied', answered_at = NULL WHERE state = 'answered'"
        " AND id IN (SELECT ticket_id FROM ticket_reply WHERE state = 'sending')"
    )


def downgrade() -> None:
    """Undo."""
    for table, name, *_ in reversed(_NEW):
        with op.batch_alter_table(table) as batch:
            batch.drop_column(name)
