"""Pictures: damage, size, where they were taken, and whether they look like written paper."""

import io
import warnings
from itertools import pairwise

import lxml.etree
import lxml.html
from PIL import Image

from documents.parts import Notes, Reading, Unreadable

_MOST_PIXELS = 50_000_000

_GPS = 0x8825

STRUCTURE_ERRORS = (
    *(ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError, OverflowError),
    *(AssertionError, lxml.etree.LxmlError),
)


def read_picture_file(content: bytes, notes: Notes) -> None:
    _picture_faults(content, notes)
    notes.fault("look", "warn", "图片没有文字层，机器读不出图中文字，需要人工看")


def _picture_faults(content: bytes, notes: Notes) -> Image.Image | None:
    """Damage, size and where it was taken; the opened picture when it can be looked at."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            picture = Image.open(io.BytesIO(content))
            if picture.width * picture.height > _MOST_PIXELS:
                raise Unreadable("bomb", "block", "图片尺寸异常地大，已拒绝读取，请不要使用")
            exif = picture.getexif()
            if exif.get_ifd(_GPS):
                reason = "照片里记着拍摄地点的经纬度，发布前请去除（另存或截图即可）"
                notes.fault("gps", "warn", reason)
            for tag, word in ((0x013B, "作者"), (0x010E, "说明"), (0x9C9C, "备注")):
                if text := str(exif.get(tag) or "").strip("\0 "):
                    notes.add(f"照片属性“{word}”", text)
    except (OSError, SyntaxError, *STRUCTURE_ERRORS) as error:
        raise Unreadable("broken", "block", "图片不完整或已损坏，打不开，请重新上传") from error
    return picture


def read_picture(content: bytes) -> Reading:
    """A picture inside the text: its place and damage, and whether it looks like written paper."""
    notes = Notes()
    try:
        picture = _picture_faults(content, notes)
        if picture is not None and _looks_written(picture):
            notes.fault("look", "warn", "图片里像有文字，机器读不出，需要人工看")
    except Unreadable as refused:
        notes.faults.append(refused.fault)
    return notes.reading()


def _looks_written(picture: Image.Image) -> bool:
    """Whether several bands of rows alternate sharply between two tones, as printed lines do."""
    try:
        picture.draft("L", (800, 800))
        grey = picture.convert("L")
    except (OSError, SyntaxError, *STRUCTURE_ERRORS):
        return True  # nobody but a person can tell
    grey.thumbnail((800, 800))
    width, height = grey.size
    data = grey.tobytes()
    sharp = 0
    for top in range(0, height, 2):
        row = data[top * width : (top + 1) * width]
        jumps = sum(abs(a - b) > 70 for a, b in pairwise(row))
        sharp += jumps >= 12
    return sharp >= 6
