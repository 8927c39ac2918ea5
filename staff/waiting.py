"""Which changes wait for a second person, for whom, and which were decided: for lists."""

from collections.abc import Collection, Sequence

from sqlalchemy import func, select

from staff.models import Proposal
from staff.proposals import Proposals

MOST_OPEN = 1000  # on one page: more than any office has, less than a flood


async def open_rows(made: Proposals) -> Sequence[Proposal]:
    """Every proposal that waits, the oldest last: none is hidden by what was decided since."""
    return await made.rows("proposed", MOST_OPEN)


async def decided_rows(made: Proposals, limit: int = 100) -> Sequence[Proposal]:
    """What does not wait any more, the newest decision first."""
    query = select(Proposal).where(Proposal.state != "proposed")
    async with made.ledger.db.session() as session:
        return (
            await session.scalars(query.order_by(Proposal.decided_at.desc()).limit(limit))
        ).all()


async def waiting_for(made: Proposals, by: str, roles: Collection[str]) -> list[Proposal]:
    """What waits for this person: others proposed it, and their roles may decide it."""
    return [
        row
        for row in await open_rows(made)
        if row.proposed_by != by and not (await made.approvers(row)).isdisjoint(roles)
    ]


async def count_open(made: Proposals) -> int:
    """How many changes wait for a second person."""
    query = select(func.count()).select_from(Proposal).where(Proposal.state == "proposed")
    async with made.ledger.db.session() as session:
        return int((await session.scalar(query)) or 0)
