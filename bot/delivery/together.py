"""The articles of an edition as rows of their own: which release went out at which place."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.contract import Outcome, State, Withheld
from bot.editions import Placed
from bot.models import Publication
from storage.database import new_id


async def articles_of(session: AsyncSession, publication_id: str) -> Sequence[Publication]:
    """The rows of the articles that go out with a publication, in their order."""
    query = select(Publication).where(Publication.edition_id == publication_id)
    return (await session.scalars(query.order_by(Publication.article_index))).all()


async def take_places(
    session: AsyncSession, row: Publication, edition: Sequence[Placed]
) -> list[Publication]:
    """A row for each article, made where there is none: from now on it goes out with `row` alone.

    Withheld when one of them is being published by itself at this moment.
    """
    query = select(Publication).where(
        Publication.account_id == row.account_id,
        Publication.release_id.in_([one.release_id for one in edition]),
    )
    there = {one.release_id: one for one in await session.scalars(query)}
    if any(one.state == State.SENDING for one in there.values()):
        words = "组版里有一篇正在单独发布，等它有了结果再发"
        raise Withheld(Outcome(State.RETRYING, reason=words, code="busy", retry_after=60.0))
    for one in there.values():
        if not one.whole:
            # Somebody wrote it past this program; what a signed entry says is out stays out.
            await session.delete(one)
    await session.flush()
    return [
        _placed(session, row, there.get(one.release_id), number, one)
        for number, one in enumerate(edition, 1)
    ]


def _placed(
    session: AsyncSession,
    row: Publication,
    old: Publication | None,
    number: int,
    article: Placed,
) -> Publication:
    mine = old if old is not None and old.whole else None
    if mine is None:
        mine = Publication(id=new_id(), release_id=article.release_id, account_id=row.account_id)
        session.add(mine)
    mine.item_id, mine.digest = article.item_id, article.digest
    mine.edition_id, mine.article_index = row.id, number
    mine.state, mine.reason, mine.ref, mine.url = State.SUBMITTED, "", "", ""
    mine.due_at, mine.next_at = row.due_at, None
    return mine
