"""A notice of correction begun for whoever was told an answer or a clause: pages, API, commands."""

from knowledge.library import PolicyLibrary
from knowledge.told import of_entry
from review_queue import shelving
from review_queue.canonical import QA
from review_queue.desk import Queue
from review_queue.models import Item
from staff.refusal import missing


async def entry_notice(queue: Queue, key: str, by: str) -> Item:
    """For whoever was told this reviewed answer; Refused 404."""
    rows = await queue.library[QA].entries() if QA in queue.library else []
    one = next((row for row in rows if row.key == key), None)
    if one is None:
        raise missing("条问答")
    return await shelving.new_notice(queue, of_entry(key), f"“{one.label}”", by)


async def clause_notice(
    queue: Queue, library: PolicyLibrary, policy: str, number: str, by: str
) -> Item:
    """For whoever was told this clause, by the policy and its number there; Refused 404."""
    row, clauses = await library.whole(policy)
    clause = next((one for one in clauses if str(one.number) == number), None)
    if clause is None:
        raise missing("条")
    name = f"《{row.title.strip('《》')}》{clause.label}"
    return await shelving.new_notice(queue, clause.id, name, by)
