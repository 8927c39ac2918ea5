"""A push in numbers, by the reason for which people were meant; and what one person is sent.

Nobody is named: reasons are counted, and a person is found by the end of their reference, which
says nothing outside this office.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, case, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.contract import State
from bot.models import Account, Contact, Delivery, Publication
from review_queue.models import Item
from staff.refusal import Reason, Refused, missing
from subscriptions.figures import left_after
from subscriptions.models import Subscription
from subscriptions.subscribers import Subscribers

LEAST_ENDING = 4
"""Signs of a reference that are needed to look for a person: as many as a sample shows."""
SHOWN = 8
"""Signs of a reference that a page shows."""
_MOST_FOUND, _MOST_REASONS, _MOST_PUSHES = 10, 40, 50
_GOT = (State.PUBLISHED, State.SUBMITTED)
_LOST = (State.FAILED, State.ENDED)


@dataclass(frozen=True)
class Why:
    """How many were meant for one reason, and what became of their messages."""

    reason: str
    people: int
    got: int
    lost: int

    @property
    def open(self) -> int:
        """Those on their way, held or unknown."""
        return self.people - self.got - self.lost


@dataclass(frozen=True)
class Report:
    """`unfollowed` got it and cannot be reached any more; `left`: what was left within a week."""

    reasons: list[Why]
    more: int
    unreachable: int
    unfollowed: int
    left: dict[str, int]


async def report(session: AsyncSession, row: Publication) -> Report:
    """One push: for which reason how many were meant, who cannot be reached, who left after it."""
    mine = Delivery.publication_id == row.id
    got = func.sum(case((Delivery.state.in_(_GOT), 1), else_=0))
    lost = func.sum(case((Delivery.state.in_(_LOST), 1), else_=0))
    query = select(Delivery.reason, func.count(), got, lost).where(mine).group_by(Delivery.reason)
    rows = (await session.execute(query.order_by(func.count().desc(), Delivery.reason))).all()
    gone = Contact.state != "active"
    ended = (
        select(
            func.sum(case((and_(gone, Delivery.state.not_in(_GOT)), 1), else_=0)),
            func.sum(case((and_(gone, Delivery.state.in_(_GOT)), 1), else_=0)),
        )
        .select_from(Delivery)
        .join(Contact, Contact.id == Delivery.contact_id)
    )
    unreachable, unfollowed = (await session.execute(ended.where(mine))).one()
    return Report(
        [Why(reason, int(n), int(a or 0), int(b or 0)) for reason, n, a, b in rows[:_MOST_REASONS]],
        max(0, len(rows) - _MOST_REASONS),
        int(unreachable or 0),
        int(unfollowed or 0),
        await left_after(session, row.item_id),
    )


@dataclass(frozen=True)
class Wished:
    """One subscription of a person, in words."""

    words: str
    since: datetime
    consent: str
    left_at: datetime | None


@dataclass(frozen=True)
class Sent:
    """One push to a person: of what, when, why and what became of it."""

    title: str
    at: datetime
    reason: str
    state: str
    why: str


@dataclass(frozen=True)
class Person:
    """What there is of one person without saying who they are."""

    ref: str
    account: str
    contact: Contact
    wishes: list[Wished]
    past: list[Wished]
    pushes: list[Sent]


async def found_by(session: AsyncSession, ending: str) -> Sequence[tuple[str, str]]:
    """References that end so, at most ten, each with its account's name; Refused 422."""
    ending = ending.strip().removeprefix("…").lower()
    if len(ending) < LEAST_ENDING or not ending.isalnum():
        words = f"请填编号的最后至少 {LEAST_ENDING} 位，只有字母和数字"
        raise Refused(422, [Reason("ref", words)])
    query = (
        select(Contact.subject_ref, Account.name)
        .join(Account, Account.id == Contact.account_id)
        .where(Contact.subject_ref.endswith(ending, autoescape=True))
        .order_by(Contact.subject_ref)
        .limit(_MOST_FOUND)
    )
    return [(ref, name) for ref, name in (await session.execute(query)).all()]


async def person_of(session: AsyncSession, subs: Subscribers, ref: str) -> Person:
    """Their subscriptions, consents and pushes; Refused 404."""
    contact = await session.scalar(select(Contact).where(Contact.subject_ref == ref))
    if contact is None:
        raise missing("个编号")
    account = await session.get(Account, contact.account_id)
    standing = await subs.list(session, contact.id)
    kept = {row.id for row in standing}
    query = select(Subscription).where(
        Subscription.contact_id == contact.id, Subscription.state != "active"
    )
    past = (await session.scalars(query.order_by(Subscription.created_at))).all()
    return Person(
        "…" + ref[-SHOWN:],
        account.name if account else "",
        contact,
        [_wished(subs, row) for row in standing],
        [_wished(subs, row) for row in past if row.id not in kept],
        await _pushes(session, contact.id),
    )


def _wished(subs: Subscribers, row: Subscription) -> Wished:
    return Wished(subs.words(row), row.created_at, row.consent_version, row.left_at)


async def _pushes(session: AsyncSession, contact_id: str) -> list[Sent]:
    query = (
        select(Delivery.created_at, Delivery.reason, Delivery.state, Delivery.why, Item)
        .join(Publication, Publication.id == Delivery.publication_id)
        .join(Item, Item.id == Publication.item_id)
        .where(Delivery.contact_id == contact_id, Delivery.release_id.is_not(None))
        .order_by(Delivery.created_at.desc())
        .limit(_MOST_PUSHES)
    )
    rows = (await session.execute(query)).all()
    return [Sent(item.said_title, at, reason, state, why) for at, reason, state, why, item in rows]
