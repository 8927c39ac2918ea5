"""Pages of a PDF whose words or pictures a machine cannot take."""

import io
from typing import Any

import pypdf
from pypdf.generic import (
    ArrayObject,
    DecodedStreamObject,
    DictionaryObject,
    NameObject,
    NumberObject,
    StreamObject,
)

from blocks.text import project
from documents.reader import read_attachment
from documents.to_blocks import bring_file


def _font(*shapes: str) -> DictionaryObject:
    """A font that names its shapes and does not say which characters they are."""
    font = DictionaryObject(
        {
            NameObject("/Type"): NameObject("/Font"),
            NameObject("/Subtype"): NameObject("/Type1"),
            NameObject("/BaseFont"): NameObject("/Helvetica"),
        }
    )
    if shapes:
        names = ArrayObject([NumberObject(65), *(NameObject(one) for one in shapes)])
        font[NameObject("/Encoding")] = DictionaryObject({NameObject("/Differences"): names})
    return font


def _picture() -> StreamObject:
    """A scan packed in a way that nothing here unpacks."""
    picture = StreamObject()
    picture._data = b"\x00" * 20
    for key, value in (("/Subtype", "/Image"), ("/Filter", "/JBIG2Decode")):
        picture[NameObject(key)] = NameObject(value)
    for key in ("/Width", "/Height", "/BitsPerComponent"):
        picture[NameObject(key)] = NumberObject(1)
    return picture


def _pdf(words: bytes, *shapes: str, pictures: int = 0) -> bytes:
    writer = pypdf.PdfWriter()
    page: Any = writer.add_blank_page(200, 200)
    content = DecodedStreamObject()
    content.set_data(b"BT /F1 12 Tf 20 100 Td (" + words + b") Tj ET")
    drawn = {NameObject(f"/X{at}"): writer._add_object(_picture()) for at in range(pictures)}
    page[NameObject("/Contents")] = writer._add_object(content)
    page[NameObject("/Resources")] = DictionaryObject(
        {
            NameObject("/Font"): DictionaryObject({NameObject("/F1"): _font(*shapes)}),
            NameObject("/XObject"): DictionaryObject(drawn),
        }
    )
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def test_names_of_shapes_do_not_pass_for_words() -> None:
    content = _pdf(b"ABCD" * 20, "/g18", "/g152", "/g135", "/g148")
    taken = bring_file("a.pdf", content).taken
    assert taken.document.blocks == ()
    assert taken.left_out == ("1 页没有文字层（扫描页），没有带过来：请改用文字版",)
    (look,) = read_attachment("a.pdf", content).faults
    assert "没有文字层" in look.reason


def test_pictures_are_counted_without_being_unpacked() -> None:
    taken = bring_file("a.pdf", _pdf(b"Notice 12345", pictures=2)).taken
    assert project(taken.document).text == "Notice 12345"
    assert taken.left_out[0] == "2 张图片没有带过来：请把图片文件拖进来"
