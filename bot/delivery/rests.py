"""Accounts that a platform told to wait: kept in the database, and obeyed by every process (T3)."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.contract import Outcome, State
from bot.models import AccountRest
from config.clock import now

LONGEST = timedelta(days=1)
ACCOUNT = "account"  # AccountRest.scope: nothing at all may be called; else messages to people


def resting(moment: datetime, *scopes: str) -> Select[Any]:
    """Accounts that rest, whichever process was told so."""
    # None tells anybody to wait for days: whoever writes that into the table silences nobody.
    query = select(AccountRest.account_id).where(
        AccountRest.until.between(moment, moment + LONGEST)
    )
    return query.where(AccountRest.scope.in_(scopes)) if scopes else query


def tells_rest(outcome: Outcome) -> bool:
    """Whether the platform told its account to wait.

    Who writes that down holds the write lock: two processes are often told so at once.
    """
    return outcome.state is State.RETRYING and "rest" in outcome.detail


async def rest(session: AsyncSession, account_id: str, outcome: Outcome) -> None:
    """Note how long the platform told this account to wait, if it did."""
    if not tells_rest(outcome):
        return
    latest = now() + LONGEST
    until = min(now() + timedelta(seconds=outcome.retry_after), latest)
    known = await session.get(AccountRest, account_id)
    if known is None:
        known = AccountRest(account_id=account_id, until=until)
        session.add(known)
    known.scope = str(outcome.detail["rest"])
    known.until = max(known.until, until) if known.until <= latest else until
    await session.flush()
