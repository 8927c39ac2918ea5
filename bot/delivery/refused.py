"""Accounts that a platform refused: one message is tried, and when it is taken the rest is freed.

Nobody tells us when a credential was renewed or an interface allowed again: only a call does.
"""

from collections.abc import Awaitable, Callable

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from bot.codes import ACCOUNT_HOLD
from bot.contract import State
from bot.delivery.outbox import Work, hold_of
from bot.models import Delivery
from storage.database import Database

_TRIALS = 10  # messages looked at for one that may be sent: some have ended meanwhile
_REFUSED = (Delivery.state == State.HELD, Delivery.hold == ACCOUNT_HOLD)
_FREE = {"state": State.CREATED, "hold": "", "next_at": None}


async def try_refused(
    db: Database,
    send: Callable[[str], Awaitable[Work | None]],
    free: Callable[[str], Awaitable[int]],
) -> int:
    """Try one message of each account that was refused; how many others were freed.

    `send` sends one row, `free` makes due again what one account holds.
    """
    freed = 0
    async with db.session() as session:
        query = select(Delivery.account_id).where(*_REFUSED).distinct()
        accounts = list(await session.scalars(query))
    for account_id in accounts:
        if await _works(db, account_id, send):
            freed += await free(account_id)
    return freed


async def _works(
    db: Database, account_id: str, send: Callable[[str], Awaitable[Work | None]]
) -> bool:
    """Whether this account's platform takes calls again."""
    for _ in range(_TRIALS):
        async with db.session() as session:
            one = await _trial(session, account_id)
        work = await send(one) if one else None
        if work is None:
            return False
        refused = hold_of(work.outcome) == ACCOUNT_HOLD
        if work.call.begun or refused:
            return not refused
    return False


async def _trial(session: AsyncSession, account_id: str) -> str | None:
    """Make the newest message that waits for this account due: if any still fits, it does."""
    query = select(Delivery.id).where(*_REFUSED, Delivery.account_id == account_id)
    found = (await session.scalars(query.order_by(Delivery.id.desc()).limit(1))).first()
    if found is not None:
        await session.execute(update(Delivery).where(Delivery.id == found).values(_FREE))
    return found


async def resume(session: AsyncSession, account_id: str) -> int:
    """Make due again what an account-level refusal held; how many rows."""
    mine = update(Delivery).where(*_REFUSED, Delivery.account_id == account_id)
    return len(list(await session.scalars(mine.values(_FREE).returning(Delivery.id))))
