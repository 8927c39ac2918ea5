"""What stands is what was released: read back after publishing, and daily for a week (row 80)."""

import json
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.contract import AccountView, Channel, State
from bot.delivery.missing import stands
from bot.models import Account, Publication
from bot.takedown import Standing
from config.clock import now
from ledger.append import Ledger
from review_queue.models import Revision

ALTERED = "publication_altered"
NEW, WEEK = timedelta(hours=2), timedelta(days=7)
Open = Callable[[str], Awaitable[AccountView]]


async def read_back_due(ledger: Ledger, channels: Mapping[str, Channel], open_account: Open) -> int:
    """Compare what is new with what was released; how many stand otherwise. A job of each hour."""
    return await _read_all(ledger, channels, open_account, NEW)


async def read_back(ledger: Ledger, channels: Mapping[str, Channel], open_account: Open) -> int:
    """The same for everything of a week. A job of each day."""
    return await _read_all(ledger, channels, open_account, WEEK)


async def _read_all(
    ledger: Ledger, channels: Mapping[str, Channel], open_account: Open, of: timedelta
) -> int:
    async with ledger.db.session() as session:
        query = select(Account.id).where(Account.enabled.is_(True)).order_by(Account.id)
        ids = (await session.scalars(query)).all()
    since = now() - of
    return sum([await _read(ledger, channels, open_account, one, since) for one in ids])


async def _read(
    ledger: Ledger, channels: Mapping[str, Channel], open_account: Open, key: str, since: datetime
) -> int:
    async with ledger.db.session() as session:
        query = select(Publication).where(
            Publication.account_id == key,
            Publication.state == State.PUBLISHED,
            Publication.published_at >= since,
        )
        rows = (await session.scalars(query)).all()
        if not rows:
            return 0
        released = {row.id: await _released(session, row) for row in rows}
    try:
        account = await open_account(key)
    except (LookupError, ValueError):  # it cannot be used; that has its own incident
        return 0
    standing: dict[Standing, Publication] = {}
    for row in rows:
        if told := stands(await ledger.facts(f"item:{row.item_id}"), row):
            standing[Standing(told.ref, told.url, told.at)] = row
    asked = [(one, released[row.id]) for one, row in standing.items()]
    found = await channels[account.platform].altered(account, asked)
    for one, faults in found:
        row = standing[one]
        await ledger.open_incident(
            ALTERED,
            subject=f"publication:{row.id}",
            message=f"账号“{account.name}”上的一篇与放行的不同：{'；'.join(faults)}。"
            "请查明是谁在平台上改的，再决定更正或撤回",
            detail={},
        )
    return len(found)


async def _released(session: AsyncSession, row: Publication) -> Mapping[str, Any]:
    """The rendering under the released digest; empty where the text is not there any more."""
    query = select(Revision.canonical).where(
        Revision.item_id == row.item_id, Revision.digest == row.digest
    )
    text = (await session.scalars(query.limit(1))).first()
    if text is None:
        return {}
    rendering: Mapping[str, Any] = json.loads(text)["renderings"].get(row.account_id, {})
    return rendering
