"""Which way reaches a person: one table for the sender, for tickets and for their page."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from bot.delivery.routes import Way, Window, route, window_of
from bot.telegram.channel import TelegramChannel
from bot.wechat.channel import WeChatChannel
from storage.cache import MemoryCache

NOON = datetime(2026, 11, 24, 4, tzinfo=UTC)
FIVE = Window(48 * 3600.0, 5, 60.0, 3)
SECOND = 1 / 3600


@dataclass
class Person:
    """The columns that decide."""

    state: str = "active"
    last_inbound_at: datetime | None = NOON
    window_used: int = 0
    brief_at: datetime | None = None
    brief_used: int = 0


PRESSED = Person(last_inbound_at=None, brief_at=NOON)


@pytest.mark.parametrize(
    ("window", "person", "hours", "kind"),
    [
        (Window(), Person(), 9000.0, Way.OPEN),
        (Window(), Person(last_inbound_at=None), 0.0, Way.OPEN),
        (FIVE, Person(window_used=4), 47.99, Way.OPEN),
        (FIVE, Person(), 48.0, Way.WAITING),
        (FIVE, Person(window_used=5), 1.0, Way.WAITING),
        (FIVE, Person(last_inbound_at=None), 0.0, Way.WAITING),
        (FIVE, PRESSED, 59 * SECOND, Way.OPEN),
        (FIVE, PRESSED, 60 * SECOND, Way.WAITING),
        (FIVE, Person(last_inbound_at=None, brief_at=NOON, brief_used=3), SECOND, Way.WAITING),
        (FIVE, Person(window_used=5, brief_at=NOON), SECOND, Way.OPEN),
        (FIVE, Person(brief_at=NOON, brief_used=3), SECOND, Way.OPEN),
        (FIVE, Person(state="ended"), 0.0, Way.ENDED),
        (Window(), None, 0.0, Way.ENDED),
    ],
)
def test_each_way_has_its_kind_and_its_words(
    window: Window, person: Person | None, hours: float, kind: Way
) -> None:
    way = route(window, person, NOON + timedelta(hours=hours))
    assert way.kind is kind
    assert way.open is (kind is Way.OPEN)
    assert bool(way.words) is (kind is not Way.OPEN)


def test_an_open_window_says_until_when_and_how_often() -> None:
    way = route(FIVE, Person(window_used=3), NOON + timedelta(hours=1))
    assert (way.until, way.left) == (NOON + timedelta(hours=48), 2)


def test_a_press_gives_three_messages_in_a_minute_and_takes_none_of_a_messages_five() -> None:
    way = route(FIVE, PRESSED, NOON + timedelta(seconds=5))
    assert (way.until, way.left, way.counts) == (NOON + timedelta(seconds=60), 3, "brief_used")
    both = Person(brief_at=NOON + timedelta(hours=1), window_used=2)
    way = route(FIVE, both, NOON + timedelta(hours=1, seconds=5))
    assert (way.until, way.left, way.counts) == (NOON + timedelta(hours=48), 3, "brief_used")
    way = route(FIVE, both, NOON + timedelta(hours=2))
    assert (way.left, way.counts) == (3, "window_used")


def test_an_account_may_keep_an_older_count() -> None:
    wechat, telegram = WeChatChannel(MemoryCache()), TelegramChannel(MemoryCache())
    assert window_of(wechat, {}) == FIVE
    assert window_of(wechat, {"window_count": 20}) == Window(48 * 3600.0, 20, 60.0, 3)
    assert window_of(telegram, {"window_count": 20}) == Window()
