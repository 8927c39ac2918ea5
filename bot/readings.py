"""How often what went out was read and shared, fetched once a day from platforms that say so."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Protocol, runtime_checkable

import structlog
from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.channel import Channel
from bot.contract import AccountView, State
from bot.models import Publication, Reading
from config.clock import BEIJING, beijing, now
from storage.database import Database

READY = time(8)
"""When the figures of yesterday are there, in Beijing (W38)."""
DAYS = 7
"""For how many days a publication is asked after."""
LEAST = 3
"""The platform says nothing of what fewer people did."""
_log = structlog.get_logger("bot.readings")


@dataclass(frozen=True)
class Figure:
    """One publication by its ref, up to the end of one day; without a day: it was asked after."""

    ref: str
    day: date | None
    readers: int
    reads: int
    sharers: int
    shares: int


class NoFigures(Exception):
    """The platform did not say; nothing rests on it."""


@runtime_checkable
class Counting(Protocol):
    """A channel whose platform tells what readers did."""

    async def figures(self, account: AccountView, day: date) -> list[Figure]:
        """Of what went out on `day`, without what too few people did; raises NoFigures."""


def counted(channel: object) -> bool:
    """Whether the platform of a channel tells what readers did."""
    return hasattr(channel, "figures")


@dataclass(frozen=True)
class Readings:
    """Asks once a day, after the platform has counted; safe to run by any worker."""

    db: Database
    channels: Mapping[str, Channel]
    open_account: Callable[[str], Awaitable[AccountView]]

    async def look_due(self) -> int:
        """Fetch what is not of today yet; how many rows were written."""
        moment = beijing(now())
        if moment.time() < READY:
            return 0
        ready = datetime.combine(moment.date(), READY, BEIJING)
        async with self.db.session() as session:
            due = await _due(session, ready)
        return sum([await self._look(account, day, due[account, day]) for account, day in due])

    async def _look(self, account_id: str, day: date, rows: Sequence[Publication]) -> int:
        try:
            account = await self.open_account(account_id)
            channel = self.channels[account.platform]
            if not isinstance(channel, Counting):
                return 0
            told = await channel.figures(account, day)
        except (NoFigures, LookupError, ValueError) as error:
            _log.warning("no_figures", account=account_id, day=str(day), error=str(error)[:200])
            return 0
        places = {row.ref: row.id for row in rows}
        found = [one for one in told if one.ref in places]
        async with self.db.session() as session:
            for one in found:
                await _write(session, account_id, one, places[one.ref])
            for row in rows:  # asked for today, also where the platform says nothing
                await _write(session, account_id, Figure(row.ref, None, 0, 0, 0, 0), row.id)
        return len(found)


async def _due(session: AsyncSession, ready: datetime) -> dict[tuple[str, date], list[Publication]]:
    """Publications of the last days, by account and day, that were not asked after since then."""
    query = select(Publication).where(
        Publication.state == State.PUBLISHED,
        Publication.ref != "",
        Publication.published_at >= ready - timedelta(days=DAYS + 1),
    )
    asked = select(Reading.publication_id).where(Reading.at >= ready)
    done = set(await session.scalars(asked))
    due: dict[tuple[str, date], list[Publication]] = {}
    for row in await session.scalars(query.order_by(Publication.id)):
        day = beijing(row.published_at).date() if row.published_at else ready.date()
        if row.id not in done and day < ready.date():
            due.setdefault((row.account_id, day), []).append(row)
    return due


async def _write(session: AsyncSession, account_id: str, one: Figure, place: str) -> None:
    day = one.day.isoformat() if one.day else ""
    key = (account_id, one.ref, day)
    mine = (Reading.account_id, Reading.ref, Reading.day)
    await session.execute(
        delete(Reading).where(*(column == said for column, said in zip(mine, key, strict=True)))
    )
    session.add(
        Reading(
            account_id=account_id,
            ref=one.ref,
            day=day,
            publication_id=place,
            readers=one.readers,
            reads=one.reads,
            sharers=one.sharers,
            shares=one.shares,
            at=now(),
        )
    )


async def readings_of(session: AsyncSession, publication_id: str) -> list[Reading]:
    """What is known of one publication, day by day, the newest first."""
    mine = Reading.publication_id == publication_id
    query = select(Reading).where(mine, Reading.day != "")
    return [*(await session.scalars(query.order_by(Reading.day.desc())))]
