"""An ID number in every place where programs of offices keep words: it is read, or told."""

import io
import zipfile
from collections.abc import Iterator

import pytest
from stdnum.cn import ric

from documents.reader import read_attachment
from tests.documents.raw_word import docx, paragraph, text
from tests.documents.test_whole import _OFD
from tests.gates.office_files import sheet, workbook, zipped

_A = 'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"'
_TEXT = "<a:p><a:r><a:t>{}</a:t></a:r></a:p>"
_BOX = "<w:txbxContent><w:p><w:r><w:t>{}</w:t></w:r></w:p></w:txbxContent>"
_CHOICE = '<mc:Choice Requires="wps"><w:drawing/></mc:Choice>'
# What stands in a paragraph of Word.
_IN_WORD = {
    "box of old programs": f"<w:r><mc:AlternateContent>{_CHOICE}<mc:Fallback><w:pict>{_BOX}"
    "</w:pict></mc:Fallback></mc:AlternateContent></w:r>",
    "art": '<w:r><w:pict><textpath string="{}"/></w:pict></w:r>',
    "field": '<w:fldSimple w:instr=" XE &quot;{}&quot; "/>',
    "tip of a link": '<w:hyperlink w:anchor="x" w:tooltip="{}"/>',
    "name of a picture": '<w:r><w:drawing><wp:docPr id="1" name="{}.jpg"/></w:drawing></w:r>',
    "own mark": '<w:customXml><w:customXmlPr><w:attr w:val="{}"/></w:customXmlPr></w:customXml>',
    "day of a control": '<w:sdt><w:sdtPr><w:date w:fullDate="{}"/></w:sdtPr></w:sdt>',
    "remark in the source": "<!-- {} -->",
    "cut by runs": "<w:r><w:t>{0:.9}</w:t></w:r><w:r><w:t>{0}</w:t></w:r>",
}
# What stands in a part of its own, by the name of the entry.
_PARTS = {
    "a.docx": {
        "word/afchunk.txt": "{}",
        "word/afchunk.docx": "a document",
        "word/settings.xml": '<s><mailMerge><query val="SELECT {}"/></mailMerge></s>',
        "word/styles.xml": '<s><style><name val="{}"/></style></s>',
        "word/charts/chartEx1.xml": "<c><pt>{}</pt></c>",
        "word/vmlDrawing1.vml": "<xml><div>{}</div></xml>",
        "docProps/app.xml": "<Properties><HyperlinkBase>{}</HyperlinkBase></Properties>",
        "docProps/core.xml": "<coreProperties><identifier>{}</identifier></coreProperties>",
        "customXml/Item1.XML": "<x>{}</x>",
        "customXml/some.json": '{{"a": "{}"}}',
        "read me.dat": "{}",
    },
    "a.xlsx": {
        "xl/sharedStrings.xml": "<sst><si><t>{}</t></si></sst>",
        "xl/styles.xml": '<styleSheet><numFmt formatCode="{}"/></styleSheet>',
        "xl/connections.xml": '<connections><connection name="{}"/></connections>',
        "xl/activeX/activeX1.xml": '<ocx value="{}"/>',
        "xl/printerSettings/one.bin": "wide",
        "xl/externalLinks/_rels/externalLink1.xml.rels": '<Relationships><Relationship Id="r1" '
        'Type="x" Target="file:///D:/{}.xlsx" TargetMode="External"/></Relationships>',
        "xl/pivotCache/pivotCacheDefinition1.xml": '<pivotCacheDefinition><n v="{}"/>'
        "</pivotCacheDefinition>",
    },
    "a.pptx": {
        "ppt/slideMasters/slideMaster1.xml": f"<m {_A}><sp>{_TEXT}</sp></m>",
        "ppt/slideLayouts/slideLayout1.xml": f"<m {_A}><sp>{_TEXT}</sp></m>",
        "ppt/notesMasters/notesMaster1.xml": f"<m {_A}><sp>{_TEXT}</sp></m>",
        "ppt/diagrams/drawing1.xml": f"<m {_A}>{_TEXT}</m>",
        "ppt/tags/tag1.xml": '<tagLst><tag val="{}"/></tagLst>',
        "ppt/commentAuthors.xml": '<cmAuthorLst><cmAuthor name="{}"/></cmAuthorLst>',
    },
}
# What stands in a sheet, beside its cells.
_IN_SHEET = {
    "list of now": "<extLst><dataValidation><formula1><f>&quot;{}&quot;</f></formula1>"
    "</dataValidation></extLst>",
    "foot": "<headerFooter><evenFooter>&amp;L{}</evenFooter></headerFooter>",
    "link": '<hyperlinks><hyperlink ref="A1" display="{}"/></hyperlinks>',
    "filter": '<autoFilter><filters><filter val="{}"/></filters></autoFilter>',
    "plan": '<scenarios><scenario name="s" comment="{}"/></scenarios>',
    "format": '<conditionalFormatting><formula>"{}"</formula></conditionalFormatting>',
}


def _number(at: int) -> str:
    body = f"11010519491231{at:03}"
    return body + ric.calc_check_digit(body + "0")


