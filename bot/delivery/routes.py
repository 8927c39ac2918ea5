"""Which way reaches this person now. Pure; asked by the sender, by tickets and by their page."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol

ACTIVE = "active"  # Contact.state of somebody who can be written to


class Windowed(Protocol):
    """What a channel says of its window; see bot.contract.Channel."""

    window_seconds: float
    window_count: int


class Reachable(Protocol):
    """What is asked of a contact, be it a whole row or the columns a sender read."""

    @property
    def state(self) -> str:
        """active | ended"""

    @property
    def last_inbound_at(self) -> datetime | None:
        """The last message that came from there."""

    @property
    def window_used(self) -> int:
        """Messages sent since then."""


@dataclass(frozen=True)
class Window:
    """How long after a contact's last message, and how often, it may be written to; 0: always."""

    seconds: float = 0.0
    count: int = 0


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
    return Window(channel.window_seconds, int(settings.get("window_count", channel.window_count)))


def route(window: Window, contact: Reachable | None, moment: datetime) -> Route:
    """Whether the platform would take a message to this contact at `moment` (W7, T12)."""
    if contact is None or contact.state != ACTIVE:
        return Route(Way.ENDED, words="对方已取消关注或已退出")
    if not window.seconds:
        return Route(Way.OPEN)
    if contact.last_inbound_at is None:
        return Route(Way.WAITING, words=_WAITING)
    until = contact.last_inbound_at + timedelta(seconds=window.seconds)
    left = window.count - contact.window_used
    if moment >= until or left <= 0:
        return Route(Way.WAITING, until, _WAITING)
    return Route(Way.OPEN, until, left=left)


_WAITING = "不在平台允许的时限内，等对方下次来信"
