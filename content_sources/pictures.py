"""Where a picture comes from and by what licence it is shown: said by a person, as signed entry."""

from config.clock import now
from content_sources.list_models import PictureRight
from content_sources.provenance import Right
from ledger.append import Ledger
from review_queue.models import Item
from staff.people import person_with
from staff.refusal import Reason, Refused

DECLARERS = frozenset({"editor"})
_MARKER = len("sha256:") + 64


async def declare_picture(
    ledger: Ledger, item_id: str, staff_id: str, *, media: str, right: Right
) -> None:
    """Record origin and licence of a picture of an item. Refused 403, 404, 422."""
    faults = []
    if not media.startswith("sha256:") or len(media) != _MARKER:
        faults.append(Reason("media", "请选择稿件里的图片"))
    if len(right.origin) < 2 or len(right.licence) < 2:
        faults.append(Reason("origin", "请写明图片的出处和许可，例如“本单位拍摄”“作者书面授权”"))
    async with ledger.transaction() as tx:
        await person_with(tx.session, staff_id, DECLARERS)
        if faults:
            raise Refused(422, faults)
        if await tx.session.get(Item, item_id) is None:
            raise Refused(404, [Reason("missing", "没有这篇稿件，可能地址不完整")])
        row = await tx.session.get(PictureRight, media)
        if row is None:
            row = PictureRight(media=media)
            tx.session.add(row)
        row.origin, row.licence = right.origin[:500], right.licence[:300]
        row.set_by, row.set_at = staff_id, now()
        await tx.append(
            "picture.declared", subject=f"item:{item_id}", actor=staff_id, body={"media": media}
        )
