"""What is called late once: a department's answer, and the review that follows an emergency.

Both by signed entries (lateness.py). A row that says otherwise is put right and told as changed;
nothing is signed because of it, and the rows beside it go on.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from config.clock import now
from ledger.append import Ledger, Transaction
from ledger.changed import row_changed
from ledger.incidents import open_incident_in
from ledger.verify import Broken, Entry
from review_queue import rounds
from review_queue.lateness import (
    BETWEEN,
    LATE_AFTER,
    LATE_ANSWER,
    QUARANTINED,
    Asked,
    Following,
    OpenEmergencies,
    OpenQuestions,
    asked_at,
    following_at,
)
from review_queue.models import Emergency, Item, Referral
from staff.people import active_with
from storage.database import new_id, new_salt, rows_of

_FRESH = 20.0
"""Seconds: a look that old is good enough to find what is due; the act reads anew."""
_GONE = "（这个问题的记录被绕过本系统从数据库中删去或改动，原来的文字已经没有：请重新询问）"
_NO_REASON = "（应急记录被绕过本系统从数据库中删去或改动，原来的理由已经没有）"
_WAITS = ("review", "overdue")


@dataclass(frozen=True)
class Told:
    """Whom to tell what, once the transaction is over."""

    people: Sequence[str]
    text: str


async def signed_of(ledger: Ledger, item_id: str, age: float = 0.0) -> Sequence[Entry] | None:
    """The signed entries of an item; None when the ledger does not hold: the watch tells that."""
    try:
        return await ledger.facts(f"item:{item_id}", age=age)
    except Broken:
        return None


# --- questions to departments ---------------------------------------------------------------


async def late_answers(ledger: Ledger) -> list[str]:
    """Open questions that are to be called late, or whose rows say something else."""
    # Neither by the deadline in the row nor by a mark: both can be written, and a row deleted.
    try:
        signed = (await ledger.following(OpenQuestions, age=_FRESH)).items
    except Broken:
        return []
    query = select(Referral.id).where(Referral.answered_at.is_(None), Referral.voided_at.is_(None))
    async with ledger.db.session() as session:
        ids = sorted({*(await session.scalars(query)), *signed}, key=str)
        rows = await rows_of(session, Referral, ids)
    found = []
    for one in ids:
        row = rows.get(one)
        asked = await _asked(ledger, one, row, _FRESH)
        wrong = row is None or asked is None or _astray(row, asked)
        if wrong or (asked is not None and asked.due <= now() and not asked.told):
            found.append(one)
    return found


async def _asked(
    ledger: Ledger, question: str, row: Referral | None, age: float = 0.0
) -> Asked | None:
    """The question by signed entries: those of its item, or of the one its row names."""
    try:
        signed = (await ledger.following(OpenQuestions, age=age)).items
        item_id = signed.get(question) or (row.item_id if row else "")
        return asked_at(await ledger.facts(f"item:{item_id}", age=age), question)
    except Broken:  # the watch tells
        return None


async def call_answer(ledger: Ledger, referral_id: str) -> list[Told]:
    """Sign once that a department's answer is late; who is told of it."""
    async with ledger.transaction() as tx:
        row = (await rows_of(tx.session, Referral, [referral_id])).get(referral_id)
        if await signed_of(ledger, "") is None:  # the ledger does not hold
            return []
        asked = await _asked(ledger, referral_id, row)
        if asked is None and row is not None and (row.answered_at or row.voided_at):
            return []  # answered in between
        changed = row is None or asked is None or _astray(row, asked)
        told: list[Told] = []
        if asked is not None:
            item = (await rows_of(tx.session, Item, [asked.item_id])).get(asked.item_id)
            row = row if row is not None else await _anew(tx, referral_id, asked)
            told = await _call_answer(tx, item, row, asked) if item else []
            changed = changed or item is None
    if changed:
        await row_changed(ledger, Referral.__tablename__, referral_id)
    return told


async def _anew(tx: Transaction, referral_id: str, asked: Asked) -> Referral:
    """A row in the place of one that is gone or cannot be read."""
    await tx.session.execute(delete(Referral).where(Referral.id == referral_id))
    body = asked.entry.body
    row = Referral(
        id=referral_id,
        salt=new_salt(),
        item_id=asked.item_id,
        digest=str(body.get("digest", "")),
        level=int(body.get("level", 0)),
        department=asked.department,
        question=_GONE,
        due_at=asked.due,
        asked_by=asked.by,
        asked_at=datetime.fromisoformat(asked.entry.at),
        ledger_seq=asked.entry.seq,
    )
    tx.session.add(row)
    await tx.session.flush()
    return row


def _astray(row: Referral, asked: Asked) -> bool:
    return (
        abs(row.due_at - asked.due) > BETWEEN
        or (row.item_id, row.reminded) != (asked.item_id, asked.told)
        or row.answered_at is not None
        or row.voided_at is not None
    )


async def _call_answer(tx: Transaction, item: Item, row: Referral, asked: Asked) -> list[Told]:
    late = asked.due <= now()
    row.due_at, row.reminded, row.item_id = asked.due, asked.told or late, asked.item_id
    row.answered_at = row.voided_at = row.answered_by = None
    if not late or asked.told:
        return []
    await tx.append(
        LATE_ANSWER,
        subject=f"item:{item.id}",
        actor="system",
        body={"referral": row.id, "due_at": asked.due.isoformat()},
    )
    people = [asked.by, *await active_with(tx.session, {"supervisor"})]
    return [Told(people, f"《{item.said_title}》转{asked.department}的问题逾期未复，请催办")]


# --- after an emergency ---------------------------------------------------------------------


