"""What a site answered, kept so that it can be read again byte for byte."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from content_sources.answers import Fetched
from content_sources.models import Snapshot
from storage.database import new_id
from storage.media import keep, load


async def take(session: AsyncSession, fetched: Fetched, article_id: str | None = None) -> Snapshot:
    """Keep the answer: its bytes once per content, its headers, address and moment each time."""
    snapshot = Snapshot(
        id=new_id(),
        article_id=article_id,
        url=fetched.url[:500],
        final_url=fetched.final_url,
        status=fetched.status,
        headers=dict(fetched.headers),
        media=await keep(session, fetched.body, fetched.mime),
        fetched_at=fetched.fetched_at,
    )
    session.add(snapshot)
    return snapshot


async def body_of(session: AsyncSession, snapshot: Snapshot) -> bytes:
    """The bytes as they came. ValueError when the stored ones were changed, LookupError if lost."""
    found = await load(session, snapshot.media)
    if found is None:
        raise LookupError(f"快照 {snapshot.id} 的内容不在媒体库里")
    return found[0]


async def of_article(session: AsyncSession, article_id: str) -> Sequence[Snapshot]:
    """Every snapshot of an article, oldest first."""
    query = select(Snapshot).where(Snapshot.article_id == article_id)
    return (await session.scalars(query.order_by(Snapshot.fetched_at, Snapshot.id))).all()
