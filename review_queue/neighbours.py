"""What stands between an item and the others that wait, are planned or went out lately.

Everybody's items are looked at, also those that the person asking may not know of: of such a one
is said that it is there and whom to ask, and nothing of what it says. Nothing here writes.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

from sqlalchemy import and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.channels import CHANNELS
from bot.models import Account
from bot.silence import Silence, no_silence
from config.clock import beijing, now
from gates.alike import agreement, letters, sketch
from ledger.verify import Broken
from review_queue.canonical import EDITION, LIBRARY_KINDS, Draft
from review_queue.collisions import Clash, Kind, Notice, Span, alike_titles, clashes
from review_queue.desk import ROBOT, latest
from review_queue.models import Item, ItemWords, Revision
from review_queue.placed import holders
from review_queue.planning import Wanted, plan_hints
from review_queue.scope import seen_by
from review_queue.states import ItemState, is_stopped, state_name
from staff.people import names
from staff.refusal import Refused
from storage.database import UNREADABLE, Database, unreadable

Quiet = Callable[[], Awaitable[Silence]]
RECENT = timedelta(days=30)
"""So long a published text counts, and a draft that nobody touches."""
_WAITING = (ItemState.REVIEW, ItemState.REFERRED, ItemState.APPROVED, ItemState.SCHEDULED)
_MAY_CLASH = (ItemState.DRAFT, *_WAITING)
_MOST_LOOKED_AT = 2_000
_MOST_READ = 12
"""Items of which the text itself is compared: those whose sketch or title is the most alike."""
_MOST_DRAWN = 300
_LIKELY, _LIKELY_TITLE = 0.25, 0.5
_NARROW = timedelta(days=1)


@dataclass(frozen=True)
class Collision:
    """One sentence for whoever edits or reviews, and the other item: "" where it is not theirs."""

    kind: Kind
    words: str
    details: tuple[str, ...] = ()
    key: str = ""
    title: str = ""

    @property
    def mark(self) -> str:
        """By which a form says that it was shown; a new figure that differs is another one."""
        return f"{self.kind}:{self.key}:{'；'.join(self.details)}"


class _Other(NamedTuple):
    """One of the others before its text is read; None where its row of words is not there."""

    item: Item
    accounts: str | None
    not_before: datetime | None
    not_after: datetime | None
    sketch: bytes | None


async def collisions_of(
    db: Database, item_id: str, staff_id: str, at: datetime | None = None, quiet: Quiet = no_silence
) -> list[Collision]:
    """What this person is told of an item; `at` is when it would go out, where that is asked."""
    async with db.session() as session:
        return await collisions_in(session, item_id, staff_id, at, quiet)


async def collisions_in(
    session: AsyncSession,
    item_id: str,
    staff_id: str,
    at: datetime | None = None,
    quiet: Quiet = no_silence,
) -> list[Collision]:
    """The same in a session of the caller's, who reads nothing for that person in it afterwards.

    What is hidden from them stays in the session, and would be found there.
    """
    with seen_by(None):
        try:
            found = await _read(session, item_id, at, quiet)
        except UNREADABLE as error:
            # One row that cannot be read must not keep anybody from reviewing another.
            if not unreadable(error):
                raise
            return [Collision(Kind.COPY, _NOT_COMPARED)]
        if found is None:
            return []
        met = await asyncio.to_thread(clashes, found.mine, found.notices, found.once_a_day)
        asked = {found.items[one.key].last_editor_id for one in met}
        asked |= {_to_ask(found.items[one.key]) for one in met}
        people = await names(session, asked) if asked else {}
        begun = await _begun(session, item_id, staff_id)
    told = [_told(one, found, staff_id, people) for one in met]
    return list(dict.fromkeys(list(found.planned) + told + begun))


_NOT_COMPARED = "没有与其他稿件比较：有一篇的记录读不出来，可能被绕过本系统改动，请管理员看事件页。"


async def _begun(session: AsyncSession, item_id: str, staff_id: str) -> list[Collision]:
    """Told to reviewers: whoever begins a text as a copy is not warned of the two being alike."""
    mine = await session.get(Item, item_id)
    other = await session.get(Item, mine.begun_like) if mine and mine.begun_like else None
    if other is None or not other.known_to(staff_id):
        return []
    words = f"本稿照《{other.title}》（{state_name(other)}）另写：与它相近的地方不另提示。"
    return [Collision(Kind.BEGUN, words, key=other.id, title=other.title)]


@dataclass(frozen=True)
class _Found:
    """What is compared, and how the others are called."""

    mine: Notice
    notices: Sequence[Notice]
    items: Mapping[str, Item]
    accounts: Mapping[str, str]
    once_a_day: frozenset[str]
    planned: Sequence[Collision] = ()


async def _read(
    session: AsyncSession, item_id: str, at: datetime | None, quiet: Quiet
) -> _Found | None:
    item = await session.get(Item, item_id)
    if item is None or item.state not in _MAY_CLASH or item.kind in LIBRARY_KINDS:
        return None
    draft = Draft.from_canonical((await latest(session, item)).canonical)
    if draft.shelved:
        return None
    mine = _notice(item, draft, _span(item, draft.not_before, draft.not_after))
    if at is not None:
        mine = replace(mine, span=Span(at, at))
    others = await _others(session, item_id)
    if draft.edition or any(one.item.kind == EDITION for one in others):
        apart = await _one_message(session, item_id, draft)
        others = [one for one in others if one.item.id not in apart]
    drafts = await _drafts(session, await _likely(session, draft, others))
    accounts = (await session.scalars(select(Account))).all()
    return _Found(
        mine=mine,
        notices=[
            _notice(one.item, drafts[one.item.id], _planned(one))
            if one.item.id in drafts
            else _sending(one)
            for one in others
            if one.item.id not in drafts or not drafts[one.item.id].shelved
        ],
        items={one.item.id: one.item for one in others},
        accounts={row.id: row.name for row in accounts},
        once_a_day=frozenset(
            row.id
            for row in accounts
            if row.platform in CHANNELS and CHANNELS[row.platform].once_a_day(row.settings)
        ),
        planned=await _planned_hints(session, accounts, Wanted(item_id, draft, at), quiet),
    )


async def _one_message(session: AsyncSession, item_id: str, draft: Draft) -> set[str]:
    """What goes out in one message with the item, which is no second send: no neighbour of it."""
    found = {one.item for one in draft.edition}
    for held in await holders(session):
        if item_id in held.items:
            found |= {held.edition.id, *held.items}
    return found


async def _planned_hints(
    session: AsyncSession,
    accounts: Sequence[Account],
    mine: Wanted,
    quiet: Quiet,
) -> list[Collision]:
    """What the accounts' numbers and the days of silence say to its going out."""
    try:
        found = await plan_hints(session, accounts, await quiet(), mine)
    except Broken:  # the ledger's own incident says so
        return []
    except Refused as refused:
        found = refused.reasons
    kinds = {"quota": Kind.FULL}
    return [Collision(kinds.get(one.rule, Kind.SILENT), one.message) for one in found]


