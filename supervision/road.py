"""How the platforms reach this office, for whoever goes the same way."""

from collections.abc import Mapping
from dataclasses import dataclass

from bot.accounts import Accounts
from bot.channel import Channel, Menu
from bot.models import Account
from bot.trial import Look, wrong

UNUSABLE = "账号"


@dataclass(frozen=True)
class Road:
    """How the platforms reach this office: its address from outside, its menu, its channels."""

    accounts: Accounts
    channels: Mapping[str, Channel]
    public_url: str
    menu: Menu

    async def looks(self, account: Account) -> list[Look]:
        """Every part of one account; one line when it may not be used at all."""
        try:
            view = await self.accounts.open(account.id)
        except (LookupError, ValueError) as error:
            return [wrong(UNUSABLE, str(error))]
        channel = self.channels[account.platform]
        return [one async for one in channel.looks(view, self.callback(account), self.menu)]

    def callback(self, account: Account) -> str:
        """The address the platform calls."""
        return f"{self.public_url}/{account.platform}/{account.slug}"
