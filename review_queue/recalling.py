"""Taking back: one person, at once, with a reason."""

from collections.abc import Mapping

from bot.delivery.takedowns import plan_recall
from review_queue.desk import Queue, Said, append_with_words, end_run, opened
from review_queue.models import Item
from review_queue.states import Verb, can, move, state_name
from staff.people import Member
from staff.refusal import Reason, refuse

WHY: Mapping[str, str] = {"error": "错误", "merged": "合并", "outdated": "失效"}
"""Why something is taken back: it was wrong, another text took its place, or it holds no more."""


async def recall(
    queue: Queue, item_id: str, staff_id: str, reason: str, why: str = "error"
) -> Item:
    """One person, at once: nothing more goes out, and what is out goes off its platforms.

    The reason is required; `why` is its class, one of WHY.
    """
    async with queue.ledger.transaction() as tx:
        one = await opened(tx.session, item_id, staff_id)
        item, person = one.item, one.person
        reasons = recall_faults(person, reason)
        if why not in WHY:
            reasons.append(Reason("why", f"撤回的类别只能是：{'、'.join(WHY.values())}"))
        if not can(item, Verb.RECALL):
            reasons.append(Reason("state", f"稿件现在是“{state_name(item)}”，不用撤回"))
        refuse(reasons)
        # What is out goes off its platforms; a row is left for the worker, in this transaction.
        await plan_recall(tx.session, item.id)
        # First what has not gone out yet is stopped, then the state says so.
        await end_run(tx.session, item, "稿件已撤回")
        move(item, Verb.RECALL)
        # Asked of every library: which of them uses it is not read from the item's row.
        for shelf in queue.library.values():
            await shelf.take_back(tx, item.id, staff_id)
        item.return_reason = reason
        item.version += 1
        said = Said("item.recalled", staff_id, reason)
        await append_with_words(tx, item, said, {"class": why})
        return item


def recall_faults(person: Member, reason: str) -> list[Reason]:
    """Why this person cannot take something back."""
    faults = []
    if not reason.strip():
        faults.append(Reason("reason", "撤回要写明理由"))
    # Everybody who works on texts can stop one, because a leak or a gross error cannot wait for
    # the right person; who only looks on or takes calls cannot.
    if not set(person.roles) - {"auditor", "duty"}:
        faults.append(Reason("role", "您的角色不能撤回稿件"))
    return faults
