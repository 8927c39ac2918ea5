"""Which roles may do what is signed outside the review queue; every such act asks here itself.

The console's table of actions takes these lines over, so that a page is closed to the same people.
"""

from collections.abc import Mapping

from sqlalchemy.ext.asyncio import AsyncSession

from staff.people import Member, person_with
from staff.roles import REVIEWERS

RIGHTS: Mapping[str, frozenset[str]] = {
    "publications.settle": frozenset({"editor", "admin"}),
    "pushes.pause": REVIEWERS | {"editor", "admin", "supervisor"},
    "pushes.decide": frozenset({"editor", "admin"}),
    "comments.ask": frozenset({"editor"}),
    "comments.decide": REVIEWERS,
    "concern.mark": REVIEWERS,
    "sources.propose": frozenset({"editor", "admin"}),
    "sources.approve": frozenset({"admin"}),
    "policies.propose": frozenset({"editor", "admin"}),
    "policies.approve": frozenset({"admin"}),
    "exceptions.ask": frozenset({"editor"}),
    "pictures.set": frozenset({"editor"}),
    "consultations.answer": frozenset({"editor", "admin", "supervisor"}),
    "tasks.ask": frozenset({"editor", "admin", "supervisor"}),
    "tasks.settle": REVIEWERS | {"editor", "admin", "supervisor"},
    "incidents.report": REVIEWERS | {"editor", "admin", "supervisor"},
    "incidents.close": frozenset({"admin", "supervisor"}),
    "reports.give": frozenset({"admin", "supervisor"}),
    "switches.set": frozenset({"admin", "supervisor"}),
}


async def entitled(session: AsyncSession, staff_id: str, action: str) -> Member:
    """The person, active and with a role for this; Refused (403) otherwise.

    Asked in the transaction that signs: a role taken away a moment ago is not used once more, and
    no caller but a page has a guard before it.
    """
    return await person_with(session, staff_id, RIGHTS[action])
