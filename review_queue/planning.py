"""Which days an account still has for a send, who holds them, and when an item could go.

An approved item holds a place from its approval on: in its window, and on its day once that is set.
Articles whose moment nobody set may still go out as one edition: they hold one place together.
Nothing is written for it: whatever is taken back, changed or refused by the platform holds none.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.channels import CHANNELS
from bot.contract import State
from bot.delivery.spent import Sent
from bot.models import Account, Publication
from bot.picture_message import KIND as PICTURES
from bot.quota import AHEAD, SEND, Per, Place, Room, day_of
from bot.silence import Silence
from config.clock import now
from ledger.append import ledger_of
from ledger.verify import Broken
from review_queue.canonical import EDITION, LIBRARY_KINDS, Draft
from review_queue.desk import Queue
from review_queue.models import Item, ItemWords
from review_queue.placed import holders, standing_of
from review_queue.scope import seen_by
from review_queue.states import ItemState
from review_queue.workflow import EMERGENCY
from staff.refusal import Reason, Refused

_HOLDS = (ItemState.APPROVED, ItemState.SCHEDULED)
_WAITS = (ItemState.REVIEW, ItemState.REFERRED)
_PLANNED = (State.CREATED, State.RETRYING, State.SENDING)


@dataclass(frozen=True)
class Booked:
    """What holds a day of one account, and what is still in review for it."""

    room: Room
    held: Sequence[Place] = ()
    waiting: Sequence[Place] = ()


class Wanted(NamedTuple):
    """An item that wants a day: one of its window, or that of a moment."""

    item_id: str
    draft: Draft
    at: datetime | None = None


@dataclass
class _Found:
    held: list[Place] = field(default_factory=list)
    waiting: list[Place] = field(default_factory=list)


async def booked(
    session: AsyncSession,
    accounts: Collection[Account],
    silence: Silence,
    besides: Collection[str] = (),
) -> Mapping[str, Booked]:
    """Every limited account among these, without the items `besides`. Raises Broken."""
    limited = {
        row.id: CHANNELS[row.platform].limits(row.settings)
        for row in accounts
        if row.platform in CHANNELS
    }
    limited = {key: limits for key, limits in limited.items() if Room(limits).limited}
    if not limited:
        return {}
    sent = await ledger_of(session).following(Sent)
    shut = silence.shut(day_of(now()), AHEAD)
    apart = {row.id for row in accounts if row.id in limited and not _takes(row, chosen=True)}
    most = {row.id: _most(row) for row in accounts if row.id in limited}
    found = await _places(session, most, sent, besides, apart)
    return {
        key: Booked(
            Room(limits, sent.uses(key), shut),
            found[key].held,
            found[key].waiting,
        )
        for key, limits in limited.items()
    }


def _most(account: Account) -> int:
    """How many articles one send of the account holds."""
    return max(1, CHANNELS[account.platform].most_articles)


def _single(kind: str, klass: str) -> bool:
    """Whether an item never goes out in an edition with others."""
    return kind in (EDITION, PICTURES) or klass == EMERGENCY


def _takes(account: Account, *, chosen: bool) -> bool:
    return CHANNELS[account.platform].takes_place(account.settings, chosen=chosen)


async def _places(
    session: AsyncSession,
    accounts: Mapping[str, int],
    sent: Sent,
    besides: Collection[str],
    apart: Collection[str],
) -> Mapping[str, _Found]:
    """`accounts`: each with the articles of one send; `apart`: those where what has an audience
    takes no day of the account's.
    """
    words = (ItemWords.accounts, ItemWords.not_before, ItemWords.not_after)
    mine = Publication.account_id.in_(accounts)
    # Out on one account and still to come on another, it is called published already.
    coming = select(Publication.item_id).where(mine, Publication.state.in_(_PLANNED))
    items = (
        select(Item.id, Item.state, Item.release_id, Item.kind, Item.klass, *words)
        .join(ItemWords, ItemWords.item_id == Item.id)
        .where(
            or_(Item.state.in_(_HOLDS + _WAITS), Item.id.in_(coming)),
            Item.kind.not_in(LIBRARY_KINDS),
            Item.id.not_in(besides),
        )
    )
    rows = select(
        *(Publication.release_id, Publication.account_id, Publication.state),
        *(Publication.due_at, Publication.next_at),
    ).where(mine)
    with seen_by(None):  # a limited item takes its day like any other
        told = (await session.execute(items)).all()
        together = {
            (item, key)
            for one in await holders(session)
            for item in one.items
            for key in one.accounts
        }
        free = await _with_audience(session, told, apart)
        ids = {one.release_id for one in told if one.release_id}
        out = await session.execute(rows.where(Publication.release_id.in_(ids)))
    known = {(one.release_id, one.account_id): one for one in out.all()}
    found = {key: _Found() for key in accounts}
    for one in told:
        for key in found.keys() & set((one.accounts or "").split()):
            if (one.id, key) in together:
                continue  # it goes out with an edition, which holds the place of both
            if one.id in free and key in apart:
                continue  # each of its people has places of their own
            shared = 1 if _single(one.kind, one.klass) else accounts[key]
            if one.state in _WAITS:
                # The articles of an edition hold a place already, and it holds theirs.
                places = found[key].held if one.kind == EDITION else found[key].waiting
                _add(places, one.id, one.not_before, one.not_after, shared)
            elif not sent.has(key, str(one.release_id)):
                row = known.get((one.release_id, key))
                if row is None and one.state in _HOLDS:
                    _add(found[key].held, one.id, one.not_before, one.not_after, shared)
                elif row is not None and row.state in _PLANNED:
                    moment = max(row.due_at, row.next_at or row.due_at)
                    _add(found[key].held, one.id, moment, max(moment, now()), 1)
    return found


async def _with_audience(
    session: AsyncSession, told: Sequence[Any], apart: Collection[str]
) -> frozenset[str]:
    """Those of these items for the accounts `apart` that go to an audience and not to all."""
    ids = [one.id for one in told if set(apart) & set((one.accounts or "").split())]
    found = await standing_of(session, ids) if ids else {}
    return frozenset(
        key for key, one in found.items() if json.loads(one.canonical)["audience"] is not None
    )


def _add(places: list[Place], key: str, first: datetime, last: datetime, shared: int) -> None:
    """A place between two moments; what is past by now takes none."""
    today = day_of(now())
    if last >= now():
        start = max(today, day_of(first))
        places.append(Place(key, start, max(start, day_of(last)), shared))


async def no_day(queue: Queue, session: AsyncSession, mine: Wanted) -> list[Reason]:
    """Why an item has no place; asked under the write lock, so that a day goes once.

    应急 is told nothing: it may take the day of another, and waits before its call where none is
    left.
    """
    at = mine.at
    query = select(Account).where(Account.id.in_(mine.draft.accounts))
    accounts = (await session.scalars(query)).all()
    try:
        silence = await queue.quiet()
    except Refused:
        if at is not None:  # approving settles no moment yet
            raise
        silence = Silence()
    try:
        full = await _faults(session, accounts, silence, mine)
    except Broken as broken:
        raise Refused(409, [Reason("ledger", str(broken))]) from broken
    return [*(quiet_faults(silence, mine.draft, at) if at is not None else ()), *full]


async def plan_hints(
    session: AsyncSession, accounts: Collection[Account], silence: Silence, mine: Wanted
) -> list[Reason]:
    """The same before review, also counting what others have in review; and silence ahead."""
    found = await _faults(session, accounts, silence, mine, with_waiting=True)
    return [*found, *_quiet_ahead(silence, mine.draft, mine.at)]


def quiet_faults(silence: Silence, draft: Draft, at: datetime) -> list[Reason]:
    """Why nothing is planned for a moment of silence."""
    stop = silence.at(at) if draft.klass != EMERGENCY else None
    if stop is None:
        return []
    words = f"{stop.words()}，这段时间不发布：请改到这以后"
    return [Reason("silence", words)]


def _quiet_ahead(silence: Silence, draft: Draft, at: datetime | None) -> list[Reason]:
    if at is not None or draft.klass == EMERGENCY:
        return quiet_faults(silence, draft, at) if at is not None else []
    start = max(now(), draft.not_before)
    whole = silence.at(start)
    if whole is not None and whole.end > draft.not_after:
        return [Reason("silence", f"{whole.words()}，发布时限全在其中：请把最晚发布时间改到这以后")]
    met = [one for one in silence.stops if one.start < draft.not_after and one.end > start]
    return [Reason("silence", f"发布时限内有{one.words()}，这段时间不发布") for one in met]


async def _faults(
    session: AsyncSession,
    accounts: Collection[Account],
    silence: Silence,
    mine: Wanted,
    *,
    with_waiting: bool = False,
) -> list[Reason]:
    item_id, draft, at = mine
    if draft.klass == EMERGENCY or draft.shelved:
        return []
    chosen = [
        row
        for row in accounts
        if row.id in draft.accounts
        and row.platform in CHANNELS
        and _takes(row, chosen=draft.audience is not None)
    ]
    today = day_of(now())
    first = max(today, day_of(at or draft.not_before))
    # Approved without a moment it may yet join others; before review its writer is told of a day
    # it has not to itself.
    alone = at is not None or with_waiting or _single(draft.kind, draft.klass)
    span = Place(item_id, first, max(first, day_of(at or draft.not_after)))
    most = {row.id: 1 if alone else _most(row) for row in chosen}
    found = []
    mine_all = {item_id, *(one.item for one in draft.edition)}
    for key, one in (await booked(session, chosen, silence, mine_all)).items():
        place = replace(span, shared=most[key])
        others = [*one.held, *(one.waiting if with_waiting else ())]
        if one.room.seat(place, others) is None:
            name = next(row.name for row in chosen if row.id == key)
            free = one.room.next_day(place, others, today)
            waiting = len(one.waiting) if with_waiting else 0
            words = f"“{name}”{_why(one, place, waiting)}。{_do(free)}"
            found.append(Reason("quota", words))
    return found


def _why(one: Booked, place: Place, waiting: int) -> str:
    when = _day(place.first)
    if place.last != place.first:
        when += f"至{_day(place.last)}"
    month = any(limit.per is Per.MONTH and limit.call == SEND for limit in one.room.limits)
    start = place.first.replace(day=1) if month else place.first
    end = (start + timedelta(days=31)).replace(day=1) if month else place.last + timedelta(days=1)
    used = sum(use.count for use in one.room.uses if start <= day_of(use.at) < end)
    held = sum(start <= day < end for day in set(one.room.seats(one.held).values()))
    spans = {Per.DAY: "一天", Per.MONTH: "一个月"}
    most = "、".join(
        f"{spans[limit.per]} {limit.most} 次"
        for limit in one.room.limits
        if limit.call == SEND and limit.per in spans
    )
    told = f"{'当月' if month else '这段时间'}已发 {used} 次、已排 {held} 次"
    more = f"，另有 {waiting} 篇在审核" if waiting else ""
    return f"在{when}没有群发名额（{most}）：{told}{more}"


def _do(free: date | None) -> str:
    if free is None:
        return f"{AHEAD} 天内都排满了，请组版合发或撤下一篇"
    return f"最早可改到{_day(free)}，请改期或组版合发"


def _day(day: date) -> str:
    return f"{day.month}月{day.day}日"
