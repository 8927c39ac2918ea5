"""Asking the competent department, and what its answer sets going again."""

from datetime import timedelta

from sqlalchemy import select

from config.clock import now
from ledger.append import Transaction
from review_queue.canonical import commitment
from review_queue.desk import Queue, opened
from review_queue.expert_models import ExpertLink
from review_queue.forms import ReviewForm
from review_queue.lateness import REFERRAL
from review_queue.models import Decision, Item, Referral
from review_queue.rounds import makers_of
from review_queue.states import ItemState, Verb, move
from staff.refusal import Reason, refuse
from staff.roles import REVIEWERS
from storage.database import new_id, new_salt


async def refer(tx: Transaction, item: Item, decision: Decision, form: ReviewForm) -> None:
    """Ask the department; the item waits outside the levels until its answer is recorded."""
    due = form.due_at or now() + REFERRAL
    row = Referral(
        id=new_id(),
        salt=new_salt(),
        item_id=item.id,
        digest=decision.digest,
        level=decision.level,
        department=form.department.strip(),
        question=form.note,
        due_at=due,
        asked_by=decision.staff_id,
        asked_at=now(),
    )
    # The entry before the row: the row carries the number of its proof.
    row.ledger_seq = await tx.append(
        "item.referred",
        subject=f"item:{item.id}",
        actor=decision.staff_id,
        body={
            "referral": row.id,
            "digest": row.digest,
            "level": decision.level,
            "department": row.department,
            # A digest of the words: questions may hold names, and the ledger cannot forget.
            "question": commitment(row.salt, row.question),
            "due_at": due.isoformat(),
        },
    )
    tx.session.add(row)
    move(item, Verb.REFER)
    item.level_due_at = due
    item.level_reminded = False


async def answer_referral(queue: Queue, item_id: str, staff_id: str, text: str) -> Item:
    """Record what the department answered; the same level waits again, with a new deadline."""
    async with queue.ledger.transaction() as tx:
        one = await opened(tx.session, item_id, staff_id)
        item, person = one.item, one.person
        reasons = []
        if not REVIEWERS & set(person.roles):
            reasons.append(Reason("role", "只有审核人员能记录有关部门的答复"))
        # Who wrote the text could write the answer that suits it.
        if staff_id == item.author_id:
            reasons.append(Reason("author", "作者不能代记有关部门的答复"))
        elif staff_id == item.last_editor_id:
            reasons.append(Reason("last_editor", "最后修改的人不能代记有关部门的答复"))
        elif staff_id in (await makers_of(tx.session, item, None)).writers:
            reasons.append(Reason("writer", "写过或改过这一稿文字的人不能代记有关部门的答复"))
        refuse(reasons)
        return await answer_referral_in(tx, item, staff_id, text)


async def hear_expert(queue: Queue, link: ExpertLink) -> None:
    """An expert's answer given after the item was referred is the department's answer.

    Not through a link that somebody who wrote the text made: they could answer it themselves.
    """
    async with queue.ledger.transaction() as tx:
        item = await tx.session.get(Item, link.item_id)
        query = select(Referral).where(
            Referral.item_id == link.item_id,
            # An answer about an older text answers nothing about this one.
            Referral.digest == link.digest,
            # Only a link made after the question: an earlier one was asked something else.
            Referral.asked_at <= link.asked_at,
            Referral.answered_at.is_(None),
            Referral.voided_at.is_(None),
        )
        asked = (await tx.session.scalars(query.limit(1))).first()
        if item is None or item.state != ItemState.REFERRED or asked is None:
            return
        if link.asked_by in (await makers_of(tx.session, item, None)).barred:
            return
        said = "没有问题" if link.verdict == "agree" else "有问题"
        words = f"{link.organisation}（{link.name}）：{said}。{link.text}"
        await answer_referral_in(tx, item, "expert", words)


async def answer_referral_in(tx: Transaction, item: Item, actor: str, text: str) -> Item:
    """The same for a caller that has made sure who answers (an outside expert's link)."""
    query = select(Referral).where(
        Referral.item_id == item.id,
        Referral.answered_at.is_(None),
        Referral.voided_at.is_(None),
    )
    # The newest open question: an older one of an ended run is void already.
    row = (await tx.session.scalars(query.order_by(Referral.asked_at.desc()))).first()
    reasons = []
    if item.state != ItemState.REFERRED or row is None:
        reasons.append(Reason("state", "这篇稿件没有等待答复的问题"))
    if not text.strip():
        reasons.append(Reason("note", "请写明有关部门的答复"))
    refuse(reasons)
    if row is None:
        return item
    row.answer, row.answered_by, row.answered_at = text, actor, now()
    await tx.append(
        "referral.answered",
        subject=f"item:{item.id}",
        actor=actor,
        body={
            "referral": row.id,
            "digest": row.digest,
            "level": row.level,
            "answer": commitment(row.salt, text),
        },
    )
    levels = (item.workflow or {"levels": []})["levels"]
    move(item, Verb.HEAR)
    # The level gets its whole time again: the waiting was not its fault.
    item.level_due_at = now() + timedelta(hours=levels[row.level]["hours"])
    item.level_reminded = item.level_overdue = False
    item.version += 1
    return item
