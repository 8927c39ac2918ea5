"""Whose accounts somebody looks after: those of their own body and of what is below it."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.models import Account
from staff.refusal import Refused, missing
from staff.sessions import Visitor
from supervision.registry import Bodies, bodies_now

_EVERYTHING = frozenset({"admin", "auditor"})


async def bodies_or_none(session: AsyncSession) -> Bodies:
    """The tree; none while the ledger is broken: no view is narrowed by what cannot be proved."""
    try:
        return await bodies_now(session)
    except Refused:
        return Bodies({}, {})


def sees(bodies: Bodies, person: Visitor) -> frozenset[str] | None:
    """Ids of the bodies that this person is shown; None is all of them."""
    if not person.roles.isdisjoint(_EVERYTHING):
        return None
    return bodies.seen_by(person.staff_id)


def in_care(organisation_id: str, bodies: Bodies, person: Visitor) -> bool:
    """Whether a page shows this person an account of this body."""
    seen = sees(bodies, person)
    return seen is None or organisation_id in seen


async def accounts_in_care(session: AsyncSession, person: Visitor) -> frozenset[str] | None:
    """Ids of the accounts that this person is shown; None is all of them."""
    seen = sees(await bodies_or_none(session), person)
    if seen is None:
        return None
    mine = select(Account.id).where(Account.organisation_id.in_(seen))
    return frozenset((await session.scalars(mine)).all())


async def must_care(session: AsyncSession, slug: str, person: Visitor) -> None:
    """Refused 404 for an account that this person is not shown."""
    mine = await accounts_in_care(session, person)
    account = await session.scalar(select(Account.id).where(Account.slug == slug))
    if account is None or (mine is not None and account not in mine):
        raise missing("个账号")
