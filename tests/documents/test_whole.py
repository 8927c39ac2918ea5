"""A damaged package says which part is damaged; what can still be read is read."""

import io
import zipfile
from collections.abc import Iterator

import pypdf
import pytest

from documents import parts
from documents.parts import Fault, Reading
from documents.reader import read_attachment
from knowledge.documents import DocumentError, read_bytes
from tests.documents.raw_word import docx, paragraph, point, text
from tests.gates.office_files import document, sheet, workbook, zipped

_OFD = {
    "OFD.xml": "<OFD><DocBody><DocRoot>Doc_0/Document.xml</DocRoot></DocBody></OFD>",
    "Doc_0/Document.xml": '<Document><Pages><Page ID="1" BaseLoc="P/1.xml"/></Pages>'
    "<CommonData><PublicRes>Res.xml</PublicRes></CommonData>"
    "<Annotations>Annots/All.xml</Annotations></Document>",
    "Doc_0/Res.xml": '<Res BaseLoc="Res"/>',
    "Doc_0/P/1.xml": '<Page><TextObject Boundary="10 10 90 9" Size="4"><TextCode X="0" Y="4">'
    "公告如下</TextCode></TextObject></Page>",
    "Doc_0/Annots/All.xml": '<Annotations><Page PageID="1"><FileLoc>One.xml</FileLoc></Page>'
    "</Annotations>",
    "Doc_0/Annots/One.xml": "<PageAnnot><Annot><Remark>再议</Remark></Annot></PageAnnot>",
}
_STORY = "<w:{0} NAMES><w:p><w:r><w:t>内部</w:t></w:r></w:p></w:{0}>"
_FILES = {
    "文.docx": docx(
        paragraph(text("公告如下")) + point("申请", 1),
        {
            "header": _STORY.format("hdr"),
            "comments": "<w:comments NAMES/>",
            "numbering": "<w:numbering NAMES/>",
            "styles": "<w:styles NAMES/>",
        },
    ),
    "表.xlsx": workbook({"表": sheet([["公告如下"]])}),
    "文.ofd": zipped(_OFD),
}
_RUBBISH = {
    "bytes": bytes(range(1, 256)),
    "half": b'<?xml version="1.0"?><w:document><w:body>',
    "other": b"<other><words>1</words></other>",
    "nothing": b"",
}


def _damaged(reading: Reading) -> list[Fault]:
    return [one for one in reading.faults if one.rule == "secrecy.attachment-damaged"]


def _each_part(content: bytes) -> Iterator[tuple[str, dict[str, str | bytes]]]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        entries: dict[str, str | bytes] = {name: archive.read(name) for name in archive.namelist()}
    for name in entries:
        yield name, dict(entries)


@pytest.mark.parametrize("kind", _RUBBISH)
@pytest.mark.parametrize("name", _FILES)
def test_a_part_replaced_by_rubbish_is_named(name: str, kind: str) -> None:
    assert not _damaged(read_attachment(name, _FILES[name]))
    for part, entries in _each_part(_FILES[name]):
        entries[part] = _RUBBISH[kind]
        told = _damaged(read_attachment(name, zipped(entries)))
        assert any(part in one.reason for one in told), (part, told)
        if part == "[Content_Types].xml":
            assert told[0].severity == "block"


@pytest.mark.parametrize("name", _FILES)
def test_a_part_that_is_missing_is_named_where_words_are_lost(name: str) -> None:
    for part, entries in _each_part(_FILES[name]):
        whole = [one.text for one in read_attachment(name, _FILES[name]).parts]
        del entries[part]
        found = read_attachment(name, zipped(entries))
        if [one.text for one in found.parts] != whole:
            assert any(one.severity != "hint" for one in found.faults), part


def test_a_whole_document_of_an_office_program_is_not_damaged() -> None:
    assert not _damaged(read_attachment("通知.docx", document(["公告如下"], title="通知")))


def test_a_stamped_file_of_another_program_is_not_damaged() -> None:
    spread = {name: xml.replace("><", ">\n  <") for name, xml in _OFD.items()}
    spread["OFD.xml"] = spread["OFD.xml"].replace(
        "</DocRoot>", "</DocRoot><Signatures>/Doc_0/Signs/Signatures.xml</Signatures>"
    )
    signs = '<Signatures>\n <Signature ID="1" BaseLoc="/Doc_0/Signs/S/Signature.xml"/></Signatures>'
    spread["Doc_0/Signs/Signatures.xml"] = signs
    spread["Doc_0/Signs/S/Signature.xml"] = "<Signature><SignedInfo/></Signature>"
    assert not _damaged(read_attachment("文.ofd", zipped(spread)))
    with zipfile.ZipFile(io.BytesIO(_FILES["文.docx"])) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    entries["word/Header0.xml"] = entries.pop("word/header0.xml")  # names have no case
    links = entries["word/_rels/document.xml.rels"]
    entries["word/_rels/document.xml.rels"] = links.replace(b"numbering2", b"%6eumbering2")
    assert not _damaged(read_attachment("文.docx", zipped(entries)))


