"""The platforms this house speaks to. A new one is a folder beside these two and a line here."""

from collections.abc import Mapping

from bot.channel import Channel
from bot.telegram.channel import TelegramChannel
from bot.wechat.channel import WeChatChannel
from storage.cache import Cache

CHANNELS: Mapping[str, type[Channel]] = {
    kind.platform: kind for kind in (WeChatChannel, TelegramChannel)
}
"""Platform -> its channel, for what a channel says of itself without a connection."""


def open_channels(
    cache: Cache, allowed_private: frozenset[str] = frozenset()
) -> dict[str, Channel]:
    """One of each, over one cache; `close` each at the end."""
    return {platform: kind(cache, allowed_private) for platform, kind in CHANNELS.items()}
