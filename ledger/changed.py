"""Telling that a row's seal is wrong."""

from sqlalchemy.ext.asyncio import AsyncSession

from ledger.append import Ledger
from ledger.incidents import open_incident_in


async def row_changed(ledger: Ledger, table: str, row_id: str) -> str:
    """Record that somebody wrote to the database past this program; the incident's id.

    Once for a row while the incident is open: whoever tries again and again opens no second one.
    """
    async with ledger.db.writing() as session:
        return await row_changed_in(session, table, row_id)


async def row_changed_in(session: AsyncSession, table: str, row_id: str) -> str:
    """The same inside somebody's transaction."""
    return await open_incident_in(
        session,
        "row_changed",
        subject=f"{table}:{row_id}"[:80],
        message=f"数据库表 {table} 的一条记录被绕过本系统改动，已不再采用：请查明是谁改的",
        detail={"table": table, "row": row_id},
    )
