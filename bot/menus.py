"""The platforms are told where we listen and what the menu is."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from sqlalchemy import select

from bot.account_entries import account_digest
from bot.accounts import Accounts
from bot.channel import Channel, Menu, NotEquipped
from bot.models import Account
from storage.database import Database


@dataclass
class Equipping:
    """Tells each enabled account's platform, at the start and when an account was changed."""

    db: Database
    accounts: Accounts
    channels: Mapping[str, Channel]
    public_url: str
    menu: Menu
    _known: dict[str, str] = field(default_factory=dict)
    _begun: bool = False

    async def everything(self, slugs: Collection[str] = ()) -> list[str]:
        """Tell every platform, or those of the accounts named; the problems, in Chinese."""
        self._known.clear()
        self._begun = True
        return await self.changed(slugs)

    async def changed(self, slugs: Collection[str] = ()) -> list[str]:
        """Tell those whose account is another than this process told last.

        One account that cannot be told stops no other: it can still send, and staff are told why.
        A process that told nobody at its start changes nothing: another one is listening.
        """
        if not self._begun:
            return []
        async with self.db.session() as session:
            query = select(Account).where(Account.enabled.is_(True)).order_by(Account.slug)
            query = query.where(Account.slug.in_(slugs)) if slugs else query
            rows = (await session.scalars(query)).all()
        problems = []
        for row in rows:
            digest = account_digest(row)
            if self._known.get(row.id) == digest:
                continue
            # Told once, whatever came of it: a platform that is away is asked at the next start.
            self._known[row.id] = digest
            # The path bot.callbacks mounts: platform, then the account's own slug.
            callback = f"{self.public_url}/{row.platform}/{row.slug}"
            try:
                channel = self.channels[row.platform]
                await channel.equip(self.accounts.view(row), callback, self.menu)
            except (NotEquipped, ValueError) as error:
                problems.append(f"{row.name}：菜单或回调地址没有设好（{error}），请检查账号设置")
        return problems
