"""A login made for somebody else, and the word of a further person that it is in the right hands.

Whoever makes a login could use it. So a reset takes two people who see half of the code each
(review_queue/governance/handovers.py), and whoever got a login this way decides nothing until they
have set a password of their own and somebody else has confirmed them in person.
"""

from collections.abc import Collection

from sqlalchemy.ext.asyncio import AsyncSession

from ledger.append import Ledger
from staff.people import active_with, lacking, read_person
from staff.refusal import Reason, Refused, refuse
from staff.roles import ROLES
from staff.standing import CONFIRMED, Handover, facts_or_refuse, handover_in

WITNESSES = ("admin", "supervisor", "reviewer_3")
"""Who confirms: the first of these roles that somebody free of the matter holds."""


async def witness_faults(session: AsyncSession, staff_id: str, by: str) -> list[Reason]:
    """Why `by` cannot say that what was registered or set is really this person's."""
    if by == staff_id:
        return [Reason("self", "本人不能确认自己，请另一位管理员当面确认")]
    handed = handover_in(await facts_or_refuse(session, f"staff:{staff_id}"))
    role, free = await _witnesses(session, staff_id, handed)
    person = await read_person(session, by)
    if by in free:
        return []
    if handed is not None and by in handed.givers:
        words = "这个人的登录是您经手重设或新建的，要由没有经手的人确认"
        return [Reason("two_people", f"{words}：{ROLES[role]}")]
    return lacking(person, {role})


async def _witnesses(
    session: AsyncSession, staff_id: str, handed: Handover | None
) -> tuple[str, Collection[str]]:
    """The role that confirms, and who of it may: free of the matter, else never who approved it.

    An office of two admins resets a third person with both: then the one who proposed confirms,
    who never saw the approver's half.
    """
    barred = {staff_id} | (handed.givers if handed else frozenset())
    least = {staff_id} | ({handed.approved_by} if handed else set())
    for shut in (barred, least):
        for role in WITNESSES:
            if free := set(await active_with(session, {role})) - shut:
                return role, free
    return WITNESSES[0], ()


async def confirm_person(ledger: Ledger, staff_id: str, by: str) -> None:
    """Sign that this person stood here and uses their own login; from now on they decide again.

    Refused 403 (role, or who made the login), 409 (nothing to confirm), 422 (code still in use).
    """
    async with ledger.transaction() as tx:
        refuse(await witness_faults(tx.session, staff_id, by))
        handed = handover_in(await facts_or_refuse(tx.session, f"staff:{staff_id}"))
        if handed is None or handed.settled:
            raise Refused(409, [Reason("state", "这个人的登录不在等待确认")])
        # Until then who made the login may know it: there is nothing yet to be confirmed.
        if not handed.changed:
            words = "本人还没有改成自己的密码：请先请本人登录，在“我的登录”里改密码"
            raise Refused(422, [Reason("password", words)])
        body = {"staff": staff_id, "reset": handed.seq}
        await tx.append(CONFIRMED, subject=f"staff:{staff_id}", actor=by, body=body)
