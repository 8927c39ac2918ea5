"""Which way reaches this person now. Pure; asked by the sender, by tickets and by their page."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol

ACTIVE = "active"  # Contact.state of somebody who can be written to


class Windowed(Protocol):
    """What a channel says of its window; see bot.channel.Channel."""

    window_seconds: float
    window_count: int
    act_seconds: float
    act_count: int


class Reachable(Protocol):
    """What is asked of a contact, be it a whole row or the columns a sender read."""

    @property
    def state(self) -> str:
        """active | ended"""

    @property
    def last_inbound_at(self) -> datetime | None:
        """The last act from there that opened the long window."""

    @property
    def window_used(self) -> int:
        """Messages sent in it."""

    @property
    def brief_at(self) -> datetime | None:
        """The last act that opened the short one."""

    @property
    def brief_used(self) -> int:
        """Messages sent in that one."""


@dataclass(frozen=True)
class Window:
    """How long after a contact's act, and how often, it may be written to; 0: always.

    After a message, and the shorter one after a press, a follow or a scan (W7). Each has its own
    count: both can be open, and then the one that ends first is used first.
    """

    seconds: float = 0.0
    count: int = 0
    brief_seconds: float = 0.0
    brief_count: int = 0


class Way(StrEnum):
    """OPEN: now. WAITING: after the contact's next message. ENDED: never again by itself."""

    OPEN = "open"
    WAITING = "waiting"
    ENDED = "ended"


@dataclass(frozen=True)
class Route:
    """One way to a person: open until a moment (None: for ever), and the words for staff."""

    kind: Way
    until: datetime | None = None
    words: str = ""
    left: int = 0
    """How many messages still fit before `until`; only with an open window."""
    counts: str = ""
    """The column of the contact that a message sent now counts in; empty where none is counted."""

    @property
    def open(self) -> bool:
        """Whether a message sent now would be taken."""
        return self.kind is Way.OPEN


def window_of(channel: Windowed, settings: Mapping[str, Any]) -> Window:
    """The channel's window; an account's own `window_count` goes before the channel's.

    The number has been 20 and is 5 today (W7, W8), and old accounts may keep theirs.
    """
    if not channel.window_seconds:
        return Window()
    count = int(settings.get("window_count", channel.window_count))
    return Window(channel.window_seconds, count, channel.act_seconds, channel.act_count)


def route(window: Window, contact: Reachable | None, moment: datetime) -> Route:
    """Whether the platform would take a message to this contact at `moment` (W7, T12)."""
    if contact is None or contact.state != ACTIVE:
        return Route(Way.ENDED, words="对方已取消关注或已退出")
    if not window.seconds:
        return Route(Way.OPEN)
    long = _until(contact.last_inbound_at, window.seconds)
    brief = _until(contact.brief_at, window.brief_seconds)
    long_left = window.count - contact.window_used if long and moment < long else 0
    brief_left = window.brief_count - contact.brief_used if brief and moment < brief else 0
    counts = "brief_used" if brief_left > 0 else "window_used"
    # Said of the one that lasts: three more within the minute help nobody to plan an answer.
    if long_left > 0:
        return Route(Way.OPEN, long, left=long_left, counts=counts)
    if brief_left > 0:
        return Route(Way.OPEN, brief, left=brief_left, counts=counts)
    ends = [one for one in (long, brief) if one is not None]
    return Route(Way.WAITING, max(ends, default=None), _WAITING)


def _until(act: datetime | None, seconds: float) -> datetime | None:
    return None if act is None or not seconds else act + timedelta(seconds=seconds)


_WAITING = "不在平台允许的时限或条数内，等对方下次来信"
