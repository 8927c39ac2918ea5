"""The night is everybody's own, a digest has its hour, and a pause its end."""

from datetime import UTC, datetime, time, timedelta
from types import SimpleNamespace

import pytest
from sqlalchemy import select

from bot.models import Delivery
from config.clock import beijing, now
from facets.taxonomy import starting_taxonomy
from storage.database import new_id
from subscriptions.hours import HoursError, PushHours, parse_pushing
from subscriptions.matching import Matching, Window
from subscriptions.subscribers import Wish
from tests.subscriptions.test_push import publication, released

NIGHT = PushHours()
YEARS = timedelta(days=3650)  # a window that has not begun


def night_now() -> PushHours:
    """The middle of a night, whatever o'clock this test runs at."""
    hour = beijing(now()).hour
    return PushHours(time((hour - 6) % 24), time((hour + 6) % 24))


def at(hour: int, minute: int = 0, day: int = 24) -> datetime:
    """A moment of November 2026, as clocks show it in Beijing."""
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC) - timedelta(hours=8)


@pytest.mark.parametrize(
    ("moment", "served"),
    [
        (at(23), at(7, day=25)),
        (at(22), at(7, day=25)),
        (at(6, 59), at(7)),
        (at(3), at(7)),
        (at(21, 59), at(21, 59)),
        (at(7), at(7)),
    ],
)
def test_a_push_of_the_night_waits_for_the_morning(moment, served) -> None:
    assert NIGHT.moments(moment, at_night=False)[0] == served


def test_what_was_reviewed_for_the_night_waits_for_nothing() -> None:
    assert NIGHT.moments(at(23), at_night=True) == (at(23),) * 3


def test_a_digest_hour_within_the_night_comes_with_the_morning() -> None:
    early = PushHours(digest_hour=5)
    assert early.moments(at(12), at_night=False)[1] == at(7, day=25)
    assert beijing(early.moments(at(12), at_night=False)[2]).weekday() == 0


def test_an_office_may_have_no_night_or_one_within_the_day() -> None:
    assert not PushHours(time(0), time(0)).quiet(at(3))
    noon = PushHours(time(12), time(14))
    assert (noon.quiet(at(13)), noon.quiet(at(15)), noon.quiet(at(3))) == (True, False, False)


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ([], "quiet_from"),
        ({"quiet_from": "25:00", "quiet_until": "07:00"}, "quiet_from"),
        ({"quiet_from": 1320, "quiet_until": "07:00"}, "quiet_from"),
        ({"quiet_from": "22:00"}, "quiet_until"),
        ({"quiet_from": "22:00", "quiet_until": "07:00", "digest_hour": 24}, "digest_hour"),
        ({"quiet_from": "22:00", "quiet_until": "07:00", "hours": 1}, "hours"),
    ],
)
def test_a_faulty_setting_names_its_field(data, field) -> None:
    with pytest.raises(HoursError, match=field):
        parse_pushing(data)


async def rows_of(town) -> list[Delivery]:
    async with town.db.session() as session:
        return [*(await session.scalars(select(Delivery).order_by(Delivery.contact_id))).all()]


async def test_rows_of_the_night_wait_and_are_gathered_unless_reviewed_for_it(town) -> None:
    await town.citizen(Wish("employment"))
    await town.citizen(Wish("employment", frequency="daily"))
    place = await publication(town)
    matching = Matching(starting_taxonomy(), night_now)
    await matching.create_deliveries(town.db, place, released({"topics": ["employment"]}))
    for row in await rows_of(town):
        assert row.whole
        assert row.gather
        assert row.next_at is not None
        assert row.next_at > now()
    place = await publication(town, release="r2")
    urgent = released({"topics": ["employment"], "urgent": ["night"]}, "r2")
    await matching.create_deliveries(town.db, place, urgent)
    hurried = [row for row in await rows_of(town) if row.release_id == "r2"]
    assert [(row.gather, row.next_at is not None and row.next_at <= now()) for row in hurried] == [
        (False, True),
        (False, True),
    ]


async def test_at_sending_the_night_is_asked_once_more_and_who_just_wrote_is_awake(town) -> None:
    matching = Matching(starting_taxonomy(), night_now)
    person = await town.citizen(Wish("employment"))
    async with town.db.session() as session:
        wants = await matching.wants(session, [person.id])
    asleep = SimpleNamespace(last_inbound_at=now() - timedelta(hours=1), brief_at=None)
    audience = {"topics": ["employment"]}
    row = new_id()
    assert wants.waits(audience, row, asleep) > 0
    assert wants.waits({**audience, "urgent": ["night"]}, row, asleep) == 0
    awake = SimpleNamespace(last_inbound_at=now() + timedelta(seconds=1), brief_at=None)
    assert wants.waits(audience, row, awake) == 0


async def test_a_paused_wish_matches_nothing_until_its_day_and_nothing_comes_later(town) -> None:
    matching, audience = Matching(starting_taxonomy()), {"topics": ["employment"]}
    person = await town.citizen(Wish("employment"), Wish("consumption"))
    day = (beijing(now()).date() + timedelta(days=3)).isoformat()
    today = beijing(now()).date().isoformat()
    for until, reached in ((day, 0), (today, 1), ("", 1)):
        async with town.ledger.transaction() as tx:
            assert len(await town.subscribers.pause(tx, person.id, until)) == 2
        async with town.db.session() as session:
            assert await matching.count(session, audience, ["tg"]) == reached
            wants = await matching.wants(session, [person.id])
            assert bool(wants.why("tg", person.id, audience, "")) is bool(reached)


async def test_a_window_that_ends_before_the_morning_comes_too_late_for_everybody(town) -> None:
    await town.citizen(Wish("employment"))
    matching, audience = Matching(starting_taxonomy()), {"topics": ["employment"]}
    night = Window(at(23, day=24) + YEARS, at(6, day=25) + YEARS)
    async with town.db.session() as session:
        assert await matching.too_late(session, audience, ["tg"], night) == 1
        urgent = {**audience, "urgent": ["night"]}
        assert await matching.too_late(session, urgent, ["tg"], night) == 0


async def test_closing_personal_push_ends_what_was_asked_without_a_topic(town) -> None:
    person = await town.citizen(Wish("", "", "hohhot"), Wish("employment", industry="catering"))
    async with town.ledger.transaction() as tx:
        assert await town.subscribers.delete_tags(tx, person.id) == 2
    async with town.db.session() as session:
        rows = await town.subscribers.list(session, person.id)
    assert [town.subscribers.criteria(row) for row in rows] == ["就业创业"]
