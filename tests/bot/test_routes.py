"""Which way reaches a person: one table for the sender, for tickets and for their page."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from bot.delivery.routes import Way, Window, route, window_of
from bot.telegram.channel import TelegramChannel
from bot.wechat.channel import WeChatChannel
from storage.cache import MemoryCache

NOON = datetime(2026, 11, 24, 4, tzinfo=UTC)
FIVE = Window(48 * 3600.0, 5)


@dataclass
class Person:
    """The three columns that decide."""

    state: str = "active"
    last_inbound_at: datetime | None = NOON
    window_used: int = 0


@pytest.mark.parametrize(
    ("window", "person", "hours", "kind"),
    [
        (Window(), Person(), 9000.0, Way.OPEN),
        (Window(), Person(last_inbound_at=None), 0.0, Way.OPEN),
        (FIVE, Person(window_used=4), 47.99, Way.OPEN),
        (FIVE, Person(), 48.0, Way.WAITING),
        (FIVE, Person(window_used=5), 1.0, Way.WAITING),
        (FIVE, Person(last_inbound_at=None), 0.0, Way.WAITING),
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


def test_an_account_may_keep_an_older_count() -> None:
    wechat, telegram = WeChatChannel(MemoryCache()), TelegramChannel(MemoryCache())
    assert window_of(wechat, {}) == FIVE
    assert window_of(wechat, {"window_count": 20}) == Window(48 * 3600.0, 20)
    assert window_of(telegram, {"window_count": 20}) == Window()
