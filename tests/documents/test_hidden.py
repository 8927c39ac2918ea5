"""What hides in a file is read or named, and a file of which nothing was read is never clean."""

import io
import random
import zipfile
from typing import Any

import pypdf
import pytest
from PIL import Image, PngImagePlugin
from pypdf.generic import (
    ArrayObject,
    DecodedStreamObject,
    DictionaryObject,
    NameObject,
    TextStringObject,
)

from documents.parts import Reading
from documents.reader import read_attachment
from documents.to_blocks import read_file
from knowledge.documents import DocumentError, read_bytes
from tests.documents.raw_word import docx, paragraph, text
from tests.gates.office_files import sheet, workbook, zipped

_REL = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def _texts(reading: Reading) -> set[str]:
    return {part.text.strip() for part in reading.parts}


def _repacked(content: bytes, changed: dict[str, bytes]) -> bytes:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        kept = {name: archive.read(name) for name in archive.namelist()}
    return zipped({**kept, **changed})


def test_word_tells_its_bookmarks_form_fields_and_custom_data() -> None:
    mark = '<w:bookmarkStart w:id="1" w:name="王某低保"/><w:bookmarkStart w:name="_Toc1"/>'
    field = '<w:r><w:fldChar w:fldCharType="begin"><w:ffData><w:textInput><w:default w:val="李某"/>'
    field += "</w:textInput></w:ffData></w:fldChar></w:r>"
    listed = '<w:sdt><w:sdtPr><w:dropDownList><w:listItem w:displayText="张某" w:value="1"/>'
    listed += (
        "</w:dropDownList></w:sdtPr><w:sdtContent><w:r><w:t>选</w:t></w:r></w:sdtContent></w:sdt>"
    )
    content = docx(paragraph(text("公告") + mark + field + listed))
    custom = "<x><name>赵某 13900139000</name></x>".encode()
    found = _texts(read_attachment("a.docx", _repacked(content, {"customXml/item1.xml": custom})))
    assert {"王某低保", "李某", "张某", "赵某 13900139000"} <= found
    assert "_Toc1" not in found


def test_marks_of_a_symbol_font_are_read() -> None:
    box = '<w:r><w:sym w:font="Wingdings" w:char="F0FE"/></w:r>'
    assert "☑同意" in _texts(read_attachment("a.docx", docx(paragraph(box + text("同意")))))


def test_files_inside_a_file_are_read() -> None:
    inner = workbook({"名单": sheet([["手机"], ["13900139000"]])})
    outer = _repacked(docx(paragraph(text("公告"))), {"word/embeddings/表.xlsx": inner})
    found = read_attachment("a.docx", outer)
    assert any("13900139000" in text for text in _texts(found))
    assert any("表.xlsx" in part.place for part in found.parts)
    packed = _repacked(docx(paragraph(text("公告"))), {"word/embeddings/ole1.bin": b"\xd0\xcf"})
    assert "机器没有检查" in read_attachment("a.docx", packed).faults[0].reason


def test_parts_are_found_by_their_relationship() -> None:
    book = workbook({"名单": sheet([["王某"]])}, {"名单": "veryHidden"})
    with zipfile.ZipFile(io.BytesIO(book)) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    moved: dict[str, str | bytes] = {
        "[Content_Types].xml": "<Types/>",
        "_rels/.rels": f'<Relationships><Relationship Id="a" Type="{_REL}/officeDocument" '
        'Target="xl/book9.xml"/></Relationships>',
        "xl/book9.xml": entries["xl/workbook.xml"],
        "xl/_rels/book9.xml.rels": entries["xl/_rels/workbook.xml.rels"].replace(
            b"worksheets/sheet1", b"other/s"
        ),
        "xl/other/s.xml": entries["xl/worksheets/sheet1.xml"],
    }
    found = read_attachment("a.xlsx", zipped(moved))
    assert [part.place for part in found.parts] == ["工作表 名单（深度隐藏） A1"]
    assert [one.rule for one in found.faults] == ["secrecy.attachment-hidden-sheet"]


