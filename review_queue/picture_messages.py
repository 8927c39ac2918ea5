"""What the gates are told of a 图片消息: its pictures, their number and form, and its text."""

import io
from collections import OrderedDict
from collections.abc import Iterator

from PIL import Image

from blocks.document import Picture
from blocks.text import project
from bot.picture_message import KIND, Fault, message_faults, picture_fault
from documents.pictures import DAMAGED, FORMATS
from gates.finding import Finding
from review_queue.canonical import Draft
from storage.database import Database
from storage.media import load

RULES = "pictures."
"""What the rules of this room begin with; a text they block is not submitted."""
_BASIS = "公众平台草稿箱接口对图片消息的规定；频道相册对图片的规定"
_KEPT = 2_000
_Form = tuple[str, int, int]
"""Format, width and height."""


class PictureMessages:
    """Findings in picture messages; the form of a picture is looked at once."""

    def __init__(self, db: Database) -> None:
        """`db` holds the bytes (storage.media)."""
        self._db = db
        self._forms: OrderedDict[str, _Form] = OrderedDict()

    async def findings(self, draft: Draft) -> list[Finding]:
        """Why the draft would not go out as it stands; nothing of other kinds."""
        if draft.kind != KIND or draft.blocks is None:
            return []
        lines = project(draft.blocks).lines
        found = [
            _finding(fault, "block", lines[fault.block] if fault.block >= 0 else (0, 0))
            for fault in message_faults(draft.content)
        ]
        for number, at, picture in _placed(draft):
            form = await self._form(picture.media)
            fault = picture_fault(number, *form) if form is not None else None
            if fault is not None:
                severity = "warn" if fault.rule == "pictures.long" else "block"
                found.append(_finding(fault, severity, lines[at]))
        return found

    async def _form(self, marker: str) -> _Form | None:
        """Format and sides of a picture; None for what is lost, of which review_queue/files tells.

        Bytes never change under their marker.
        """
        if marker in self._forms:
            return self._forms[marker]
        try:
            async with self._db.session() as session:
                stored = await load(session, marker)
        except ValueError:
            return None
        if stored is None:
            return None
        self._forms[marker] = form = _form_of(stored[0])
        if len(self._forms) > _KEPT:
            self._forms.popitem(last=False)
        return form


def _placed(draft: Draft) -> Iterator[tuple[int, int, Picture]]:
    """Number, block and picture, in their order."""
    number = 0
    for at, block in enumerate(draft.blocks.blocks if draft.blocks is not None else ()):
        if isinstance(block, Picture):
            number += 1
            yield number, at, block


def _form_of(content: bytes) -> _Form:
    """As its head says; nothing is unpacked."""
    try:
        picture = Image.open(io.BytesIO(content), formats=FORMATS)
    except DAMAGED:
        return "", 1, 1
    return str(picture.format), *picture.size


def _finding(fault: Fault, severity: str, span: tuple[int, int]) -> Finding:
    start, end = span
    blocks = severity == "block"
    return Finding(
        gate="wording",
        rule=fault.rule,
        severity="block" if blocks else "warn",
        field="text",
        start=start,
        end=end,
        text="",
        reason=fault.words,
        basis=_BASIS,
        waivable=not blocks,
    )
