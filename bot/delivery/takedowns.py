"""Rows of what is to be taken down: made by the act itself, and closed by a person by hand."""

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.contract import State
from bot.delivery.taken import Stood, Taken, key_of, sign_settled, taken_of
from bot.models import Publication, Takedown
from bot.takedown import Result
from config.clock import now
from ledger.append import Ledger
from ledger.verify import Broken, Entry
from staff.refusal import Reason, Refused, missing
from staff.rights import entitled
from storage.database import new_id

WAITING, CALLING, ENDED = "waiting", "calling", "ended"
_SEEN = (State.SENDING, State.SUBMITTED, State.PUBLISHED, State.UNKNOWN, State.RETRYING)
"""Publications of which readers see something, or may soon."""
OF_A_PERSON = frozenset({Result.BY_HAND, Result.UNKNOWN})


async def plan_recall(session: AsyncSession, item_id: str) -> int:
    """One row for each publication of an item that may be seen, in the recall's own transaction.

    Of an article that went out with others its place alone goes; of an edition all of it.
    """
    query = select(Publication).where(Publication.item_id == item_id, Publication.state.in_(_SEEN))
    rows = (await session.scalars(query.order_by(Publication.id))).all()
    # An item is recalled once: what stands here before was written past this program, and must not
    # be in the way.
    ids = [row.id for row in rows]
    await session.execute(
        delete(Takedown).where(Takedown.publication_id.in_(ids), Takedown.by == "")
    )
    of_several = select(Publication.edition_id).where(Publication.edition_id.in_(ids))
    editions = set(await session.scalars(of_several))
    for row in rows:
        session.add(new_row(row, whole=row.id in editions))
    return len(rows)


def new_row(publication: Publication, by: str = "", *, whole: bool = False) -> Takedown:
    """The row of one taking down; `by` is the publication it gives way to, `whole` an edition."""
    return Takedown(
        id=new_id(),
        publication_id=publication.id,
        item_id=publication.item_id,
        account_id=publication.account_id,
        by=by,
        article_idx=0 if whole else publication.article_index or 1,
        state=WAITING,
        asked_at=now(),
        next_at=now(),
    )


async def settle_takedown(
    ledger: Ledger, item_id: str, takedown_id: str, staff_id: str
) -> Takedown:
    """Record that a person took it off in the platform's own pages.

    Refused: 409 where nothing is left to a person.
    """
    facts = await _facts(ledger, item_id)
    async with ledger.transaction() as tx:
        await entitled(tx.session, staff_id, "publications.settle")
        row = await tx.session.get(Takedown, takedown_id)
        publication = await tx.session.get(Publication, row.publication_id) if row else None
        if row is None or publication is None or row.item_id != item_id:
            raise missing("次撤下")
        if not row.whole:
            words = "这条记录被绕过本系统改动，不能据此确认：请查明是谁改的"
            raise Refused(409, [Reason("seal", words)])
        if not by_person(row, facts):
            words = "这次撤下现在不用人处理，请看页面上的最新结果"
            raise Refused(409, [Reason("state", words)])
        row.state, row.result, row.next_at = ENDED, Result.DONE, None
        row.finished_at = now()
        await sign_settled(tx, row, publication, staff_id)
    return row


def by_person(row: Takedown, facts: list[Entry]) -> bool:
    """Whether a person is asked to look: it did not work, may not have, or waits for its day."""
    taken = taken_of(facts).get(key_of(row), Taken())
    if taken.stood is Stood.DONE:
        return taken.result == Result.BY_HAND
    if taken.stood is Stood.OPEN:
        return row.state == ENDED
    return row.state == WAITING and bool(row.reason)


async def _facts(ledger: Ledger, item_id: str) -> list[Entry]:
    try:
        return await ledger.facts(f"item:{item_id}")
    except Broken as broken:
        raise Refused(409, [Reason("ledger", str(broken))]) from broken
