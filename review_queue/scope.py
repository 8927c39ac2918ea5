"""知悉范围: an item that only named people see until it is released.

Whoever is not named gets the answers of an office without the item: no row of it, of its versions,
decisions, notes or tasks is read in a request of theirs. That is said once, for every statement,
and not on each page: a page that is written tomorrow keeps it as well.
"""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache

from sqlalchemy import ColumnElement, and_, event, literal, not_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import ORMExecuteState, Session, with_loader_criteria

from blocks.document import MARKER, Attachment, Document, Picture
from blocks.text import from_plain, project
from bot.contract import Content
from config.clock import now
from ledger.append import Transaction
from ledger.changed import row_changed
from ledger.verify import Entry
from review_queue.canonical import Draft, commitment
from review_queue.desk import ROBOT, Opened, Queue, fresh_levels, opened
from review_queue.drafting import Origin, create_item_in, written_faults
from review_queue.models import Item, ItemLook, Revision, ScopeAsk
from review_queue.states import ItemState, state_name
from review_queue.submitting import levels_of
from review_queue.workflow import unfillable
from staff.models import Proposal, Staff
from staff.people import active_with
from staff.refusal import Reason, Refused, refuse
from staff.roles import REVIEWERS, ROLES
from staff.standing import facts_or_refuse
from storage.database import Base, Database, new_id

UNRELEASED = (ItemState.DRAFT, ItemState.REVIEW, ItemState.REFERRED, ItemState.QUARANTINED)
_MINIMUM_REASON = 4
_ASKED = "item.scope_asked"
_ANSWERED = ("item.scope_added", "item.scope_refused")
_NOT_YOURS = (
    "有一张图片或一个附件属于您看不到的稿件，不能用在这里：请去掉；是您自己的，请裁剪或另存后再上传"
)
_CHANGED = Reason(
    "row_changed",
    "这项申请与签名的记录不符，被绕过本系统改动，不能办理：请看事件页，需要时重新提出",
)
_VIEWER: ContextVar[str | None] = ContextVar("viewer", default=None)


# --- who sees what ----------------------------------------------------------------------------


@contextmanager
def seen_by(staff_id: str | None) -> Iterator[None]:
    """Everything read inside is what this person may know of; None: the office itself, all."""
    token = _VIEWER.set(staff_id)
    try:
        yield
    finally:
        _VIEWER.reset(token)


@cache
def _parts() -> tuple[type, ...]:
    """Every table whose rows belong to one item."""
    mapped = (mapper.class_ for mapper in Base.registry.mappers)
    return tuple(one for one in mapped if hasattr(one, "item_id"))


def _hidden_from(staff_id: str) -> ColumnElement[bool]:
    # Columns of the table and not of the class: a rule for Item is not applied to itself again.
    item = Item.__table__.c
    return and_(item.confined, not_(item.scope.contains(f" {staff_id} ", autoescape=True)))


@event.listens_for(Session, "do_orm_execute")
def _narrow(state: ORMExecuteState) -> None:
    viewer = _VIEWER.get()
    if viewer is None or not state.is_select or state.is_column_load:
        return
    ids = select(Item.__table__.c.id).where(_hidden_from(viewer))
    rules = [with_loader_criteria(Item, Item.id.not_in(ids), include_aliases=True)]
    for part in _parts():
        key = part.item_id  # type: ignore[attr-defined]  # what _parts asked for
        rule = or_(key.is_(None), key.not_in(ids))
        rules.append(with_loader_criteria(part, rule, include_aliases=True))
    # A change that waits for a second person may be about an item too: an exception quotes it.
    about = Proposal.subject.not_in(
        select(literal("item:") + Item.__table__.c.id).where(_hidden_from(viewer))
    )
    rules.append(with_loader_criteria(Proposal, about, include_aliases=True))
    state.statement = state.statement.options(*rules)


@dataclass(frozen=True)
class Eyes:
    """Whose eyes a request reads with, and which confined items they may see."""

    viewer: str | None
    confined: frozenset[str]


async def eyes_of(db: Database, staff_id: str) -> Eyes:
    """Asked once a request; as long as nothing is hidden from them, no statement is narrowed."""

    def look(session: Session) -> list[tuple[str, bool]]:
        item = Item.__table__.c
        rows = session.execute(select(item.id, item.scope).where(item.confined)).all()
        return [(row.id, f" {staff_id} " in row.scope) for row in rows]

    rows = await db.read(look)
    seen = frozenset(key for key, inside in rows if inside)
    return Eyes(staff_id if len(seen) < len(rows) else None, seen)


def people_of(item: Item) -> list[str]:
    """Staff ids the item is, or until its release was, limited to."""
    return item.scope.split()


# --- who looked -------------------------------------------------------------------------------


async def record_look(db: Database, item_id: str, staff_id: str, what: str) -> None:
    """Remember a look at a confined item."""
    look = ItemLook(id=new_id(), item_id=item_id, staff_id=staff_id, what=what[:80], at=now())
    async with db.session() as session:
        session.add(look)