def test_slides_come_in_their_order_with_notes_and_comments() -> None:
    def slide(words: str) -> str:
        return f'<sld xmlns:a="a"><a:p><a:r><a:t>{words}</a:t></a:r></a:p></sld>'

    def links(*targets: tuple[str, str]) -> str:
        return "<Relationships>" + "".join(
            f'<Relationship Id="r{at}" Type="{_REL}/{kind}" Target="{target}"/>'
            for at, (kind, target) in enumerate(targets)
        ) + "</Relationships>"  # fmt: skip

    shown = f'<p xmlns:r="{_REL}"><sldId r:id="r1"/><sldId r:id="r0"/></p>'
    content = zipped({
        "[Content_Types].xml": "<Types/>", "_rels/.rels": links(),
        "ppt/presentation.xml": shown,
        "ppt/_rels/presentation.xml.rels": links(*(("slide", f"slides/{one}.xml") for one in "xy")),
        "ppt/slides/x.xml": slide("后"), "ppt/slides/y.xml": slide("先"),
        "ppt/slides/_rels/y.xml.rels": links(("notesSlide", "../n.xml"), ("comments", "../c.xml")),
        "ppt/n.xml": slide("备注").replace("sld", "notes"),
        "ppt/c.xml": "<cmLst><text>再议</text></cmLst>",
    })  # fmt: skip
    found = read_attachment("a.pptx", content)
    assert [(part.place, part.text) for part in found.parts] == [
        ("第 1 张幻灯片", "先"), ("第 1 张的备注", "备注"), ("第 1 张的批注", "再议"),
        ("第 2 张幻灯片", "后"),
    ]  # fmt: skip
    assert [one.rule for one in found.faults] == ["secrecy.attachment-comment"]


def test_a_pdf_tells_its_packet_outline_layers_and_files() -> None:
    writer = pypdf.PdfWriter()
    writer.add_blank_page(100, 100)
    writer.add_outline_item(title="王某处理意见", page_number=0)
    writer.add_attachment("名单.txt", "李某13900139000".encode())
    packet = DecodedStreamObject()
    packet.set_data("<x><creator>赵某</creator><CreatorTool>工具</CreatorTool></x>".encode())
    root: Any = writer._root_object
    root[NameObject("/Metadata")] = writer._add_object(packet)
    layer = DictionaryObject({NameObject("/Name"): TextStringObject("底稿")})
    off = DictionaryObject({NameObject("/OFF"): ArrayObject([writer._add_object(layer)])})
    root[NameObject("/OCProperties")] = DictionaryObject({NameObject("/D"): off})
    out = io.BytesIO()
    writer.write(out)
    found = read_attachment("a.pdf", out.getvalue())
    assert {"王某处理意见", "李某13900139000", "赵某"} <= _texts(found)
    assert "工具" not in _texts(found)
    reasons = " ".join(one.reason for one in found.faults)
    assert "底稿" in reasons
    assert "名单.txt" in reasons


def test_a_page_and_a_picture_tell_what_they_do_not_show() -> None:
    page = "<meta name='keywords' content='低保'><p>公告</p><img alt='王某'><input value='李某'>"
    assert {"低保", "王某", "李某"} <= _texts(read_attachment("a.html", page.encode()))
    told, out = PngImagePlugin.PngInfo(), io.BytesIO()
    told.add_text("Comment", "值班室王某")
    Image.new("RGB", (8, 8)).save(out, "PNG", pnginfo=told)
    assert "值班室王某" in _texts(read_attachment("a.png", out.getvalue()))


@pytest.mark.parametrize("name", ["a.docx", "a.html", "a.txt"])
def test_a_file_of_which_nothing_was_read_is_never_clean(name: str) -> None:
    content = docx("") if name == "a.docx" else b"<p></p>" if name == "a.html" else b"\n"
    assert [one.severity for one in read_attachment(name, content).faults] == ["warn"]


def _refused(name: str, content: bytes) -> str:
    try:
        read_bytes(name, content)
    except DocumentError as error:
        return str(error)
    return name


def test_damaged_files_end_in_words() -> None:
    chance = random.Random(1)  # noqa: S311  no secret, the same files every time
    for name, content in (
        ("a.docx", docx(paragraph(text("公告")), {"styles": "<w:styles NAMES/>"})),
        ("a.xlsx", workbook({"名单": sheet([["王某"]])})),
        ("a.html", "<html><body><p>公告</p></body></html>".encode()),
    ):
        for _ in range(12):
            at = chance.randrange(len(content))
            for broken in (content[:at], content[:at] + chance.randbytes(40) + content[at + 40 :]):
                found = read_attachment(name, broken)
                assert found.faults or any(part.text.strip() for part in found.parts)
                read_file(name, broken)
                assert _refused(name, broken).startswith(name)
