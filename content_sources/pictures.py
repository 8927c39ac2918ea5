"""Where a picture of a repost comes from and by what licence it is shown, said by a person."""

from dataclasses import dataclass

from config.clock import now
from content_sources.list_models import PictureRight
from ledger.append import Ledger
from review_queue.models import Item
from staff.refusal import Reason, Refused, missing
from staff.rights import entitled

MARKER = len("sha256:") + 64


@dataclass(frozen=True)
class Declared:
    """A picture by its marker, and what a person says of it."""

    media: str
    origin: str
    licence: str


async def declare_picture(ledger: Ledger, item_id: str, staff_id: str, said: Declared) -> None:
    """Record it, as a signed entry about the item; Refused 403, 404 or 422 with every fault.

    The entry names the picture only: the words stand in the table and may be mended.
    """
    async with ledger.transaction() as tx:
        await entitled(tx.session, staff_id, "pictures.set")
        if faults := _faults(said):
            raise Refused(422, faults)
        if await tx.session.get(Item, item_id) is None:
            raise missing("篇稿件")
        row = await tx.session.get(PictureRight, said.media)
        if row is None:
            row = PictureRight(media=said.media)
            tx.session.add(row)
        row.origin, row.licence = said.origin[:500], said.licence[:300]
        row.set_by, row.set_at = staff_id, now()
        await tx.append(
            "picture.declared",
            subject=f"item:{item_id}",
            actor=staff_id,
            body={"media": said.media},
        )


def _faults(said: Declared) -> list[Reason]:
    faults = []
    if not said.media.startswith("sha256:") or len(said.media) != MARKER:
        faults.append(Reason("media", "请选择稿件里的图片"))
    if len(said.origin) < 2 or len(said.licence) < 2:
        faults.append(Reason("origin", "请写明图片的出处和许可，例如“本单位拍摄”“作者书面授权”"))
    return faults
