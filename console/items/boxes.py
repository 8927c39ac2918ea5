"""Where in a picture a finding stands: the strip of it around a box. Pure."""

import re
from dataclasses import dataclass
from pathlib import PurePath

from documents.reader import PICTURES
from gates.finding import Finding
from review_queue.canonical import Draft

_MARKER = re.compile(r"sha256:([0-9a-f]{64})")
_AROUND = 0.05  # of the width, above and below


@dataclass(frozen=True)
class Boxed:
    """A picture and a box in it; all lengths are parts of the picture's width."""

    media: str
    left: float
    top: float
    wide: float
    high: float

    @property
    def view(self) -> str:
        """What is shown of the picture: a strip around the box, wide enough to know the place."""
        shown = min(max(3 * self.wide, 0.5), 1.0)
        left = min(max(self.left + self.wide / 2 - shown / 2, 0.0), 1.0 - shown)
        top = max(self.top - _AROUND, 0.0)
        return f"{left:.4f} {top:.4f} {shown:.4f} {self.top + self.high + _AROUND - top:.4f}"


def boxed_in(draft: Draft, finding: Finding) -> Boxed | None:
    """The picture and box of a finding; None when it has none, or stands in a file with pages."""
    media = _media(draft, finding) if finding.box is not None else None
    if finding.box is None or media is None:
        return None
    left, top, right, bottom = finding.box
    return Boxed(media, left, top, right - left, bottom - top)


def _media(draft: Draft, finding: Finding) -> str | None:
    if finding.field == "text":
        found = _MARKER.search(draft.body[finding.start : finding.end])
        return found[1] if found else None
    name = finding.field.removeprefix("attachment:")
    if name == "封面":
        return (draft.cover or "").removeprefix("sha256:") or None
    if PurePath(name).suffix.lower() not in PICTURES:
        return None
    held = (part["media"] for part in draft.attachments if part["name"] == name)
    return next((one.removeprefix("sha256:") for one in held), None)
