"""A row of one room becomes work of its sibling, which may not import it."""

from sqlalchemy import select, update

from console.policies.fetched import policy_draft
from content_sources.models import Article
from facets.tagger import tag
from facets.taxonomy import Taxonomy
from knowledge.models import Policy
from storage.database import Database


async def offer_policies(db: Database) -> int:
    """Fetched policy pages are laid before an editor, who may propose them; how many there were.

    The program that fetches is nobody: two people stand behind every policy, as behind any other.
    """
    async with db.session() as session:
        # A bound for one round; the job comes again and takes the next ones.
        query = select(Article).where(Article.library == "waiting").limit(20)
        waiting = (await session.scalars(query)).all()
    for row in waiting:
        draft = policy_draft(row)
        async with db.session() as session:
            known = draft is not None and await session.scalar(
                select(Policy.id)
                .where(Policy.title == draft.title, Policy.doc_number == draft.doc_number)
                .where(Policy.state == "active")
                .limit(1)
            )
            state = "ended" if draft is None else "known" if known else "offered"
            await session.execute(update(Article).where(Article.id == row.id).values(library=state))
    return len(waiting)


def audience_of(taxonomy: Taxonomy, title: str, body: str) -> dict[str, list[str]] | None:
    """Whom a fetched text is for, as a suggestion the editor sees and may change."""
    found = tag(body, title, taxonomy)
    # Two, and never 其他: a suggestion that fits everything says nothing.
    topics = [one["key"] for one in found["topics"] if one["key"] != "other"][:2]
    return {"topics": topics} if topics else None
