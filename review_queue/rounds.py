"""What waits for decisions, who may sit where, and one person's queue. Nothing here writes."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from config.clock import now
from review_queue.chain import Chain, Makers, maker_faults, makers
from review_queue.models import Decision, Emergency, Item, Revision
from review_queue.states import ItemState, state_name
from review_queue.workflow import (
    EMERGENCY,
    Standing,
    Workflow,
    after_emergency,
    eligible,
    read_workflow,
)
from staff.absence import absences_at, stands_in_for
from staff.models import Staff
from staff.people import Member, read_person
from staff.refusal import Reason, Refused
from staff.standing import WAITING, facts_or_refuse
from storage.database import Database

_PAGES = 50  # of a queue that are looked through for what one person may decide


@dataclass(frozen=True)
class Round:
    """The levels that wait for decisions now: the run's own, or those that follow an emergency."""

    flow: Workflow
    counts: tuple[int, ...]
    earlier: tuple[str, ...]
    overdue: bool
    asker: str
    emergency: Emergency | None = None
    circle: frozenset[str] = frozenset()
    """Who alone may know of a confined item; empty: everybody."""

    @property
    def open(self) -> tuple[int, ...]:
        """Indexes of the levels that may be decided now."""
        short = [
            index
            for index, level in enumerate(self.flow.levels)
            if self.counts[index] < level.quorum
        ]
        return tuple(short if self.flow.parallel else short[:1])


@dataclass(frozen=True)
class Seat:
    """The level a person would decide at, in whose place, and why they may not."""

    level: int
    place: str
    reasons: list[Reason]


def follow_up(emergency: Emergency) -> Workflow:
    """The levels that follow this 应急, as its row has them."""
    body = emergency.workflow
    return after_emergency(read_workflow(body["klass"], body["version"], body))


async def round_of(session: AsyncSession, item: Item) -> Round | None:
    """What waits for decisions on this item, or None."""
    if item.workflow is None:
        return None
    decided = await _decided(session, [item])
    fast = item.klass == EMERGENCY or item.retrospective
    emergencies = await _emergencies(session, [item]) if fast else {}
    return _round(item, decided.get(item.id, ()), emergencies.get(item.id))


async def who_may(session: AsyncSession, item: Item) -> list[str]:
    """Everybody who may decide at a waiting level of this item now: for telling and for lists."""
    round_ = await round_of(session, item)
    if round_ is None:
        return []
    # An office has some dozen people, so all are looked at instead of a clever query.
    people = (await session.scalars(select(Staff).where(Staff.active.is_(True)))).all()
    absences, who = await absences_at(session, now()), await makers_of(session, item, round_)
    return [
        person.id
        for person in people
        if not _seat(round_, who, _listed(person), absences.get(person.id, {})).reasons
    ]


class Turn(NamedTuple):
    """Whose turn an item is: the levels that wait, and who may decide at them."""

    levels: tuple[str, ...]
    people: tuple[str, ...]


async def turns(session: AsyncSession, items: Sequence[Item]) -> dict[str, Turn]:
    """By item, of those that wait for a decision: for lists, in five queries for all of them.

    Who made an item is taken from its rows; when somebody acts, the signed entries are asked.
    """
    decided, emergencies = await _decided(session, items), await _emergencies(session, items)
    rounds = {
        item.id: round_
        for item in items
        if (round_ := _round(item, decided.get(item.id, ()), emergencies.get(item.id)))
    }
    wrote: dict[str, set[str]] = {}
    query = select(Revision.item_id, Revision.editor_id).where(Revision.item_id.in_(rounds))
    for item_id, editor_id in (await session.execute(query.distinct())).all():
        wrote.setdefault(item_id, set()).add(editor_id)
    people = (await session.scalars(select(Staff).where(Staff.active.is_(True)))).all()
    absences = await absences_at(session, now())
    found = {}
    for item in items:
        if item.id not in rounds:
            continue
        round_ = rounds[item.id]
        who = replace(_makers_in_row(item, round_), writers=frozenset(wrote.get(item.id, set())))
        may = tuple(
            person.id
            for person in people
            if not _seat(round_, who, _listed(person), absences.get(person.id, {})).reasons
        )
        found[item.id] = Turn(tuple(round_.flow.levels[one].name for one in round_.open), may)
    return found


