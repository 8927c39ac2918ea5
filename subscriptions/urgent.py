"""What was reviewed as urgent is proved to have reached its people, or somebody hears of it.

`prove_due(ledger, tell)` is a job. Proof is what the platform said of each message: it took it, or
its receipt came. Ten minutes after it was due, an urgent item that is not out, was not pushed, or
lacks proof of anybody it could reach is signed (`push.unproved`) with an incident, and its editor
and the supervisors are called, once. `arrived(session, publication_id)` counts for pages.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import ColumnElement, and_, case, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.codes import WINDOW_HOLD
from bot.contract import State
from bot.delivery.once import recalled
from bot.models import Account, Delivery, Publication
from config.clock import now
from ledger.append import Ledger
from ledger.incidents import open_incident_in
from ledger.verify import Broken
from review_queue.canonical import Draft
from review_queue.desk import ROBOT, read_item
from review_queue.told import approved_draft
from review_queue.workflow import EMERGENCY
from staff.people import active_with
from staff.refusal import Refused
from staff.tasks import Tell
from subscriptions.hours import urgent

UNPROVED = "push.unproved"
WITHIN = timedelta(minutes=10)
"""From the moment it was due; a constant of the program: whoever could set it could silence it."""
LOOK = timedelta(days=1)
_OPEN = (State.CREATED, State.SENDING, State.SUBMITTED, State.RETRYING, State.UNKNOWN, State.HELD)
log = structlog.get_logger()


@dataclass(frozen=True)
class Arrival:
    """The people of one push: proved by the platform, and the others by why they are not.

    `later` chose an hour of their own, `waits` can be reached by no way until they write; whoever
    left or cannot be reached any more is not counted.
    """

    people: int
    proved: int
    later: int
    waits: int

    @property
    def lacking(self) -> int:
        """People whom it could have reached and of whom nothing proves that it did."""
        return self.people - self.proved - self.later - self.waits

    @property
    def unproved(self) -> bool:
        """Whether somebody lacks it, or it reached nobody at all."""
        return self.lacking > 0 or (not self.proved and self.waits > 0)

    @property
    def words(self) -> str:
        """For staff."""
        rest = f"，{self.waits} 人要等对方来信才能送到" if self.waits else ""
        rest += f"，{self.later} 人选了以后的钟点" if self.later else ""
        return (
            f"{self.people} 人中有平台送达证明的 {self.proved} 人，没有的 {self.lacking} 人{rest}"
        )


async def arrived(session: AsyncSession, publication_id: str) -> Arrival:
    """How far the people of a push are proved to have it."""
    theirs = Delivery.state != State.ENDED
    due = Delivery.state.in_((State.CREATED, State.RETRYING))
    own_hour = and_(due, Delivery.gather, Delivery.next_at > now())
    window = and_(Delivery.state == State.HELD, Delivery.hold == WINDOW_HOLD)
    parts = (theirs, Delivery.state == State.PUBLISHED, own_hour, window)
    query = select(*(func.sum(case((part, 1), else_=0)) for part in parts))
    found = await session.execute(query.where(Delivery.publication_id == publication_id))
    return Arrival(*(int(number or 0) for number in found.one()))


async def prove_due(ledger: Ledger, tell: Tell) -> int:
    """Tell of every urgent item without proof in time, each once; how many."""
    async with ledger.db.session() as session:
        query = select(Publication).where(_due(now())).order_by(Publication.id)
        due = (await session.scalars(query)).all()
    # Whether it is urgent is asked first: the rows of an ordinary push are very many.
    rows = [row for row in due if await _is_awaited(ledger, row)]
    async with ledger.db.session() as session:
        faults = {row.id: await _fault(session, row) for row in rows}
    told = 0
    for row in rows:
        if fault := faults[row.id]:
            try:
                told += await _tell(ledger, tell, row, fault)
            except (Broken, Refused):  # nothing is sent then, and the ledger's incident says why
                return told
    return told


def _due(moment: datetime) -> ColumnElement[bool]:
    """What was out, or should have been, ten minutes ago and not longer than a day."""
    since, until = moment - LOOK, moment - WITHIN
    late = and_(Publication.state.in_(_OPEN), Publication.due_at.between(since, until))
    begun = func.coalesce(Publication.pushed_at, Publication.published_at, Publication.due_at)
    return or_(late, and_(Publication.state == State.PUBLISHED, begun.between(since, until)))


async def _is_awaited(ledger: Ledger, row: Publication) -> bool:
    """Whether something urgent of it has to be proved."""
    draft = await approved_draft(ledger, row.item_id, row.digest)
    return draft is not None and is_urgent(draft) and _pushes(draft, row)


async def _fault(session: AsyncSession, row: Publication) -> str:
    """What is missing, in words; empty when all is proved."""
    if row.state != State.PUBLISHED:
        return f"到时间没有发布出去（{row.reason}）" if row.reason else "到时间没有发布结果"
    if row.pushed_at is None:
        return "已发布，推送没有开始"
    found = await arrived(session, row.id)
    return f"推送后 {found.words}" if found.unproved else ""


async def _tell(ledger: Ledger, tell: Tell, row: Publication, fault: str) -> bool:
    """Sign it and call people, unless that was done or it is not urgent."""
    subject = f"publication:{row.id}"
    if any(one.kind == UNPROVED for one in await ledger.facts(subject)):
        return False
    if recalled(await ledger.facts(f"item:{row.item_id}")):
        return False
    async with ledger.transaction() as tx:
        if any(one.kind == UNPROVED for one in await ledger.facts(subject)):
            return False  # another process was faster
        item = await read_item(tx.session, row.item_id)
        account = await tx.session.get(Account, row.account_id)
        found = await arrived(tx.session, row.id)
        numbers = {"people": found.people, "proved": found.proved, "waits": found.waits}
        body = {"item": row.item_id, "digest": row.digest, "state": row.state, **numbers}
        await tx.append(UNPROVED, subject=subject, actor="system", body=body)
        place = f"账号“{account.name}”" if account else "账号"
        words = f"紧急稿件《{item.title}》在{place}{fault}：请马上核对，必要时用其他办法通知"
        await open_incident_in(
            tx, UNPROVED, subject=subject, message=words, detail={"publication": row.id}
        )
        people = await active_with(tx.session, {"supervisor", "admin"})
    log.warning("urgent push unproved", publication=row.id, **numbers)
    editor = [] if item.last_editor_id == ROBOT else [item.last_editor_id]
    for staff_id in dict.fromkeys([*editor, *people]):
        await tell(staff_id, words)
    return True


def is_urgent(draft: Draft) -> bool:
    """Whether it was reviewed to be told at once: as 应急, or to go at night."""
    return draft.klass == EMERGENCY or urgent(draft.audience or {})


def _pushes(draft: Draft, row: Publication) -> bool:
    """Whether something of it is still to be proved: one without an audience only has to be out."""
    return draft.audience is not None or row.state != State.PUBLISHED
