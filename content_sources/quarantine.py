"""What a source's end does to the items taken from it, and what its return undoes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from config.clock import now
from content_sources.models import Article, Source
from content_sources.reposts import rule_of
from content_sources.source_fields import SIGNED
from content_sources.tasks import owner_of
from content_sources.whitelist import covers, host_of
from ledger.append import Transaction, signed_facts
from ledger.changed import row_changed_in
from ledger.verify import Broken, Entry
from review_queue.canonical import Draft
from review_queue.models import Item, Revision
from review_queue.quarantine import WAITING, hold_unsent, lift, quarantine
from review_queue.scope import seen_by
from review_queue.states import ItemState
from staff.tasks import NewTask, open_task, waiting
from storage.database import rows_of

DECIDE_WITHIN = timedelta(hours=24)
EXPIRED = "source.expired"
_BETWEEN = timedelta(minutes=1)
_LOOK = 20.0  # seconds


def _taken_from(row: Source) -> ColumnElement[bool]:
    """Items made from an article of this source."""
    articles = select(Article.id).where(Article.source_id == row.id)
    made = select(Article.item_id).where(Article.source_id == row.id, Article.item_id.is_not(None))
    return or_(Item.article_id.in_(articles), Item.id.in_(made))


async def _typed_from(session: AsyncSession, row: Source, states: Sequence[str]) -> Sequence[Item]:
    """Reposts that were typed in: no article, but an original at one of the source's hosts."""
    latest = (
        select(Revision.item_id, func.max(Revision.number).label("number"))
        .group_by(Revision.item_id)
        .subquery()
    )
    query = (
        select(Item, Revision.canonical)
        .join(Revision, Revision.item_id == Item.id)
        .join(
            latest,
            (latest.c.item_id == Revision.item_id) & (latest.c.number == Revision.number),
        )
        .where(Item.kind == "转载", Item.article_id.is_(None), Item.state.in_(states))
    )
    found = []
    for item, text in (await session.execute(query.order_by(Item.id))).all():
        place = host_of(Draft.from_canonical(text).attribution.get("url", ""))
        if place is not None and covers(row.hosts, *place):
            found.append(item)
    return found


async def _items_of(session: AsyncSession, row: Source, states: Sequence[str]) -> list[Item]:
    """All of them: who ends a source ends it for items they may not see, too."""
    query = select(Item).where(_taken_from(row), Item.state.in_(states)).order_by(Item.id)
    with seen_by(None):
        fetched = (await session.scalars(query)).all()
        return [*fetched, *await _typed_from(session, row, states)]


async def quarantine_source(tx: Transaction, row: Source, why: str) -> dict[str, int]:
    """Quarantine what waits, hold what is scheduled, list what is out for a person's decision."""
    done = {"quarantined": 0, "held": 0, "listed": 0}
    owner = await owner_of(tx.session, row.owner)
    for item in await _items_of(tx.session, row, (*WAITING, ItemState.PUBLISHED)):
        if item.state == ItemState.PUBLISHED:
            await hold_unsent(tx, item, why)  # accounts that are still to follow
            done["listed"] += await _list(tx, item, row, why=why, owner=owner)
        else:
            held = await quarantine(tx, item, f"{why}，稿件已隔离：不能提交、审核和发布")
            done["held" if held else "quarantined"] += 1
    return done


async def _list(tx: Transaction, item: Item, row: Source, *, why: str, owner: str | None) -> int:
    """One task: keep, correct or withdraw, with person and reason."""
    # One open question for each item, although its source may end twice.
    if await waiting(tx.session, "decision", item_id=item.id) is not None:
        return 0
    # The robot has no eyes: without a person the task stands open for everybody.
    editor = item.last_editor_id if item.last_editor_id != "robot" else None
    await open_task(
        tx,
        NewTask(
            kind="decision",
            title=f"{why}，已发布的稿件要决定去留：{item.said_title}"[:300],
            due_at=now() + DECIDE_WITHIN,
            item_id=item.id,
            source_id=row.id,
            assignee=owner or editor,
        ),
    )
    return 1


async def lift_source(tx: Transaction, row: Source) -> int:
    """The source is in force again: its quarantined items go back to draft. How many."""
    # Approved again, but with a term that is over: nothing comes back.
    if row.state != "active" or (row.valid_to is not None and row.valid_to <= now()):
        return 0
    items = await _items_of(tx.session, row, (ItemState.QUARANTINED,))
    for item in items:
        await lift(tx, item, f"稿源“{row.organisation}”已重新核定，请核对后重新提交审核")
    return len(items)