async def _others(session: AsyncSession, item_id: str) -> list[_Other]:
    """The items that wait, are planned, or were written or published lately, newest first.

    What was stopped goes nowhere by itself and is in nobody's way.
    """
    lately = now() - RECENT
    told = (ItemWords.accounts, ItemWords.not_before, ItemWords.not_after, ItemWords.sketch)
    query = (
        select(Item, *told)
        .outerjoin(ItemWords, ItemWords.item_id == Item.id)
        .where(
            Item.id != item_id,
            ~Item.stopped,
            Item.kind.not_in(LIBRARY_KINDS),
            or_(
                Item.state.in_(_WAITING),
                and_(Item.state == ItemState.DRAFT, Item.updated_at > lately),
                and_(Item.state == ItemState.PUBLISHED, Item.since > lately),
            ),
        )
        .order_by(Item.updated_at.desc())
        .limit(_MOST_LOOKED_AT)
    )
    return [_Other(*row) for row in (await session.execute(query)).all()]


async def _likely(session: AsyncSession, draft: Draft, others: Sequence[_Other]) -> list[str]:
    """Ids of those whose text is worth reading, by sketches and titles."""
    drawn, same = sketch(draft.body), set[str]()
    if drawn:
        sketches = {one.item.id: one.sketch for one in others if one.sketch}
        sketches |= await _drawn(session, [one.item.id for one in others if one.sketch is None])
    else:
        sketches, same = {}, await _same_words(session, letters(draft.body))
    parts = {key: float(key in same) for key in (one.item.id for one in others)}
    for key, there in sketches.items():
        if len(there) == len(drawn):
            parts[key] = agreement(drawn, there)
    titles = {one.item.id: one.item.title for one in others}
    # Thousands of titles take a moment, and others are waiting.
    return await asyncio.to_thread(_most_likely, draft.title, titles, parts)


def _most_likely(title: str, titles: Mapping[str, str], parts: Mapping[str, float]) -> list[str]:
    """The keys whose sketch or title is alike enough, the most alike first."""
    scored = []
    for key, other in titles.items():
        alike = alike_titles(title, other)
        if parts[key] >= _LIKELY or alike >= _LIKELY_TITLE:
            scored.append((max(parts[key], alike), key))
    return [key for _, key in sorted(scored, reverse=True)[:_MOST_READ]]


async def _drawn(session: AsyncSession, ids: Sequence[str]) -> dict[str, bytes]:
    """Sketches of items nobody has saved since there are sketches."""
    query = select(ItemWords.item_id, ItemWords.words)
    rows = await session.execute(query.where(ItemWords.item_id.in_(ids[:_MOST_DRAWN])))
    told = [(key, words.split(" ")[1]) for key, words in rows.all() if words.count(" ") == 2]
    return await asyncio.to_thread(lambda: {key: _drawn_once(text) for key, text in told})


@lru_cache(_MOST_DRAWN)
def _drawn_once(text: str) -> bytes:
    """Nothing is written by a look, so it is remembered here instead."""
    return sketch(text)


