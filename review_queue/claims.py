"""Who holds an item for review right now: claim, give back, take over."""

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from config.clock import beijing, now
from review_queue.desk import Queue, opened
from review_queue.models import Item
from review_queue.rounds import seated
from staff.models import Staff
from staff.refusal import Reason, refuse

CLAIM = timedelta(minutes=20)


async def claim(queue: Queue, item_id: str, staff_id: str) -> Item:
    """Take an item for review for a while; 409 names who holds it."""
    async with queue.ledger.transaction() as tx:
        one = await opened(tx.session, item_id, staff_id)
        item = one.item
        _, seat = await seated(tx.session, item, one.person)
        # Who holds it is said first: it is what the second reviewer needs to know.
        refuse(await holder_faults(tx.session, item, staff_id) + seat.reasons)
        item.claimed_by, item.claimed_until = staff_id, now() + CLAIM
        await tx.append(
            "item.claimed",
            subject=f"item:{item_id}",
            actor=staff_id,
            body={"level": seat.level},
        )
        return item


async def unclaim(queue: Queue, item_id: str, staff_id: str) -> None:
    """Give a claimed item back."""
    async with queue.ledger.transaction() as tx:
        item = (await opened(tx.session, item_id, staff_id)).item
        # Giving back what somebody else took meanwhile does nothing and is no error.
        if item.claimed_by == staff_id:
            item.claimed_by = item.claimed_until = None
            await tx.append("item.unclaimed", subject=f"item:{item_id}", actor=staff_id, body={})


async def take_over(queue: Queue, item_id: str, staff_id: str) -> Item:
    """Take a held item away from its holder, recorded: another eligible reviewer, or an admin.

    An admin who may not review only frees it.
    """
    async with queue.ledger.transaction() as tx:
        one = await opened(tx.session, item_id, staff_id)
        item = one.item
        _, seat = await seated(tx.session, item, one.person)
        reasons = []
        # Taking over is recorded and told; what nobody holds is simply claimed.
        if not await holder_faults(tx.session, item, staff_id):
            reasons.append(Reason("state", "现在没有别人在审核这篇稿件，可以直接领取"))
        # An admin frees an item that its holder forgot, without being able to decide on it.
        if seat.reasons and "admin" not in one.person.roles:
            reasons += seat.reasons
        refuse(reasons)
        holder = item.claimed_by
        item.claimed_by = item.claimed_until = None
        # Freed only: whoever may not decide must not hold it either.
        if not seat.reasons:
            item.claimed_by, item.claimed_until = staff_id, now() + CLAIM
        await tx.append(
            "item.taken_over",
            subject=f"item:{item_id}",
            actor=staff_id,
            body={"from": holder, "level": seat.level, "freed": bool(seat.reasons)},
        )
        return item


async def holder_faults(session: AsyncSession, item: Item, staff_id: str) -> list[Reason]:
    """Somebody else holds the item for review right now: who, and until when."""
    # A claim ends by itself: nobody has to be asked on a Friday evening.
    if item.claimed_until is None or item.claimed_until <= now():
        return []
    if item.claimed_by in (None, staff_id):
        return []
    holder = await session.get(Staff, item.claimed_by)
    name = holder.name if holder else "别人"
    until = f"{beijing(item.claimed_until):%H:%M}"
    return [
        Reason("claimed", f"正在由{name}审核，{until} 自动放开；可以等待、请对方放开，或接手审核")
    ]


async def give_back(queue: Queue, staff_id: str) -> None:
    """Free whatever a person holds for review: who held it may be gone."""
    async with queue.ledger.db.session() as session:
        query = select(Item.id).where(Item.claimed_by == staff_id, Item.claimed_until > now())
        held = (await session.scalars(query)).all()
    for item_id in held:
        await unclaim(queue, item_id, staff_id)
