"""Pictures: damage, size, where they were taken, and whether they look like written paper."""

import io
import re
import struct
import warnings
import zlib
from contextlib import suppress
from itertools import pairwise

import lxml.etree
import lxml.html
import pillow_heif
from PIL import Image

from documents.parts import Notes, Reading, Unreadable

pillow_heif.register_heif_opener()  # HEIC, as phones of today write it

MOST_PIXELS = 50_000_000
FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF", "HEIF", "AVIF")
"""What is opened at all: every reader more is one more that strangers can feed."""

_GPS = 0x8825

STRUCTURE_ERRORS = (
    *(ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError, OverflowError),
    *(AssertionError, lxml.etree.LxmlError),
)
DAMAGED = (
    *STRUCTURE_ERRORS,
    *(OSError, SyntaxError, EOFError, struct.error, zlib.error, RuntimeError, MemoryError),
    Image.DecompressionBombError,
)
"""What the readers of pictures raise when one is damaged or made to harm."""


def read_picture_file(content: bytes, notes: Notes) -> None:
    _picture_faults(content, notes)
    notes.fault("look", "warn", "图片没有文字层，机器读不出图中文字，需要人工看")


def _picture_faults(content: bytes, notes: Notes) -> Image.Image | None:
    """Damage, size and where it was taken; the opened picture when it can be looked at."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            picture = Image.open(io.BytesIO(content), formats=FORMATS)
            if picture.width * picture.height > MOST_PIXELS:
                raise Unreadable("bomb", "block", "图片尺寸异常地大，已拒绝读取，请不要使用")
            exif = picture.getexif()
            if exif.get_ifd(_GPS):
                reason = "照片里记着拍摄地点的经纬度，发布前请去除（另存或截图即可）"
                notes.fault("gps", "warn", reason)
            for tag, word in ((0x013B, "作者"), (0x010E, "说明"), (0x9C9C, "备注")):
                if text := _said(exif.get(tag)):
                    notes.add(f"照片属性“{word}”", text)
            for key, value in picture.info.items():
                if text := _told(key, value):
                    notes.add(f"图片里写着的信息“{key}”", text)
    except Image.DecompressionBombError as error:
        raise Unreadable("bomb", "block", "图片尺寸异常地大，已拒绝读取，请不要使用") from error
    except DAMAGED as error:
        raise Unreadable("broken", "block", "图片不完整或已损坏，打不开，请重新上传") from error
    return picture


_TAGS = re.compile(r"<[^>]*>")
_WORDS = re.compile(r"[\u4e00-\u9fff]{2}|\d{7}|[\w.]@[\w.]")


def _told(key: object, value: object) -> str:
    """What a comment, a text piece or an XMP packet says that people wrote."""
    if key in ("exif", "icc_profile", "jfif", "dpi") or not isinstance(value, str | bytes):
        return ""
    text = value.decode("utf-8", "ignore") if isinstance(value, bytes) else value
    text = " ".join(_TAGS.sub(" ", text[:20_000]).split())
    return text if _WORDS.search(text) else ""


def _said(value: object) -> str:
    """A property as text: Windows writes UTF-16, cameras and phones UTF-8 where Latin is told."""
    if isinstance(value, bytes):
        return value[: len(value) // 2 * 2].decode("utf-16-le", "replace").strip("\0 ")
    text = str(value or "")
    with suppress(UnicodeError):
        text = text.encode("latin-1").decode("utf-8")
    return text.strip("\0 ")


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
    short, long = sorted(picture.size)
    # A long picture is read along its long side: as a whole in a square, its words would be dust.
    side = 800 if long <= 3 * short else 600 * long // short
    try:
        picture.draft("L", (side, side))
        grey = picture.convert("L")
    except DAMAGED:
        return True  # nobody but a person can tell
    grey.thumbnail((side, side))
    width, height = grey.size
    data = grey.tobytes()
    sharp = 0
    for top in range(0, height, 2):
        row = data[top * width : (top + 1) * width]
        jumps = sum(abs(a - b) > 70 for a, b in pairwise(row))
        sharp += jumps >= 12
        if sharp >= 6:
            return True
    return False
