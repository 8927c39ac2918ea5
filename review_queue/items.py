"""The review queue: from draft to release (drafting, deciding), and out: schedule, recall.

Every refusal carries all reasons at once; pages, API and sender ask the same lists.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.contract import State
from bot.models import Publication
from config.clock import now
from review_queue.canonical import Draft
from review_queue.deciding import Answer, Deciding
from review_queue.desk import (
    CLAIM,
    ROBOT,
    WINDOW,
    Check,
    Render,
    append_with_words,
    latest,
    read_item,
)
from review_queue.drafting import Origin
from review_queue.models import Item
from review_queue.states import Verb, can, move, state_name
from staff.refusal import Reason, refuse
from staff.roles import REVIEWERS
from storage.database import new_id

__all__ = [
    "CLAIM",
    "ROBOT",
    "WINDOW",
    "Answer",
    "Check",
    "Origin",
    "Render",
    "ReviewQueue",
]
_PLANNERS = (REVIEWERS | {"editor"}) - {"secrecy"}


class ReviewQueue(Deciding):
    """The review queue over one database and one ledger."""

    async def why_not_publish(self, item_id: str, at: datetime | None = None) -> list[Reason]:
        """Every reason why the item could not go out at `at` (None: now).

        The sender's own list (signed chain, window, gates, waivers, source) and the platforms'
        limits, before anybody presses a button.
        """
        async with self.db.session() as session:
            item = await read_item(session, item_id)
            draft = Draft.from_canonical((await latest(session, item)).canonical)
            _, problems = await self._canonical(session, draft)
        reasons = _state_faults(item, draft)
        reasons += await self._releases.faults(item_id, at or now())
        return reasons + [Reason("platform", problem) for problem in problems]

    async def schedule(self, item_id: str, staff_id: str, at: datetime | None = None) -> Item:
        """Set the time inside the approved window (None: now); one publication per account."""
        due = at or now()
        reasons = await self.why_not_publish(item_id, due)
        async with self.ledger.transaction() as tx:
            item, person = await self._open(tx.session, item_id, staff_id)
            draft = Draft.from_canonical((await latest(tx.session, item)).canonical)
            reasons += [one for one in _state_faults(item, draft) if one not in reasons]
            if not _PLANNERS & set(person.roles):
                reasons.append(Reason("role", "只有编辑或审核人员能安排发布"))
            refuse(reasons)
            await self._plan(tx.session, item, draft, due)
            move(item, Verb.SCHEDULE)
            item.scheduled_at = due
            item.version += 1
            await tx.append(
                "item.scheduled",
                subject=f"item:{item.id}",
                actor=staff_id,
                body={"release": item.release_id, "at": due.isoformat()},
            )
            return item

    async def _plan(self, session: AsyncSession, item: Item, draft: Draft, due: datetime) -> None:
        revision = await latest(session, item)
        query = select(Publication).where(Publication.release_id == item.release_id)
        planned = {row.account_id: row for row in (await session.scalars(query)).all()}
        for account_id in draft.accounts:
            row = planned.get(account_id)
            if row is None:
                session.add(
                    Publication(
                        id=new_id(),
                        release_id=str(item.release_id),
                        item_id=item.id,
                        account_id=account_id,
                        digest=revision.digest,
                        state=State.CREATED,
                        due_at=due,
                        next_at=due,
                    )
                )
            elif row.state == State.CREATED:
                row.due_at = row.next_at = due

    async def note_publication(self, publication_id: str) -> None:
        """A publication has its outcome: show the item as published once one of them is out."""
        async with self.db.session() as session:
            publication = await session.get(Publication, publication_id)
            if publication is None or publication.state != State.PUBLISHED:
                return
            item = await session.get(Item, publication.item_id)
            if item is not None and can(item, Verb.PUBLISH):
                move(item, Verb.PUBLISH)

    async def recall(self, item_id: str, staff_id: str, reason: str) -> Item:
        """One person, at once: nothing more of this item goes out. The reason is required."""
        async with self.ledger.transaction() as tx:
            item, person = await self._open(tx.session, item_id, staff_id)
            reasons = []
            if not reason.strip():
                reasons.append(Reason("reason", "撤回要写明理由"))
            if not can(item, Verb.RECALL):
                reasons.append(Reason("state", f"稿件现在是“{state_name(item)}”，不用撤回"))
            if not set(person.roles) - {"auditor", "duty"}:
                reasons.append(Reason("role", "您的角色不能撤回稿件"))
            refuse(reasons)
            await self._end_run(tx.session, item, "稿件已撤回")
            move(item, Verb.RECALL)
            item.return_reason = reason
            item.version += 1
            await append_with_words(tx, item, "item.recalled", (staff_id, reason, {}))
            return item


def _state_faults(item: Item, draft: Draft) -> list[Reason]:
    faults: Sequence[Reason] = ()
    if not can(item, Verb.SCHEDULE) or item.release_id is None:
        faults = [Reason("state", f"稿件现在是“{state_name(item)}”，还不能安排发布")]
    if not draft.accounts:
        faults = [*faults, Reason("accounts", "请至少选择一个发布账号")]
    return list(faults)