def _with(content: bytes, name: str, part: str | bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        entries: dict[str, str | bytes] = {one: archive.read(one) for one in archive.namelist()}
    return zipped({**entries, name: part})


def _slides() -> bytes:
    return zipped({"[Content_Types].xml": "<Types/>", "_rels/.rels": "<Relationships/>",
                   "ppt/presentation.xml": "<presentation/>",
                   "ppt/slides/slide1.xml": f"<sld {_A}>{_TEXT.format('公告')}</sld>"})  # fmt: skip


def _planted() -> Iterator[tuple[str, str, bytes, str]]:
    """What the place is, the name of a file, the file, and the number in it."""
    empty = {"a.docx": docx(paragraph(text("公告"))), "a.pptx": _slides(),
             "a.xlsx": workbook({"表": sheet([["公告"]])})}  # fmt: skip
    numbers = iter(range(2, 999))
    for place, inside in _IN_WORD.items():
        number = _number(next(numbers))
        yield place, "a.docx", docx(paragraph(text("公告") + inside.format(number))), number
    for place, inside in _IN_SHEET.items():
        number = _number(next(numbers))
        rows = sheet([["公告"]]).replace("</worksheet>", inside.format(number) + "</worksheet>")
        yield place, "a.xlsx", workbook({"表": rows}), number
    for name, parts in _PARTS.items():
        for entry, inside in parts.items():
            number = _number(next(numbers))
            part: str | bytes = inside.format(number)
            if inside == "a document":
                part = docx(paragraph(text(number)))
            elif inside == "wide":
                part = b"\x01" + number.encode("utf-16-le")
            yield entry, name, _with(empty[name], entry, part), number


def test_a_number_is_read_wherever_a_program_keeps_words() -> None:
    lost = []
    for place, name, content, number in _planted():
        if not any(number in part.text for part in read_attachment(name, content).parts):
            lost.append(place)
    assert not lost


def test_a_measure_or_a_code_is_no_number_of_a_person() -> None:
    said = "0.13900139000 a13900139000b 1390013900012"
    content = _with(docx(paragraph(text("公告"))), "word/settings.xml", f'<s><a val="{said}"/></s>')
    assert [part.text for part in read_attachment("a.docx", content).parts] == ["公告"]


def test_a_number_in_the_source_of_a_page_or_a_pdf_is_read() -> None:
    number = _number(7)
    for inside in (
        f"<script>var who = {{id: '{number}'}}</script>",
        f"<div data-id='{number}'></div>",
        f"<div class='share' style='display:none'>{number}</div>",
        f"<input type='hidden' value='{number}'><!-- {number} -->",
    ):
        found = read_attachment("a.html", f"<body><p>公告</p>{inside}</body>".encode())
        assert any(number in part.text for part in found.parts), inside
    cut = b"%PDF-1.4\n1 0 obj\n<</Annots[(" + number.encode("utf-16-be") + b")]"
    found = read_attachment("a.pdf", cut)
    assert [part.text for part in found.parts] == [number]
    assert found.faults[0].severity == "block"


@pytest.mark.parametrize("name", ["word/Document.xml", "Word/DOCUMENT.xml"])
def test_a_text_is_found_whatever_the_case_of_its_name(name: str) -> None:
    content = docx(paragraph(text("公告如下")))
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        entries: dict[str, str | bytes] = {one: archive.read(one) for one in archive.namelist()}
    entries[name] = entries.pop("word/document.xml")
    assert read_attachment("a.docx", zipped(entries)).parts[0].text == "公告如下"


def test_every_part_of_an_ofd_is_found_whatever_the_case_of_its_name() -> None:
    for part in _OFD:
        renamed = {(key.upper() if key == part else key): value for key, value in _OFD.items()}
        if part == "OFD.xml":
            continue  # what the file begins with has one name
        whole = {one.text for one in read_attachment("a.ofd", zipped(_OFD)).parts}
        assert {one.text for one in read_attachment("a.ofd", zipped(renamed)).parts} == whole, part


_MARK = "机密★1年"
_SAID = {  # words in entries of their own
    "a.docx": {
        "word/styles.xml": f'<styles><style customStyle="1"><name val="{_MARK}"/></style></styles>',
        "docProps/core.xml": f"<coreProperties><contentStatus>{_MARK}</contentStatus>"
        "</coreProperties>",
    },
    "a.xlsx": {
        "xl/styles.xml": f'<styleSheet><numFmt formatCode="{_MARK}0"/></styleSheet>',
        "xl/sharedStrings.xml": "<sst/>",
    },
    "a.pptx": {
        "ppt/presentation.xml": f'<presentation><section name="{_MARK}"/></presentation>',
        "ppt/slides/slide1.xml": f'<sld {_A}><cNvPr name="{_MARK}"/></sld>',
    },
}


def test_words_are_read_in_names_formats_captions_and_style_sheets() -> None:
    empty = {"a.docx": docx(paragraph(text("公告"))), "a.pptx": _slides(),
             "a.xlsx": workbook({_MARK: sheet([["公告"]])})}  # fmt: skip
    planted = [
        (name, _with(empty[name], entry, part))
        for name, parts in _SAID.items()
        for entry, part in parts.items()
    ]
    for inside in (
        f"<table><caption>{_MARK}</caption><tr><td>公告</table>",
        f"<style>p::after {{content: '{_MARK}'}}</style>",
        f"<input type='button' value='{_MARK}'>",
        f"<details><summary>公告</summary>{_MARK}</details>",
    ):
        planted.append(("a.html", f"<p>公告</p>{inside}".encode()))
    lost = [
        at
        for at, (name, content) in enumerate(planted)
        if not any(_MARK in part.text for part in read_attachment(name, content).parts)
    ]
    assert not lost
