"""What became of an edition comes back to each of its articles, with its own signed entry."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sqlalchemy.ext.asyncio import AsyncSession

from bot.contract import Outcome, State
from bot.delivery.once import FREE_AGAIN, sign_finished
from bot.delivery.together import articles_of
from bot.editions import blamed, url_of
from bot.models import Publication
from ledger.append import Ledger, Transaction
from ledger.verify import Broken, Entry

_UNDER_WAY = (State.SUBMITTED, State.UNKNOWN)


async def facts_of_articles(ledger: Ledger, publication_id: str) -> Mapping[str, Sequence[Entry]]:
    """The signed entries about each article's item, by subject; none of a broken chain.

    Empty for a publication that is no edition.
    """
    async with ledger.db.session() as session:
        items = {row.item_id for row in await articles_of(session, publication_id)}
    try:
        return await ledger.facts_of([f"item:{one}" for one in sorted(items)]) if items else {}
    except Broken:  # what became of a call is written down all the same
        return {}


async def end_articles(
    tx: Transaction, edition: Publication, outcome: Outcome, facts: Mapping[str, Sequence[Entry]]
) -> list[str]:
    """Give each article the outcome of its edition; the ids of their rows that are still there.

    `facts` as `facts_of_articles` read them. An edition that surely did not go out leaves its
    articles free to go another way: their rows go.
    """
    left = []
    for row in await articles_of(tx.session, edition.id):
        about = facts.get(f"item:{row.item_id}", ())
        if outcome.state is State.PUBLISHED:
            row.url = url_of(outcome.detail, row.article_index)[:500]
            row.ref, row.published_at = edition.ref, edition.published_at
            row.state, row.reason = State.PUBLISHED, ""
            await sign_finished(tx, row, outcome, about)
        elif outcome.state in _UNDER_WAY or outcome.detail.get("unsure"):
            # Asked again: until then nobody knows of the articles either.
            row.state = State.SUBMITTED if outcome.state is State.RETRYING else outcome.state
            row.reason, row.ref = outcome.reason, edition.ref
        else:
            await sign_finished(tx, row, FREE_AGAIN, about)
            await tx.session.delete(row)
            continue
        left.append(row.id)
    return left


async def unsure_articles(session: AsyncSession, publication_id: str, why: str) -> None:
    """Nobody knows what became of an edition, so nobody knows it of its articles."""
    for row in await articles_of(session, publication_id):
        row.state, row.reason = State.UNKNOWN, why


def blaming(outcome: Outcome) -> Outcome:
    """The outcome with the articles in its reason that the platform says it lies in."""
    return replace(outcome, reason=blamed(outcome.detail) + outcome.reason)
