"""Whom a push reaches, and for whom it would come too late: said while it can still be changed."""

from sqlalchemy.ext.asyncio import AsyncSession

from console.web.deps import Deps
from review_queue.canonical import Draft
from staff.refusal import Refused
from subscriptions.matching import Reach, Window


async def reach_of(deps: Deps, session: AsyncSession, draft: Draft) -> Reach | None:
    """How many people this draft is pushed to now, and five reasons; None when it is not."""
    if draft.audience is None or not draft.accounts:
        return None
    try:
        return await deps.matching.reach(session, draft.audience, draft.accounts)
    except Refused:  # a taxonomy that cannot be proved: nobody can say
        return None


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
