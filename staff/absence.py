"""Who is away, and who acts for them: signed, bounded in time, and never two people in one."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from config.clock import now
from ledger.append import Transaction
from staff.models import Absence, Staff
from staff.refusal import Reason, Refused
from staff.roles import REVIEWERS
from storage.database import new_id


@dataclass(frozen=True)
class Away:
    """From when until when somebody is away, and who acts for them. `ends` now ends it."""

    staff_id: str
    starts: datetime
    ends: datetime
    substitute_id: str


async def set_absent(tx: Transaction, away: Away, by: str) -> Absence:
    """Record an absence (replacing an earlier one) as a signed entry; Refused says all reasons.

    The person themselves or an admin does it. Who answers the secrecy gate can only be
    substituted by somebody who holds the secrecy role too.
    """
    people = [
        await tx.session.get(Staff, staff_id)
        for staff_id in (away.staff_id, away.substitute_id, by)
    ]
    reasons = _absence_faults(away, people)
    if reasons:
        rules = {reason.rule for reason in reasons}
        raise Refused(403 if rules & {"role", "secrecy_role"} else 422, reasons)
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
    await tx.append(
        "staff.absent",
        subject=f"staff:{away.staff_id}",
        actor=by,
        body={
            "staff": away.staff_id,
            "from": away.starts.isoformat(),
            "to": away.ends.isoformat(),
            "substitute": away.substitute_id,
        },
    )
    return row


def _absence_faults(away: Away, people: list[Staff | None]) -> list[Reason]:
    person, substitute, setter = people
    if person is None or substitute is None or setter is None:
        return [Reason("staff", "没有这个人，请从人员名单里选择")]
    reasons = []
    # Otherwise anybody could send a reviewer away and take the seat.
    if setter.id != person.id and "admin" not in setter.roles:
        reasons.append(Reason("role", "只能登记自己外出，代别人登记要由管理员来做"))
    if substitute.id == person.id:
        reasons.append(Reason("substitute", "代理人不能是本人"))
    if not substitute.active:
        reasons.append(Reason("substitute", f"{substitute.name}的账号已停用，请另选代理人"))
    if not REVIEWERS & set(person.roles):
        reasons.append(Reason("staff", f"{person.name}没有审核角色，不用登记代理人"))
    # The secrecy gate is answered by who is charged with it, in absence too.
    if "secrecy" in person.roles and "secrecy" not in substitute.roles:
        reasons.append(
            Reason("secrecy_role", f"{substitute.name}没有保密角色，不能代理要回答保密关的人")
        )
    if away.ends <= away.starts:
        reasons.append(Reason("time", "结束时间要晚于开始时间"))
    return reasons


async def absences_at(
    session: AsyncSession, at: datetime, substitute_id: str | None = None
) -> dict[str, dict[str, frozenset[str]]]:
    """By substitute (one, or all): the people absent at a moment whom they act for, with roles."""
    query = (
        select(Absence.substitute_id, Staff.id, Staff.roles)
        .join(Staff, Absence.staff_id == Staff.id)
        .where(Absence.starts_at <= at, Absence.ends_at > at, Staff.active.is_(True))
    )
    if substitute_id is not None:
        query = query.where(Absence.substitute_id == substitute_id)
    found: dict[str, dict[str, frozenset[str]]] = {}
    for substitute, absent, roles in (await session.execute(query)).all():
        found.setdefault(substitute, {})[absent] = frozenset(roles)
    return found