async def looks_of(session: AsyncSession, item_id: str, limit: int = 200) -> list[ItemLook]:
    """The looks at an item, newest first."""
    query = select(ItemLook).where(ItemLook.item_id == item_id)
    query = query.order_by(ItemLook.at.desc(), ItemLook.id.desc()).limit(limit)
    return list((await session.scalars(query)).all())


async def file_visible(db: Database, marker: str, staff_id: str) -> bool:
    """Whether a file may be shown: not while the item that held it first is hidden from them.

    Later holders say nothing: digests stand in signed entries, and whoever writes one into a text
    of their own must not see the file by it. A look at a confined item's file is remembered.
    """
    with seen_by(None):
        async with db.session() as session:
            holding = select(Item).join(Revision, Revision.item_id == Item.id)
            holding = holding.where(Revision.canonical.contains(marker, autoescape=True))
            if (await session.scalars(holding.where(Item.confined.is_(True)).limit(1))).first():
                first = holding.order_by(Revision.created_at, Revision.id).limit(1)
                item = (await session.scalars(first)).one()
            else:
                return True
    if not item.known_to(staff_id):
        return False
    if item.confined:
        await record_look(db, item.id, staff_id, f"文件 {marker[7:19]}")
    return True


async def hidden_files(
    db: Database, said: Draft | None, blocks: Document, cover: str, staff_id: str
) -> list[Reason]:
    """Why this text and cover may not be written: files of items that are hidden from the writer.

    Their digests stand in signed entries. The gates would read such a file aloud, and a release
    would send what no reviewer outside the circle can look at. `said` is what stood there before.
    """
    if (await eyes_of(db, staff_id)).viewer is None:
        return []
    known = set[str]()
    if said is not None:
        stood = said.blocks if said.blocks is not None else from_plain(said.body)
        known = _files_in(stood, said.cover)
    for marker in sorted(_files_in(blocks, cover) - known):
        if not await file_visible(db, marker, staff_id):
            return [Reason("media", _NOT_YOURS)]
    return []


def _files_in(document: Document, cover: str) -> set[str]:
    """Also those that stand among words: the gates read every marker of the text."""
    placed = {one.media for one in document.blocks if isinstance(one, Picture | Attachment)}
    return (placed | set(MARKER.findall(project(document).text)) | {cover}) - {""}


# --- limiting and widening --------------------------------------------------------------------


async def confine(queue: Queue, item_id: str, staff_id: str, people: Collection[str]) -> Item:
    """Limit an item to these people; who acts and who made it always belong to them.

    Refused: 422 when they could not fill the levels of its class, 409 when it is limited already.
    """
    async with queue.ledger.transaction() as tx:
        one = await opened(tx.session, item_id, staff_id)
        await _confine(queue, tx, one, people)
        return one.item


async def create_confined(
    queue: Queue, content: Content, origin: Origin, people: Collection[str]
) -> Item:
    """A new draft that is limited from its first moment."""
    refuse(written_faults(content, origin))
    await fresh_levels(queue)
    async with queue.ledger.transaction() as tx:
        item = await create_item_in(queue, tx, content, origin)
        await _confine(queue, tx, await opened(tx.session, item.id, origin.editor_id), people)
        return item


async def _confine(queue: Queue, tx: Transaction, one: Opened, people: Collection[str]) -> None:
    item, staff_id = one.item, one.person.id
    refuse(_may_not(one))
    if item.confined:
        words = "这篇稿件已经限定知悉范围，要增加人请用“增加一人”"
        raise Refused(409, [Reason("scope", words)])
    makers = {item.author_id, item.last_editor_id} - {ROBOT}
    wanted = {staff_id, *people, *makers}
    refuse(await _unknown(tx.session, wanted))
    refuse(await _unfilled(queue, tx.session, item, wanted))
    item.confined, item.scope = True, f" {' '.join(sorted(wanted))} "
    item.version += 1
    await tx.append(
        "item.confined",
        subject=f"item:{item.id}",
        actor=staff_id,
        body={"people": sorted(wanted)},
    )


def _may_not(one: Opened) -> list[Reason]:
    reasons = []
    if not set(one.person.roles) & ({"editor"} | REVIEWERS):
        reasons.append(Reason("role", "知悉范围由编辑或审核人员限定"))
    if one.item.state not in UNRELEASED:
        words = f"稿件现在是“{state_name(one.item)}”，放行以后不能再限定知悉范围"
        reasons.append(Reason("state", words))
    return reasons


async def _unknown(session: AsyncSession, people: Collection[str]) -> list[Reason]:
    missing = set(people) - set(await active_with(session, ROLES))
    return [Reason("people", f"没有这个人，或者账号已停用：{one}") for one in sorted(missing)]