async def _same_words(session: AsyncSession, plain: str) -> set[str]:
    """Ids of items with this very text: one too short for a sketch is compared as it is."""
    query = select(ItemWords.item_id).where(ItemWords.words.contains(f" {plain} ", autoescape=True))
    return set((await session.scalars(query)).all()) if plain else set()


async def _drafts(session: AsyncSession, ids: Sequence[str]) -> dict[str, Draft]:
    newest = select(Revision).join(Item, Item.id == Revision.item_id)
    newest = newest.where(Revision.number == Item.revision, Item.id.in_(ids))
    rows = (await session.scalars(newest)).all()
    return {row.item_id: Draft.from_canonical(row.canonical) for row in rows}


def _notice(item: Item, draft: Draft, span: Span | None) -> Notice:
    kin = {item.begun_like, draft.corrects.item if draft.corrects else ""} - {""}
    return Notice(
        key=item.id,
        title=item.title,
        text=draft.body,
        at=item.since or item.updated_at if _is_out(item) else item.updated_at,
        out=_is_out(item),
        accounts=frozenset(draft.accounts),
        span=span,
        kin=frozenset(kin),
    )


def _sending(one: _Other) -> Notice:
    """An item of which only the sending is compared."""
    accounts, key = frozenset((one.accounts or "").split()), one.item.id
    return Notice(key, "", "", one.item.updated_at, accounts=accounts, span=_planned(one))


def _is_out(item: Item) -> bool:
    return item.state == ItemState.PUBLISHED


def _planned(one: _Other) -> Span | None:
    if one.not_before is None or one.not_after is None:
        return None
    return _span(one.item, one.not_before, one.not_after)


def _span(item: Item, not_before: datetime, not_after: datetime) -> Span | None:
    """When an item goes out, as far as that is settled: a window of weeks settles nothing."""
    moment = item.since if _is_out(item) else item.scheduled_at
    if moment is not None and not is_stopped(item):
        return Span(moment, moment)
    if _is_out(item) or is_stopped(item):
        return None
    if not_after - not_before <= _NARROW:
        return Span(not_before, not_after)
    return Span(not_before, not_before) if not_before > now() else None


# --- in words -----------------------------------------------------------------------------


def _to_ask(item: Item) -> str:
    """Who can say more about a limited item: who wrote it, else somebody of its circle."""
    people = (item.last_editor_id, item.author_id, *item.scope.split())
    return next((one for one in people if one != ROBOT), ROBOT)


def _told(one: Clash, found: _Found, staff_id: str, people: Mapping[str, str]) -> Collision:
    item = found.items[one.key]
    if not item.known_to(staff_id):
        whom = people.get(_to_ask(item), "管理员")
        return Collision(one.kind, _HIDDEN[one.kind].format(whom=whom))
    said = f"《{item.title}》（{state_name(item)}，{people.get(item.last_editor_id, '同事')}）"
    details = tuple(
        f"{row.what}不同：本稿{row.mine}（“{row.here}”），那一篇{row.theirs}（“{row.there}”）"
        for row in one.different
    )
    words = {Kind.COPY: _copy, Kind.DIFFERS: _differs, Kind.TOGETHER: _together}[one.kind]
    return Collision(one.kind, words(one, said, found), details, item.id, item.title)


_HIDDEN = {
    Kind.COPY: "有一篇限定知悉范围的稿件与本稿几乎相同：请先问{whom}，再决定发哪一篇。",
    Kind.DIFFERS: "有一篇限定知悉范围的稿件与本稿像在说同一件事：请先与{whom}核对。",
    Kind.TOGETHER: "有一篇限定知悉范围的稿件也要在同一时间发到同一账号：请先与{whom}商量。",
}


def _copy(one: Clash, said: str, found: _Found) -> str:
    alike = "一字不差" if one.share == 1 else f"相近 {one.share * 100:.0f} %"
    if _is_out(found.items[one.key]):
        do = "确要再发一次，请写明这一次为什么再发。"
    else:
        do = "请商量好只发一篇，或写明两篇有什么不同。"
    numbers = "但数字不同，请先核对原件。" if one.different else ""
    return f"与{said}几乎相同，{alike}。{numbers}{do}"


def _differs(one: Clash, said: str, _found: _Found) -> str:
    return f"与{said}说的像是同一件事，但数字不同：请核对原件，只留对的一个。"


def _together(one: Clash, said: str, found: _Found) -> str:
    where = "、".join(found.accounts.get(key, "账号") for key in one.accounts)
    moment = _moment(found, one.key)
    if one.same_day:
        return f"{said}在同一天{moment}发到{where}，这个账号一天只能群发一次：请改期或合成一篇。"
    return f"{said}也在差不多的时间{moment}发到{where}：请错开一小时以上，或合成一篇。"


def _moment(found: _Found, key: str) -> str:
    span = next((row.span for row in found.notices if row.key == key), None)
    if span is None or span.start != span.end:
        return ""
    local = beijing(span.start)
    return f"（{local.month}月{local.day}日 {local:%H:%M}）"
