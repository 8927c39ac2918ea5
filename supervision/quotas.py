"""What accounts may still do at their platforms today and this month."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from bot.channels import CHANNELS
from bot.delivery.spent import called, spent
from bot.models import Account
from bot.quota import Left, standing
from config.clock import now
from ledger.append import Ledger


async def quotas_of(ledger: Ledger, session: AsyncSession, account: Account) -> Sequence[Left]:
    """Each limit of the account's platform as it stands now. Raises Broken."""
    channel = CHANNELS.get(account.platform)
    limits = channel.limits(account.settings) if channel is not None else ()
    if not limits:
        return ()
    moment = now()
    calls = (await called(session, [account.id], moment))[account.id]
    return standing(limits, [*await spent(ledger, account.id), *calls], moment)