def _listed(row: Staff) -> Member:
    """Somebody as their row says, to be told of what waits; when they act, they are asked anew."""
    return Member(row.id, row.login, row.name, frozenset(row.roles))


async def waiting_for(db: Database, staff_id: str, limit: int = 200) -> list[Item]:
    """Items with a level this person may decide now, the most urgent first.

    What the database cannot rule out (an earlier level decided by this person) is passed
    over, and as many more are read: four queries for each `limit` items looked at, and one for
    each that this person has a revision of.
    """
    kept: list[Item] = []
    async with db.session() as session:
        try:
            person = await read_person(session, staff_id)
        except Refused:
            return []
        stands_in = await stands_in_for(session, staff_id)
        roles = person.roles.union(*stands_in.values())
        # A first sieve in the database over words of roles; the exact rule is asked below of each
        # item.
        mine = or_(Item.waiting == "*", *(Item.waiting.contains(f" {one} ") for one in roles))
        query = select(Item).where(
            (Item.state == ItemState.REVIEW) | Item.retrospective.in_(("review", "overdue")),
            mine,
            # Separation of duties is a rule of `_seat`; asked here as well so that pages are not
            # full of what is passed over.
            Item.author_id != staff_id,
            Item.last_editor_id != staff_id,
        )
        query = query.order_by(Item.level_due_at, Item.id).limit(limit)
        # A bound: a queue of thousands is not walked to its end for one page.
        for page in range(_PAGES):
            items = (await session.scalars(query.offset(page * limit))).all()
            decided = await _decided(session, items)
            emergencies = await _emergencies(session, items)
            touched = await _touched(session, items, staff_id)
            for item in items:
                round_ = _round(item, decided.get(item.id, ()), emergencies.get(item.id))
                if round_ is None:
                    continue
                who = _makers_in_row(item, round_)
                if item.id in touched:
                    who = await makers_of(session, item, round_)
                if not _seat(round_, who, person, stands_in).reasons:
                    kept.append(item)
            if len(kept) >= limit or len(items) < limit:
                break
    return kept[:limit]


async def seated(
    session: AsyncSession, item: Item, person: Member, wanted: int | None = None
) -> tuple[Round | None, Seat]:
    """State, level, role, substitution and separation of duties; gates are asked elsewhere."""
    round_ = await round_of(session, item)
    if round_ is None:
        fault = Reason("state", f"稿件现在是“{state_name(item)}”，不在审核中")
        return None, Seat(0, "", [fault])
    who = await makers_of(session, item, round_)
    seat = _seat(round_, who, person, {}, wanted=wanted)
    # Absences are read only by who has no seat of their own: this is asked at every page.
    if seat.reasons:
        stands_in = await stands_in_for(session, person.id)
        seat = _seat(round_, who, person, stands_in, wanted=wanted)
    return round_, seat


class _Approval(NamedTuple):
    """One approval as it counts in a round."""

    seq: int
    level: int
    staff_id: str
    retrospective: bool


async def _decided(session: AsyncSession, items: Sequence[Item]) -> dict[str, list[_Approval]]:
    """By item, the approvals of any run."""
    query = (
        select(
            Decision.item_id,
            Decision.ledger_seq,
            Decision.level,
            Decision.staff_id,
            Decision.retrospective,
        )
        .where(Decision.item_id.in_([item.id for item in items]), Decision.verdict == "approve")
        .order_by(Decision.ledger_seq)
    )
    decided: dict[str, list[_Approval]] = {}
    for item_id, seq, level, staff_id, later in (await session.execute(query)).all():
        decided.setdefault(item_id, []).append(_Approval(seq, level, staff_id, later))
    return decided


