"""When people are written to: the night is theirs, and a digest comes at its hour.

`parse_pushing(data)` reads the setting `pushing` (config/pushing.yaml). PushHours.moments says when
each frequency is served; an audience that was reviewed for the night ("urgent") waits for nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

from config.clock import BEIJING, beijing
from config.texts import FieldFault
from facets.taxonomy import NIGHT, URGENT

SERVED = {"daily": 1, "weekly": 2}
"""Which of the moments a subscription is served at; the earliest of several counts."""
_FIELDS = {"version", "quiet_from", "quiet_until", "digest_hour"}


class HoursError(FieldFault):
    """The hours cannot be used; the message names the field and the remedy (Chinese)."""


def urgent(audience: Mapping[str, Any]) -> bool:
    """Whether this audience was reviewed to be reached at night too: it is in the digest."""
    return NIGHT in (audience.get(URGENT) or ())


@dataclass(frozen=True)
class PushHours:
    """Beijing time; where quiet begins and ends at one moment there is no quiet."""

    quiet_from: time = time(22)
    quiet_until: time = time(7)
    digest_hour: int = 9

    def quiet(self, moment: datetime) -> bool:
        """Whether nobody is disturbed at this moment."""
        at, begins, ends = beijing(moment).time(), self.quiet_from, self.quiet_until
        if begins <= ends:
            return begins <= at < ends
        return at >= begins or at < ends

    def after_quiet(self, moment: datetime) -> datetime:
        """This moment, or the morning after it."""
        if not self.quiet(moment):
            return moment
        return next_at(moment, self.quiet_until.hour, self.quiet_until.minute)

    def moments(self, moment: datetime, *, at_night: bool) -> tuple[datetime, ...]:
        """When a subscription of each frequency is served: immediate, daily, weekly."""
        if at_night:
            return moment, moment, moment
        daily = self.after_quiet(next_at(moment, self.digest_hour))
        monday = daily + timedelta(days=-beijing(daily).weekday() % 7)
        return self.after_quiet(moment), daily, monday


STANDARD = PushHours()


def standard_hours() -> PushHours:
    """For who has no settings, and while the setting cannot be proved."""
    return STANDARD


def next_at(moment: datetime, hour: int, minute: int = 0) -> datetime:
    """The first time it is this o'clock in Beijing, at or after `moment`."""
    local = beijing(moment)
    found = datetime.combine(local.date(), time(hour, minute), BEIJING)
    return found if found >= local else found + timedelta(days=1)


def parse_pushing(data: Any) -> PushHours:
    """Check the parsed YAML. Raises HoursError naming the field."""
    if not isinstance(data, dict):
        raise HoursError("应写成 quiet_from、quiet_until、digest_hour 三项")
    if unknown := sorted(set(map(str, data)) - _FIELDS):
        raise HoursError(f"{unknown[0]}：不认识的字段，请删去", unknown[0])
    digest = data.get("digest_hour", STANDARD.digest_hour)
    if isinstance(digest, bool) or not isinstance(digest, int) or not 0 <= digest <= 23:
        raise HoursError("digest_hour：应为 0 至 23 的整点", "digest_hour")
    return PushHours(_time(data, "quiet_from"), _time(data, "quiet_until"), digest)


def _time(data: Mapping[str, Any], name: str) -> time:
    words = data.get(name)
    try:
        return time.fromisoformat(words) if isinstance(words, str) else _missing(words)
    except ValueError as error:
        raise HoursError(f'{name}：应写成带引号的时刻，例如 "22:00"', name) from error


def _missing(words: object) -> time:
    raise ValueError(words)
