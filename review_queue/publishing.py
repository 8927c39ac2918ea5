"""Out: the moment inside the approved window, why it could not go, and what came of it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.contract import State
from bot.models import Publication
from config.clock import now
from review_queue.canonical import Draft
from review_queue.desk import (
    Opened,
    Queue,
    canonical_of,
    end_run,
    latest,
    opened,
    read_item,
)
from review_queue.models import Item
from review_queue.placed import holders
from review_queue.planning import Wanted, no_day
from review_queue.states import ItemState, Verb, can, is_stopped, move, state_name
from staff.refusal import Reason, refuse
from staff.roles import REVIEWERS
from storage.database import new_id

_UNDER_WAY = (State.SENDING, State.SUBMITTED, State.PUBLISHED, State.UNKNOWN)
"""Publications after which readers may see something."""
_STOPPED = "这次发布没有发出，改时间不会再发：请在“发布情况”里看原因，处理后重新发送"
_PLANNERS = (REVIEWERS | {"editor"}) - {"secrecy"}


async def why_not_publish(queue: Queue, item_id: str, at: datetime | None = None) -> list[Reason]:
    """Every reason why the item could not go out at `at` (None: now).

    The sender's own list (signed chain, window, gates, waivers, source) and the platforms'
    limits, before anybody presses a button.
    """
    async with queue.db.session() as session:
        item = await read_item(session, item_id)
        draft = Draft.from_canonical((await latest(session, item)).canonical)
        _, problems = await canonical_of(queue, session, draft)
        open_to = await open_accounts(session, item, draft)
    reasons = _state_faults(item, draft, open_to)
    reasons += await queue.releases.faults(item_id, at or now())
    return reasons + [Reason("platform", problem) for problem in problems]


async def schedule(queue: Queue, item_id: str, staff_id: str, at: datetime | None = None) -> Item:
    """Set the time inside the approved window (None: now); one publication per account."""
    due = at or now()
    reasons = await why_not_publish(queue, item_id, due)
    async with queue.ledger.transaction() as tx:
        one = await opened(tx.session, item_id, staff_id)
        item, person, draft = one.item, one.person, one.draft
        # Asked again inside the transaction: between the look and the lock somebody may have
        # recalled it.
        open_to = await open_accounts(tx.session, item, draft)
        reasons += [one for one in _state_faults(item, draft, open_to) if one not in reasons]
        held = await _held(tx.session, item)
        reasons += _held_faults(draft, held)
        if not _PLANNERS & set(person.roles):
            reasons.append(Reason("role", "只有编辑或审核人员能安排发布"))
        left = tuple(key for key in open_to or draft.accounts if key not in held)
        wanted = Wanted(item_id, replace(draft, accounts=left), due)
        reasons += await no_day(queue, tx.session, wanted)
        refuse(reasons)
        if not await _plan(tx.session, one, due, set(held)) and is_stopped(item):
            refuse([Reason("state", _STOPPED)])
        if can(item, Verb.SCHEDULE):  # else it is out within an edition, and stays so
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


async def open_accounts(session: AsyncSession, item: Item, draft: Draft) -> set[str]:
    """Accounts of an item that is out which it may still go to: an edition took it to another."""
    if item.state != ItemState.PUBLISHED:
        return set()
    planned = select(Publication.account_id).where(Publication.release_id == item.release_id)
    return set(draft.accounts) - set(await session.scalars(planned))


async def _held(session: AsyncSession, item: Item) -> dict[str, Item]:
    """The editions that take this item to an account, by the account."""
    found = [one for one in await holders(session) if item.id in one.items]
    return {account_id: one.edition for one in found for account_id in one.accounts}


def _held_faults(draft: Draft, held: Mapping[str, Item]) -> list[Reason]:
    if not draft.accounts or set(draft.accounts) - set(held):
        return []
    names = "、".join(sorted({f"《{one.said_title}》" for one in held.values()}))
    return [Reason("edition", f"这一篇已编入{names}，由组版发布，不用单独安排")]


async def _plan(session: AsyncSession, one: Opened, due: datetime, held: Collection[str]) -> int:
    """One publication for each account of the approved draft, due at one moment; how many.

    Not for accounts it goes to within an edition (`held`).
    """
    moved = 0
    item = one.item
    query = select(Publication).where(Publication.release_id == item.release_id)
    planned = {row.account_id: row for row in (await session.scalars(query)).all()}
    for account_id in one.draft.accounts:
        if account_id in held:
            continue
        row = planned.get(account_id)
        if row is not None and not row.whole:
            # Somebody wrote it past this program; what a signed entry says is out stays out.
            await session.delete(row)
            await session.flush()
            row = None
        if row is None:
            session.add(
                Publication(
                    id=new_id(),
                    release_id=str(item.release_id),
                    item_id=item.id,
                    account_id=account_id,
                    digest=one.revision.digest,
                    state=State.CREATED,
                    due_at=due,
                    next_at=due,
                )
            )
            moved += 1
        # What is on its way or out keeps its time; only what still waits is moved.
        elif row.state == State.CREATED:
            row.due_at = row.next_at = due
            row.reason = ""  # why it was put off before
            moved += 1
    return moved


async def note_publication(queue: Queue, publication_id: str) -> None:
    """A publication has its outcome: show the item as published once one of them is out."""
    async with queue.db.session() as session:
        publication = await session.get(Publication, publication_id)
        # Failed and unknown outcomes are shown at the publication; the item stays scheduled for a
        # person.
        if publication is None or publication.state != State.PUBLISHED:
            return
        item = await session.get(Item, publication.item_id)
        # The second account of the same item finds it published already.
        if item is not None and can(item, Verb.PUBLISH):
            move(item, Verb.PUBLISH)


async def refused_by_platform(queue: Queue, publication_id: str, reason: str) -> bool:
    """The platform refused the text itself: back to its editor, unless it stands elsewhere already.

    Sending it again would be refused again; what is out somewhere needs a correction instead.
    """
    async with queue.db.writing() as session:
        publication = await session.get(Publication, publication_id)
        item = await session.get(Item, publication.item_id) if publication is not None else None
        if publication is None or item is None:
            return False
        # Told twice at once, by the platform's event and by asking: it went back for this already.
        if item.state == ItemState.DRAFT and item.return_reason == reason:
            return True
        if item.state != ItemState.SCHEDULED:
            return False
        others = select(Publication.id).where(
            Publication.release_id == publication.release_id, Publication.state.in_(_UNDER_WAY)
        )
        if (await session.scalars(others.limit(1))).first() is not None:
            return False
        await end_run(session, item, "平台没有收下这一稿，已退回修改")
        move(item, Verb.VOID)
        item.return_reason = reason
        item.version += 1
    return True


def _state_faults(item: Item, draft: Draft, open_to: Collection[str]) -> list[Reason]:
    faults: Sequence[Reason] = ()
    if draft.shelved:
        return [Reason("kind", f"{draft.kind}通过审核后直接入库使用，不用安排发布")]
    if not (can(item, Verb.SCHEDULE) or open_to) or item.release_id is None:
        faults = [Reason("state", f"稿件现在是“{state_name(item)}”，还不能安排发布")]
    if not draft.accounts:
        faults = [*faults, Reason("accounts", "请至少选择一个发布账号")]
    return list(faults)
