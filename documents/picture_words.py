"""The pictures of a file and their words in rows; the engine that reads one is given.

Nothing here needs the engine to be installed.
"""

import io
import warnings
from collections.abc import Callable, Iterator
from pathlib import PurePath
from typing import Any

import pypdf
from PIL import Image

from documents.office import is_drawing, is_picture
from documents.parts import Archive, Unreadable
from documents.pdf import PDF_ERRORS
from documents.pictures import DAMAGED, FORMATS, MOST_PIXELS
from documents.sight import ZIPPED
from documents.sniff import kind_of

Engine = Callable[[bytes], Any]
"""A picture in, its lines out: corners, text and how sure it is, and how long it took."""

_MOST_PICTURES = 40
_LEAST = 60  # pixels: what is smaller is a mark or a line
_SIDE = 1600  # pixels of one look; a longer picture is read piece by piece
_OVERLAP = 90
_SURE = 0.5
_PICTURES = ("png", "jpeg", "gif", "webp")


def words_in(engine: Engine, name: str, content: bytes) -> dict[str, Any]:
    """All that is read in a picture or in the pictures of a file, as plain data."""
    rows: list[tuple[str, list[tuple[Any, ...]]]] = []
    count, failed = 0, 0
    try:
        for place, picture in _pictures(name, content):
            if picture is None or count >= _MOST_PICTURES:
                failed += 1
                continue
            count += 1
            try:
                read = enumerate(_rows(engine, picture), 1)
                rows += [(f"{place}第 {at} 行", row) for at, row in read]
            except (*DAMAGED, RuntimeError):
                failed += 1
    except (*PDF_ERRORS, *DAMAGED, Unreadable):
        failed += 1
    unread = f"有 {failed} 张图没有读" if failed else ""
    return {"rows": rows, "pictures": count, "unread": unread}


def _pictures(name: str, content: bytes) -> Iterator[tuple[str, Any]]:
    suffix = PurePath(name).suffix.lower()
    if suffix == ".pdf":
        yield from _of_pages(content)
    elif suffix in ZIPPED:
        archive = Archive(content)
        number = 0
        for entry in archive.names:
            if entry.endswith((".xml", ".rels")) or is_drawing(entry):
                continue
            held = archive.bytes(entry)
            if not (is_picture(entry) or kind_of(held) in _PICTURES):
                continue
            try:
                picture = _opened(held)
            except (*DAMAGED, ValueError):
                yield "", None  # the others are read all the same
                continue
            if picture is not None:
                number += 1
                yield f"图 {number} ", picture
    elif (picture := _opened(content)) is not None:
        yield "图中", picture


def _of_pages(content: bytes) -> Iterator[tuple[str, Any]]:
    reader = pypdf.PdfReader(io.BytesIO(content))
    if reader.is_encrypted:
        reader.decrypt("")
    for number, page in enumerate(reader.pages, 1):
        for held in page.images:
            picture = held.image
            if picture is not None and min(picture.size) >= _LEAST:
                turned = -int(page.get("/Rotate") or 0) % 360
                shown = picture.rotate(turned, expand=True) if turned else picture
                yield f"第 {number} 页的图", shown


def _opened(content: bytes) -> Any:
    """The picture when it is large enough to hold words; None for a mark or a line."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        picture = Image.open(io.BytesIO(content), formats=FORMATS)
        if picture.width * picture.height > MOST_PIXELS:
            raise ValueError("too many pixels")
        return picture if min(picture.size) >= _LEAST else None


def _rows(engine: Engine, picture: Any) -> list[list[tuple[Any, ...]]]:
    """The words of a picture in rows from the top, each with its box as parts of its width."""
    plain = picture.convert("RGB")
    width, height = plain.size
    short = min(width, height)
    if short > _SIDE:
        plain = plain.resize((width * _SIDE // short, height * _SIDE // short))
    found: list[tuple[str, float, float, float, float]] = []
    for left, top, piece in _tiles(plain):
        out = io.BytesIO()
        piece.save(out, "PNG", compress_level=1)
        read, _ = engine(out.getvalue())
        for corners, text, sure in read or ():
            if float(sure) < _SURE:
                continue
            across = [left + float(x) for x, _ in corners]
            down = [top + float(y) for _, y in corners]
            box = (text, min(across), min(down), max(across), max(down))
            if not any(_same(box, other) for other in found[-60:]):
                found.append(box)
    return [
        [(text, *(one / plain.width for one in (x0, y0, x1, y1))) for text, x0, y0, x1, y1 in row]
        for row in _in_rows(found)
    ]


def _tiles(picture: Any) -> Iterator[tuple[int, int, Any]]:
    width, height = picture.size
    for top in range(0, max(height - _OVERLAP, 1), _SIDE):
        for left in range(0, max(width - _OVERLAP, 1), _SIDE):
            right, bottom = min(left + _SIDE + _OVERLAP, width), min(top + _SIDE + _OVERLAP, height)
            yield left, top, picture.crop((left, top, right, bottom))


def _same(one: tuple[Any, ...], other: tuple[Any, ...]) -> bool:
    """Whether two boxes are the same words, read in two pieces of the picture."""
    tall = one[4] - one[2]
    return bool(
        one[0] == other[0] and abs(one[1] - other[1]) < tall and abs(one[2] - other[2]) < tall
    )


def _in_rows(found: list[Any]) -> Iterator[list[Any]]:
    row: list[Any] = []
    for one in sorted(found, key=lambda box: box[2] + box[4]):
        if row and (one[2] + one[4]) / 2 > (row[0][2] + row[0][4]) / 2 + (one[4] - one[2]) * 0.6:
            yield sorted(row, key=lambda box: box[1])
            row = []
        row.append(one)
    if row:
        yield sorted(row, key=lambda box: box[1])
