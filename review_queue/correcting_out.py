"""What follows when a correction is out: on each account the old publication gives way to it."""

from datetime import timedelta

from sqlalchemy import select

from bot.contract import State
from bot.delivery.once import recalled, same, told_of
from bot.delivery.takedowns import new_row
from bot.delivery.taken import CORRECTED, Stood, taken_of
from bot.models import Publication, Takedown
from config.clock import now
from ledger.append import Transaction
from ledger.verify import Broken, Entry
from review_queue.canonical import Corrects
from review_queue.correcting import KIND
from review_queue.desk import Queue
from review_queue.models import Item
from review_queue.told import approved_draft

_LOOKED_BACK = timedelta(days=2)
"""How long after it went out a correction is looked at; offices are down for less."""


async def give_way(queue: Queue) -> int:
    """Sign for each correction that is out what it takes the place of, once; how many did.

    A job: nothing of it is lost with the process that published.
    """
    async with queue.db.session() as session:
        query = (
            select(Publication)
            .join(Item, Item.id == Publication.item_id)
            .where(
                Item.kind == KIND,
                Publication.state == State.PUBLISHED,
                Publication.published_at > now() - _LOOKED_BACK,
            )
        )
        rows = (await session.scalars(query.order_by(Publication.id))).all()
    made = 0
    for row in rows:
        try:
            made += await _one(queue, row)
        except Broken:  # then nothing is proved, and the ledger has its own incident
            return made
    return made


async def _one(queue: Queue, row: Publication) -> int:
    facts = await queue.ledger.facts(f"item:{row.item_id}")
    told = told_of(facts).get(row.id)
    if told is None or not row.whole or not same(row, told) or recalled(facts):
        return 0
    draft = await approved_draft(queue.ledger, row.item_id, told.digest)
    if draft is None or draft.corrects is None:
        return 0
    return sum(
        [
            await _old(queue, row, draft.corrects, old)
            for old in await _olds(queue, row, draft.corrects)
        ]
    )


async def _olds(queue: Queue, row: Publication, corrects: Corrects) -> list[str]:
    """Ids of what was published of the corrected text on the same account, by signed entries."""
    facts = await queue.ledger.facts(f"item:{corrects.item}")
    return [
        one.publication
        for one in told_of(facts).values()
        if one.account == row.account_id and one.digest == corrects.digest
    ]


async def _old(queue: Queue, row: Publication, corrects: Corrects, old_id: str) -> int:
    subject = f"item:{corrects.item}"
    facts = await queue.ledger.facts(subject)
    known = _signed(facts, row.id, old_id)
    stood = next(
        (one.stood for key, one in taken_of(facts).items() if key[:2] == (old_id, row.id)),
        Stood.FREE,
    )
    if known and stood is not Stood.FREE:
        return 0
    async with queue.ledger.transaction() as tx:
        if known and await _waits(tx, row.id, old_id):
            return 0
        old = await tx.session.get(Publication, old_id)
        if old is None:
            return 0
        # Asked again under the lock: another process may have been faster.
        if not known and _signed(await queue.ledger.facts(subject), row.id, old_id):
            return 0
        if not await _waits(tx, row.id, old_id):
            tx.session.add(new_row(old, row.id))
        if not known:
            body = {
                "old": old_id,
                "digest": corrects.digest,
                "by": row.item_id,
                "publication": row.id,
                "corrected": row.digest,
                "account": row.account_id,
            }
            await tx.append(CORRECTED, subject=subject, actor="system", body=body)
    return 1


def _signed(facts: list[Entry], new_id: str, old_id: str) -> bool:
    return any(
        one.kind == CORRECTED and (one.body["publication"], one.body["old"]) == (new_id, old_id)
        for one in facts
    )


async def _waits(tx: Transaction, new_id: str, old_id: str) -> bool:
    """Whether its row is there; one that was written past this program is taken away."""
    query = select(Takedown).where(Takedown.publication_id == old_id, Takedown.by == new_id)
    row = (await tx.session.scalars(query)).first()
    if row is not None and not row.whole:
        await tx.session.delete(row)
        await tx.session.flush()
        return False
    return row is not None
