"""Pictures as offices get them: from phones, screens, designers, and from who means harm."""

import io
import json
import struct
import zlib
from functools import cache
from typing import Any

from PIL import Image, ImageDraw

from documents.pictures import FORMATS

AIGC = json.dumps(
    {
        "Label": "1",
        "ContentProducer": "001191110102MACQD9K64010000",
        "ProduceID": "qh-2026-0017",
        "ReservedCode1": "",
        "ContentPropagator": "",
        "PropagateID": "",
        "ReservedCode2": "",
    },
    ensure_ascii=False,
)
AIGC_MARK = (
    "AIGC：属于人工智能生成合成内容"
    "（制作者 001191110102MACQD9K64010000，编号 qh-2026-0017）"
)  # fmt: skip
C2PA_STORE = (
    b"\x00\x00\x00\x40jumb\x00\x00\x00\x1ejumdc2pa\x00\x11\x00\x10\x80\x00\x00\xaa\x00\x38\x9b\x71"
    b"\x03c2pa\x00" + b"\x00\x00\x00\x1acbor" + b"GPSLatitude 31.2"
)


def saved(picture: Image.Image, kind: str, **how: Any) -> bytes:
    out = io.BytesIO()
    picture.save(out, kind, **how)
    return out.getvalue()


def opened(data: bytes) -> Image.Image:
    picture = Image.open(io.BytesIO(data), formats=FORMATS)
    picture.load()
    return picture


def at(data: bytes, across: int, down: int) -> tuple[int, int, int]:
    """The colour of one point."""
    seen = opened(data).convert("RGB").crop((across, down, across + 1, down + 1)).tobytes()
    return seen[0], seen[1], seen[2]


def picture(width: int = 64, height: int = 48, colour: str = "green") -> bytes:
    return saved(Image.new("RGB", (width, height), colour), "PNG")


def scene(width: int, height: int) -> Image.Image:
    """Something like a photo: soft colours, a grainy surface, a red corner at the upper left."""
    rough = Image.effect_noise((width // 8, height // 8), 60).resize((width, height))
    grain = Image.blend(rough, Image.effect_noise((width, height), 10), 0.3)
    soft = Image.effect_noise((40, 30), 90).resize((width, height))
    made = Image.merge("YCbCr", (grain, soft, soft)).convert("RGB")
    made.paste((255, 0, 0), (0, 0, width // 4, height // 4))
    return made


def exif(turn: int = 1) -> Image.Exif:
    """Device, place, person and a small picture's worth of talk, as a phone writes them."""
    told = Image.Exif()
    told[0x0112] = turn
    told[0x010F], told[0x0110], told[0x013B] = "Qinghe", "Phone 9", "Zhang Jianguo"
    told.get_ifd(0x8825).update({1: "N", 2: (31.0, 12.0, 30.0), 3: "E", 4: (121.0, 28.0, 5.0)})
    return told


@cache
def phone_photo(width: int = 800, height: int = 600, turn: int = 6, **how: Any) -> bytes:
    return saved(scene(width, height), "JPEG", quality=92, exif=exif(turn), **how)


def transparent() -> bytes:
    made = Image.new("RGBA", (300, 200), (0, 0, 0, 0))
    ImageDraw.Draw(made).ellipse((50, 50, 250, 150), fill=(200, 0, 0, 255))
    return saved(made, "PNG")


@cache
def long_picture(width: int = 1080, height: int = 12_000) -> bytes:
    """一图读懂: a column of small words."""
    made = Image.new("RGB", (width, height), "white")
    pen = ImageDraw.Draw(made)
    for top in range(0, height, 40):
        pen.text((40, top), f"{top} 2026 (12345) www.qinghe.example " * 2, "navy", font_size=26)
    return saved(made, "PNG")


def animated(frames: int = 6, side: int = 60, comment: bytes = b"by Zhang Jianguo") -> bytes:
    made = []
    for number in range(frames):
        frame = Image.new("RGB", (side, side), (number % 200, 80, number // 200))
        ImageDraw.Draw(frame).rectangle((number % 40, 10, number % 40 + 20, 40), fill="white")
        made.append(frame)
    how = {"save_all": True, "append_images": made[1:], "duration": 90, "loop": 0}
    return saved(made[0], "GIF", comment=comment, **how)


def bomb(side: int = 60_000) -> bytes:
    """A few hundred bytes that say they are a huge picture."""
    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    pieces = ((b"IHDR", head), (b"IDAT", zlib.compress(b"\0" * 10_000)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(name, piece) for name, piece in pieces)


def chunk(name: bytes, piece: bytes) -> bytes:
    return (
        struct.pack(">I", len(piece)) + name + piece + struct.pack(">I", zlib.crc32(name + piece))
    )


SVG = (
    b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
)