async def _unfilled(
    queue: Queue, session: AsyncSession, item: Item, people: Collection[str]
) -> list[Reason]:
    """The levels must still find enough people: a limited item is reviewed like any other."""
    makers = {item.author_id, item.last_editor_id}
    rows = await session.execute(select(Staff.id, Staff.roles).where(Staff.id.in_(people)))
    free = {row[0]: row[1] for row in rows.all() if row[0] not in makers}
    flow = levels_of(queue, item.klass).for_kind(item.kind)
    words = unfillable({item.klass: flow}, free)
    return [Reason("people", f"知悉范围内的人不够审核：{one}") for one in words]


async def ask(queue: Queue, item_id: str, staff_id: str, whom: str, reason: str) -> ScopeAsk:
    """Ask that somebody else may see a confined item; nothing changes until another agrees."""
    async with queue.ledger.transaction() as tx:
        item = (await opened(tx.session, item_id, staff_id)).item
        reasons = await _unknown(tx.session, {whom})
        if not item.confined:
            reasons.append(Reason("scope", "这篇稿件没有限定知悉范围，不用增加"))
        elif item.known_to(whom):
            reasons.append(Reason("people", "这个人已经在知悉范围里"))
        if len(reason.strip()) < _MINIMUM_REASON:
            reasons.append(Reason("reason", f"请写明为什么要增加（至少 {_MINIMUM_REASON} 个字）"))
        query = select(ScopeAsk.id).where(
            ScopeAsk.item_id == item_id, ScopeAsk.staff_id == whom, ScopeAsk.state == "asked"
        )
        if (await tx.session.scalars(query)).first() is not None:
            reasons.append(Reason("same", "已经有人提出增加这个人，正等另一个人同意"))
        refuse(reasons)
        row = ScopeAsk(
            id=new_id(),
            item_id=item_id,
            staff_id=whom,
            asked_by=staff_id,
            reason=reason.strip(),
            at=now(),
            state="asked",
        )
        tx.session.add(row)
        await tx.append(
            _ASKED,
            subject=f"item:{item_id}",
            actor=staff_id,
            body={"person": whom, "reason": commitment(row.id, row.reason)},
        )
        return row


async def answer(queue: Queue, item_id: str, staff_id: str, ask_id: str, verdict: str) -> ScopeAsk:
    """Let the person in (`added`) or not (`refused`): a second person of the circle says.

    Refused, with the incident `row_changed`, when the row is not what was asked under signature.
    """
    if verdict not in ("added", "refused"):
        raise Refused(422, [Reason("verdict", "请选择同意或者不同意")])
    try:
        return await _answer(queue, item_id, staff_id, ask_id, verdict)
    except Refused as refused:
        # Here and not in the transaction, which ended without a trace.
        if _CHANGED in refused.reasons:
            await row_changed(queue.ledger, ScopeAsk.__tablename__, ask_id)
        raise


async def _answer(queue: Queue, item_id: str, staff_id: str, ask_id: str, verdict: str) -> ScopeAsk:
    async with queue.ledger.transaction() as tx:
        item = (await opened(tx.session, item_id, staff_id)).item
        row = await tx.session.get(ScopeAsk, ask_id)
        if row is None or row.item_id != item_id:
            raise Refused(404, [Reason("ask", "没有这项申请，可能地址不完整")])
        told = await facts_or_refuse(tx.session, f"item:{item_id}")
        if row.state == "asked" and not _asked_so(told, row):
            raise Refused(409, [_CHANGED])
        if row.asked_by == staff_id:
            words = "提出人不能自己同意，请知悉范围内的另一个人处理"
            raise Refused(403, [Reason("two_people", words)])
        reasons = []
        if row.state != "asked":
            reasons.append(Reason("state", "这项申请已经处理过"))
        if not item.confined:
            reasons.append(Reason("scope", "稿件已经放行，不再限定知悉范围"))
        reasons += await _unknown(tx.session, {row.staff_id, row.asked_by})
        refuse(reasons)
        row.state, row.decided_by = verdict, staff_id
        if verdict == "added":
            item.scope += f"{row.staff_id} "
            item.version += 1
        await tx.append(
            f"item.scope_{verdict}",
            subject=f"item:{item_id}",
            actor=staff_id,
            body={"person": row.staff_id, "asked_by": row.asked_by},
        )
        return row


def _asked_so(told: Sequence[Entry], row: ScopeAsk) -> bool:
    """Whether the row is what its person asked under signature, and nobody has answered it yet."""
    words = {"person": row.staff_id, "reason": commitment(row.id, row.reason)}
    asked = [
        entry.seq
        for entry in told
        if (entry.kind, entry.actor) == (_ASKED, row.asked_by) and entry.body == words
    ]
    answered = {"person": row.staff_id, "asked_by": row.asked_by}
    return bool(asked) and not any(
        entry.kind in _ANSWERED and entry.seq > asked[-1] and entry.body == answered
        for entry in told
    )


async def asks_of(session: AsyncSession, item_id: str) -> list[ScopeAsk]:
    """What was asked about an item's circle, oldest first."""
    query = select(ScopeAsk).where(ScopeAsk.item_id == item_id).order_by(ScopeAsk.at)
    return list((await session.scalars(query)).all())