def test_what_is_not_damaged_is_still_read() -> None:
    for part in ("[Content_Types].xml", "word/header0.xml", "word/styles3.xml", "_rels/.rels"):
        entries = dict(_each_part(_FILES["文.docx"]))[part]
        entries[part] = b"\x00rubbish"
        found = read_attachment("文.docx", zipped(entries))
        assert found.parts[0].text == "公告如下"
        with pytest.raises(DocumentError, match="损坏"):
            read_bytes("文.docx", zipped(entries))


def test_a_reference_that_leads_nowhere_is_told() -> None:
    body = '<w:p><w:hyperlink r:id="r77"><w:r><w:t>见网页</w:t></w:r></w:hyperlink></w:p>'
    (told,) = _damaged(read_attachment("a.docx", docx(body)))
    assert told.severity == "warn"
    assert "word/document.xml" in told.reason


def test_a_text_or_page_that_was_cut_off_says_so() -> None:
    for name, content in (
        ("a.txt", "通知如下，请按时办理".encode()[:-1]),
        ("a.csv", "姓名,村\n张三,东村".encode("gb18030")[:-1]),
        ("a.html", "<html><body><p>公告如下</p><p>第二".encode()),
    ):
        found = read_attachment(name, content)
        assert [one.severity for one in _damaged(found)] == ["warn"]
        assert found.parts
    assert not _damaged(read_attachment("a.html", "<p>公告如下</p>".encode()))
    with pytest.raises(DocumentError, match="没有存全"):
        read_bytes("a.txt", "通知如下，请按时办理".encode()[:-1])


def test_a_pdf_tells_what_its_library_reads_past() -> None:
    writer = pypdf.PdfWriter()
    writer.add_blank_page(100, 100)
    writer.add_metadata({"/Title": "ABCD"})
    out = io.BytesIO()
    writer.write(out)
    whole = out.getvalue()
    assert not _damaged(read_attachment("a.pdf", whole))
    broken = whole.replace(b"/MediaBox [", b"/MediaBox ]", 1)
    assert broken != whole
    assert _damaged(read_attachment("a.pdf", broken))


def test_more_relationships_than_a_document_has_are_no_work(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each is looked at more than once; small files would else cost minutes and gigabytes."""
    monkeypatch.setattr(parts, "_MOST_RELATED", 4_000)
    entries = dict(_each_part(_FILES["文.docx"]))["word/document.xml"]
    entries["word/_rels/x.xml.rels"] = "<Relationships>" + "<a/>" * 900 + "</Relationships>"
    assert not _damaged(read_attachment("文.docx", zipped(entries)))
    entries["word/_rels/x.xml.rels"] = "<Relationships>" + "<a/>" * 1100 + "</Relationships>"
    [fault] = _damaged(read_attachment("文.docx", zipped(entries)))
    assert (fault.severity, "x.xml.rels" in fault.reason) == ("block", True)
    del entries["word/_rels/x.xml.rels"]
    entries |= {f"word/_rels/x{n}.xml.rels": "<a>" + "<a/>" * 900 + "</a>" for n in range(5)}
    assert _damaged(read_attachment("文.docx", zipped(entries)))


def _docx_with(more: dict[str, str | bytes], without: str = "") -> bytes:
    with zipfile.ZipFile(io.BytesIO(_FILES["文.docx"])) as archive:
        entries: dict[str, str | bytes] = {one: archive.read(one) for one in archive.namelist()}
    entries.pop(without, None)
    return zipped({**entries, **more})


def test_what_programs_leave_beside_a_document_stops_nobody() -> None:
    """A Mac's own entries, and data of other programs, are no part of what is read."""
    mac: dict[str, str | bytes] = {"__MACOSX/word/._document.xml": b"\x00\x05\x16\x07"}
    assert not _damaged(read_attachment("文.docx", _docx_with(mac)))
    for content in (b"", b'<?xml version="1.0" encoding="GB2312"?><a>\xb9\xab</a>'):
        [fault] = _damaged(read_attachment("文.docx", _docx_with({"customXml/item2.xml": content})))
        assert (fault.severity, "customXml/item2.xml" in fault.reason) == ("warn", True)


def test_a_picture_does_not_hide_behind_the_case_of_letters() -> None:
    def looks(name: str) -> list[str]:
        found = read_attachment("文.docx", _docx_with({name: b"\x89PNG"}))
        return [one.reason for one in found.faults if "张图片" in one.reason]

    assert looks("word/Media/Image1.PNG") == looks("word/media/image1.png") != []
