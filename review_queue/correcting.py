"""The only maker of a correction: a new draft of kind 更正, to where the old item went."""

from dataclasses import dataclass, replace

from bot.contract import Content
from ledger.append import Transaction
from review_queue.canonical import EDITION, Corrects, Draft
from review_queue.desk import Queue, fresh_levels, latest
from review_queue.drafting import Origin, create_item_in
from review_queue.models import Item
from review_queue.states import ItemState
from staff.people import Member, person_with, read_person
from staff.refusal import Reason, Refused, missing

KIND = "更正"
WRITERS = frozenset({"editor"})
_SENT = (ItemState.SCHEDULED, ItemState.PUBLISHED, ItemState.RECALLED)


@dataclass(frozen=True)
class Correction:
    """The words of a correction."""

    title: str
    body: str


async def correct(
    queue: Queue, item_id: str, staff_id: str, words: Correction | None = None
) -> Item:
    """Correct what went out or is planned; it is reviewed like every item.

    Without words it begins with a copy of the old text and its files. Refused: 403 for whoever does
    not write, 404 for no item, 409 for one that was never planned.
    """
    await fresh_levels(queue)
    async with queue.ledger.transaction() as tx:
        editor = await person_with(tx.session, staff_id, WRITERS)
        old = await _old(tx, item_id)
        if old.state not in _SENT:
            why = "只有安排过发布的稿件才需要更正，草稿请直接修改"
            raise Refused(409, [Reason("state", why)])
        if old.kind == EDITION:
            why = "更正从组版里有错的那一篇开始，请打开它"
            raise Refused(409, [Reason("kind", why)])
        return await _begun(queue, tx, old, editor, words)


async def copy_to_correct(queue: Queue, tx: Transaction, item_id: str, staff_id: str) -> Item:
    """The old text with its files as the draft of a correction, for an editor to change.

    For a caller that has asked whether this person may: whoever settles a task need not be an
    editor. The state is not asked either, since the task came from something that was published.
    """
    person = await read_person(tx.session, staff_id)
    return await _begun(queue, tx, await _old(tx, item_id), person, None)


async def _begun(
    queue: Queue, tx: Transaction, old: Item, person: Member, words: Correction | None
) -> Item:
    """To the same accounts and audience, in its class of now, under this person's name."""
    revision = await latest(tx.session, old)
    draft = Draft.from_canonical(revision.canonical)
    origin = Origin(
        editor_id=person.id,
        klass=old.klass,
        audience=draft.audience,
        accounts=draft.accounts,
        corrects=Corrects(old.id, revision.digest, title=draft.title),
    )
    attribution = {**draft.attribution, "editor": person.name}
    if words is None:
        title = f"更正：{draft.title}"[:300]
        content = replace(draft.content, kind=KIND, title=title, attribution=attribution)
    else:
        content = Content(KIND, words.title, words.body, attribution=attribution)
    return await create_item_in(queue, tx, content, origin)


async def _old(tx: Transaction, item_id: str) -> Item:
    item = await tx.session.get(Item, item_id)
    if item is None:
        raise missing("篇稿件")
    return item
