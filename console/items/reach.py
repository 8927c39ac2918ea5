"""Whom a push would come too late for: said to reviewers while the window can still be changed."""

from sqlalchemy.ext.asyncio import AsyncSession

from console.web.deps import Deps
from review_queue.canonical import Draft
from staff.refusal import Refused
from subscriptions.matching import Window


async def too_late(deps: Deps, session: AsyncSession, draft: Draft) -> int:
    """How many subscribers chose an hour after the window of this draft."""
    if not draft.audience:
        return 0
    window = Window(draft.not_before, draft.not_after)
    try:
        matching = deps.matching
        return await matching.too_late(session, draft.audience, draft.accounts, window)
    except Refused:  # a taxonomy that cannot be proved sends nothing either
        return 0
