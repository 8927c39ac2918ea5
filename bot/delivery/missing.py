"""Publications that somebody deleted on the platform: noticed, signed, told to the editor."""

from collections.abc import Sequence

from sqlalchemy import select

from bot.channel import Channel
from bot.contract import AccountView, State
from bot.delivery.once import Told, recalled, same, told_of
from bot.delivery.taken import MISSING, off
from bot.delivery.wiring import Wiring
from bot.models import Account, Publication
from bot.takedown import Standing
from ledger.verify import Broken, Entry

NEWEST = 40
"""How many publications of an account are looked for; older ones nobody is pointed to."""


async def look_for_missing(wiring: Wiring) -> int:
    """Ask each platform which of our newest publications are gone; how many were. A job."""
    async with wiring.db.session() as session:
        ids = (await session.scalars(select(Account.id).where(Account.enabled))).all()
    found = 0
    for account_id in ids:
        try:
            account = await wiring.open_account(account_id)
        except (LookupError, ValueError):  # it cannot be used; that has its own incident
            continue
        try:
            found += await _look(wiring, account, wiring.channels[account.platform])
        except Broken:  # then nothing is told to anybody anyway
            return found
    return found


async def _look(wiring: Wiring, account: AccountView, channel: Channel) -> int:
    query = select(Publication).where(
        Publication.account_id == account.id, Publication.state == State.PUBLISHED
    )
    async with wiring.db.session() as session:
        newest = query.order_by(Publication.published_at.desc()).limit(NEWEST)
        rows = (await session.scalars(newest)).all()
    standing: dict[Standing, Publication] = {}
    for row in rows:
        if told := stands(await wiring.ledger.facts(f"item:{row.item_id}"), row):
            standing[Standing(told.ref, told.url, told.at)] = row
    if not standing:
        return 0
    gone = await channel.missing(account, list(standing))
    return sum([await _note(wiring, account, standing[one]) for one in gone])


def stands(facts: Sequence[Entry], row: Publication) -> Told | None:
    """What is signed of a publication that nobody took back yet."""
    told = told_of(facts).get(row.id)
    if told is None or not same(row, told) or recalled(facts) or off(facts, row.id):
        return None
    return told


async def _note(wiring: Wiring, account: AccountView, row: Publication) -> int:
    subject = f"item:{row.item_id}"
    async with wiring.ledger.transaction() as tx:
        # Asked again under the lock: another process looks too.
        if stands(await wiring.ledger.facts(subject), row) is None:
            return 0
        body = {
            "publication": row.id,
            "release": row.release_id,
            "account": row.account_id,
            "digest": row.digest,
        }
        await tx.append(MISSING, subject=subject, actor="system", body=body)
    await wiring.on_incident(
        "publication_gone",
        f"publication:{row.id}",
        f"账号“{account.name}”上发布的一篇已不在平台上，不是由本系统撤下的：最新发布和核验页不再把它当作现行内容。"
        "请查明是谁删除的，再决定撤回、更正或重新发布",
    )
    return 1
