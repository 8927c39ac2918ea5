"""Which roles may do what is signed outside the review queue; every such act asks here itself.

The console's table of actions takes these lines over, so that a page is closed to the same people.
"""

from collections.abc import Collection, Mapping

from sqlalchemy.ext.asyncio import AsyncSession

from staff.models import Staff
from staff.people import read_person
from staff.refusal import Reason, Refused
from staff.roles import REVIEWERS, ROLES

RIGHTS: Mapping[str, frozenset[str]] = {
    "publications.settle": frozenset({"editor", "admin"}),
    "sources.propose": frozenset({"editor", "admin"}),
    "sources.approve": frozenset({"admin"}),
    "exceptions.ask": frozenset({"editor"}),
    "pictures.set": frozenset({"editor"}),
    "tasks.ask": frozenset({"editor", "admin", "supervisor"}),
    "tasks.settle": REVIEWERS | {"editor", "admin", "supervisor"},
    "incidents.close": frozenset({"admin", "supervisor"}),
    "switches.set": frozenset({"admin", "supervisor"}),
}


async def entitled(session: AsyncSession, staff_id: str, action: str) -> Staff:
    """The person, active and with a role for this; Refused (403) otherwise.

    Asked in the transaction that signs: a role taken away a moment ago is not used once more, and
    no caller but a page has a guard before it.
    """
    person = await read_person(session, staff_id)
    if RIGHTS[action].isdisjoint(person.roles):
        raise Refused(403, [role_fault(RIGHTS[action])])
    return person


def role_fault(wanted: Collection[str]) -> Reason:
    """The sentence for somebody who has none of the wanted roles."""
    names = "、".join(label for role, label in ROLES.items() if role in wanted)
    return Reason("role", f"您的角色不能做这件事，需要以下角色之一：{names}")
