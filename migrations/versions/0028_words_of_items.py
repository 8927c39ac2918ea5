"""What is searched of each item, how long it lies where it is, and what it was copied from."""

import json
import re
import unicodedata
from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

from storage.database import UtcTime

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

_MANY = 200
_LONGEST = 50_000
_MOVES = (
    *("item.submitted", "item.referred", "item.scheduled", "item.recalled", "item.quarantined"),
    *("item.lifted", "decision", "release.created", "publication.finished"),
    *("publication.settled", "revision.created"),
)


def upgrade() -> None:
    """Apply; every item that stands can be searched at once."""
    op.add_column("item", sa.Column("since", UtcTime(), nullable=True))
    op.add_column("item", sa.Column("begun_like", sa.String(26), server_default="", nullable=False))
    words = op.create_table(
        "item_words",
        sa.Column("item_id", sa.String(26), primary_key=True),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("accounts", sa.Text(), server_default="", nullable=False),
        sa.Column("not_before", UtcTime(), nullable=True),
        sa.Column("not_after", UtcTime(), nullable=True),
        sa.Column("sketch", sa.LargeBinary(), nullable=True),
    )
    _note_since()
    _note_words(words)


def downgrade() -> None:
    """Undo."""
    op.drop_table("item_words")
    with op.batch_alter_table("item") as batch:
        batch.drop_column("begun_like")
        batch.drop_column("since")


def _note_since() -> None:
    item, entry = sa.table("item", *map(sa.column, ("id", "since", "updated_at"))), _entry()
    last = (
        sa.select(sa.func.max(entry.c.at))
        .where(entry.c.subject == sa.literal("item:") + item.c.id, entry.c.kind.in_(_MOVES))
        .scalar_subquery()
    )
    op.get_bind().execute(sa.update(item).values(since=sa.func.coalesce(last, item.c.updated_at)))


def _entry() -> sa.TableClause:
    return sa.table("ledger_entry", *map(sa.column, ("subject", "kind", "at")))


def _note_words(words: sa.Table) -> None:
    """From the latest revision of each; one that cannot be read is found by nothing."""
    bind = op.get_bind()
    names = ("item_id", "number", "canonical")
    version = sa.table("revision", *map(sa.column, names))
    newest = sa.select(version.c.item_id, sa.func.max(version.c.number).label("number"))
    newest_of = newest.group_by(version.c.item_id).subquery()
    here = (newest_of.c.item_id == version.c.item_id) & (newest_of.c.number == version.c.number)
    ids = bind.execute(sa.select(newest_of.c.item_id)).scalars().all()
    for at in range(0, len(ids), _MANY):
        query = sa.select(version.c.item_id, version.c.canonical).join(newest_of, here)
        rows = bind.execute(query.where(version.c.item_id.in_(ids[at : at + _MANY]))).all()
        if made := [one for row in rows if (one := _read(row.item_id, row.canonical))]:
            bind.execute(sa.insert(words), made)


def _read(item_id: str, text: str) -> dict[str, object] | None:
    try:
        data = json.loads(text)
        beside = [data.get("summary", ""), data.get("author", ""), *data["attribution"].values()]
        parts = (data["title"], data["body"], "\n".join(beside))
        accounts = f" {' '.join(data['accounts'])} "
        return {
            "item_id": item_id,
            "words": " ".join(map(_letters, parts)),
            "accounts": accounts,
            "not_before": datetime.fromisoformat(data["not_before"]).astimezone(UTC),
            "not_after": datetime.fromisoformat(data["not_after"]).astimezone(UTC),
            "sketch": None,
        }
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        return None


def _letters(text: str) -> str:
    """As gates/alike.py had it when this was written."""
    return re.sub(r"[^\w]|_", "", unicodedata.normalize("NFKC", text)).lower()[:_LONGEST]
