"""OFD files as the standard allows them, not as one program writes them."""

import io
import zipfile

import pytest

from blocks.text import project
from documents.parts import Reading
from documents.reader import read_attachment
from documents.to_blocks import bring_file
from knowledge.documents import read_bytes

_NS = 'xmlns:ofd="http://www.ofdspec.org/2016"'


def _ofd(pages: dict[str, str], document: str = "", **more: str) -> bytes:
    """An OFD of pages by their place, with what else its document and archive hold."""
    listed = "".join(
        f'<ofd:Page ID="{number}" BaseLoc="{place}"/>' for number, place in enumerate(pages, 100)
    )
    files = {
        "OFD.xml": f"<ofd:OFD {_NS}><ofd:DocBody><ofd:DocRoot>/Doc_0/Document.xml</ofd:DocRoot>"
        "</ofd:DocBody></ofd:OFD>",
        "Doc_0/Document.xml": f"<ofd:Document {_NS}><ofd:Pages>{listed}</ofd:Pages>{document}"
        "</ofd:Document>",
        **{f"Doc_0/{place}": _layer(text) for place, text in pages.items()},
        **{f"Doc_0/{name}": text for name, text in more.items()},
    }
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return held.getvalue()


def _layer(text: str) -> str:
    return f"<ofd:Page {_NS}><ofd:Content><ofd:Layer>{text}</ofd:Layer></ofd:Content></ofd:Page>"


def _piece(text: str, x: int = 0, y: int = 0) -> str:
    return (
        f'<ofd:TextObject Boundary="{x} {y} 50 8" Size="5"><ofd:TextCode X="0" Y="6">{text}'
        "</ofd:TextCode></ofd:TextObject>"
    )


def _read(content: bytes) -> Reading:
    return read_attachment("稿.ofd", content)


def _texts(reading: Reading) -> list[tuple[str, str]]:
    return [(part.place, part.text) for part in reading.parts]


def test_a_number_of_single_characters_is_one_number() -> None:
    digits = "".join(_piece(digit, 20 + 3 * at) for at, digit in enumerate("13900139000"))
    assert _texts(_read(_ofd({"P/a.xml": digits}))) == [("第 1 页", "13900139000")]


def test_cells_far_apart_and_the_next_line_stay_apart() -> None:
    text = _piece("姓名", 20, 20) + _piece("电话", 90, 20) + _piece("王某", 20, 40)
    assert _texts(_read(_ofd({"P/a.xml": text}))) == [("第 1 页", "姓名 电话"), ("第 1 页", "王某")]


def test_pages_come_as_the_document_orders_them() -> None:
    pages = {"Pages/Page_9/Content.xml": _piece("先"), "Pages/Page_0/Content.xml": _piece("后")}
    assert _texts(_read(_ofd(pages))) == [("第 1 页", "先"), ("第 2 页", "后")]


def test_a_template_is_read_on_the_page_that_shows_it() -> None:
    document = '<ofd:CommonData><ofd:TemplatePage ID="7" BaseLoc="T/t.xml"/></ofd:CommonData>'
    page = '<ofd:Template TemplateID="7"/>' + _piece("正文")
    more = {"T/t.xml": _layer(_piece("眉题"))}
    found = _read(_ofd({"P/a.xml": page}, document, **more))
    assert ("第 1 页的模板", "眉题") in _texts(found)


@pytest.mark.parametrize("number", ['ID="100"', 'ID="7"', ""])
def test_pages_whose_numbers_collide_or_are_missing_are_all_read(number: str) -> None:
    document = (
        '<ofd:CommonData><ofd:TemplatePage ID="7" BaseLoc="T/t.xml"/></ofd:CommonData>'
        f'<ofd:Pages><ofd:Page {number} BaseLoc="P/b.xml"/>'
        f'<ofd:Page {number} BaseLoc="P/c.xml"/></ofd:Pages>'
    )
    more = {
        "P/b.xml": _layer('<ofd:Template TemplateID="7"/>' + _piece("二")),
        "P/c.xml": _layer(_piece("三")),
        "T/t.xml": _layer(_piece("眉题")),
    }
    assert sorted(_texts(_read(_ofd({"P/a.xml": _piece("一")}, document, **more)))) == [
        ("第 1 页", "一"),
        ("第 2 页", "二"),
        ("第 2 页的模板", "眉题"),
        ("第 3 页", "三"),
    ]


