"""The platforms are told where we listen and what the menu is."""

from collections.abc import Mapping

from sqlalchemy import select

from bot.accounts import Accounts
from bot.contract import Channel, Menu, NotEquipped
from bot.models import Account
from storage.database import Database


async def equip(
    db: Database, accounts: Accounts, channels: Mapping[str, Channel], public_url: str, menu: Menu
) -> list[str]:
    """Tell each enabled account's platform; the problems, in Chinese, one a line.

    One account that cannot be told stops no other: it can still send, and staff are told why.
    """
    async with db.session() as session:
        query = select(Account).where(Account.enabled.is_(True)).order_by(Account.slug)
        rows = (await session.scalars(query)).all()
    problems = []
    for row in rows:
        # The path bot.callbacks mounts: platform, then the account's own slug.
        callback = f"{public_url}/{row.platform}/{row.slug}"
        try:
            await channels[row.platform].equip(accounts.view(row), callback, menu)
        except (NotEquipped, ValueError) as error:
            problems.append(f"{row.name}：菜单或回调地址没有设好（{error}），请检查账号设置")
    return problems
