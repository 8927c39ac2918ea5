"""Items whose source fell away: out of review at once, unsent publications held, and back again."""

from sqlalchemy import select, update

from bot.contract import State
from bot.models import Delivery, Publication
from config.clock import now
from ledger.append import Transaction
from review_queue.lateness import QUARANTINED
from review_queue.models import Emergency, Item, ReleaseRow
from review_queue.states import MOVES, ItemState, Verb, move

WAITING = tuple(MOVES[Verb.QUARANTINE][0])
_UNSENT = (State.CREATED, State.RETRYING)


async def quarantine(tx: Transaction, item: Item, why: str) -> bool:
    """Take a waiting item out of every queue; True when something of it was about to go out.

    Its unsent publications and deliveries are held with the reason, and its approvals are void.
    """
    # Read before the item is moved: the caller tells people how near it was.
    held = item.state == ItemState.SCHEDULED
    await hold_unsent(tx, item, why)
    move(item, Verb.QUARANTINE)
    item.workflow, item.level, item.level_due_at = None, 0, None
    item.release_id = item.scheduled_at = item.claimed_by = item.claimed_until = None
    item.return_reason, item.updated_at = why, now()
    # What would have followed an emergency followed approvals that count no more.
    item.retrospective = ""
    await tx.session.execute(
        update(Emergency)
        .where(Emergency.item_id == item.id, Emergency.closed_at.is_(None))
        .values(state="void", closed_at=now())
    )
    item.version += 1
    await tx.append(QUARANTINED, subject=f"item:{item.id}", actor="system", body={})
    return held


async def hold_unsent(tx: Transaction, item: Item, why: str) -> None:
    """Hold every publication and delivery of an item that has not gone out yet."""
    releases = select(ReleaseRow.id).where(ReleaseRow.item_id == item.id)
    query = select(Publication).where(
        Publication.item_id == item.id, Publication.state.in_(_UNSENT)
    )
    for row in (await tx.session.scalars(query)).all():
        # Held and not ended: a person sees what would have gone out, and why not.
        row.state, row.reason, row.next_at = State.HELD, why, None
    await tx.session.execute(
        update(Delivery)
        .where(Delivery.release_id.in_(releases), Delivery.state.in_(_UNSENT))
        .values(state=State.HELD, hold="source", why=why, next_at=None)
    )


async def lift(tx: Transaction, item: Item, why: str) -> None:
    """Back to draft: it is submitted and reviewed from the beginning; what was held has ended."""
    query = select(Publication).where(
        Publication.item_id == item.id, Publication.state == State.HELD
    )
    for row in (await tx.session.scalars(query)).all():
        # A source that comes back does not send by itself: the text is reviewed from the beginning.
        row.state, row.reason = State.ENDED, why
    releases = select(ReleaseRow.id).where(ReleaseRow.item_id == item.id)
    await tx.session.execute(
        update(Delivery)
        .where(Delivery.release_id.in_(releases), Delivery.state == State.HELD)
        .values(state=State.ENDED, why=why)
    )
    move(item, Verb.LIFT)
    item.return_reason, item.updated_at = why, now()
    item.version += 1
    await tx.append("item.lifted", subject=f"item:{item.id}", actor="system", body={})
