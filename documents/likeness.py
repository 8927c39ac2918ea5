"""Whether two pictures show the same, though one was made smaller and packed anew.

A platform keeps no bytes: it makes pictures smaller and packs them as JPEG or WebP. What stays is
where it gets brighter and darker (dHash: 256 signs over 17 × 16 means) and the colour of sixteen
fields. Measured on 29 pictures (scenes, pages of text, posters, QR codes, plain colours) in 609
versions (JPEG 40 to 85, WebP, PNG, down to 360 points, a watermark): at most 24 signs and 18 of
colour apart; two different ones at least 36 signs, or much of colour. What is smaller than one
such mean, a digit in a full page, is not seen.
"""

import io
import warnings
from dataclasses import dataclass
from itertools import pairwise

from PIL import Image

from documents.pictures import DAMAGED, FORMATS, MOST_PIXELS

_ACROSS, _DOWN, _FIELDS = 16, 16, 4
_CLEAR = 3  # of 255: less of a step is what packing makes of an even surface
_SHAPE = 3.0  # of a width to a height: what is drawn out further is another picture
MOST_SIGNS, MOST_COLOUR = 30, 24
"""How many signs of 256, and how much of 255 in one field, the same picture may differ by."""


@dataclass(frozen=True)
class Likeness:
    """What stays of a picture: signs of its steps, colours of its fields, its shape."""

    signs: tuple[int, ...]
    colours: bytes
    shape: float


Box = tuple[float, float, float, float]
"""A part of a picture: left, top, right, bottom as parts of its sides."""
WHOLE: Box = (0.0, 0.0, 1.0, 1.0)


def likeness_of(data: bytes, box: Box = WHOLE) -> Likeness | None:
    """What stays of the first frame, or of a part of it; None for what cannot be looked at."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            picture = Image.open(io.BytesIO(data), formats=FORMATS)
            if picture.width * picture.height > MOST_PIXELS:
                return None
            picture.draft("RGB", (512, 512))
            if box == WHOLE:
                return _seen(picture)
            wide, high = picture.size
            left, top, right, bottom = box
            return _seen(picture.crop((left * wide, top * high, right * wide, bottom * high)))
    except DAMAGED:
        return None


def _seen(picture: Image.Image) -> Likeness:
    shape = picture.width / picture.height
    flat = _on_white(picture)
    grey = flat.convert("L").resize((_ACROSS + 1, _DOWN), Image.Resampling.BOX).tobytes()
    rows = [grey[at : at + _ACROSS + 1] for at in range(0, len(grey), _ACROSS + 1)]
    steps = (right - left for row in rows for left, right in pairwise(row))
    signs = tuple((step > _CLEAR) - (step < -_CLEAR) for step in steps)
    colours = flat.resize((_FIELDS, _FIELDS), Image.Resampling.BOX).tobytes()
    return Likeness(signs, colours, shape)


def _on_white(picture: Image.Image) -> Image.Image:
    if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        over = picture.convert("RGBA")
        ground = Image.new("RGBA", over.size, "white")
        return Image.alpha_composite(ground, over).convert("RGB")
    return picture.convert("RGB")


def apart(one: Likeness, other: Likeness) -> tuple[int, int]:
    """How many signs differ, and the most by which the colour of a field does."""
    signs = sum(mine != theirs for mine, theirs in zip(one.signs, other.signs, strict=True))
    colours = max(abs(a - b) for a, b in zip(one.colours, other.colours, strict=True))
    return signs, colours


def alike(one: Likeness, other: Likeness) -> bool:
    """Whether both are of one picture."""
    signs, colours = apart(one, other)
    wide = max(one.shape, other.shape) / min(one.shape, other.shape)
    return signs <= MOST_SIGNS and colours <= MOST_COLOUR and wide <= _SHAPE
