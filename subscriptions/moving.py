"""Subscriptions follow the taxonomy: what was renamed or merged is brought to what carries it on.

`move_due(ledger, signed)` is a job. From the moment a taxonomy is in force a row under an older
name means the newer value (facets/criteria.py), so nobody misses anything while this goes on; here
the rows themselves are written anew. Each batch of contacts is one transaction with its signed
entry: a process that is killed leaves whole batches, and the next turn finds what still stands
under an older name. A value that was split stays as it is, and means every part, until its citizen
chooses.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from config.clock import now
from facets.criteria import BELOW, GROUPS, INDUSTRIES, KINDS, REGIONS, TOPICS, Asked, of_now
from facets.taxonomy import Taxonomy
from ledger.append import Ledger, Transaction
from ledger.verify import Broken
from staff.settings import SUBJECT as SETTINGS
from staff.settings import SignedSettings
from subscriptions.models import Subscription
from subscriptions.proof import COLUMNS, prove, sign_end

MOVED, FINISHED = "subscriptions.moved", "subscriptions.moved_all"
SUBJECT = "taxonomy"
BATCH = 200  # contacts in one transaction: citizens who write meanwhile wait no longer
SETTLED = timedelta(seconds=10)
"""By then no process offers an older name any more: each asks what is in force every second."""
_COLUMNS = {
    TOPICS: Subscription.topic,
    GROUPS: Subscription.group,
    REGIONS: Subscription.region,
    INDUSTRIES: Subscription.industry,
    KINDS: Subscription.kind,
}
_SOONER = {"immediate": 0, "daily": 1, "weekly": 2}


@dataclass
class _Count:
    people: int = 0
    rows: int = 0
    joined: int = 0


async def move_due(ledger: Ledger, signed: SignedSettings) -> int:
    """Bring what still stands under an older name to the taxonomy in force; how many people."""
    await signed.refresh()
    held = signed.proved("taxonomy")
    if held is None or not (gone := _renamed(held.value)):
        return 0
    try:
        told = await ledger.facts(SUBJECT)
        settings = await ledger.facts(SETTINGS)
        approved = next(one.at for one in settings if one.seq == held.seq)
        if any(one.kind == FINISHED and one.body["version"] == held.version for one in told):
            return 0
        begun, last, people = now(), "", 0
        while True:
            async with ledger.transaction() as tx:
                page = await _page(tx.session, gone, last)
                if not page:
                    break
                last = page[-1]
                people += await _move(tx, held.value, page, held.version)
        if begun - datetime.fromisoformat(approved) >= SETTLED:
            await _finish(ledger, held.version)
    except Broken:  # nothing is pushed then either, and the ledger's own incident says why
        return 0
    return people


async def _page(
    session: AsyncSession, gone: Mapping[str, Sequence[str]], last: str
) -> Sequence[str]:
    """Contacts with a row under an older name, after one of them."""
    older: list[ColumnElement[bool]] = [_COLUMNS[name].in_(keys) for name, keys in gone.items()]
    query = (
        select(Subscription.contact_id)
        .where(Subscription.state == "active", Subscription.contact_id > last, or_(*older))
        .distinct()
        .order_by(Subscription.contact_id)
        .limit(BATCH)
    )
    return (await session.scalars(query)).all()


async def _move(tx: Transaction, taxonomy: Taxonomy, page: Sequence[str], version: int) -> int:
    """Every standing row of these contacts; one that somebody wrote past this program stays."""
    count = _Count()
    query = select(*COLUMNS).where(
        Subscription.contact_id.in_(page), Subscription.state == "active"
    )
    proved = await prove(tx.session, (await tx.session.execute(query)).all())
    standing = select(Subscription).where(Subscription.id.in_([row[0] for row in proved.rows]))
    rows = await tx.session.scalars(standing.order_by(Subscription.created_at, Subscription.id))
    own: dict[str, list[Subscription]] = {}
    for row in rows:
        own.setdefault(row.contact_id, []).append(row)
    for contact_id, theirs in own.items():
        if not (changed := sum(_renew(taxonomy, row) for row in theirs)):
            continue
        kept = [*_joined(theirs)]
        seq = await sign_end(tx, contact_id, "moved")
        for row in kept:
            row.after_end = seq
        count.people += 1
        count.rows += changed
        count.joined += len(theirs) - len(kept)
    await tx.session.flush()
    if count.people:
        body = {"version": version, **vars(count)}
        await tx.append(MOVED, subject=SUBJECT, actor="system", body=body)
    return count.people


def _renew(taxonomy: Taxonomy, row: Subscription) -> bool:
    before = Asked(row.topic, row.group, row.region, row.industry, row.kind)
    after = of_now(taxonomy, before)
    row.topic, row.group, row.region, row.industry, row.kind = after
    return after != before


def _joined(rows: Iterable[Subscription]) -> Iterator[Subscription]:
    """The first of each wish, served as the soonest of them was; the others end."""
    first: dict[Asked, Subscription] = {}
    for row in rows:
        asked = Asked(row.topic, row.group, row.region, row.industry, row.kind)
        one = first.setdefault(asked, row)
        if one is row:
            continue
        one.frequency = min(one.frequency, row.frequency, key=lambda name: _SOONER.get(name, 0))
        one.paused_until = min(one.paused_until, row.paused_until)
        row.state, row.left_at = "joined", now()
    yield from first.values()


async def _finish(ledger: Ledger, version: int) -> None:
    """Sign once that nothing is left; what it came to is the sum of the batches."""
    async with ledger.transaction() as tx:
        told = await ledger.facts(SUBJECT)
        mine = [one for one in told if one.body["version"] == version]
        if any(one.kind == FINISHED for one in mine):
            return
        sums = {name: sum(int(one.body[name]) for one in mine) for name in vars(_Count())}
        body = {"version": version, **sums}
        await tx.append(FINISHED, subject=SUBJECT, actor="system", body=body)


def _renamed(taxonomy: Taxonomy) -> dict[str, list[str]]:
    """By dimension: the values of rows that have one value to go to."""
    found: dict[str, list[str]] = {}
    for name, gone in taxonomy.heirs.items():
        keys = [key for key, heirs in gone.items() if len(heirs) == 1]
        if name == REGIONS:
            keys += [key + BELOW for key in keys]
        if keys:
            found[name] = keys
    return found
