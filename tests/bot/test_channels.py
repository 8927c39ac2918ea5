"""What a channel says of itself, and that everybody takes its word for it."""

import pytest

from bot.channels import CHANNELS, open_channels
from handlers.answers import cut_quote, shares
from storage.cache import MemoryCache


@pytest.mark.parametrize(
    ("platform", "sign", "units"),
    [("wechat", "字", 3), ("wechat", "𠮷", 4), ("telegram", "字", 1), ("telegram", "𠮷", 2)],
)
def test_room_is_counted_in_the_platforms_own_unit(platform: str, sign: str, units: int) -> None:
    channel = CHANNELS[platform]
    assert channel.room("") - channel.room(sign) == units
    assert len(cut_quote(channel, sign * 50, 12)) == 12 // units


@pytest.mark.parametrize("platform", sorted(CHANNELS))
@pytest.mark.parametrize(
    ("signs", "left"), [(-5, ""), (0, ""), (2, "第一"), (6, "第一条。"), (9000, "第一条。")]
)
def test_a_cut_ends_after_a_sentence_where_one_ends(platform: str, signs: int, left: str) -> None:
    channel = CHANNELS[platform]
    one = channel.room("") - channel.room("字")
    assert cut_quote(channel, "第一条。第二条", signs * one) == left


async def test_every_channel_opens_over_one_cache() -> None:
    channels = open_channels(MemoryCache())
    assert list(channels) == list(CHANNELS)
    for channel in channels.values():
        await channel.close()


@pytest.mark.parametrize(
    ("wanted", "room", "given"),
    [
        ([100, 900, 100], 900, [100, 700, 100]),
        ([900, 900, 900], 900, [300, 300, 300]),
        ([100, 600, 900], 900, [100, 400, 400]),
        ([10, 20], 900, [10, 20]),
        ([500], 900, [500]),
        ([], 900, []),
    ],
)
def test_what_a_short_quote_leaves_goes_to_the_long_ones(
    wanted: list[int], room: int, given: list[int]
) -> None:
    """Else three quotes had a third each, and a long one was cut while there was room."""
    assert shares(wanted, room) == given
