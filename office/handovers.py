"""A row of one room becomes work of its sibling, which may not import it."""

from datetime import date

from sqlalchemy import select, update

from content_sources.models import Article
from facets.tagger import tag
from facets.taxonomy import Taxonomy
from knowledge.documents import PolicyDraft
from knowledge.library import PolicyLibrary
from review_queue.desk import ROBOT
from staff.refusal import Refused
from storage.database import Database


async def propose_policies(db: Database, library: PolicyLibrary) -> int:
    """Fetched policy pages go to the library as the robot's proposals; how many there were."""
    async with db.session() as session:
        # A bound for one round; the job comes again and takes the next ones.
        query = select(Article).where(Article.library == "waiting").limit(20)
        waiting = (await session.scalars(query)).all()
    for row in waiting:
        draft, state = policy_draft(row), "ended"
        if draft is not None:
            try:
                await library.propose_import([draft], ROBOT)
                state = "proposed"
            except Refused:  # it is in the library already
                state = "known"
        async with db.session() as session:
            await session.execute(update(Article).where(Article.id == row.id).values(library=state))
    return len(waiting)


def policy_draft(article: Article) -> PolicyDraft | None:
    """What a fetched policy page says of itself; None for one that is no longer in force."""
    info = article.policy
    # The publisher's page says that it is no longer in force: nobody must be asked to approve it.
    if info.get("validity") in ("废止", "失效"):
        return None
    return PolicyDraft(
        title=article.title,
        text=article.text,
        doc_number=info.get("doc_number", ""),
        issuer=info.get("issuer", "") or article.source_name,
        url=article.url,
        issued_on=_day_of(info.get("written_on") or article.published_on),
        effective_from=_day_of(info.get("effective_from")),
    )


def _day_of(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def audience_of(taxonomy: Taxonomy, title: str, body: str) -> dict[str, list[str]] | None:
    """Whom a fetched text is for, as a suggestion the editor sees and may change."""
    found = tag(body, title, taxonomy)
    # Two, and never 其他: a suggestion that fits everything says nothing.
    topics = [one["key"] for one in found["topics"] if one["key"] != "other"][:2]
    return {"topics": topics} if topics else None
