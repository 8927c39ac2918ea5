"""What stands is what was released: read back after publishing, and daily for a week (row 80)."""

import json
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import structlog
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.channel import Channel
from bot.contract import AccountView, State
from bot.delivery.missing import stands
from bot.models import Account, Publication
from bot.read_back import Asked, ReadBack
from bot.takedown import Standing
from config.clock import now
from ledger.append import Ledger
from review_queue.models import Revision
from storage.media import load

ALTERED = "publication_altered"
PICTURES = "publication.pictures"
"""Signed: the digests of a publication's pictures as the platform first served them, by place."""
NEW, WEEK = timedelta(hours=2), timedelta(days=7)
Open = Callable[[str], Awaitable[AccountView]]

_log = structlog.get_logger("supervision.standing")


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
    asked = [
        Asked(one, released[row.id], await first_digests(ledger, row))
        for one, row in standing.items()
    ]
    channel = channels[account.platform]
    found = await channel.altered(account, asked, partial(_picture, ledger))
    for one in found:
        await note(ledger, account, standing[one.standing], one)
    return sum(bool(one.faults) for one in found)


async def note(ledger: Ledger, account: AccountView, row: Publication, read: ReadBack) -> None:
    """Sign what was seen for the first time, and tell what stands otherwise."""
    if read.digests:
        body = {"publication": row.id, "digests": dict(read.digests)}
        async with ledger.transaction() as tx:
            await tx.append(PICTURES, subject=f"item:{row.item_id}", actor="system", body=body)
    if read.unread:
        _log.warning("pictures_unread", publication=row.id, count=len(read.unread))
    if not read.faults:
        return
    unread = f"（{'、'.join(read.unread[:3])}没有读到）" if read.unread else ""
    await ledger.open_incident(
        ALTERED,
        subject=f"publication:{row.id}",
        message=f"账号“{account.name}”上的一篇与放行的不同：{'；'.join(read.faults)}{unread}。"
        "请查明是谁在平台上改的，再决定更正或撤回",
        detail={},
    )


async def first_digests(ledger: Ledger, row: Publication) -> dict[str, str]:
    """Of the pictures of a publication as they were first read; a later entry changes none."""
    digests: dict[str, str] = {}
    for entry in await ledger.facts(f"item:{row.item_id}"):
        if entry.kind == PICTURES and entry.body["publication"] == row.id:
            digests = entry.body["digests"] | digests
    return digests


async def _picture(ledger: Ledger, name: str) -> tuple[bytes, str]:
    async with ledger.db.session() as session:
        found = await load(session, name)
    if found is None:
        raise LookupError(name)
    return found


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
