"""Released into the library: the end of an item that passed review and goes to no account.

The same proof as before a sending stands before it: the signed chain, the digest, the window and
the gates of now. What is taken back is not used from that moment on (`recalling.py`).
"""

import logging
from collections.abc import Sequence

from sqlalchemy import exists, or_, select
from sqlalchemy.exc import DataError, IntegrityError, NoResultFound

from bot.contract import Content, NotReleased
from config.clock import now
from review_queue.canonical import QA, SHELF_KINDS, TOLD_NOTICE, Draft, digest
from review_queue.desk import Queue, latest
from review_queue.drafting import Origin, create_item
from review_queue.models import Item, Revision
from review_queue.recalling import recall, recall_faults
from review_queue.shelf import ShelfEntry, Shelved
from review_queue.states import ItemState, Verb, can, move
from staff.people import read_person
from staff.refusal import Reason, Refused, missing, refuse
from storage.database import new_id

_PAGE = 100
_LONGEST_TITLE = 120
_OF_ONE = (IntegrityError, DataError, NoResultFound, Refused, ValueError, KeyError, TypeError)
"""What rows of one item alone make fail. A database that is away stops the whole round."""
_log = logging.getLogger(__name__)


async def shelve(queue: Queue, item_id: str) -> bool:
    """Put an approved item into use, if it is one of these kinds and its window has begun.

    A release that does not hold is refused with an incident, as at a sending; whether it is in
    use now.
    """
    one = await _ready(queue, item_id)
    if one is None:
        return False
    try:
        release = await queue.releases.verify(one.release_id)
    except NotReleased:
        return False
    async with queue.ledger.transaction() as tx:
        item = await tx.session.get(Item, item_id, populate_existing=True)
        # Recalled, edited or put there by another process since it was looked at.
        if item is None or not can(item, Verb.SHELVE) or item.release_id != one.release_id:
            return False
        if release.digest != one.digest:
            return False
        await queue.library[one.draft.kind].put(tx, one)
        move(item, Verb.SHELVE)
        item.version += 1
    return True


async def shelve_due(queue: Queue) -> int:
    """Every approved item of these kinds whose moment has come; how many.

    One that cannot be put there is told in an incident and stops none behind it.
    """
    done, last = 0, ""
    while waiting := await _waiting(queue, last):
        for item_id in waiting:
            done += await _isolated(queue, item_id)
        last = waiting[-1]
    return done


async def _waiting(queue: Queue, after: str) -> Sequence[str]:
    """The next page of approved items that go to a shelf, in the order of their ids."""
    # As the canonical text writes it: within words a quotation mark has a backslash before it.
    entry = Revision.canonical.contains('"entry":"', autoescape=True)
    of_item = (Revision.item_id == Item.id) & (Revision.number == Item.revision)
    query = select(Item.id).where(
        Item.kind.in_(SHELF_KINDS),
        or_(Item.kind != QA, exists().where(of_item, entry)),
        Item.state == ItemState.APPROVED,
        Item.release_id.is_not(None),
        Item.id > after,
    )
    async with queue.db.session() as session:
        return (await session.scalars(query.order_by(Item.id).limit(_PAGE))).all()


async def _isolated(queue: Queue, item_id: str) -> bool:
    try:
        return await shelve(queue, item_id)
    except _OF_ONE as error:
        _log.warning("item %s was not put into use: %r", item_id, error)
        await queue.ledger.open_incident(
            "release_refused",
            subject=f"item:{item_id}",
            message="这篇稿件已经批准，没有能入库使用：数据库里的记录与它冲突或者无法读取，"
            "请查明是谁改的，从备份恢复，恢复后自动入库",
            detail={"item": item_id, "fault": type(error).__name__},
        )
        return False


async def draft_for(queue: Queue, kind: str, key: str, staff_id: str) -> Item:
    """A new draft for one place of the library, with the text that is there now."""
    entry = await _entry(queue, kind, key)
    content = Content(kind=kind, title=entry.label, body=entry.text or entry.label)
    return await create_item(queue, content, Origin(staff_id, entry=key, rests=entry.rests))


async def new_entry(queue: Queue, question: str, staff_id: str) -> Item:
    """A draft of a question and answer that the library does not hold yet."""
    asked = question.strip()
    if not asked:
        raise Refused(422, [Reason("title", "请写群众的问法")])
    content = Content(kind=QA, title=asked, body="（答复待写）")
    return await create_item(queue, content, Origin(staff_id, entry=new_id()))


async def new_notice(queue: Queue, about: str, of: str, staff_id: str) -> Item:
    """A draft of a correction for whoever was told `about` (a clause, entry:KEY), named `of`."""
    content = Content(
        kind=TOLD_NOTICE,
        title=f"更正告知：{of}"[:_LONGEST_TITLE],
        body=f"您在本账号问到过{of}。（写明原来怎样说、现在怎样、从哪天起、怎么办）",
    )
    return await create_item(queue, content, Origin(staff_id, entry=new_id(), rests=(about,)))


async def withdraw(queue: Queue, kind: str, key: str, staff_id: str, reason: str) -> None:
    """Stop using an entry: one person, at once, with a reason; its item is recalled."""
    entry = await _entry(queue, kind, key)
    if entry.item_id:
        await recall(queue, entry.item_id, staff_id, reason)
        return
    async with queue.ledger.transaction() as tx:
        person = await read_person(tx.session, staff_id)
        reasons = recall_faults(person, reason)
        if not reasons and not await queue.library[kind].withdraw_entry(tx, key, staff_id):
            reasons = [Reason("state", "这一条已经停用")]
        refuse(reasons)


async def _entry(queue: Queue, kind: str, key: str) -> ShelfEntry:
    shelf = queue.library.get(kind)
    found = [one for one in await shelf.entries() if one.key == key] if shelf else []
    if not found:
        raise missing(f"条{kind}")
    return found[0]


async def _ready(queue: Queue, item_id: str) -> Shelved | None:
    async with queue.db.session() as session:
        item = await session.get(Item, item_id)
        if item is None or item.state != ItemState.APPROVED or item.release_id is None:
            return None
        text = (await latest(session, item)).canonical
    draft = Draft.from_canonical(text)
    if not draft.shelved or draft.kind not in queue.library or draft.not_before > now():
        return None
    return Shelved(item_id, item.release_id, digest(text), draft)
