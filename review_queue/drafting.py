"""First draft, edits and the class of an item."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import select

from blocks.document import MOST_BLOCKS, BlockFault
from blocks.text import project
from bot.contract import Content
from bot.models import Account
from config.clock import now
from facets.criteria import audience_faults
from gates.finding import STANDARD
from ledger.append import Transaction
from review_queue.article_fields import article_faults
from review_queue.canonical import (
    KINDS,
    LIBRARY_KINDS,
    QA,
    WRITTEN_KINDS,
    Corrects,
    Draft,
    digest,
)
from review_queue.chain import class_gap, makers
from review_queue.classes import RANKS, highest, rank
from review_queue.desk import (
    LIBRARY_WINDOW,
    Queue,
    Said,
    add_revision,
    append_with_words,
    canonical_of,
    end_run,
    fresh_levels,
    fresh_rules,
    opened,
    reclass,
)
from review_queue.models import Item, Revision
from review_queue.shelf import shelf_faults
from review_queue.states import ItemState, Verb, move, state_name
from review_queue.workflow import EMERGENCY
from staff.people import Member
from staff.refusal import Reason, Refused, refuse, status_of
from staff.roles import REVIEWERS
from staff.standing import WAITING
from storage.database import new_id

_LONGEST_FIELD, _MOST_FIELDS = 2_000, 20  # an address of a page is the longest
_MOST_KEYS, _LONGEST_KEY = 500, 60


@dataclass(frozen=True)
class Origin:
    """Where a new item comes from. `accounts` None means every enabled account.

    `entry` is the place in the library, of kinds that are released into it, `rests` the clauses
    such a text rests on; `corrects` what a correction is about; `like` the item that was copied to
    begin this one.
    """

    editor_id: str
    klass: str = "日常"
    article_id: str | None = None
    audience: Mapping[str, list[str]] | None = None
    accounts: tuple[str, ...] | None = None
    entry: str = ""
    rests: tuple[str, ...] = ()
    corrects: Corrects | None = None
    like: str = ""


async def create_item(queue: Queue, content: Content, origin: Origin) -> Item:
    """A new draft with its first revision, as somebody writes one; Refused 422 when too long."""
    refuse(written_faults(content, origin))
    await fresh_levels(queue)
    async with queue.ledger.transaction() as tx:
        return await create_item_in(queue, tx, content, origin)


def written_faults(content: Content, origin: Origin) -> list[Reason]:
    """Why a draft as somebody wrote it is not taken: longer or wider than anything real."""
    faults = _length_faults(content) + _size_faults(content) + article_faults(content)
    return faults + _audience_faults(origin.audience, origin.accounts or ())


async def create_item_in(queue: Queue, tx: Transaction, content: Content, origin: Origin) -> Item:
    """The same inside a transaction of the caller (a fetched article and its item).

    A fetched item's editor is ROBOT. Its length is that of its original: what is too long to be
    checked is kept, and may not be submitted.
    """
    if content.kind not in WRITTEN_KINDS:
        raise Refused(422, [Reason("kind", f"稿件种类只能是：{'、'.join(WRITTEN_KINDS)}")])
    if origin.klass not in queue.levels:
        known = "、".join(queue.levels)
        raise Refused(422, [Reason("klass", f"稿件类别只能是：{known}")])
    moment = now()
    in_library = content.kind in LIBRARY_KINDS or (content.kind == QA and bool(origin.entry))
    accounts = () if in_library else origin.accounts
    if accounts is None:
        enabled = select(Account.id).where(Account.enabled.is_(True)).order_by(Account.slug)
        accounts = tuple((await tx.session.scalars(enabled)).all())
    draft = Draft(
        kind=content.kind,
        klass=origin.klass,
        title=content.title,
        body=content.body if content.blocks is None else project(content.blocks).text,
        accounts=accounts,
        not_before=moment,
        not_after=moment + (LIBRARY_WINDOW if in_library else await queue.window()),
        cover=content.cover,
        attribution=content.attribution,
        attachments=content.attachments,
        audience=None if in_library else origin.audience,
        entry=origin.entry if in_library else "",
        rests=origin.rests if in_library else (),
        blocks=None if in_library else content.blocks,
        summary=content.summary,
        author=content.author,
        made=content.made,
        crops=content.crops,
        corrects=origin.corrects,
        comments=content.comments and not in_library,
    ).in_blocks()
    return await begin_item(queue, tx, draft, origin)


async def begin_item(queue: Queue, tx: Transaction, draft: Draft, origin: Origin) -> Item:
    """The row of a new draft with its first revision."""
    moment = now()
    item = Item(
        id=new_id(),
        kind=draft.kind,
        klass=draft.klass,
        state=ItemState.DRAFT,
        title=draft.title[:300],
        author_id=origin.editor_id,
        last_editor_id=origin.editor_id,
        article_id=origin.article_id,
        begun_like=origin.like,
        revision=0,
        created_at=moment,
        updated_at=moment,
    )
    tx.session.add(item)
    text, _ = await canonical_of(queue, tx.session, draft)
    await add_revision(tx, item, text, origin.editor_id)
    if origin.corrects is not None:
        about = f"item:{origin.corrects.item}"
        body = {"by": item.id, "digest": origin.corrects.digest}
        await tx.append("correction.begun", subject=about, actor=origin.editor_id, body=body)
    return item


async def edit(
    queue: Queue, item_id: str, staff_id: str, version: int, changes: Mapping[str, Any]
) -> Item:
    """Save a draft's fields (see canonical.Draft). A change voids every approval and waiver.

    An unchanged save keeps them. A stale `version` is refused with 409 and the content of now.
    """
    await fresh_levels(queue)
    async with queue.ledger.transaction() as tx:
        one = await opened(tx.session, item_id, staff_id)
        item, person, revision = one.item, one.person, one.revision
        reasons = edit_faults(item, person, version)
        if reasons:
            raise Refused(status_of(reasons), reasons, current_of(item, revision))
        old = one.draft
        draft = _changed(old, changes)
        if draft.says_as(old):
            return item
        faults = _field_faults(queue, draft) + _length_faults(draft, old) + _size_faults(draft)
        faults += _audience_faults(draft.audience, draft.accounts)
        faults += article_faults(draft, old) + shelf_faults(old, draft)
        faults += _correction_faults(old, draft) + _edition_faults(old, draft, changes)
        if faults:
            raise Refused(422, faults)
        refuse(await _lowering_faults(queue, item, old, draft))
        text, _ = await canonical_of(queue, tx.session, draft)
        if digest(text) == revision.digest:
            return item
        await end_run(tx.session, item, "稿件已修改，需要重新审核")
        move(item, Verb.VOID)
        item.klass, item.kind, item.title = draft.klass, draft.kind, draft.title[:300]
        await add_revision(tx, item, text, staff_id)
        return item


def _changed(old: Draft, changes: Mapping[str, Any]) -> Draft:
    """The draft as changed; a text that fits into no block any more is named by its place."""
    new = dict(changes)
    if "changes" in new and (words := new.pop("changes")) is not None and old.corrects:
        new["corrects"] = replace(old.corrects, changes=words)
    try:
        return old.changed(new)
    except BlockFault as fault:
        raise Refused(422, [Reason("body", str(fault))]) from fault


def _field_faults(queue: Queue, draft: Draft) -> list[Reason]:
    faults = []
    if not draft.title.strip():
        faults.append(Reason("title", "标题不能为空"))
    if not draft.body.strip():
        faults.append(Reason("body", "正文不能为空"))
    if draft.klass not in queue.levels:
        faults.append(Reason("klass", f"稿件类别只能是：{'、'.join(queue.levels)}"))
    if draft.kind not in (KINDS if draft.edition else WRITTEN_KINDS):
        faults.append(Reason("kind", f"稿件种类只能是：{'、'.join(WRITTEN_KINDS)}"))
    if draft.not_after <= draft.not_before:
        faults.append(Reason("window", "最晚发布时间必须晚于最早发布时间"))
    return faults


def _length_faults(now: Content | Draft, before: Draft | None = None) -> list[Reason]:
    """Longer than the gates read; a draft that came in too long may be kept and cut by steps."""
    fields = (
        ("title", "标题", STANDARD.title, "请缩短"),
        ("body", "正文", STANDARD.text, "请删减，或拆成几篇"),
    )
    faults = [
        Reason(name, f"{label}最多 {most} 字，现在是 {size} 字，{remedy}")
        for name, label, most, remedy in fields
        if (size := len(getattr(now, name))) > most
        and (before is None or size > len(getattr(before, name)))
    ]
    if (count := _blocks(now)) > MOST_BLOCKS and (before is None or count > _blocks(before)):
        faults.append(Reason("body", f"正文最多 {MOST_BLOCKS} 段，现在是 {count} 段，请拆成几篇"))
    return faults


def _blocks(one: Content | Draft) -> int:
    return len(one.blocks.blocks) if one.blocks is not None else one.body.count("\n") + 1


def _size_faults(draft: Draft | Content) -> list[Reason]:
    """Fields beside the text: as long as anything real, and no longer."""
    long = [name for name, text in draft.attribution.items() if len(text) > _LONGEST_FIELD]
    faults = [Reason(f"from_{name}", f"署名每项最多 {_LONGEST_FIELD} 字") for name in long]
    if len(draft.attribution) > _MOST_FIELDS:
        faults.append(Reason("attribution", f"署名最多 {_MOST_FIELDS} 项"))
    return faults


def _audience_faults(audience: Mapping[str, Any] | None, accounts: Sequence[str]) -> list[Reason]:
    """Only our dimensions, and no more keys than a taxonomy has."""
    faults = []
    wanted = audience or {}
    if problems := audience_faults(wanted):
        faults += [Reason("audience", words) for words in problems]
    elif any(len(keys) > _MOST_KEYS or not all(map(_is_key, keys)) for keys in wanted.values()):
        faults.append(Reason("audience", f"推送条件每项最多 {_MOST_KEYS} 个"))
    if len(set(accounts)) < len(accounts):
        faults.append(Reason("accounts", "同一个发布账号写了两次"))
    return faults


def _is_key(key: object) -> bool:
    return isinstance(key, str) and len(key) <= _LONGEST_KEY


def _correction_faults(old: Draft, draft: Draft) -> list[Reason]:
    """What a correction is about stays; it is begun from the published item."""
    was, now = old.corrects, draft.corrects
    if was is None or (now and (now.item, now.digest) == (was.item, was.digest)):
        same = was is None or draft.kind == old.kind
    else:
        same = False
    if same:
        return []
    return [Reason("kind", "更正是从已发布的稿件起草的，不能改成别的种类或改指别的稿件")]


def _edition_faults(old: Draft, draft: Draft, changes: Mapping[str, Any]) -> list[Reason]:
    """What an edition is made of is said by its items alone (editions.py)."""
    if not old.edition or "edition" in changes:
        return []
    theirs = replace(
        old,
        klass=draft.klass,
        title=draft.title,
        not_before=draft.not_before,
        not_after=draft.not_after,
    )
    if theirs.says_as(draft):
        return []
    return [
        Reason("edition", "组版由各篇稿件组成：这里只能改名称、类别和时段，增减和排序请打开组版")
    ]


async def _lowering_faults(queue: Queue, item: Item, old: Draft, draft: Draft) -> list[Reason]:
    """A change of class downwards that no other person consented to."""
    if draft.klass == old.klass or draft.klass == EMERGENCY:
        return []
    chain = await queue.releases.chain(item.id)
    earlier = [str(one.body.get("klass", "")) for one in chain.of("revision.created")]
    top = highest([klass for klass in earlier if klass in RANKS])
    if rank(draft.klass) >= rank(top):
        return []
    return [
        Reason(
            "class_lowered",
            f"类别不能由{top}降为{draft.klass}：请另一位审核人员写明理由后降低",
        )
    ]


async def lower_class(queue: Queue, item_id: str, staff_id: str, to: str, reason: str) -> Item:
    """Lower the class, or consent to its staying low in spite of trigger words.

    Only a reviewer who is neither author nor last editor, with a reason. A running review
    goes back to draft.
    """
    await fresh_rules(queue)
    async with queue.ledger.transaction() as tx:
        one = await opened(tx.session, item_id, staff_id)
        item, person, draft = one.item, one.person, one.draft
        chain = await queue.releases.chain(item.id)
        kept = draft.changed({"klass": to}) if to in RANKS else draft
        top, _ = class_gap(chain, kept, queue.triggers, lambda entry: True)
        top = highest([top, draft.klass])
        reasons = _lower_faults(item, person, to, reason)
        if person.id in makers(chain).writers - {item.author_id, item.last_editor_id}:
            reasons.append(Reason("writer", "写过或改过这一稿文字的人不能降低它的类别"))
        if to in RANKS and rank(to) >= rank(top):
            reasons.append(Reason("klass", f"稿件类别是{draft.klass}，不用降低"))
        refuse(reasons)
        words = [w for w, klass in queue.triggers.of(draft).items() if rank(klass) > rank(to)]
        body = {"from": top, "to": to, "words": sorted(words)}
        await append_with_words(tx, item, Said("class.lowered", staff_id, reason), body)
        if item.state == ItemState.REVIEW:
            await end_run(tx.session, item, "稿件类别已改，需要重新提交")
            move(item, Verb.VOID)
        if draft.klass != to:
            await reclass(queue, tx, item, to, staff_id)
        item.return_reason = f"类别已降为{to}：{reason}"
        return item


def current_of(item: Item, revision: Revision) -> dict[str, object]:
    """What a stale form is shown beside the words that were typed into it."""
    draft = Draft.from_canonical(revision.canonical)
    return {
        "version": item.version,
        "digest": revision.digest,
        "state": item.state,
        "klass": draft.klass,
        "kind": draft.kind,
        "title": draft.title,
        "body": draft.body,
        "editor": revision.editor_id,
        "at": revision.created_at.isoformat(),
    }


def edit_faults(item: Item, person: Member, version: int) -> list[Reason]:
    """Why this person cannot change the item as they read it."""
    reasons = []
    if item.state == ItemState.QUARANTINED:
        reasons.append(Reason("state", f"稿件已隔离，不能修改：{item.return_reason}"))
    if person.waiting:
        reasons.append(WAITING)
    elif "editor" not in person.roles:
        reasons.append(Reason("role", "只有编辑能修改和提交稿件，审核人员请退回并说明"))
    if item.version != version:
        reasons.append(Reason("stale", "稿件在您打开之后有变化，请先看新的内容"))
    if item.state == ItemState.SHELVED:
        reasons.append(Reason("state", "稿件已入库使用，要改请另起草一篇"))
    if item.state in (ItemState.PUBLISHED, ItemState.RECALLED):
        reasons.append(Reason("state", f"稿件{state_name(item)}，要改请另写更正"))
    return reasons


def _lower_faults(item: Item, person: Member, to: str, reason: str) -> list[Reason]:
    reasons = []
    if to not in RANKS:
        reasons.append(Reason("klass", f"只能降为：{'、'.join(RANKS)}"))
    if not REVIEWERS & set(person.roles):
        reasons.append(Reason("role", "只有审核人员能降低稿件类别"))
    if person.id == item.author_id:
        reasons.append(Reason("author", "作者不能降低自己稿件的类别"))
    elif person.id == item.last_editor_id:
        reasons.append(Reason("last_editor", "最后修改的人不能降低这一稿的类别"))
    if item.state not in (ItemState.DRAFT, ItemState.REVIEW):
        reasons.append(Reason("state", f"稿件现在是“{state_name(item)}”，不能降低类别"))
    if not reason.strip():
        reasons.append(Reason("reason", "降低类别要写明理由"))
    return reasons