async def expire_due(tx: Transaction) -> dict[str, int]:
    """Quarantine items of sources that expired; tell owners 30 and 7 days before.

    By the term two people signed: a row that says another one is put right and told as changed.
    """
    done = {"expired": 0, "told": 0}
    try:
        # Under the write lock nothing is signed in between: the first look reads for all.
        signed = (await tx.ledger.following(OpenSources)).approved
    except Broken:
        return done  # the watch tells; nothing ends by a ledger that does not hold
    query = select(Source.id).where(Source.state == "active")
    ids = sorted({*(await tx.session.scalars(query)), *signed}, key=str)
    rows = await rows_of(tx.session, Source, ids)
    for one in ids:
        row = rows.get(one)
        term = await _term(tx.session, one, _LOOK)
        if term is None:
            # Determined by nobody, or revoked: what the row says of its end is no end.
            ended = row is not None and row.valid_to is not None and row.valid_to <= now()
            if ended or (row is None and one not in signed):
                await row_changed_in(tx, Source.__tablename__, one)
            continue
        if row is None or not _as_signed(row, term):
            await row_changed_in(tx, Source.__tablename__, one)
            row = row or await _anew(tx.session, signed[one])
            row.state, row.valid_to = "active", term.until
            row.told = "expired" if term.told else row.told.replace("expired", "")
        if term.until is not None and not term.told:
            await _near_end(tx, row, term.until, done)
    return done


class OpenSources:
    """The sources that signed entries determined and none revoked, with their last approval."""

    def __init__(self) -> None:
        """A ledger tells each entry once."""
        self.approved: dict[str, Entry] = {}

    def take(self, entry: Entry) -> None:
        """The next signed entry of the chain."""
        source_id = entry.subject.partition(":")[2]
        if entry.kind == "source.approved":
            self.approved[source_id] = entry
        elif entry.kind == "source.revoked":
            self.approved.pop(source_id, None)


async def _anew(session: AsyncSession, approved: Entry) -> Source:
    """A row in the place of one that is gone or cannot be read: what two people signed."""
    source_id, body = approved.subject.partition(":")[2], approved.body
    fields = {name: body[name] for name in SIGNED}
    fields["valid_from"] = datetime.fromisoformat(body["valid_from"])
    fields.pop("valid_to")
    await session.execute(delete(Source).where(Source.id == source_id))
    by = str(body.get("proposed_by") or approved.actor)
    row = Source(
        id=source_id, state="active", told="", proposed_by=by, approved_by=approved.actor, **fields
    )
    session.add(row)
    await session.flush()
    return row


async def _near_end(tx: Transaction, row: Source, until: datetime, done: dict[str, int]) -> None:
    """What is due for a source that has not been called expired yet."""
    left = until - now()
    if left <= timedelta(0):
        row.told = "expired"
        body = {"valid_to": until.isoformat()}
        await tx.append(EXPIRED, subject=f"source:{row.id}", actor="system", body=body)
        await quarantine_source(tx, row, f"稿源“{row.organisation}”已过有效期")
        done["expired"] += 1
        return
    stage = next((name for name, days in (("7", 7), ("30", 30)) if left.days < days), "")
    # Shortened to 7 days and lengthened again: the earlier notice is not said a second time.
    if stage and stage != row.told and not (stage == "30" and row.told == "7"):
        row.told = stage
        done["told"] += await _notice(tx, row)


@dataclass(frozen=True)
class _Term:
    """How long a source is in force by its signed entries; `told` when its end was signed."""

    until: datetime | None
    told: bool


async def _term(session: AsyncSession, source_id: str, age: float) -> _Term | None:
    """The signed term of a source that is in force; None when nobody determined it. Broken."""
    subject = f"source:{source_id}"
    entries = (await signed_facts(session, [subject], age=age))[subject]
    rule = rule_of(source_id, entries)
    if rule is None or rule.revoked:
        return None
    until = rule.valid_to
    # What ended before it was approved again, or before its time, is not said of this term.
    since = max(one.seq for one in entries if one.kind == "source.approved")
    told = until is not None and any(
        one.kind == EXPIRED
        and one.seq > since
        and datetime.fromisoformat(one.at) >= until - _BETWEEN
        for one in entries
    )
    return _Term(until, told)


def _as_signed(row: Source, term: _Term) -> bool:
    if row.state != "active" or (row.told == "expired") != term.told:
        return False
    if row.valid_to is None or term.until is None:
        return row.valid_to is term.until
    return abs(row.valid_to - term.until) <= _BETWEEN


async def _notice(tx: Transaction, row: Source) -> int:
    """One renewal task a source, due when it ends; the second notice only reminds again."""
    task = await waiting(tx.session, "renewal", source_id=row.id)
    if task is not None:
        task.reminded_at = None  # so that the job reminds of it once more
        return 1
    await open_task(
        tx,
        NewTask(
            kind="renewal",
            title=f"稿源“{row.organisation}”即将到期，请提出延期或另找稿源",
            due_at=row.valid_to or now(),
            source_id=row.id,
            assignee=await owner_of(tx.session, row.owner),
        ),
    )
    return 1
