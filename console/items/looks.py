"""What each person has seen of an item, what changed since, and colleagues' notes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from config.clock import now
from console.items.differences import Comparison, Words, compare, differences
from console.items.facts import ItemFacts
from console.items.models import ItemNote, ItemView
from console.web.deps import Deps, found
from console.web.words import account_words, audience_words, clock_words, short_clock
from review_queue.canonical import Draft
from review_queue.models import Item, Revision
from staff.refusal import Reason, Refused
from storage.database import Database, new_id

NOTE_LENGTH = 2000


async def last_look(session: AsyncSession, facts: ItemFacts, staff_id: str) -> ItemView | None:
    """The version other than the present one that this person saw last."""
    query = (
        select(ItemView)
        .where(ItemView.item_id == facts.item.id, ItemView.staff_id == staff_id)
        .where(ItemView.digest != facts.revision.digest)
        .order_by(ItemView.at.desc())
    )
    return (await session.scalars(query.limit(1))).first()


async def record_look(db: Database, item_id: str, staff_id: str, digest: str) -> None:
    """Remember that this person has this version before them now."""
    try:
        async with db.session() as session:
            row = await session.get(ItemView, (item_id, staff_id, digest))
            if row is None:
                row = ItemView(item_id=item_id, staff_id=staff_id, digest=digest)
                session.add(row)
            row.at = now()
    except IntegrityError:
        return  # two windows opened at once: the other one has written the same


@dataclass(frozen=True)
class Since:
    """One version the present text can be compared with. `caption` says when that was."""

    key: str
    label: str
    caption: str
    draft: Draft | None


@dataclass(frozen=True)
class Changes:
    """The choices a person has, the one chosen, and the comparison with it."""

    choices: Sequence[Since]
    chosen: Since
    comparison: Comparison


def words_of(deps: Deps, facts: ItemFacts) -> Words:
    """How this office says accounts, audiences and moments."""
    accounts = facts.accounts
    return Words(
        account=lambda key: account_words(accounts[key]) if key in accounts else "已删除的账号",
        audience=lambda rule: audience_words(rule, deps.facets),
        moment=clock_words,
    )


def _since(facts: ItemFacts, key: str, label: str, digest: str, when: str) -> Since | None:
    """The latest revision with this digest as a choice; None when there is none."""
    rows = [row for row in facts.revisions if row.digest == digest]
    if not rows:
        return None
    caption = f"第 {rows[-1].number} 稿{when} → 第 {facts.item.revision} 稿"
    return Since(key, label, caption, Draft.from_canonical(rows[-1].canonical))


def _choices(facts: ItemFacts, look: ItemView | None, stale: str) -> list[Since]:
    # A version with the same digest is the same text: comparing with it would show nothing.
    present = facts.revision.digest
    choices: list[Since | None] = []
    if stale and stale != present:
        choices.append(_since(facts, "stale", "您填写时的内容", stale, ""))
    if look is not None:
        when = f"（{short_clock(look.at)} 看过）"
        choices.append(_since(facts, "mine", "我上次看过的", look.digest, when))
    submitted = [digest for digest in facts.submissions if digest != present]
    if submitted:
        choices.append(_since(facts, "submitted", "上次送审的", submitted[-1], "（上次送审）"))
    if len(facts.revisions) > 1:
        choices.append(_since(facts, "previous", "上一稿", facts.revisions[-2].digest, ""))
    if facts.article is not None:
        caption = f"抓取的原文 → 第 {facts.item.revision} 稿"
        choices.append(Since("source", "来源原文", caption, None))
    return [choice for choice in choices if choice is not None]


def changes(
    deps: Deps, facts: ItemFacts, look: ItemView | None, wanted: Mapping[str, str]
) -> Changes | None:
    """The present version against the one asked for (`since`), else the first there is.

    `wanted` is the request's query; a refused form adds `stale`, the digest it was filled for.
    """
    choices = _choices(facts, look, wanted.get("stale", ""))
    if not choices:
        return None
    chosen = next((row for row in choices if row.key == wanted.get("since")), choices[0])
    return Changes(choices, chosen, _comparison(deps, facts, chosen))


def _comparison(deps: Deps, facts: ItemFacts, chosen: Since) -> Comparison:
    if chosen.draft is not None:
        return differences(chosen.draft, facts.draft, words_of(deps, facts))
    article = found(facts.article, "篇原文")
    lines = compare(article.text, facts.draft.body)
    original = Draft.from_canonical(facts.revision.canonical).changed({"title": article.title})
    title = differences(original, facts.draft, words_of(deps, facts)).title
    return Comparison(title, tuple(lines), ())


async def add_note(db: Database, item_id: str, staff_id: str, text: str) -> ItemNote:
    """Keep a remark on the present version. Refused (422) when it is empty or too long."""
    if not text.strip():
        raise Refused(422, [Reason("note", "备注不能为空，请写明要告诉同事的内容")])
    if len(text) > NOTE_LENGTH:
        raise Refused(422, [Reason("note", f"备注超过 {NOTE_LENGTH} 字，请缩短")])
    async with db.session() as session:
        item = found(await session.get(Item, item_id), "篇稿件")
        query = select(Revision.digest).where(
            Revision.item_id == item_id, Revision.number == item.revision
        )
        note = ItemNote(
            id=new_id(),
            item_id=item_id,
            digest=(await session.scalars(query)).one(),
            staff_id=staff_id,
            text=text.strip(),
            at=now(),
        )
        session.add(note)
    return note
