"""What is left of a platform's numbers, and which days still have a place: rows in, rows out."""

from datetime import UTC, date, datetime, timedelta

import pytest

from bot.quota import SEND, Act, Left, Limit, Per, Place, Room, Use, full, standing, used_up
from bot.telegram.channel import TelegramChannel
from bot.wechat.channel import WeChatChannel

SERVICE = {"push": "mass", "kind": "service"}
MONTH = [one for one in WeChatChannel.limits(SERVICE) if one.call == SEND]
DAY = [one for one in WeChatChannel.limits({"push": "mass"}) if one.call == SEND]


def at(day: int, hour: int = 10, month: int = 3) -> datetime:
    """Beijing time, in the zone the office keeps."""
    return datetime(2027, month, day, tzinfo=UTC) + timedelta(hours=hour - 8)


def sends(*days: int) -> list[Use]:
    return [Use(SEND, at(day)) for day in days]


def test_a_day_ends_at_midnight_in_beijing_and_not_in_greenwich() -> None:
    late = at(2, 23)
    assert full(DAY, [Use(SEND, at(2, 0))], late) is not None
    assert full(DAY, [Use(SEND, at(1, 23))], at(2, 0)) is None
    shut = full(DAY, [Use(SEND, at(2, 1))], late)
    assert isinstance(shut, Left)
    assert shut.free_at == at(3, 0)
    assert used_up(shut) == "今天群发 1 次已用完"


def test_the_fifth_of_a_month_waits_for_the_first_of_the_next() -> None:
    assert full(MONTH, sends(1, 8, 15), at(20)) is None
    shut = full(MONTH, sends(1, 8, 15, 20), at(21))
    assert shut is not None
    assert (shut.free_at, shut.limit.each) == (at(1, 0, month=4), True)
    assert used_up(shut) == "本月群发 4 次已用完"
    assert full(MONTH, sends(1, 8, 15, 20), at(1, month=4)) is None


def test_of_several_numbers_the_one_that_waits_longest_is_told() -> None:
    shut = full(MONTH, sends(1, 8, 15, 21), at(21, 12))
    assert shut is not None
    assert shut.limit.per is Per.MONTH


def test_sixty_a_minute_are_a_sliding_minute() -> None:
    minute = [Limit(SEND, "群发", 60, Per.MINUTE)]
    uses = [Use(SEND, at(2) + timedelta(seconds=second)) for second in range(60)]
    shut = full(minute, uses, at(2) + timedelta(seconds=59))
    assert shut is not None
    assert shut.free_at == at(2) + timedelta(minutes=1)
    assert full(minute, uses, shut.free_at) is None


def test_calls_of_one_name_leave_the_others_alone() -> None:
    limits = WeChatChannel.limits({})
    used = [Use("draft/add", at(2), 999), Use("freepublish/submit", at(2), 100)]
    left = {one.limit.call: one.left for one in standing(limits, used, at(2))}
    assert left["draft/add"] == 1
    assert left["freepublish/submit"] == 0
    assert left["freepublish/get"] == 100
    assert left["freepublish/delete"] == 10
    shut = full([one for one in limits if one.act is Act.PUBLISH], used, at(2))
    assert shut is not None
    assert shut.limit.call == "freepublish/submit"


@pytest.mark.parametrize(
    ("settings", "sends_a_month"),
    [({"push": "mass", "kind": "服务号"}, 4), ({"push": "mass"}, 0), ({}, 0)],
)
def test_only_a_service_account_has_a_month(settings: dict[str, str], sends_a_month: int) -> None:
    found = [one.most for one in WeChatChannel.limits(settings) if one.per is Per.MONTH]
    assert sum(found) == sends_a_month
    assert not TelegramChannel.limits(settings)


# --- places -------------------------------------------------------------------------------


def day(number: int, month: int = 3) -> date:
    return date(2027, month, number)


def place(key: str, first: int, last: int) -> Place:
    return Place(key, day(first), day(last))


def test_who_can_wait_gives_way_to_who_cannot() -> None:
    room = Room(DAY)
    seats = room.seats([place("wide", 2, 5), place("narrow", 2, 2)])
    assert seats == {"narrow": day(2), "wide": day(3)}


def test_a_place_that_would_take_anothers_is_none() -> None:
    room, others = Room(DAY), [place("a", 2, 2), place("b", 3, 3)]
    assert room.seat(place("mine", 2, 3), others) is None
    assert room.seat(place("mine", 2, 4), others) == day(4)
    # The one with the shortest time would come first, and is refused all the same.
    assert room.seat(place("0", 2, 2), others) is None
    assert room.next_day(place("mine", 2, 3), others, day(2)) == day(4)


def test_a_full_month_leads_to_the_next_and_spent_days_count() -> None:
    room = Room(MONTH, sends(1, 8, 15))
    held = [place("a", 20, 20)]
    assert room.seat(place("mine", 22, 28), held) is None
    assert room.next_day(place("mine", 22, 28), held, day(21)) == day(1, month=4)
    assert room.seat(place("mine", 22, 28), []) == day(22)


def test_articles_share_a_send_and_leave_room_for_what_goes_alone() -> None:
    room = Room(DAY)
    a, b, c = (Place(key, day(2), day(last), 2) for key, last in (("a", 2), ("b", 3), ("c", 3)))
    assert room.seats([a, b]) == {"a": day(2), "b": day(2)}
    assert room.seats([a, b, c]) == {"a": day(2), "b": day(2), "c": day(3)}  # two a send
    assert room.seat(place("alone", 3, 3), [a, b]) == day(3)
    assert room.seat(place("alone", 2, 2), [a, b]) is None
    # Opened late: the one send of both leaves the second for what can have no other day.
    wide, late = Place("wide", day(2), day(4), 8), Place("late", day(4), day(5), 8)
    assert len(room.seats([wide, place("x", 2, 2), place("y", 3, 3), late, place("z", 5, 5)])) == 5


def test_days_of_silence_hold_no_place() -> None:
    room = Room(DAY, shut=frozenset({day(2)}))
    assert room.seat(place("mine", 2, 2), []) is None
    assert room.seat(place("mine", 2, 3), []) == day(3)


def test_an_account_without_numbers_has_a_place_every_day() -> None:
    room = Room(TelegramChannel.limits({}))
    assert not room.limited
    assert room.seat(place("mine", 2, 2), [place("a", 2, 2)]) == day(2)


@pytest.mark.parametrize(
    ("kind", "chosen", "takes"),
    [("service", True, False), ("service", False, True), ("subscription", True, True)],
)
def test_only_a_send_of_a_service_account_to_some_takes_none_of_its_days(
    kind: str, *, chosen: bool, takes: bool
) -> None:
    settings = {"push": "targeted", "kind": kind}
    assert WeChatChannel.takes_place(settings, chosen=chosen) is takes
    assert WeChatChannel.takes_place({"push": "mass", "kind": kind}, chosen=chosen)
    assert WeChatChannel.once_a_day(settings) is (kind == "subscription")
