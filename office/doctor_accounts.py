"""What `shenfa doctor` says of the accounts: the tests of 试一下, without a message to anybody."""

from collections.abc import AsyncIterator

from sqlalchemy import select

from bot.accounts import Accounts
from bot.channel import Menu
from bot.channels import open_channels
from bot.models import Account
from config.settings import Settings
from handlers.commands import COMMANDS, MENU
from office.doctor_check import FAIL, OK, WARN, Check
from office.keys import open_crypt
from storage.cache import open_cache
from storage.database import Database
from storage.seals import Seals
from supervision.road import Road


async def accounts_checks(
    settings: Settings, db: Database, *, running: bool
) -> AsyncIterator[Check]:
    """A line a part of every account; `running`: whether our own address can answer at all."""
    async with db.session() as session:
        rows = (await session.scalars(select(Account).order_by(Account.slug))).all()
    used = [row for row in rows if row.enabled]
    if not used:
        words = "没有启用的账号，什么也发不出去：请在“设置 → 账号”登记，由两人批准"
        yield Check("账号", FAIL, words)
    crypt = open_crypt(settings)
    # A cache of this process alone: tokens and counts of the running office stay as they are.
    cache = open_cache("", Seals(crypt.seal_key))
    channels = open_channels(cache, settings.allowed_private)
    accounts = Accounts(db, crypt, settings.allowed_private)
    road = Road(accounts, channels, settings.public_url, Menu(MENU, COMMANDS))
    try:
        for row in used:
            for one in await road.looks(row):
                state = OK if one.ok else FAIL
                words = one.words
                if not one.ok and not running and one.name in NEEDS_US:
                    state, words = WARN, "审发没有在运行，没有试：启动以后再体检一次"
                yield Check(f"账号 {row.slug} {one.name}", state, words)
    finally:
        for channel in channels.values():
            await channel.close()
        await cache.close()


NEEDS_US = frozenset({"回调地址", "webhook", "菜单"})
"""What only a running office answers, or tells its platform at the start."""
