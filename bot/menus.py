"""The platforms are told where we listen and what the menu is."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import select

from bot.accounts import Accounts
from bot.contract import Channel, Menu, NotEquipped
from bot.models import Account
from storage.database import Database


@dataclass(frozen=True)
class Wiring:
    """The accounts of an office, its channels, and its address as seen from outside."""

    db: Database
    accounts: Accounts
    channels: Mapping[str, Channel]
    public_url: str


async def equip(wiring: Wiring, menu: Menu, slugs: Collection[str] = ()) -> list[str]:
    """Tell the platform of each enabled account (or of those named); the problems, in Chinese.

    One account that cannot be told stops no other: it can still send, and staff are told why.
    """
    accounts, channels = wiring.accounts, wiring.channels
    async with wiring.db.session() as session:
        query = select(Account).where(Account.enabled.is_(True)).order_by(Account.slug)
        rows = (
            await session.scalars(query.where(Account.slug.in_(slugs)) if slugs else query)
        ).all()
    problems = []
    for row in rows:
        # The path bot.callbacks mounts: platform, then the account's own slug.
        callback = f"{wiring.public_url}/{row.platform}/{row.slug}"
        try:
            await channels[row.platform].equip(accounts.view(row), callback, menu)
        except (NotEquipped, ValueError) as error:
            problems.append(f"{row.name}：菜单或回调地址没有设好（{error}），请检查账号设置")
    return problems
