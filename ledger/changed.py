"""Telling that a row's seal is wrong."""

from ledger.append import Ledger, Transaction
from ledger.incidents import CHANGED, open_incident_in


async def row_changed(ledger: Ledger, table: str, row_id: str) -> str:
    """Record that somebody wrote to the database past this program; the incident's id.

    Once for a row while the incident is open: whoever tries again and again opens no second one.
    """
    subject, message = _subject(table, row_id), _message(table)
    detail = {"table": table, "row": row_id}
    return await ledger.open_incident(CHANGED, subject=subject, message=message, detail=detail)


async def row_changed_in(tx: Transaction, table: str, row_id: str) -> str:
    """The same inside somebody's transaction."""
    subject, message = _subject(table, row_id), _message(table)
    detail = {"table": table, "row": row_id}
    return await open_incident_in(tx, CHANGED, subject=subject, message=message, detail=detail)


def _subject(table: str, row_id: str) -> str:
    return f"{table}:{row_id}"[:80]


def _message(table: str) -> str:
    return f"数据库表 {table} 的一条记录被绕过本系统改动，已不再采用：请查明是谁改的"
