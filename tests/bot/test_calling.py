"""Every channel's wire says when a call begins: what fails before was surely not sent."""

from typing import Any

import pytest
from redis.exceptions import ConnectionError as ConnectionLost

from bot.calling import watch
from bot.contract import AccountView, Reply, ReplyBasis, State
from bot.replies import said
from bot.telegram.channel import TelegramChannel
from bot.wechat.channel import WeChatChannel
from storage.cache import MemoryCache
from tests.bot.conftest import AES_KEY, Platforms, parts

SECRETS = {
    "wechat": {"appid": "wxqinghe", "secret": "s3", "token": "t0", "aes_key": AES_KEY},
    "telegram": {"token": "7:abc", "webhook_secret": "hush", "chat": "@q"},
}
NUMBERS = {"wechat": "wxqinghe", "telegram": "7"}


class Away(MemoryCache):
    """A Redis that is not there: neither pace nor token can be had."""

    async def add_once(self, key: str, ttl: float) -> bool:
        raise ConnectionLost("redis is away")

    async def get(self, key: str) -> str | None:
        raise ConnectionLost("redis is away")


def _reply() -> Reply:
    return said(parts("a", "c", "您好", ReplyBasis.TEMPLATE), "您好")


@pytest.mark.parametrize("made", [TelegramChannel, WeChatChannel])
async def test_a_call_has_begun_when_it_reached_the_wire_and_not_before(
    platforms: Platforms, made: Any
) -> None:
    name = made.platform
    known = {"name": "青禾", **SECRETS[name]}
    await platforms.control("accounts", platform=name, **known)
    more = await platforms.control("citizens", account=NUMBERS[name], count=1, follow=True)
    [citizen] = more["citizens"]
    if name == "wechat":  # a window is open only after a message
        await platforms.control("say", account=NUMBERS[name], citizen=citizen, text="问")
    account = AccountView("a", name, "青禾", f"{platforms.url}/{name}", SECRETS[name], {})
    alone, whole = made(Away(), platforms.hosts), made(MemoryCache(), platforms.hosts)
    call = watch()
    with pytest.raises(ConnectionLost):
        await alone.reply(account, citizen, _reply())
    assert not call.begun
    call = watch()
    assert (await whole.reply(account, citizen, _reply())).state is State.PUBLISHED
    assert call.begun
    for channel in (alone, whole):
        await channel.close()
