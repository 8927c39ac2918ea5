"""Seven days: what goes out and went out, who holds which day, and what an account has left."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.channels import CHANNELS
from bot.contract import State
from bot.delivery.confirming import Waiting, waiting_for
from bot.delivery.spent import called, spent
from bot.models import Account, Publication
from bot.quota import Left, begins, day_of, standing
from bot.silence import Silence, Stop
from config.clock import now
from console.web.deps import Deps
from escalations.calendar import unarranged_words
from ledger.verify import Broken
from review_queue.models import Item, ItemWords
from review_queue.planning import booked
from review_queue.states import ItemState
from staff.refusal import Refused

DAYS = 7
_MOVING = (State.CREATED, State.RETRYING)


@dataclass(frozen=True)
class Entry:
    """One send on one account: planned, on its way, out, or a day that is held for it.

    `put_off`: why it waits although it was planned earlier. `until` ends the window of what is
    approved and has no hour yet.
    """

    item_id: str
    title: str
    account: Account
    at: datetime
    state: str = ""
    publication_id: str = ""
    put_off: str = ""
    asked: Waiting | None = None
    until: datetime | None = None


@dataclass
class Day:
    """One Beijing day; `works` is None where the office's calendar cannot be proved."""

    date: date
    works: bool | None = None
    stops: Sequence[Stop] = ()
    entries: list[Entry] = field(default_factory=list)


@dataclass(frozen=True)
class Standing:
    """What one account has left now."""

    account: Account
    left: Sequence[Left]


@dataclass(frozen=True)
class Week:
    """`loose` is approved without an hour and holds no day; `faults`: what could not be shown."""

    days: Sequence[Day]
    accounts: Sequence[Standing]
    loose: Sequence[Entry]
    faults: Sequence[str]

    @property
    def first(self) -> date:
        """Its Monday."""
        return self.days[0].date


def monday(day: date) -> date:
    """The first day of a day's week."""
    return day - timedelta(days=day.weekday())


async def week_of(deps: Deps, first: date) -> Week:
    """The seven days from `first` on."""
    faults: list[str] = []
    silence = await _silence(deps, faults)
    days = [Day(first + timedelta(days=ahead)) for ahead in range(DAYS)]
    for day in days:
        day.works, day.stops = _works(deps, day.date), silence.of_day(day.date)
    async with deps.db.session() as session:
        query = select(Account).where(Account.enabled.is_(True)).order_by(Account.name)
        accounts = {row.id: row for row in (await session.scalars(query)).all()}
        entries = await _sends(session, accounts, first)
        held, loose = await _approved(session, accounts, silence, faults)
        left = await _left(deps, session, accounts, faults)
    faults += _unarranged(deps, days)
    by_day = {day.date: day for day in days}
    for entry in [*entries, *held]:
        if (its := by_day.get(day_of(entry.at))) is not None:
            its.entries.append(entry)
    for day in days:
        day.entries.sort(key=lambda one: (one.at, one.account.name))
    return Week(days, left, loose, list(dict.fromkeys(faults)))


async def _silence(deps: Deps, faults: list[str]) -> Silence:
    try:
        return await deps.queue.quiet()
    except Refused as refused:
        faults += [one.message for one in refused.reasons]
        return Silence()


def _works(deps: Deps, day: date) -> bool | None:
    try:
        return deps.tickets.hours.is_working_day(day)
    except Refused:  # its own incident says so
        return None


def _unarranged(deps: Deps, days: Sequence[Day]) -> list[str]:
    """What is not known of the days off in this week."""
    try:
        hours = deps.tickets.hours
    except Refused:
        return []
    missing = sorted({day.date.year for day in days if not hours.knows(day.date.year)})
    return [unarranged_words(missing)] if missing else []


async def _sends(
    session: AsyncSession, accounts: Mapping[str, Account], first: date
) -> list[Entry]:
    start, end = begins(first), begins(first + timedelta(days=DAYS))
    inside = or_(
        *(
            and_(column >= start, column < end)
            for column in (Publication.due_at, Publication.next_at, Publication.published_at)
        )
    )
    query = select(Publication).where(
        inside, Publication.account_id.in_(accounts), Publication.state != State.ENDED
    )
    rows = (await session.scalars(query)).all()
    items = select(Item).where(Item.id.in_({row.item_id for row in rows}))
    titles = {row.id: row.title for row in (await session.scalars(items)).all()}
    return [_entry(row, accounts[row.account_id], titles) for row in rows]


def _entry(row: Publication, account: Account, titles: Mapping[str, str]) -> Entry:
    moves = row.state in _MOVING
    at = row.published_at or (max(row.due_at, row.next_at or row.due_at) if moves else row.due_at)
    return Entry(
        item_id=row.item_id,
        title=titles.get(row.item_id, "稿件"),
        account=account,
        at=at,
        state=row.state,
        publication_id=row.id,
        put_off=row.reason if moves else "",
        asked=waiting_for(row, account.platform, account.settings),
    )


async def _approved(
    session: AsyncSession, accounts: Mapping[str, Account], silence: Silence, faults: list[str]
) -> tuple[list[Entry], list[Entry]]:
    """What passed review and has no hour yet: on the day it holds, or beside the week."""
    words = (ItemWords.accounts, ItemWords.not_before, ItemWords.not_after)
    query = select(Item, *words).join(ItemWords, ItemWords.item_id == Item.id)
    rows: Sequence[Any] = (
        await session.execute(query.where(Item.state == ItemState.APPROVED))
    ).all()
    try:
        places = await booked(session, list(accounts.values()), silence)
    except Broken as broken:
        faults.append(str(broken))
        places = {}
    seats = {key: one.room.seats(one.held) for key, one in places.items()}
    held: list[Entry] = []
    loose: list[Entry] = []
    for item, chosen, not_before, not_after in rows:
        for key in sorted(accounts.keys() & set((chosen or "").split())):
            day = seats.get(key, {}).get(item.id)
            at = not_before if day is None else max(begins(day), not_before)
            entry = Entry(item.id, item.title, accounts[key], at, until=not_after)
            (loose if day is None else held).append(entry)
    return held, loose


async def _left(
    deps: Deps, session: AsyncSession, accounts: Mapping[str, Account], faults: list[str]
) -> list[Standing]:
    moment = now()
    calls, found = await called(session, list(accounts), moment), []
    for key, row in accounts.items():
        channel = CHANNELS.get(row.platform)
        limits = channel.limits(row.settings) if channel is not None else ()
        try:
            sends = await spent(deps.ledger, key) if limits else []
        except Broken as broken:
            faults.append(str(broken))
            continue
        found.append(Standing(row, standing(limits, [*sends, *calls[key]], moment)))
    return found
