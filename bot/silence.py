"""Days of silence (哀悼日, 敏感时点): when nothing leaves but what was reviewed as urgent. Pure.

The setting `silence`, changed by two people like every setting (docs/settings.md).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from config.clock import BEIJING, beijing
from config.texts import FieldFault

MOST = 100
LONGEST_NOTE = 40
LONGEST = timedelta(days=31)


@dataclass(frozen=True)
class Stop:
    """One span and why; `end` is the first moment after it."""

    start: datetime
    end: datetime
    note: str

    def words(self) -> str:
        """12月13日国家公祭日，到12月14日 00:00."""
        until = beijing(self.end)
        return f"静默时段（{self.note}）到 {until.month}月{until.day}日 {until:%H:%M}"


@dataclass(frozen=True)
class Silence:
    """Every span that two people agreed on, in order."""

    stops: tuple[Stop, ...] = ()

    def at(self, moment: datetime) -> Stop | None:
        """The span that holds a moment, prolonged by those that follow without a gap."""
        found = next((one for one in self.stops if one.start <= moment < one.end), None)
        if found is None:
            return None
        end = found.end
        for one in self.stops:
            if one.start <= end < one.end:
                end = one.end
        return Stop(found.start, end, found.note)

    def of_day(self, day: date) -> list[Stop]:
        """The spans that touch a Beijing day."""
        start = datetime.combine(day, time(), BEIJING)
        end = start + timedelta(days=1)
        return [one for one in self.stops if one.start < end and one.end > start]

    def shut(self, first: date, days: int) -> frozenset[date]:
        """The days from `first` on that lie in silence from their first to their last moment."""
        found = set[date]()
        for ahead in range(days):
            day = first + timedelta(days=ahead)
            start = datetime.combine(day, time(), BEIJING)
            stop = self.at(start)
            if stop is not None and stop.end >= start + timedelta(days=1):
                found.add(day)
        return frozenset(found)


async def no_silence() -> Silence:
    """For who has no settings: tools and tests."""
    return Silence()


def parse_silence(data: Any) -> Silence:
    """Check the parsed YAML of the setting; FieldFault names the field."""
    rows = data.get("stops") if isinstance(data, Mapping) else None
    if rows is None and isinstance(data, Mapping) and "stops" in data:
        rows = []
    if not isinstance(rows, list) or len(rows) > MOST:
        raise FieldFault(f"stops 应写成列表，最多 {MOST} 项；没有时写 []", "stops")
    stops = [_stop(row, at) for at, row in enumerate(rows)]
    return Silence(tuple(sorted(stops, key=lambda one: (one.start, one.end))))


def _stop(row: Any, at: int) -> Stop:
    if not isinstance(row, Mapping) or set(row) != {"from", "to", "note"}:
        words = "每项应写成 {from: 2026-12-13, to: 2026-12-13, note: 原因}，三项都要"
        raise FieldFault(words, "stops", at)
    note = row["note"]
    if not isinstance(note, str) or not 0 < len(note.strip()) <= LONGEST_NOTE:
        words = f"note 应写明原因，1 至 {LONGEST_NOTE} 字"
        raise FieldFault(words, "stops", at, "note")
    start, end = _moment(row["from"], at, "from"), _moment(row["to"], at, "to")
    if not start < end <= start + LONGEST:
        words = f"to 应晚于 from，一项最长 {LONGEST.days} 天"
        raise FieldFault(words, "stops", at, "to")
    return Stop(start, end, note.strip())


def _moment(value: Any, at: int, name: str) -> datetime:
    """Beijing time; a day alone is its beginning, and as `to` its end."""
    words = f"{name} 应写成 2026-12-13 或 2026-12-13 10:00（北京时间），并且是真有的时间"
    text = str(value).strip()
    try:
        if len(text) <= len("2026-12-13"):
            day = date.fromisoformat(text)
            later = timedelta(days=1) if name == "to" else timedelta()
            return datetime.combine(day, time(), BEIJING) + later
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise FieldFault(words, "stops", at, name) from error
    # People mean the clock on their wall unless they name another.
    return moment if moment.tzinfo else moment.replace(tzinfo=BEIJING)
