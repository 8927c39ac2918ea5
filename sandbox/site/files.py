"""Pictures and a form, made here: nothing is shipped."""

import io
import struct
import zipfile
import zlib
from collections.abc import Iterable
from html import escape

Rgb = tuple[int, int, int]
Box = tuple[int, int, int, int, Rgb]  # left, top, width, height, colour


def png(width: int, height: int, colours: tuple[Rgb, Rgb], boxes: Iterable[Box]) -> bytes:
    """Boxes on a ground that runs from one colour to the other, made here: nothing is shipped."""
    rows = []
    for line in range(height):
        share = line / height
        ground = (round(a + (b - a) * share) for a, b in zip(*colours, strict=True))
        rows.append(bytearray(bytes(ground) * width))
    for left, top, wide, high, colour in boxes:
        for row in rows[top : top + high]:
            row[left * 3 : (left + wide) * 3] = bytes(colour) * wide

    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"".join(b"\0" + bytes(row) for row in rows))
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    )


def docx(lines: Iterable[str]) -> bytes:
    """A Word file of plain paragraphs: the three parts such a file must have."""
    kinds = "http://schemas.openxmlformats.org/package/2006/content-types"
    links = "http://schemas.openxmlformats.org/package/2006/relationships"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"
    words = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    mime = "application/vnd.openxmlformats-"
    body = "".join(f"<w:p><w:r><w:t>{escape(line)}</w:t></w:r></w:p>" for line in lines)
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{kinds}">'
        f'<Default Extension="rels" ContentType="{mime}package.relationships+xml"/>'
        '<Override PartName="/word/document.xml" '
        f'ContentType="{mime}officedocument.wordprocessingml.document.main+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{links}">'
        f'<Relationship Id="r1" Type="{office}" Target="word/document.xml"/></Relationships>',
        "word/document.xml": f'<w:document xmlns:w="{words}"><w:body>{body}</w:body></w:document>',
    }
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, text in parts.items():
            # A fixed date: a file that changed at each start would look like a changed attachment.
            entry = zipfile.ZipInfo(name, (2026, 11, 23, 9, 0, 0))  # the same bytes each time
            packed.writestr(entry, '<?xml version="1.0" encoding="UTF-8"?>' + text)
    return made.getvalue()


def _hall() -> bytes:
    """A service hall: a row of counters under lamps."""
    boxes: list[Box] = [(0, 300, 640, 100, (203, 213, 224)), (40, 60, 560, 44, (179, 38, 30))]
    for left in range(60, 560, 132):
        boxes += [
            (left, 140, 104, 84, (233, 243, 251)),
            (left + 8, 148, 88, 20, (13, 79, 139)),
            (left - 8, 224, 120, 92, (146, 110, 76)),
            (left + 34, 186, 36, 38, (66, 84, 102)),
            (left + 42, 120, 20, 8, (255, 226, 150)),
        ]
    return png(640, 400, ((236, 242, 247), (214, 225, 235)), boxes)


def _pipes() -> bytes:
    """New water pipes in a trench."""
    boxes: list[Box] = [(0, 250, 640, 150, (139, 105, 71)), (0, 240, 640, 12, (104, 134, 66))]
    for top in (270, 316, 362):
        boxes += [(0, top, 640, 26, (45, 124, 181)), (0, top + 4, 640, 5, (126, 187, 228))]
        boxes += [(left, top - 3, 12, 32, (28, 84, 128)) for left in range(70, 640, 150)]
    return png(640, 400, ((168, 208, 236), (228, 240, 246)), boxes)


def _market() -> bytes:
    """A street of shops with awnings."""
    boxes: list[Box] = [(0, 330, 640, 70, (178, 172, 165))]
    awnings: tuple[Rgb, ...] = ((196, 61, 47), (226, 158, 46), (52, 132, 92), (37, 99, 161))
    for left, colour in zip(range(20, 640, 155), awnings, strict=False):
        boxes += [
            (left, 130, 140, 200, (244, 236, 222)),
            (left + 18, 230, 104, 100, (92, 74, 60)),
            (left + 26, 240, 40, 60, (255, 232, 170)),
            (left + 74, 240, 40, 60, (255, 232, 170)),
            (left - 6, 186, 152, 30, colour),
        ]
    return png(640, 400, ((250, 214, 165), (253, 240, 222)), boxes)


PICTURES = {
    "window.png": ("办事现场", _hall()),
    "pipes.png": ("供水管网施工现场", _pipes()),
    "market.png": ("商业街", _market()),
}
FORM = docx(
    ("高校毕业生就业补贴申请表", "姓名：", "毕业院校：", "毕业时间：", "就业单位：", "申请人签字：")
)
