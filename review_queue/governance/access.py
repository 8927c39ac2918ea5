"""Ending whatever lets a person in, and what they hold."""

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from review_queue.models import Item
from staff.sessions import end_access


async def end_of(session: AsyncSession, staff_id: str) -> None:
    """End every session and token of a person, and free what they hold for review."""
    await end_access(session, staff_id)
    held = update(Item).where(Item.claimed_by == staff_id)
    await session.execute(held.values(claimed_by=None, claimed_until=None))
