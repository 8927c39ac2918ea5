"""Whether what was released concerns the body's own work: approved facets, and reviewers' marks."""

from facets.remit import MARKS
from ledger.append import Ledger
from review_queue.canonical import Draft
from review_queue.desk import opened
from review_queue.models import Item
from staff.refusal import Reason, Refused, refuse
from staff.rights import entitled

MARKED = "item.concern"
_FACETS = ("topics", "regions")


def approved_facets(draft: Draft) -> dict[str, list[str]]:
    """Topics and regions that people approved with a text; nothing where it has no audience."""
    audience = draft.audience or {}
    return {name: sorted(audience[name]) for name in _FACETS if audience.get(name)}


async def mark_concern(ledger: Ledger, item_id: str, staff_id: str, mark: str) -> Item:
    """Say that a released item is of the body's own work, or is not; the last mark stands.

    Refused: 403 for its writer, 409 before it was released, 422 for another word.
    """
    if mark not in MARKS:
        raise Refused(422, [Reason("mark", "请选择“有关”或者“无关”")])
    async with ledger.transaction() as tx:
        await entitled(tx.session, staff_id, "concern.mark")
        one = await opened(tx.session, item_id, staff_id)
        item = one.item
        if staff_id in (item.author_id, item.last_editor_id):
            raise Refused(403, [Reason("author", "自己写的稿件由别的审核人标")])
        if item.release_id is None:
            raise Refused(409, [Reason("state", "放行以后才能标：放行前在审核意见里说")])
        if item.concern == mark:
            refuse([Reason("same", "已经是这样标的")])
        item.concern = mark
        body = {"mark": mark, "release": item.release_id}
        await tx.append(MARKED, subject=f"item:{item.id}", actor=staff_id, body=body)
        return item
