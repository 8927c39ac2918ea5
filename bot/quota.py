"""What an account may still do: limits and uses in, what is left and when more is free out. Pure.

Days and months are Beijing's, as the platforms count them.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from config.clock import BEIJING, beijing

SEND = "send"
"""Limit.call of a publication itself, counted by signed entries; other calls have a name."""
AHEAD = 92
"""Days within which a free one is looked for."""
_MINUTE = timedelta(minutes=1)


class Per(StrEnum):
    """In what span a platform counts."""

    MINUTE = "minute"
    DAY = "day"
    MONTH = "month"


class Act(StrEnum):
    """What stops when a limit is reached."""

    PUBLISH = "publish"
    ASK = "ask"
    """Asking what became of a publication; its event comes all the same."""
    DELETE = "delete"
    LIST = "list"
    """Reading who follows; the list goes on the next day."""
    MESSAGE = "message"
    """A message or a notice to one person."""


@dataclass(frozen=True)
class Limit:
    """So many calls of one name in one span; `each`: as many as one follower may receive."""

    call: str
    label: str
    most: int
    per: Per
    act: Act = Act.PUBLISH
    each: bool = False


@dataclass(frozen=True)
class Use:
    """What was called, when, and how often."""

    call: str
    at: datetime
    count: int = 1


@dataclass(frozen=True)
class Left:
    """A limit as it stands at a moment: how much is used, and when there is room again."""

    limit: Limit
    used: int
    free_at: datetime

    @property
    def left(self) -> int:
        """How many more there are."""
        return max(0, self.limit.most - self.used)


@dataclass(frozen=True)
class Place:
    """What wants one day between two, both of them possible; one day twice where it is fixed.

    `shared`: how many such may go out in one send of that day, as the articles of an edition.
    """

    key: str
    first: date
    last: date
    shared: int = 1


def day_of(moment: datetime) -> date:
    """The Beijing day of a moment."""
    return beijing(moment).date()


def begins(day: date) -> datetime:
    """The first moment of a Beijing day."""
    return datetime.combine(day, time(), BEIJING)


def standing(limits: Iterable[Limit], uses: Collection[Use], moment: datetime) -> list[Left]:
    """Every limit at one moment."""
    return [_left(limit, uses, moment) for limit in limits]


def full(limits: Iterable[Limit], uses: Collection[Use], moment: datetime) -> Left | None:
    """The limit that keeps the next call waiting longest; None when there is room."""
    shut = [one for one in standing(limits, uses, moment) if not one.left]
    return max(shut, key=lambda one: one.free_at, default=None)


def _left(limit: Limit, uses: Collection[Use], moment: datetime) -> Left:
    mine = [use for use in uses if use.call == limit.call]
    if limit.per is Per.MINUTE:
        late = [use for use in mine if moment - _MINUTE < use.at <= moment]
        used, free = sum(use.count for use in late), min((use.at for use in late), default=moment)
        return Left(limit, used, free + _MINUTE if used >= limit.most else moment)
    start, end = _span(limit.per, day_of(moment))
    used = sum(use.count for use in mine if start <= day_of(use.at) < end)
    return Left(limit, used, begins(end) if used >= limit.most else moment)


def _span(per: Per, day: date) -> tuple[date, date]:
    """The first day of the span and the first one after it."""
    if per is Per.DAY:
        return day, day + timedelta(days=1)
    first = day.replace(day=1)
    return first, (first + timedelta(days=31)).replace(day=1)


# --- places -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Room:
    """What an account's days hold: its limits, what is spent of them, and days that are shut."""

    limits: Sequence[Limit]
    uses: Sequence[Use] = ()
    shut: Collection[date] = ()

    @property
    def limited(self) -> bool:
        """Whether days or months fill up at all."""
        return any(one.call == SEND and one.per is not Per.MINUTE for one in self.limits)

    def seats(self, places: Iterable[Place]) -> Mapping[str, date]:
        """A day for each place that has one: who can wait least chooses first.

        What may share a send joins one of its days, and opens one early or late: whichever
        leaves room for more.
        """
        known = sorted(places, key=lambda one: (one.last, one.first, one.key))
        early = self._seated(known, step=1)
        return early if len(early) == len(known) else max(early, self._seated(known, -1), key=len)

    def _seated(self, places: Sequence[Place], step: int) -> dict[str, date]:
        """The same, of places in order; a send that others may join opens early (1) or late."""
        spans = [one for one in self.limits if one.call == SEND and one.per is not Per.MINUTE]
        taken: Counter[tuple[Per, date]] = Counter()
        for use in self.uses:
            if use.call == SEND:
                taken.update(dict.fromkeys(_keys(spans, day_of(use.at)), use.count))
        found: dict[str, date] = {}
        open_to: dict[date, int] = {}
        for place in places:
            days = [
                place.first + timedelta(days=ahead)
                for ahead in range((place.last - place.first).days + 1)
            ]
            joined = next((day for day in days if place.shared > 1 and open_to.get(day)), None)
            if joined is not None:
                found[place.key], open_to[joined] = joined, open_to[joined] - 1
                continue
            order = days[::step] if place.shared > 1 else days
            day = next((day for day in order if self._free(spans, taken, day)), None)
            if day is not None:
                found[place.key], open_to[day] = day, place.shared - 1
                taken.update(_keys(spans, day))
        return found

    def _free(
        self, spans: Sequence[Limit], taken: Mapping[tuple[Per, date], int], day: date
    ) -> bool:
        return day not in self.shut and all(
            taken.get((one.per, _span(one.per, day)[0]), 0) < one.most for one in spans
        )

    def seat(self, mine: Place, others: Sequence[Place]) -> date | None:
        """The day of one place beside the others; None where it would take another's."""
        before, after = self.seats(others), self.seats([*others, mine])
        return after.get(mine.key) if before.keys() <= after.keys() else None

    def next_day(self, mine: Place, others: Sequence[Place], today: date) -> date | None:
        """The first day from `today` on that one place could have; None within AHEAD days."""
        for ahead in range(AHEAD):
            day = today + timedelta(days=ahead)
            if self.seat(Place(mine.key, day, day), others) is not None:
                return day
        return None


def _keys(spans: Iterable[Limit], day: date) -> list[tuple[Per, date]]:
    return [(one.per, _span(one.per, day)[0]) for one in spans]


# --- in words -----------------------------------------------------------------------------

_PER = {Per.MINUTE: "每分钟", Per.DAY: "今天", Per.MONTH: "本月"}


def used_up(left: Left) -> str:
    """本月群发 4 次已用完."""
    return f"{_PER[left.limit.per]}{left.limit.label} {left.limit.most} 次已用完"
