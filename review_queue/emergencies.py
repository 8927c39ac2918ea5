"""应急: two levels at once, and the further levels of the normal class that follow afterwards."""

from dataclasses import replace
from datetime import timedelta

from config.clock import now
from ledger.append import Transaction
from ledger.incidents import open_incident_in
from review_queue.canonical import Draft
from review_queue.chain import class_gap, normal_class
from review_queue.classes import RANKS, highest
from review_queue.desk import Queue, end_unsent, fresh_rules, opened, reclass
from review_queue.drafting import current_of
from review_queue.findings import check_and_keep, findings_now
from review_queue.models import Decision, Emergency, Item
from review_queue.rounds import Round
from review_queue.submitting import begin, levels_of, source_faults, submit_faults
from review_queue.workflow import EMERGENCY
from staff.refusal import Reason, Refused, status_of
from storage.database import new_id


async def submit_emergency(
    queue: Queue, item_id: str, staff_id: str, version: int, reason: str
) -> Item:
    """Send the latest revision to the two levels of 应急 at once.

    The normal class is remembered; its further levels follow after the release. The gates run
    before and after, as for any submission.
    """
    _, found = await findings_now(queue, item_id)
    await fresh_rules(queue)
    async with queue.ledger.transaction() as tx:
        one = await opened(tx.session, item_id, staff_id)
        item = one.item
        reasons = await submit_faults(queue, tx.session, one, version)
        reasons += source_faults(found)
        if one.draft.shelved:
            reasons.append(Reason("emergency", "入库使用的稿件不走应急：先停用旧的，再送审新的"))
        if one.draft.edition:
            reasons.append(Reason("emergency", "组版不走应急：急的那一篇请单独应急提交"))
        if not reason.strip():
            reasons.append(Reason("reason", "应急提交要写明理由"))
        if reasons:
            raise Refused(status_of(reasons), reasons, current_of(item, one.revision))
        normal = await _normal_class(queue, item, one.draft)
        if item.klass != EMERGENCY:
            one = replace(one, revision=await reclass(queue, tx, item, EMERGENCY, staff_id))
        row = Emergency(
            id=new_id(),
            item_id=item.id,
            run_seq=0,
            digest=one.revision.digest,
            klass=normal,
            workflow=levels_of(queue, normal).for_kind(item.kind).to_json(),
            reason=reason,
            staff_id=staff_id,
            at=now(),
            level=0,
            state="running",
        )
        tx.session.add(row)
        # Added with number 0 and set at once, in one transaction: the entry needs the row and the
        # row its number.
        row.run_seq = await begin(queue, tx, one, row)
    await check_and_keep(queue, item_id)
    return item


async def _normal_class(queue: Queue, item: Item, draft: Draft) -> str:
    """The class beside 应急: the highest the item has had or its words ask for."""
    chain = await queue.releases.chain(item.id)
    # Remembered now: after the release nobody could tell which levels the text should have had.
    held = normal_class(chain, draft) or highest(
        [str(one.body.get("klass", "")) for one in chain.of("revision.created")]
    )
    # Without any earlier class the middle one: an emergency is never 日常.
    base = held if held in RANKS else "重要"
    kept = draft.changed({"klass": base})
    gap, _ = class_gap(chain, kept, queue.triggers, lambda entry: True)
    return gap or base


async def advance_afterwards(
    tx: Transaction, item: Item, emergency: Emergency, after: Round
) -> None:
    if after.open:
        emergency.level, emergency.state = after.open[0], "review"
        emergency.due_at = now() + timedelta(hours=after.flow.levels[emergency.level].hours)
        item.retrospective, item.level_due_at = "review", emergency.due_at
        return
    emergency.state, emergency.closed_at, emergency.due_at = "closed", now(), None
    item.retrospective, item.level_due_at = "", None
    await tx.append(
        "retrospective.closed",
        subject=f"item:{item.id}",
        # Nobody closes it by hand: it follows from the last approval.
        actor="system",
        body={"digest": emergency.digest},
    )


async def reject_afterwards(
    queue: Queue, tx: Transaction, item: Item, emergency: Emergency, decision: Decision
) -> None:
    emergency.state, emergency.due_at = "rejected", None
    # It is out already: only stopping the rest and an incident are left to do.
    item.retrospective, item.level_due_at = "rejected", None
    item.return_reason = decision.note
    await end_unsent(tx.session, item.id, "应急发布后的复审没有通过")
    await open_incident_in(
        tx,
        "retrospective_rejected",
        subject=f"item:{item.id}",
        message="应急发布后的复审没有通过：请马上撤回，或写更正并送审",
        detail={"level": decision.level_name, "decision": decision.ledger_seq},
    )
