"""Closing an incident: who may, who did it, and what was done about it.

Nobody closes what is about themselves: whom it names, who wrote or decided the item it is about,
who proposed or approved the change. What is about people is closed by a supervisor.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from config.clock import now
from ledger.append import Ledger, Transaction
from ledger.incidents import CLOSED, holds, named, put_back, resolution_digest
from ledger.models import Incident
from ledger.verify import Broken
from staff.models import Staff
from staff.people import active_with
from staff.refusal import Reason, Refused, missing
from staff.rights import RIGHTS, entitled
from staff.standing import all_facts_or_refuse
from storage.database import rows_of

LEAST_WORDS = 4  # "已处理" alone says nothing to whoever reads it a year later
MENDED = frozenset({"filing_overdue"})
"""Kinds that stay open until what they tell of is mended: closed by hand they would come again."""
_MADE = {"proposal.made", "proposal.approved"}
_WROTE = {"revision.created", "decision"}


@dataclass(frozen=True)
class Closing:
    """Whom an incident is about, and who closes it: ids, in a fixed order."""

    about: frozenset[str]
    by: tuple[str, ...]


async def closings(session: AsyncSession, rows: Sequence[Incident]) -> dict[str, Closing]:
    """By incident, who may close it now; in a few queries however many they are.

    About people: the supervisors it is not about; where there is none, an admin it is not about.
    """
    staff = set((await session.scalars(select(Staff.id))).all())
    told = {row.subject for row in rows if row.subject.startswith(("item:", "proposal:"))}
    facts = await all_facts_or_refuse(session, sorted(told)) if told else {}
    everybody = await active_with(session, RIGHTS["incidents.close"])
    supervisors = await active_with(session, {"supervisor"})
    found = {}
    for row in rows:
        entries = facts.get(row.subject, ())
        words = {row.subject.removeprefix("staff:"), *_texts(row.detail)}
        named = words & staff | {one.actor for one in entries if one.kind in _MADE}
        about = named | {one.actor for one in entries if one.kind in _WROTE}
        free = [one for one in supervisors if one not in about] if named else []
        closers = free or [one for one in everybody if one not in about]
        found[row.id] = Closing(frozenset(about), tuple(closers))
    return found


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
    elif isinstance(value, str):
        yield value


async def close_incident(
    ledger: Ledger, incident_id: str, staff_id: str, resolution: str
) -> Incident:
    """Close it once, as a signed entry; Refused 403, 404, 409 or 422."""
    words = resolution.strip()
    async with ledger.transaction() as tx:
        await entitled(tx.session, staff_id, "incidents.close")
        if len(words) < LEAST_WORDS:
            raise Refused(422, [Reason("resolution", "请写明怎样处理的")])
        row = await _open(tx, incident_id)
        if row.kind in MENDED:
            raise Refused(409, [Reason("mended", "这个事件不能由人关闭：办理并登记以后自动关闭")])
        closing = (await closings(tx.session, [row]))[row.id]
        if staff_id not in closing.by:
            raise Refused(403, [await _why_not(tx.session, staff_id, closing)])
        await _close(tx, row, staff_id, words)
    return row


async def settled(tx: Transaction, kind: str, *, subject: str, by: str, words: str) -> None:
    """Close the incident of this kind and subject with the decision that ended its cause.

    The decision is signed in the same transaction, and who may take it was asked for it. Nothing
    where none is open, or where the chain does not hold: that has an incident of its own.
    """
    try:
        found = (await tx.ledger.incidents()).find((kind, named(subject)))
    except Broken:
        return
    if found is not None:
        await _close(tx, await _open(tx, found), by, words)


async def _close(tx: Transaction, row: Incident, staff_id: str, words: str) -> None:
    row.closed_at, row.closed_by, row.resolution = now(), staff_id, words
    await tx.append(
        CLOSED,
        subject=f"incident:{row.id}",
        actor=staff_id,
        body={"digest": resolution_digest(words)},
    )


async def _open(tx: Transaction, incident_id: str) -> Incident:
    """Its row, put right first: who may close it hangs on its words."""
    try:
        known = await tx.ledger.incidents()
    except Broken as broken:
        words = f"台账核验不通过，事件无法确认，暂时不能关闭：{broken}"
        raise Refused(409, [Reason("ledger", words)]) from broken
    entry = known.entries.get(incident_id)
    if entry is None:
        if any(one.subject == f"incident:{incident_id}" for one in known.closed):
            raise Refused(409, [Reason("state", "这个事件已经处理过")])
        raise missing("个事件")
    row = (await rows_of(tx.session, Incident, [incident_id])).get(incident_id)
    if not holds(row, entry):
        await put_back(tx, incident_id, entry)
    return await tx.session.get_one(Incident, incident_id, populate_existing=True)


async def _why_not(session: AsyncSession, staff_id: str, closing: Closing) -> Reason:
    rows = await session.scalars(select(Staff.name).where(Staff.id.in_(closing.by)))
    names = "、".join(sorted(rows.all()))
    who = f"请由{names}处理" if names else "请先增加一位监督人员，由他处理"
    if staff_id in closing.about:
        return Reason("about", f"这个事件与您有关，不能由您关闭：{who}")
    return Reason("supervisor", f"这个事件与工作人员有关，要由监督人员关闭：{who}")
