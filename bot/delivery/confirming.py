"""A send that the platform asks an administrator about before it goes (群发保护, W15). Pure.

Only the platform knows whether it was let go: its end, or its silence, is asked of it. What the
office knows is whom to ring, and until when.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from bot.channels import CHANNELS
from bot.contract import Outcome, State
from bot.models import Publication

CONFIRM_WITHIN = timedelta(minutes=30)
_AFTER = timedelta(seconds=5)  # the platform ends it at its own clock's thirty minutes
UNSAID = "unsaid"
"""In Outcome.detail: the platform said that it failed, and not why."""


@dataclass(frozen=True)
class Waiting:
    """Who has to let a send go, and until when."""

    who: str
    until: datetime


def waiting_for(row: Publication, platform: str, settings: Mapping[str, Any]) -> Waiting | None:
    """The confirmation that a submitted publication waits for; None where nobody is asked."""
    channel = CHANNELS.get(platform)
    who = channel.confirmed_by(settings) if channel is not None else ""
    if not who or row.state != State.SUBMITTED or row.claimed_until is None:
        return None
    return Waiting(who, row.claimed_until + CONFIRM_WITHIN)


def asked_next(waiting: Waiting | None, moment: datetime, then: datetime) -> datetime:
    """When the platform is asked again: not long after the time is over."""
    if waiting is None or moment >= waiting.until:
        return then
    return min(then, waiting.until + _AFTER)


def in_words(outcome: Outcome, waiting: Waiting | None, moment: datetime) -> Outcome:
    """A failure without a reason, after the time was over: nobody let it go."""
    late = waiting is not None and moment >= waiting.until
    if waiting is None or not late or not outcome.detail.get(UNSAID):
        return outcome
    words = f"群发失败：{waiting.who} 30 分钟内没有确认。请约好时间后重新发送"
    return replace(outcome, reason=words)