async def _emergencies(session: AsyncSession, items: Sequence[Item]) -> dict[str, Emergency]:
    query = select(Emergency).where(
        Emergency.item_id.in_([item.id for item in items]), Emergency.closed_at.is_(None)
    )
    rows = (await session.scalars(query.order_by(Emergency.run_seq))).all()
    return {row.item_id: row for row in rows}


def _round(item: Item, decided: Collection[_Approval], emergency: Emergency | None) -> Round | None:
    follows = emergency is not None and item.retrospective in ("review", "overdue")
    if item.workflow is None or not (follows or item.state == ItemState.REVIEW):
        return None
    # Approvals before this run belong to a text that was changed or sent back since.
    run = [row for row in decided if row.seq > (item.run_seq or 0)]
    if follows and emergency is not None:
        flow, overdue = follow_up(emergency), item.retrospective == "overdue"
    else:
        body = item.workflow
        flow, overdue = read_workflow(body["klass"], body["version"], body), item.level_overdue
    # The two levels of 应急 do not count for those that follow it.
    counted = [row.level for row in run if row.retrospective == follows]
    return Round(
        flow=flow,
        counts=tuple(counted.count(index) for index in range(len(flow.levels))),
        earlier=tuple(row.staff_id for row in run),
        overdue=overdue,
        asker=emergency.staff_id if emergency is not None else "",
        emergency=emergency if follows else None,
        circle=frozenset(item.scope.split()) if item.confined else frozenset(),
    )


def _makers_in_row(item: Item, round_: Round | None) -> Makers:
    return Makers(item.author_id, item.last_editor_id, round_.asker if round_ else "")


async def makers_of(session: AsyncSession, item: Item, round_: Round | None) -> Makers:
    """Who made the item, from its signed entries: none of them may decide."""
    row = _makers_in_row(item, round_)
    told = await facts_or_refuse(session, f"item:{item.id}")
    # Without any signed revision nothing can be released, whoever decides.
    if not any(one.kind == "revision.created" for one in told):
        return row
    who = makers(Chain(told, {}))
    return replace(who, asker=who.asker or row.asker)


async def _touched(session: AsyncSession, items: Sequence[Item], staff_id: str) -> set[str]:
    """The items of which this person made any revision."""
    query = select(Revision.item_id).where(
        Revision.editor_id == staff_id, Revision.item_id.in_([item.id for item in items])
    )
    return set((await session.scalars(query)).all())


def _seat(
    round_: Round,
    who: Makers,
    person: Member,
    stands_in: Mapping[str, frozenset[str]],
    *,
    wanted: int | None = None,
) -> Seat:
    """The first open level the person may decide at (or the wanted one), with all reasons."""
    barred = who.barred.union(round_.earlier)
    standing = Standing(
        roles=person.roles,
        # Nobody stands in for who may not decide themselves.
        stands_in={one: roles for one, roles in stands_in.items() if one not in barred},
        overdue=round_.overdue,
    )
    duties = [WAITING] if person.waiting else []
    duties += maker_faults(person.id, who, round_.earlier)
    if round_.circle and person.id not in round_.circle:
        duties.append(Reason("scope", "这篇稿件限定知悉范围，不在范围里的人不能审核"))
    if wanted is not None and wanted not in round_.open:
        return Seat(0, "", [Reason("state", "这一级现在不用审核"), *duties])
    choices = round_.open if wanted is None else (wanted,)
    seats = [Seat(index, *eligible(round_.flow.levels[index], standing)) for index in choices]
    # Without a free seat the first one's reasons are shown: an answer is better than a missing
    # button.
    best = next((seat for seat in seats if not seat.reasons), seats[0])
    return Seat(best.level, best.place, best.reasons + duties)
