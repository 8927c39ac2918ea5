"""JPEG, PNG and GIF files taken apart into their pieces and put together without what they tell.

Only pieces that make the picture are kept: what an unknown piece says, nobody has looked at.
"""

import re
import zlib
from collections.abc import Iterator

_XMP_JPEG = b"http://ns.adobe.com/xap/1.0/\0"
_XMP_GIF = b"XMP DataXMP"
_GIF_END = b"\x01" + bytes(range(255, -1, -1)) + b"\x00"  # lets readers step over a raw packet
_LOOPS = (b"NETSCAPE2.0", b"ANIMEXTS1.0")
_PNG_START = b"\x89PNG\r\n\x1a\n"
_PNG_KEPT = frozenset((b"IHDR", b"PLTE", b"IDAT", b"IEND", b"sRGB"))
_AFTER_SCAN = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
_LONE = frozenset((0x01, *range(0xD0, 0xD9)))
# Frames, tables, scans; of the application's pieces JFIF and Adobe, which say how to read colour.
_JPEG_KEPT = frozenset((*range(0xC0, 0xD0), *range(0xDA, 0xE0), 0xE0, 0xEE)) - {0xD9}


def bare_jpeg(data: bytes, xmp: bytes) -> bytes:
    """The same picture, no pixel touched, with `xmp` (perhaps empty) as all that is told of it."""
    out = [b"\xff\xd8"]
    told = _piece(0xE1, _XMP_JPEG + xmp) if xmp else b""
    for marker, piece in _jpeg_pieces(data):
        if marker not in _JPEG_KEPT or (marker == 0xE0 and piece[4:9] != b"JFIF\0"):
            continue
        # A JFIF piece may hold a small picture of what was cut away: its fixed part is enough.
        kept = _piece(0xE0, piece[4:16] + b"\0\0") if marker == 0xE0 else piece
        if told and marker != 0xE0:
            out.append(told)
            told = b""
        out.append(kept)
    return b"".join([*out, b"\xff\xd9"])  # what follows the end (a video of the phone) is gone


def _piece(marker: int, payload: bytes) -> bytes:
    return bytes((0xFF, marker)) + (len(payload) + 2).to_bytes(2, "big") + payload


def _jpeg_pieces(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Each piece with its marker, up to the end of the picture; ValueError when there is none."""
    at = 2
    while at + 4 <= len(data):
        if data[at] != 0xFF:
            raise ValueError("no marker where one must be")
        marker = data[at + 1]
        if marker == 0xD9:
            return
        if marker == 0xFF or marker in _LONE:
            at += 1 if marker == 0xFF else 2
            continue
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if marker == 0xDA:
            after = _AFTER_SCAN.search(data, end)
            end = after.start() if after else len(data)
        yield marker, data[at:end]
        at = end


def png_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Each chunk's type and content, up to IEND."""
    at = len(_PNG_START)
    while at + 12 <= len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        name = data[at + 4 : at + 8]
        yield name, data[at + 8 : at + 8 + size]
        at += 12 + size
        if name == b"IEND":
            return


def bare_png(data: bytes, xmp: bytes) -> bytes:
    """The same picture, no pixel touched, with `xmp` (perhaps empty) as all that is told of it."""
    out = [_PNG_START]
    for name, content in png_chunks(data):
        if name not in _PNG_KEPT:
            continue
        out.append(_chunk(name, content))
        if name == b"IHDR" and xmp:
            out.append(_chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp))
    return b"".join(out)


def _chunk(name: bytes, content: bytes) -> bytes:
    crc = zlib.crc32(name + content).to_bytes(4, "big")
    return len(content).to_bytes(4, "big") + name + content + crc


def bare_gif(data: bytes, xmp: bytes) -> tuple[bytes, int]:
    """The same animation with `xmp` as all that is told of it, and how many pictures it has."""
    head = _table_end(data, 10, 13)
    out, frames = [data[:head]], 0
    if xmp:
        out.append(b"\x21\xff\x0b" + _XMP_GIF + xmp + _GIF_END)
    for kind, block in _gif_blocks(data, head):
        frames += kind == "image"
        if kind != "told":
            out.append(block)
    return b"".join([*out, b"\x3b"]), frames


def _gif_blocks(data: bytes, at: int) -> Iterator[tuple[str, bytes]]:
    """Each block as image, control or told; ValueError when the animation breaks off."""
    while at < len(data) and data[at] != 0x3B:
        start = at
        if data[at] == 0x2C:
            end = _blocks_end(data, _table_end(data, at + 9, at + 10) + 1)
            kind = "image"
        elif data[at] == 0x21:
            end = _blocks_end(data, at + 2)
            loop = data[at + 1] == 0xFF and data[at + 3 : at + 14] in _LOOPS
            kind = "control" if loop or data[at + 1] == 0xF9 else "told"
        else:
            raise ValueError("no block where one must be")
        yield kind, data[start:end]
        at = end
    if at >= len(data):
        raise ValueError("the animation has no end")


def _table_end(data: bytes, flags: int, at: int) -> int:
    """Where the colours that begin at `at` end, if there are any by the byte at `flags`."""
    return at + 3 * (2 << (data[flags] & 7)) if data[flags] & 0x80 else at


def _blocks_end(data: bytes, at: int) -> int:
    while data[at]:
        at += data[at] + 1
    return at + 1
