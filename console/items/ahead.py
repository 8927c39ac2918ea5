"""Beside a draft: what stands before its review, whom it reaches, how each channel will show it.

The same for a saved text and for one that is still being typed, which is not kept.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import select

from bot.models import Account
from console.items.facts import ItemFacts
from console.items.forms import in_box
from console.items.previews import Preview, preview
from console.items.reach import reach_of
from console.web.deps import Deps
from console.web.reaching import NOBODY
from review_queue.canonical import Draft
from review_queue.findings import findings_now, unwaived
from review_queue.readiness import Readiness, readiness_of
from review_queue.scope import hidden_files
from staff.refusal import Reason, refuse
from subscriptions.matching import Reach


@dataclass(frozen=True)
class Ahead:
    """`reach` is whom the push reaches now; `names` are the accounts' by their id."""

    readiness: Readiness
    previews: Sequence[Preview]
    names: Mapping[str, str]
    reach: Reach | None = None


async def ahead_of(deps: Deps, draft: Draft, facts: ItemFacts | None, staff_id: str) -> Ahead:
    """What lies before this text; `facts` of its item, where it is one.

    Refused (422): a file in it is hidden from this person.
    """
    said = facts.draft if facts is not None else None
    refuse(await hidden_files(deps.db, said, in_box(draft), draft.cover, staff_id))
    async with deps.db.session() as session:
        query = select(Account).where(Account.id.in_(draft.accounts)).order_by(Account.id)
        accounts = (await session.scalars(query)).all()
        reach = await reach_of(deps, session, draft)
    # A long article takes a while to be drawn, and others are waiting.
    drawn, problems = await asyncio.to_thread(deps.queue.render, accounts, draft.content)
    if facts is not None and draft.says_as(facts.draft):
        # Submitting asks of this moment, not of the day on which an act last rested on it.
        _, found = await findings_now(deps.queue, facts.item.id)
    else:
        found = unwaived((await deps.queue.check(draft))[1])
    item_id = facts.item.id if facts is not None else ""
    ready = await readiness_of(deps.queue, draft, item_id, found, problems)
    if reach is not None and not reach.total:
        ready = replace(ready, lacks=[*ready.lacks, Reason("audience", NOBODY)])
    return Ahead(
        ready,
        [preview(row.name, row.platform, drawn[row.id]) for row in accounts],
        {row.id: row.name for row in accounts},
        reach,
    )
