"""Entries as they are stored: the signed text, and columns beside it for lists and searches.

The columns carry no signature, so each is compared with the text. What differs changes nothing that
is decided, because kind and subject are taken from the text; the ledger's watch reports it.
"""

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime

from sqlalchemy import String, select, type_coerce

from ledger.anchors import Mark
from ledger.models import LedgerEntry
from ledger.verify import Audit, Broken, Entry, Row

STORED = select(
    LedgerEntry.seq,
    LedgerEntry.preimage,
    LedgerEntry.hash,
    LedgerEntry.signature,
    LedgerEntry.kind,
    LedgerEntry.subject,
    LedgerEntry.actor,
    # As it is stored: what is no moment must be told of, and not stop the reading.
    type_coerce(LedgerEntry.at, String),
)
"""Everything of an entry, its number first."""


def columns_hold(entry: Entry, row: Row) -> bool:
    """Whether kind, subject, actor and moment beside the text are what the text says."""
    if row.beside is None:
        return True
    kind, subject, actor, at = row.beside
    return (kind, subject, actor) == (entry.kind, entry.subject, entry.actor) and _at(at, entry.at)


def check_columns(entry: Entry, row: Row) -> None:
    """Raise Broken, naming the entry, when they are not."""
    if not columns_hold(entry, row):
        raise Broken(entry.seq, "种类、对象、操作人或时间一栏与签名的内容不同，已被改动")


def _at(stored: object, said: str) -> bool:
    try:
        moment = stored if isinstance(stored, datetime) else datetime.fromisoformat(str(stored))
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return moment == datetime.fromisoformat(said)
    except ValueError:
        return False


def same(entry: Entry, row: Row) -> bool:
    """Whether text, hash and signature are those that were read before."""
    preimage, digest, signature = row[:3]
    hashed = hashlib.sha256(preimage.encode(errors="replace")).hexdigest()
    return hashed == digest == entry.hash and signature == entry.signature


def audit_all(audit: Audit, rows: Iterable[Row]) -> None:
    """The next rows of a chain that is read whole, their columns too; Broken at the first fault."""
    for row in rows:
        check_columns(audit.entry(row), row)


def audit_anchors(audit: Audit, marks: Iterable[Mark]) -> None:
    """Every anchor against the chain that was read; Broken at the first that differs."""
    for mark in marks:
        audit.anchor(mark)
