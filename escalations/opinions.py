"""What citizens write to a consultation: received, taken back, erased, and decided one by one.

That one was received, taken back or decided is a signed entry of the consultation; it names the
row and never the citizen. Rows are held against these entries: what somebody deletes by SQL is
missed, and what somebody adds counts for nothing.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import case, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.models import Contact
from config.clock import now
from escalations.models import Consultation, Opinion
from ledger.append import Ledger, Transaction
from ledger.changed import row_changed
from staff.proposed import words_digest
from staff.refusal import Reason, Refused, refuse
from staff.rights import entitled
from storage.database import new_id

RECEIVED, TAKEN, DECIDED = "opinion.received", "opinion.withdrawn", "opinion.decided"
VERDICTS = ("采纳", "部分采纳", "未采纳")
ROBOT = "system"
_LONGEST_TOPIC, _LONGEST_REASON = 40, 500


@dataclass(frozen=True)
class Given:
    """What becomes of some opinions: under which heading, and why."""

    verdict: str
    reason: str
    topic: str = ""


@dataclass(frozen=True)
class Kept:
    """The opinions of a consultation as signed, and how many are missing."""

    rows: Sequence[Opinion]
    missing: int

    @property
    def waiting(self) -> int:
        """How many have no verdict."""
        return sum(not one.verdict for one in self.rows)


async def receive(ledger: Ledger, about: Consultation, contact: Contact, text: str) -> str | None:
    """Keep a masked text; the id. None when it is over, or the contact's row is not ours."""
    if not contact.whole:
        await row_changed(ledger, Contact.__tablename__, contact.id)
        return None
    async with ledger.transaction() as tx:
        moment = now()
        if not about.begins_at <= moment < about.ends_at:
            return None
        row = Opinion(
            id=new_id(), consultation_id=about.id, contact_id=contact.id, text=text, at=moment
        )
        tx.session.add(row)
        await _sign(tx, RECEIVED, row, ROBOT)
    return row.id


async def take_back(ledger: Ledger, contact_id: str, opinion_id: str) -> bool:
    """Its writer withdraws it; it is gone with its words. Not once it was decided."""
    async with ledger.transaction() as tx:
        row = await tx.session.get(Opinion, opinion_id)
        if row is None or not row.whole or row.contact_id != contact_id or row.verdict:
            return False
        await tx.session.delete(row)
        await _sign(tx, TAKEN, row, ROBOT)
    return True


async def erase(tx: Transaction, contact_id: str) -> None:
    """忘记我: what this contact wrote goes; that something went stays signed."""
    rows = select(Opinion).where(Opinion.contact_id == contact_id)
    for row in (await tx.session.scalars(rows)).all():
        await tx.session.delete(row)
        await _sign(tx, TAKEN, row, ROBOT)


async def opinions_of(ledger: Ledger, consultation_id: str) -> Kept:
    """Every opinion that was received and not taken back, in order."""
    entries = await ledger.facts(f"consultation:{consultation_id}")
    signed = {one.body["opinion"] for one in entries if one.kind == RECEIVED}
    signed -= {one.body["opinion"] for one in entries if one.kind == TAKEN}
    query = select(Opinion).where(Opinion.consultation_id == consultation_id).order_by(Opinion.id)
    async with ledger.db.session() as session:
        rows = (await session.scalars(query)).all()
    right = [row for row in rows if row.whole and row.id in signed]
    wrong = {row.id for row in rows} ^ {row.id for row in right}
    wrong |= signed - {row.id for row in right}
    if wrong:
        await row_changed(ledger, Opinion.__tablename__, min(wrong))
    return Kept(right, len(signed) - len(right))


async def counts_of(session: AsyncSession) -> dict[str, tuple[int, int]]:
    """How many rows each consultation has, and how many without a verdict, for lists."""
    waiting = func.sum(case((Opinion.verdict == "", 1), else_=0))
    query = select(Opinion.consultation_id, func.count(), waiting)
    rows = (await session.execute(query.group_by(Opinion.consultation_id))).all()
    return {row[0]: (int(row[1]), int(row[2])) for row in rows}


async def decide(
    ledger: Ledger, about: Consultation, ids: Sequence[str], given: Given, by: str
) -> int:
    """What becomes of these; how many. Refused with every fault."""
    refuse(_faults(about, ids, given))
    async with ledger.transaction() as tx:
        await entitled(tx.session, by, "consultations.answer")
        query = select(Opinion).where(Opinion.id.in_(ids), Opinion.consultation_id == about.id)
        rows = (await tx.session.scalars(query)).all()
        if len(rows) != len(set(ids)) or not all(row.whole for row in rows):
            raise Refused(404, [Reason("missing", "有的意见已由本人撤回或记录有变，请刷新后再选")])
        salt = secrets.token_hex(16)
        for row in rows:
            row.topic, row.verdict = given.topic.strip(), given.verdict
            row.reason, row.decided_by = given.reason.strip(), by
            words = {"verdict": given.verdict, "words": words_digest(salt, row.reason)}
            await _sign(tx, DECIDED, row, by, **words)
    return len(rows)


def _faults(about: Consultation, ids: Sequence[str], given: Given) -> list[Reason]:
    faults = []
    if not ids:
        faults.append(Reason("opinions", "请先选择意见"))
    if given.verdict not in VERDICTS:
        faults.append(Reason("verdict", f"处理结果只能是：{'、'.join(VERDICTS)}"))
    if not 4 <= len(given.reason.strip()) <= _LONGEST_REASON:
        faults.append(Reason("reason", f"请写明理由，4 至 {_LONGEST_REASON} 字，将随结果公布"))
    if len(given.topic.strip()) > _LONGEST_TOPIC:
        faults.append(Reason("topic", f"归类最多 {_LONGEST_TOPIC} 字"))
    if about.result_item:
        faults.append(Reason("drafted", "征集情况已经起草，请在稿件里修改"))
    return faults


async def _sign(tx: Transaction, kind: str, row: Opinion, by: str, **more: str) -> None:
    subject = f"consultation:{row.consultation_id}"
    await tx.append(kind, subject=subject, actor=by, body={"opinion": row.id, **more})
