"""Pages of a PDF whose words or pictures a machine cannot take."""

import io
from typing import Any

import pypdf
import pytest
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
    assert taken.left_out == ("1 页的文字读出来是乱码，没有带过来：请改用文字版",)
    (look,) = read_attachment("a.pdf", content).faults
    assert "乱码" in look.reason


def _two_tables(*lines: tuple[str, bytes]) -> bytes:
    """A page whose lines are each written by a font in the table named, without ToUnicode."""
    writer = pypdf.PdfWriter()
    page: Any = writer.add_blank_page(400, 400)
    fonts, drawn = DictionaryObject(), b""
    for at, (table, codes) in enumerate(lines, 1):
        below = _object(
            Type="/Font", Subtype="/CIDFontType0", BaseFont="/STSong-Light",
            CIDSystemInfo=DictionaryObject(),
        )  # fmt: skip
        font = _object(
            Type="/Font", Subtype="/Type0", BaseFont="/STSong-Light", Encoding=f"/{table}",
            DescendantFonts=ArrayObject([below]),
        )  # fmt: skip
        fonts[NameObject(f"/F{at}")] = writer._add_object(font)
        drawn += b"BT /F%d 12 Tf 20 %d Td <%s> Tj ET\n" % (at, 380 - 30 * at, codes.hex().encode())
    content = DecodedStreamObject()
    content.set_data(drawn)
    page[NameObject("/Contents")] = writer._add_object(content)
    page[NameObject("/Resources")] = DictionaryObject({NameObject("/Font"): fonts})
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def _object(**entries: Any) -> DictionaryObject:
    return DictionaryObject(
        {
            NameObject(f"/{key}"): NameObject(value) if isinstance(value, str) else value
            for key, value in entries.items()
        }
    )


@pytest.mark.parametrize("table", ["UniGB-UCS2-H", "UniCNS-UCS2-V", "UniJIS-UCS2-HW-H"])
def test_tables_of_ucs2_are_read(table: str) -> None:
    content = _two_tables((table, "县委布署春耕工作".encode("utf-16-be")))
    found = read_attachment("a.pdf", content)
    assert [part.text for part in found.parts] == ["县委布署春耕工作"]
    assert found.faults == ()
    assert project(bring_file("a.pdf", content).taken.document).text == "县委布署春耕工作"


@pytest.mark.parametrize("table", ["KSCms-UHC-H", "GBT-EUC-H"])
def test_the_rest_of_a_page_is_read_where_one_font_is_not(table: str) -> None:
    said = "县委布署春耕工作".encode("utf-16-be")
    content = _two_tables(("UniGB-UTF16-H", said), (table, b"\xb4\xba\xb8\xfb"))
    found = read_attachment("a.pdf", content)
    assert [part.text for part in found.parts] == ["县委布署春耕工作"]
    (look,) = found.faults
    assert look.severity == "warn"
    assert "第 1 页有些文字" in look.reason
    taken = bring_file("a.pdf", content).taken
    assert project(taken.document).text == "县委布署春耕工作"
    assert taken.left_out[0].startswith("1 页有些文字的字体没有说明是什么字")


def test_a_page_in_a_table_that_is_not_read_is_for_a_person() -> None:
    found = read_attachment("a.pdf", _two_tables(("KSCms-UHC-H", b"\xb4\xba\xb8\xfb" * 9)))
    assert found.parts == ()
    assert ["乱码" in one.reason for one in found.faults] == [True]


def test_pictures_are_counted_without_being_unpacked() -> None:
    taken = bring_file("a.pdf", _pdf(b"Notice 12345", pictures=2)).taken
    assert project(taken.document).text == "Notice 12345"
    assert taken.left_out[0] == "2 张图片没有带过来：请把图片文件拖进来"


def test_a_page_of_which_a_character_was_lost_is_said_to_be_read_in_part() -> None:
    words = b"notice of the county on subsidies "
    assert read_attachment("a.pdf", _pdf(words)).faults == ()
    (look,) = read_attachment("a.pdf", _pdf(words + b"A", "/g3C93")).faults
    assert look.reason.startswith("第 1 页有些文字")