def test_an_annotation_blocks_and_says_whose_it_is() -> None:
    document = "<ofd:Annotations>A/all.xml</ofd:Annotations>"
    more = {
        "A/all.xml": f'<ofd:Annotations {_NS}><ofd:Page PageID="100"><ofd:FileLoc>one.xml'
        "</ofd:FileLoc></ofd:Page></ofd:Annotations>",
        "A/one.xml": f'<ofd:PageAnnot {_NS}><ofd:Annot Creator="李四"><ofd:Remark>再核一下'
        "</ofd:Remark></ofd:Annot></ofd:PageAnnot>",
    }
    found = _read(_ofd({"P/a.xml": _piece("正文")}, document, **more))
    assert ("第 1 页的批注（李四）", "再核一下") in _texts(found)
    assert [(one.rule, one.severity) for one in found.faults] == [
        ("secrecy.attachment-comment", "block")
    ]


def test_what_is_not_read_is_said() -> None:
    picture = _piece("正文") + '<ofd:ImageObject Boundary="0 0 9 9"/>'
    document = '<ofd:Pages><ofd:Page ID="999" BaseLoc="P/gone.xml"/></ofd:Pages>'
    reasons = [one.reason for one in _read(_ofd({"P/a.xml": picture}, document)).faults]
    assert any("第 2 页的内容不在文件里" in reason for reason in reasons)
    assert any("1 张图片" in reason for reason in reasons)
    assert _read(_ofd({})).faults[0].severity == "block"


def test_text_is_read_from_top_to_bottom_whatever_was_drawn_first() -> None:
    later = _piece("落款", 60, 90) + _piece("正文一句。", 20, 40) + _piece("标题", 40, 20)
    found = [text for _, text in _texts(_read(_ofd({"P/a.xml": later})))]
    assert found == ["标题", "正文一句。", "落款"]


def test_steps_from_character_to_character_are_followed() -> None:
    def drawn(text: str, x: int, y: int, steps: str) -> str:
        return (
            f'<ofd:TextObject Boundary="{x} {y} 50 80" Size="5"><ofd:TextCode X="0" Y="6" {steps}>'
            f"{text}</ofd:TextCode></ofd:TextObject>"
        )

    cells = drawn("甲乙", 20, 20, 'DeltaX="40"') + drawn("县政府", 20, 30, 'DeltaX="g 2 5"')
    down = drawn("停水通知", 120, 40, 'DeltaY="g 3 5.5"')
    found = [text for _, text in _texts(_read(_ofd({"P/a.xml": cells + down})))]
    assert found == ["停水通知", "甲 乙", "县政府"]


def test_what_is_not_shown_is_read_and_named() -> None:
    unseen = '<ofd:TextObject Visible="false" Boundary="0 0 9 9" Size="5"><ofd:TextCode>底价'
    unseen += "</ofd:TextCode></ofd:TextObject>"
    found = _read(_ofd({"P/a.xml": _piece("正文") + unseen}))
    assert ("第 1 页里看不见的文字", "底价") in _texts(found)
    assert [one.rule for one in found.faults] == ["secrecy.attachment-hidden"]


def test_an_ofd_comes_in_as_its_pages_show_it() -> None:
    document = '<ofd:CommonData><ofd:TemplatePage ID="7" BaseLoc="T/t.xml"/></ofd:CommonData>'
    page = '<ofd:Template TemplateID="7"/>' + _piece("正文一句。", 20, 40)
    content = _ofd({"P/a.xml": page}, document, **{"T/t.xml": _layer(_piece("县政府文件", 20, 20))})
    brought = bring_file("稿.ofd", content)
    assert project(brought.taken.document).text == "县政府文件\n正文一句。"
    (draft,) = read_bytes("稿.ofd", content)
    assert draft.text == "县政府文件\n正文一句。"
