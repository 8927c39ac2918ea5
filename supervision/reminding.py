"""The clock of updates: an account's owner is told before the limit, staff when it is past."""

from collections.abc import Sequence

from sqlalchemy import select

from config.clock import now
from content_sources.tasks import owner_of
from ledger.append import Ledger
from staff.people import active_with
from staff.tasks import Tell
from supervision.cockpit import Standing, read_cockpit, rows_of
from supervision.models import AccountWatch

REMINDED = "accounts.reminded"
SILENT = "account_silent"


async def remind_due(ledger: Ledger, tell: Tell) -> int:
    """Tell of each account that came a step nearer to its limit; how many were told of.

    1. who is at a step that was not told yet; 2. note it and sign it, so that two processes tell
    once; 3. tell the owner, or the supervisors where no owner works here; 4. an incident for what
    is past its limit.
    """
    moment = now()
    rows = await ledger.db.read(lambda session: rows_of(session, moment))
    near = [one for one in read_cockpit(rows, moment).in_use if one.step]
    told = await _note(ledger, near)
    for one, people in told:
        for staff_id in people:
            await tell(staff_id, words_of(one))
    for one in near:
        if one.days >= one.limit:
            await ledger.open_incident(
                SILENT,
                subject=f"account:{one.id}",
                message=f"账号“{one.name}”已 {one.days} 天没有更新，超过 {one.limit} 天的时限",
                detail={},
            )
    return len(told)


def words_of(one: Standing) -> str:
    """What the owner is told; nothing a citizen wrote."""
    silent, left = f"账号“{one.name}”已 {one.days} 天没有更新", one.limit - one.days
    if left <= 0:
        return f"{silent}，超过 {one.limit} 天的时限：请马上安排发布"
    return f"{silent}，还有 {left} 天到 {one.limit} 天的时限：请安排发布"


async def _note(ledger: Ledger, near: Sequence[Standing]) -> list[tuple[Standing, list[str]]]:
    if not near:
        return []
    async with ledger.transaction() as tx:
        keys = [one.id for one in near]
        query = select(AccountWatch).where(AccountWatch.account_id.in_(keys))
        known = {row.account_id: row for row in (await tx.session.scalars(query)).all()}
        new = [one for one in near if not _told(known.get(one.id), one)]
        if not new:
            return []
        supervisors = await active_with(tx.session, {"supervisor"})
        admins = supervisors or await active_with(tx.session, {"admin"})
        told = []
        for one in new:
            row = known.get(one.id)
            if row is None:
                row = AccountWatch(account_id=one.id, faults=[])
                tx.session.add(row)
            owner = await owner_of(tx.session, one.owner)
            row.told_days, row.told_since, row.told_at = one.step, one.last, now()
            told.append((one, [owner] if owner else admins))
        lines = [{"account": one.id, "days": one.days, "limit": one.limit, "told": people}
                 for one, people in told]  # fmt: skip
        await tx.append(REMINDED, subject="accounts", actor="system", body={"accounts": lines})
    return told


def _told(row: AccountWatch | None, one: Standing) -> bool:
    return row is not None and row.told_days >= one.step and row.told_since == one.last
