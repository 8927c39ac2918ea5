"""Who rests on a policy: citizens who were told its clauses, and texts of ours that name it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from gates.alike import letters
from knowledge.models import Clause, Told
from knowledge.proof import SignedPolicy
from review_queue.models import Item, ItemWords
from review_queue.states import ItemState

_MOST = 10
_SHORTEST = 6  # letters of a title from which it names one document
_SHOWN_IN = frozenset(ItemState) - {ItemState.DRAFT, ItemState.RECALLED}


@dataclass(frozen=True)
class Cited:
    """Citizens who were told, and the ids of the texts of ours that name it.

    No title: who reads of a change may not read every text, and one may be limited later.
    """

    contacts: int
    items: Sequence[str]

    @property
    def lines(self) -> list[str]:
        """What a second person should know of it before it changes."""
        told = [f"已有 {self.contacts} 位群众收到过这里的条文"] if self.contacts else []
        least = "至少 " if len(self.items) == _MOST else ""
        named = f"有{least or ' '}{len(self.items)} 篇没有撤回的稿件提到这份文件"
        return told + ([named] if self.items else [])


async def cited(
    session: AsyncSession, policy: SignedPolicy, numbers: Collection[int] | None = None
) -> Cited:
    """Who rests on a policy, or on the clauses of these numbers; limited items do not count."""
    clauses = select(Clause.id).where(Clause.policy_id == policy.id)
    if numbers is not None:
        clauses = clauses.where(Clause.number.in_(numbers))
    told = select(func.count(Told.contact_id.distinct())).where(Told.clause_id.in_(clauses))
    names = [letters(policy.doc_number), letters(policy.title)]
    asked = [name for name in names if len(name) >= _SHORTEST]
    items: list[str] = []
    if asked:
        query = (
            select(Item.id)
            .join(ItemWords, ItemWords.item_id == Item.id)
            .where(
                or_(*(ItemWords.words.contains(name, autoescape=True) for name in asked)),
                Item.confined.is_(False),
                Item.state.in_(_SHOWN_IN),
            )
            .order_by(Item.updated_at.desc())
            .limit(_MOST)
        )
        items = list((await session.scalars(query)).all())
    return Cited((await session.scalar(told)) or 0, items)
