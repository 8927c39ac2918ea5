"""`shenfa bench extract`: a PDF of two hundred pages, beside the PDF library alone."""

import io
import statistics
from typing import Any

import pypdf
from pypdf.generic import (
    ArrayObject,
    DecodedStreamObject,
    DictionaryObject,
    NameObject,
)

from bench.figures import SENTENCES, Measured, Row, figure, milliseconds
from documents.parts import Notes
from documents.pdf import read_pdf

_LINES, _WIDTH = 28, 28


async def extract(n: int = 5, pages: int = 200) -> list[Row]:
    """Text, annotations and properties of every page, against the text alone."""
    content = _document(pages)

    def bare() -> None:
        for page in pypdf.PdfReader(io.BytesIO(content)).pages:
            page.extract_text()

    def ours() -> None:
        read_pdf(content, Notes())

    ours()
    taken = [(milliseconds(ours, 1)[0], milliseconds(bare, 1)[0]) for _ in range(n)]
    mine, alone = (statistics.median(times) for times in zip(*taken, strict=True))
    figures = Measured(mine, alone, 1.3 * alone)
    row = figure("extract", f"reading a PDF of {pages} pages", "ms", figures, n)
    row["detail"] = {"pages": pages, "bytes": len(content)}
    return [row]


def _document(pages: int) -> bytes:
    writer = pypdf.PdfWriter()
    below = _entries(
        Type="/Font", Subtype="/CIDFontType0", BaseFont="/STSong-Light",
        CIDSystemInfo=DictionaryObject(),
    )  # fmt: skip
    font = _entries(
        Type="/Font", Subtype="/Type0", BaseFont="/STSong-Light", Encoding="/UniGB-UTF16-H",
        DescendantFonts=ArrayObject([below]),
    )  # fmt: skip
    fonts = DictionaryObject({NameObject("/F1"): writer._add_object(font)})
    words = "".join(SENTENCES) * 4
    for number in range(pages):
        page: Any = writer.add_blank_page(595, 842)
        content = DecodedStreamObject()
        content.set_data(_drawn(words[number % 40 :]))
        page[NameObject("/Contents")] = writer._add_object(content)
        page[NameObject("/Resources")] = _entries(Font=fonts)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def _drawn(words: str) -> bytes:
    lines = (words[at * _WIDTH : (at + 1) * _WIDTH] for at in range(_LINES))
    shown = [
        f"1 0 0 1 80 {760 - 26 * at} Tm <{line.encode('utf-16-be').hex()}> Tj"
        for at, line in enumerate(lines)
    ]
    return ("BT /F1 16 Tf " + "\n".join(shown) + " ET").encode()


def _entries(**entries: Any) -> DictionaryObject:
    return DictionaryObject(
        {
            NameObject(f"/{key}"): NameObject(value) if isinstance(value, str) else value
            for key, value in entries.items()
        }
    )
