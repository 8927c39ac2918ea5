"""Who is away, and who acts for them: signed, bounded in time, and never two people in one.

One's own absence one declares alone; somebody else's takes two people (staff/proposals.py).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from config.clock import now
from ledger.append import Transaction
from ledger.verify import Entry
from staff.models import Absence, Staff
from staff.people import Member, read_person
from staff.proposals import Approval
from staff.refusal import Reason, Refused
from staff.roles import REVIEWERS
from staff.since import TWO_PEOPLE, counts_from
from staff.standing import facts_or_refuse, standing_in
from storage.database import new_id

ABSENT = "staff.absent"


@dataclass(frozen=True)
class Away:
    """From when until when somebody is away, and who acts for them. `ends` now ends it."""

    staff_id: str
    starts: datetime
    ends: datetime
    substitute_id: str


async def set_absent(tx: Transaction, away: Away, by: str) -> Absence:
    """Record one's own absence (replacing an earlier one), signed; Refused says all reasons.

    Who answers the secrecy gate can only be substituted by somebody who holds the secrecy role
    too.
    """
    reasons = []
    # Otherwise anybody could send a reviewer away and take the seat.
    if by != away.staff_id:
        words = "只能登记自己外出；代别人登记要由一位管理员提出、另一位批准"
        reasons.append(Reason("role", words))
    await read_person(tx.session, by)
    refuse_absence(reasons + await absence_faults(tx.session, away))
    return await _record(tx, away, by, {})


async def set_absent_for(tx: Transaction, away: Away, approval: Approval) -> Absence:
    """Record the absence of somebody whom two others declared away."""
    reasons = await absence_faults(tx.session, away)
    if away.substitute_id in (approval.proposed_by, approval.approved_by):
        words = "提出和批准的人不能让自己代理，请另选代理人"
        reasons.append(Reason("two_people", words))
    refuse_absence(reasons)
    said = {"proposal": approval.proposal_id, "proposed_by": approval.proposed_by}
    return await _record(tx, away, approval.approved_by, said)


def refuse_absence(reasons: Sequence[Reason]) -> None:
    """Raise Refused with every reason, if there is one."""
    if reasons:
        rules = {reason.rule for reason in reasons}
        raise Refused(403 if rules & {"role", "secrecy_role", "two_people"} else 422, reasons)


async def _record(tx: Transaction, away: Away, by: str, said: Mapping[str, object]) -> Absence:
    old = select(Absence).where(Absence.staff_id == away.staff_id, Absence.ends_at > now())
    for row in (await tx.session.scalars(old)).all():
        # An earlier absence ends now, or where it began if that lies ahead: never before its own
        # beginning.
        row.ends_at = min(row.ends_at, max(row.starts_at, now()))
    row = Absence(
        id=new_id(),
        staff_id=away.staff_id,
        starts_at=away.starts,
        ends_at=away.ends,
        substitute_id=away.substitute_id,
        set_by=by,
        at=now(),
    )
    tx.session.add(row)
    body = {
        "staff": away.staff_id,
        "from": away.starts.isoformat(),
        "to": away.ends.isoformat(),
        "substitute": away.substitute_id,
    }
    await tx.append(ABSENT, subject=f"staff:{away.staff_id}", actor=by, body={**body, **said})
    return row


async def absence_faults(session: AsyncSession, away: Away) -> list[Reason]:
    """Why these two people cannot be absent and substitute; empty when they can."""
    person = await _working(session, away.staff_id)
    substitute = await _working(session, away.substitute_id)
    if person is None or substitute is None:
        return [Reason("staff", "没有这个人，或账号已停用：请从人员名单里选择")]
    reasons = []
    if substitute.id == person.id:
        reasons.append(Reason("substitute", "代理人不能是本人"))
    if person.roles.isdisjoint(REVIEWERS):
        reasons.append(Reason("staff", f"{person.name}没有审核角色，不用登记代理人"))
    # The secrecy gate is answered by who is charged with it, in absence too.
    if "secrecy" in person.roles and "secrecy" not in substitute.roles:
        reasons.append(
            Reason("secrecy_role", f"{substitute.name}没有保密角色，不能代理要回答保密关的人")
        )
    if away.ends <= away.starts:
        reasons.append(Reason("time", "结束时间要晚于开始时间"))
    return reasons


async def _working(session: AsyncSession, staff_id: str) -> Member | None:
    try:
        return await read_person(session, staff_id)
    except Refused as refused:
        if refused.status == 403:
            return None
        raise


def substitute_in(told: Sequence[Entry], at: datetime, before: int, strict_from: int) -> str:
    """Who stood in for the person of these entries at a moment, told before an entry, or "".

    From entry `strict_from` on, an absence that somebody else declared counts only when a third
    person had proposed it.
    """
    last = [one for one in told if one.seq < before and _declared(one, strict_from)][-1:]
    for entry in last:
        body = entry.body
        # The newest word about an absence holds: coming back early is told as an absence that
        # has ended.
        if datetime.fromisoformat(body["from"]) <= at < datetime.fromisoformat(body["to"]):
            return str(body["substitute"])
    return ""


def _declared(entry: Entry, strict_from: int) -> bool:
    if entry.kind != ABSENT:
        return False
    if entry.seq < strict_from or entry.actor == entry.subject.removeprefix("staff:"):
        return True
    return str(entry.body.get("proposed_by", entry.actor)) != entry.actor


async def stands_in_for(session: AsyncSession, substitute_id: str) -> dict[str, frozenset[str]]:
    """The people somebody acts for at this moment, with their roles, from signed entries.

    The table only says whose entries to read: a row without its entry seats nobody.
    """
    at = now()
    named = select(Absence.staff_id).where(
        Absence.substitute_id == substitute_id, Absence.starts_at <= at, Absence.ends_at > at
    )
    absent = sorted(set((await session.scalars(named)).all()))
    if not absent:
        return {}
    strict = counts_from(await facts_or_refuse(session, "office"), TWO_PEOPLE)
    found = {}
    for staff_id in absent:
        told = await facts_or_refuse(session, f"staff:{staff_id}")
        before = told[-1].seq + 1 if told else 0
        if substitute_in(told, at, before, strict) == substitute_id:
            found[staff_id] = standing_in(told).roles
    return found


async def absences_at(session: AsyncSession, at: datetime) -> dict[str, dict[str, frozenset[str]]]:
    """By substitute: the people absent whom they act for, with roles. For lists only."""
    query = (
        select(Absence.substitute_id, Staff.id, Staff.roles)
        .join(Staff, Absence.staff_id == Staff.id)
        .where(Absence.starts_at <= at, Absence.ends_at > at, Staff.active.is_(True))
    )
    found: dict[str, dict[str, frozenset[str]]] = {}
    for substitute, absent, roles in (await session.execute(query)).all():
        found.setdefault(substitute, {})[absent] = frozenset(roles)
    return found