async def late_follow_ups(ledger: Ledger) -> list[str]:
    """Emergencies whose following level is to be called late, or whose rows say something else."""
    await _bring_back(ledger)
    query = select(Emergency.id).where(Emergency.state.in_(_WAITS)).order_by(Emergency.id)
    async with ledger.db.session() as session:
        ids = (await session.scalars(query)).all()
        rows = await rows_of(session, Emergency, ids)
        items = await rows_of(session, Item, [row.item_id for row in rows.values()])
    for one in set(ids) - set(rows):  # one that cannot be read stops no other
        await row_changed(ledger, Emergency.__tablename__, one)
    found = []
    for row in rows.values():
        item = items.get(row.item_id)
        entries = await signed_of(ledger, row.item_id, _FRESH)
        follows = _of_run(row, entries or ())
        wrong = follows is None or item is None or _differs(row, item, follows)
        if wrong or (follows is not None and follows.due <= now() and not follows.told):
            found.append(row.id)
    return found


async def _bring_back(ledger: Ledger) -> None:
    """Put right each row that is gone, ended or unreadable although its review still waits."""
    try:
        items = (await ledger.following(OpenEmergencies, age=_FRESH)).items
        waits = {one: following_at(await ledger.facts(f"item:{one}", age=_FRESH)) for one in items}
    except Broken:  # the watch tells
        return
    for item_id, follows in waits.items():
        if follows is None:
            continue
        async with ledger.db.session() as session:
            row = await _row_of(session, item_id, follows.run)
        if row is None or row.state not in _WAITS:
            await _bring_back_one(ledger, item_id)


async def _bring_back_one(ledger: Ledger, item_id: str) -> None:
    async with ledger.transaction() as tx:
        entries = await signed_of(ledger, item_id)
        follows = following_at(entries or ())
        if follows is None:
            return
        row = await _row_of(tx.session, item_id, follows.run)
        if row is not None and row.state in _WAITS:
            return
        submit = next(one for one in entries or () if one.seq == follows.run)
        if row is None:
            mine = select(Emergency.id).where(
                Emergency.item_id == item_id, Emergency.run_seq == follows.run
            )
            kept = (await tx.session.scalars(mine)).first() or new_id()
            await tx.session.execute(delete(Emergency).where(Emergency.id == kept))
            row = Emergency(
                id=kept,
                item_id=item_id,
                run_seq=follows.run,
                digest=follows.digest,
                klass=follows.levels.klass,
                workflow=follows.levels.to_json(),
                reason=_NO_REASON,
                staff_id=submit.actor,
                at=datetime.fromisoformat(submit.at),
            )
            tx.session.add(row)
        row.state, row.closed_at = "overdue" if follows.told else "review", None
        row.level, row.due_at = follows.level, follows.due
        row_id = row.id
    await row_changed(ledger, Emergency.__tablename__, row_id)


async def _row_of(session: AsyncSession, item_id: str, run: int) -> Emergency | None:
    query = select(Emergency.id).where(Emergency.item_id == item_id, Emergency.run_seq == run)
    ids = (await session.scalars(query)).all()
    return next(iter((await rows_of(session, Emergency, ids)).values()), None)


async def call_follow_up(ledger: Ledger, emergency_id: str) -> list[Told]:
    """Sign once that the review after an emergency is late; the next in line may act then."""
    async with ledger.transaction() as tx:
        row = (await rows_of(tx.session, Emergency, [emergency_id])).get(emergency_id)
        if row is None or row.state not in _WAITS:
            return []
        item = (await rows_of(tx.session, Item, [row.item_id])).get(row.item_id)
        entries = await signed_of(ledger, row.item_id)
        if entries is None:
            return []
        if any(one.kind == QUARANTINED and one.seq > row.run_seq for one in entries):
            # Its source fell away: the approvals are void, and so is what followed them.
            row.state, row.closed_at = "void", now()
            return []
        follows = _of_run(row, entries)
        changed = follows is None or item is None or _differs(row, item, follows)
        told = await _call_follow_up(tx, item, row, follows) if follows and item else []
    if changed:
        await row_changed(ledger, Emergency.__tablename__, emergency_id)
    return told


def _of_run(row: Emergency, entries: Sequence[Entry]) -> Following | None:
    follows = following_at(entries)
    return follows if follows is not None and follows.run == row.run_seq else None


def _differs(row: Emergency, item: Item, follows: Following) -> bool:
    state = "overdue" if follows.told else "review"
    return (
        (row.state, item.retrospective, row.level) != (state, state, follows.level)
        or _apart(row.due_at, follows.due)
        or row.workflow != follows.levels.to_json()
    )


def _apart(said: datetime | None, due: datetime) -> bool:
    return said is None or abs(said - due) > BETWEEN


async def _call_follow_up(
    tx: Transaction, item: Item, row: Emergency, follows: Following
) -> list[Told]:
    late = follows.due <= now()
    row.state = item.retrospective = "overdue" if late or follows.told else "review"
    row.level, row.due_at = follows.level, follows.due
    # People are looked for by these levels below: what was written into the row must not stop it.
    row.workflow = follows.levels.to_json()
    if not late or follows.told:
        return []
    await tx.append(
        LATE_AFTER,
        subject=f"item:{item.id}",
        actor="system",
        body={
            "level": follows.level,
            "digest": follows.digest,
            "due_at": follows.due.isoformat(),
        },
    )
    text = f"《{item.said_title}》应急发布后的复审超过了时限，请马上安排"
    await open_incident_in(
        tx,
        "retrospective_overdue",
        subject=f"item:{item.id}",
        message=text,
        detail={"level": follows.level},
    )
    people = await rounds.who_may(tx.session, item)
    return [Told(await active_with(tx.session, {"supervisor"}), text), Told(people, text)]
