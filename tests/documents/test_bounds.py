"""Nothing large is built as a tree; what is too large is named, what is whole is still read."""

import io
import tracemalloc
import zipfile
from collections.abc import Mapping

import pytest

from content_sources.list_files import parse_list
from documents import markup
from documents.parts import Fault, Part, Reading
from documents.reader import read_attachment
from documents.sight import Seen, with_seen
from documents.to_blocks import read_file
from knowledge.documents import DocumentError, read_bytes
from staff.refusal import Refused
from tests.documents.raw_word import docx, paragraph, text
from tests.documents.test_whole import _OFD
from tests.gates.office_files import identity, sheet, workbook, zipped

_MANY = "<a/>" * 150_000


def _with(content: bytes, more: Mapping[str, str | bytes]) -> bytes:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        entries: dict[str, str | bytes] = {one: archive.read(one) for one in archive.namelist()}
    return zipped({**entries, **more})


_WORD = docx(paragraph(text("公告如下")))
_SHEET = workbook({"表": sheet([["公告如下"]])})


def _swollen(reading: Reading) -> str:
    [fault] = [one for one in reading.faults if one.rule == "secrecy.attachment-too-long"]
    assert fault.severity == "block"
    return fault.reason


@pytest.mark.parametrize(
    ("name", "content", "part"),
    [
        ("a.docx", _WORD, "word/document.xml"),
        ("a.docx", _WORD, "word/settings.xml"),
        ("a.xlsx", _SHEET, "xl/persons/person1.xml"),
        ("a.ofd", zipped(_OFD), "Doc_0/P/1.xml"),
    ],
)
def test_a_part_too_large_for_a_tree_is_refused_before_one_is_built(
    name: str, content: bytes, part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("documents.parts._MOST_MARKS", 100_000)
    large = _with(content, {part: f"<a>{_MANY}</a>"})
    tracemalloc.start()
    try:
        found = read_attachment(name, large)
        assert tracemalloc.get_traced_memory()[1] < 9_000_000  # its tree takes 14
    finally:
        tracemalloc.stop()
    assert part in _swollen(found)
    if name != "a.xlsx":
        assert isinstance(read_file(name, large), str) or part != "word/document.xml"
        with pytest.raises(DocumentError):
            read_bytes(name, large)


def test_many_parts_are_bounded_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("documents.parts._MOST_TREES", 60_000)
    monkeypatch.setattr("documents.parts._MOST_STREAMED", 60_000)
    for folder in ("word/charts/chart", "word/any"):
        parts = {f"{folder}{at}.xml": "<a>" + "<a/>" * 12_000 + "</a>" for at in range(4)}
        assert not read_attachment("a.docx", _with(_WORD, parts)).faults
        parts[f"{folder}9.xml"] = parts[f"{folder}0.xml"]
        assert f"{folder}9.xml" in _swollen(read_attachment("a.docx", _with(_WORD, parts)))


def test_a_sheet_of_empty_cells_is_walked_through() -> None:
    cells = "".join(f'<c r="A{at}" s="5"/>' for at in range(3_000))
    row = f'<row r="1">{cells}<c r="C1"/><c t="inlineStr"><is><t>公告</t></is></c></row>'
    empty = f"<worksheet><sheetData>{row}</sheetData></worksheet>"
    found = read_attachment("a.xlsx", _with(_SHEET, {"xl/worksheets/sheet1.xml": empty}))
    assert [(one.place, one.text) for one in found.parts] == [("工作表 表 D1", "公告")]


def test_a_page_of_more_tags_than_people_write_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("documents.markup._MOST_TAGS", 1_000)
    for count, fits in ((900, True), (1_100, False)):
        page = ("<html><body><p>公告如下</p>" + "<br>" * count + "</body></html>").encode()
        faults = read_attachment("a.html", page).faults
        assert [one.severity for one in faults] == ([] if fits else ["block"])
        assert isinstance(read_file("a.html", page), str) is not fits
        if not fits:
            with pytest.raises(DocumentError, match="异常地大"):
                read_bytes("a.html", page)
            with pytest.raises(Refused, match="打不开"):
                parse_list("a.html", page)


def test_a_list_in_a_swollen_file_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("content_sources.list_files.MOST_MARKS", 1_000)
    many = {"word/any.xml": "<a>" + "<a/>" * 1_100 + "</a>"}
    with pytest.raises(Refused, match="打不开"):
        parse_list("a.docx", _with(_WORD, many))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_no_document_type_gets_to_the_reader(encoding: str) -> None:
    bomb = f'<?xml version="1.0" encoding="{encoding}"?><!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'
    for take in (markup.tree, markup.root, lambda one: [*markup.ended(one)]):
        with pytest.raises(ValueError, match="DTD"):
            take(bomb.encode(encoding))


def test_what_nobody_asked_for_is_read_in_words_and_attributes() -> None:
    number = identity(1950)
    split = f"<w:p><w:r><w:t>{number[:7]}</w:t></w:r><w:r><w:t>{number[7:]}</w:t></w:r></w:p>"
    name = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
    parts = {
        "word/any.xml": f"<w:x {name}>{split}</w:x>",
        "word/other.xml": f'<x who="{number}"/>',
    }
    found = read_attachment("a.docx", _with(_WORD, parts))
    assert [one.text for one in found.parts[1:]] == [number, number]


def test_words_that_look_like_a_relationship_are_words() -> None:
    said = '写作 &lt;a r:id="rId9" 即可，也可 r:embed="x"'
    assert not read_attachment("a.docx", docx(paragraph(text(said)))).faults
    rel = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    body = (
        f'<w:p><w:hyperlink xmlns:q="{rel}" q:id="r7"><w:r><w:t>见</w:t></w:r></w:hyperlink></w:p>'
    )
    [lost] = read_attachment("a.docx", docx(body)).faults
    assert "找不到" in lost.reason


def test_words_that_look_like_a_place_of_an_ofd_are_words() -> None:
    page = _OFD["Doc_0/P/1.xml"].replace("公告如下", '写 BaseLoc="x.xml" 即可')
    faults = read_attachment("a.ofd", zipped({**_OFD, "Doc_0/P/1.xml": page})).faults
    assert [one.rule for one in faults] == ["secrecy.attachment-comment"]


def test_pictures_are_named_wherever_they_lie_and_drawings_apart() -> None:
    for name in ("word/Media/a.PNG", "media/b.jpeg", "word/pics/c.Tiff", "customXml/d.webp"):
        [fault] = read_attachment("a.docx", _with(_WORD, {name: b"x"})).faults
        assert "含 1 张图片" in fault.reason, name
    svg = f"<svg xmlns='http://www.w3.org/2000/svg'><text>{identity(1950)}</text></svg>"
    drawn: dict[str, str | bytes] = {
        "word/media/a.EMF": b"x",
        "word/media/b.svg": svg,
        "docProps/thumbnail.emf": b"x",
    }
    found = read_attachment("a.docx", _with(_WORD, drawn))
    assert "含 2 张矢量图" in found.faults[0].reason
    assert identity(1950) in found.parts[-1].text
    assert with_seen(found, Seen(pictures=1)).faults[0].severity != "hint"


def test_only_what_pictures_show_is_told_by_eyes() -> None:
    def told(reason: str) -> str:
        fault = Fault("secrecy.attachment-look", "warn", reason)
        [found] = with_seen(Reading((Part("第 1 页", "公告"),), (fault,)), Seen(pictures=1)).faults
        return found.severity

    assert told("含 1 张图片，机器读不出图中文字，需要人工看") == "hint"
    assert told("第 1 页有批注、链接或表单域读不全（可能损坏），需要人工打开核对") == "warn"


def test_how_a_long_list_looks_is_left_out_before_it_is_too_large(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looks = (
        '<w:rFonts w:ascii="仿宋"/><w:color w:val="000000"/><w:sz w:val="21"/><w:lang w:val="a"/>'
    )
    cell = f"<w:tc><w:tcPr><w:tcW w:w='9'/></w:tcPr><w:p><w:pPr><w:rPr>{looks}</w:rPr></w:pPr>"
    cells = "".join(
        f"{cell}<w:r><w:rPr>{looks}</w:rPr><w:t>{words}</w:t></w:r></w:p></w:tc>"
        for words in ("张三", identity(1950))
    )
    content = docx(f"<w:tbl><w:tr>{cells}</w:tr></w:tbl>")
    plain = [one.text for one in read_attachment("a.docx", content).parts]
    monkeypatch.setattr("documents.parts._MOST_MARKS", 50)
    found = read_attachment("a.docx", content)
    assert not found.faults
    assert [one.text for one in found.parts] == plain == ["张三", identity(1950)]


def test_numbers_are_found_where_there_was_too_much_to_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("documents.parts.MOST_TEXT", 40)
    rows: list[list[str | int]] = [["公告如下，请各单位认真执行。"]] * 3
    found = read_attachment("a.xlsx", workbook({"表": sheet([*rows, [identity(1950)]])}))
    assert [one.severity for one in found.faults] == ["block"]
    listed = ("公告如下，请各单位认真执行。\n" * 3 + identity(1950)).encode("gb18030")
    assert read_attachment("a.csv", listed).parts[-1].text == identity(1950)
    last = found.parts[-1]
    assert (last.place, last.text) == (
        "没有读到的部分（xl/worksheets/sheet1.xml）",
        identity(1950),
    )
