"""What Word, WPS, Writer and programs in the browser put into a .docx besides plain paragraphs."""

import io
import zipfile

import pytest

from blocks.text import project
from documents.parts import Unreadable
from documents.reader import read_attachment
from documents.to_blocks import Brought, bring_file
from tests.documents.raw_word import docx, level, paragraph, point, text


def _lines(brought: Brought) -> list[str]:
    return project(brought.taken.document).text.split("\n")


def _brought(body: str, **parts: str) -> Brought:
    return bring_file("通知.docx", docx(body, parts))


def test_the_text_is_found_where_the_relationships_say_it_is() -> None:
    styles = (
        '<w:styles NAMES><w:style w:styleId="b"><w:name w:val="heading 1"/></w:style></w:styles>'
    )
    body = paragraph(text("请准时到场")) + paragraph(text("一、安排"), '<w:pStyle w:val="b"/>')
    content = docx(body, {"styles": styles}, main="document22")
    kinds = [one.kind for one in bring_file("a.docx", content).taken.document.blocks]
    assert kinds == ["paragraph", "heading"]
    said = [part.text.strip() for part in read_attachment("a.docx", content).parts]
    assert said == ["请准时到场", "一、安排"]


def test_an_attachment_without_a_text_is_a_fault_and_not_silence() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
    content = out.getvalue()
    assert {one.rule for one in read_attachment("a.docx", content).faults} == {
        "secrecy.attachment-broken",
        "secrecy.attachment-damaged",  # a bare part is no package
    }
    with pytest.raises(Unreadable, match="没有 Word 正文"):
        bring_file("a.docx", content)


def test_readings_above_characters_stay_with_them() -> None:
    ruby = (
        "<w:r><w:ruby><w:rt><w:r><w:t>miǎn</w:t></w:r></w:rt>"
        "<w:rubyBase><w:r><w:t>沔</w:t></w:r></w:rubyBase></w:ruby></w:r>"
    )
    assert _lines(_brought(paragraph(text("古称") + ruby + text("阳")))) == ["古称沔（miǎn）阳"]


def test_symbols_and_boxes_to_tick_are_characters_and_unknown_ones_are_told() -> None:
    def ticked(state: str) -> str:
        field = f"<w:ffData><w:checkBox>{state}</w:checkBox></w:ffData>"
        return (
            f'<w:r><w:fldChar w:fldCharType="begin">{field}</w:fldChar></w:r>'
            "<w:r><w:instrText>FORMCHECKBOX</w:instrText></w:r>"
            '<w:r><w:fldChar w:fldCharType="end"/></w:r>'
        )

    wingdings = '<w:rFonts w:ascii="Wingdings" w:hAnsi="Wingdings"/>'
    brought = _brought(
        paragraph(ticked('<w:default w:val="0"/><w:checked/>') + text("本市户籍"))
        + paragraph(ticked('<w:default w:val="0"/>') + text("外地户籍"))
        + paragraph('<w:r><w:sym w:font="Wingdings" w:char="F0FE"/></w:r>' + text("已交"))
        + paragraph(text("\uf0a8", wingdings) + text("未交"))
        + paragraph('<w:r><w:sym w:font="Wingdings" w:char="F025"/></w:r>' + text("其他"))
    )
    assert _lines(brought) == ["☑本市户籍", "☐外地户籍", "☑已交", "□未交", "•其他"]
    assert brought.taken.left_out == ("1 个符号字体里的符号换成了“•”，请核对",)


def test_charts_files_inside_and_words_of_the_page_edges_are_told() -> None:
    chart = (
        "<w:r><w:drawing><wp:inline><a:graphic><a:graphicData>"
        '<c:chart r:id="x"/></a:graphicData></a:graphic></wp:inline></w:drawing></w:r>'
    )
    brought = _brought(
        paragraph(text("见图")) + paragraph(chart) + '<w:altChunk r:id="y"/>',
        header=f"<w:hdr NAMES>{paragraph(text('示范区管委会文件'))}</w:hdr>",
        footer=f"<w:ftr NAMES>{paragraph(text('第 1 页 共 3 页'))}</w:ftr>",
    )
    assert _lines(brought) == ["见图"]
    assert brought.taken.left_out == (
        "1 个嵌入的对象（图表、公式、文件）没有带过来：请做成图片或附件",
        "1 处插入的其他文件没有带过来：请在 Word 里打开这个文件，另存后再导入",
        "1 处页眉、页脚的文字没有带过来（“示范区管委会文件”）：需要的请抄到正文",
    )


def test_a_choice_for_newer_programs_is_read_once() -> None:
    body = (
        f"<mc:AlternateContent><mc:Choice>{paragraph(text('新'))}</mc:Choice>"
        f"<mc:Fallback>{paragraph(text('旧'))}</mc:Fallback></mc:AlternateContent>"
    )
    inside = (
        f"<mc:AlternateContent><mc:Choice>{text('甲')}</mc:Choice>"
        f"<mc:Fallback>{text('乙')}</mc:Fallback></mc:AlternateContent>"
    )
    assert _lines(_brought(body + paragraph(inside + text("方案")))) == ["新", "甲方案"]


def test_a_first_letter_over_several_lines_belongs_to_its_paragraph() -> None:
    frame = '<w:framePr w:dropCap="drop" w:lines="2"/>'
    brought = _brought(paragraph(text("春"), frame) + paragraph(text("天的集市开张了")))
    assert _lines(brought) == ["春天的集市开张了"]


def test_a_row_deleted_with_changes_tracked_is_gone_and_told() -> None:
    def row(words: str, properties: str = "") -> str:
        return (
            f"<w:tr><w:trPr>{properties}</w:trPr><w:tc>{paragraph(text(words))}</w:tc>"
            f"<w:tc>{paragraph(text('有'))}</w:tc></w:tr>"
        )

    brought = _brought(f"<w:tbl>{row('东摊')}{row('西摊', '<w:del/>')}</w:tbl>")
    assert _lines(brought) == ["东摊\t有"]
    assert brought.taken.left_out == ("1 处修订删除的文字没有带过来，请核对",)


NUMBERS = (
    "<w:numbering NAMES>"
    '<w:abstractNum w:abstractNumId="1"><w:numStyleLink w:val="公文"/></w:abstractNum>'
    '<w:abstractNum w:abstractNumId="2"><w:styleLink w:val="公文"/>'
    + level(0, "chineseCounting", "第%1章")
    + level(1, "decimal", "%1.%2", "<w:isLgl/>")
    + level(2, "decimal", "附%3、", '<w:lvlRestart w:val="0"/>')
    + "</w:abstractNum>"
    '<w:num w:numId="7"><w:abstractNumId w:val="1"/></w:num>'
    '<w:num w:numId="8"><w:abstractNumId w:val="2"/><w:lvlOverride w:ilvl="0">'
    + level(0, "upperLetter", "%1、")
    + "</w:lvlOverride></w:num></w:numbering>"
)


def test_numbers_of_a_list_style_are_those_a_reader_of_the_paper_sees() -> None:
    body = "".join(
        (
            *(point("总则", 7), point("目的", 7, 1), point("甲", 7, 2)),
            *(point("职责", 7), point("分工", 7, 1), point("乙", 7, 2)),
        )
    )
    assert _lines(_brought(body, numbering=NUMBERS)) == [
        *("第一章 总则", "1.1 目的", "附1、甲", "第二章 职责", "2.1 分工", "附2、乙"),
    ]


def test_a_list_may_write_the_numbers_of_a_level_in_its_own_way() -> None:
    assert _lines(_brought(point("附录", 8) + point("再附", 8), numbering=NUMBERS)) == [
        "A、附录",
        "B、再附",
    ]


def test_a_style_that_names_a_level_alone_counts_in_the_list_of_its_base() -> None:
    styles = (
        '<w:styles NAMES><w:style w:styleId="a"><w:name w:val="章"/><w:pPr><w:numPr>'
        '<w:numId w:val="7"/></w:numPr></w:pPr></w:style>'
        '<w:style w:styleId="b"><w:name w:val="节"/><w:basedOn w:val="a"/><w:pPr><w:numPr>'
        '<w:ilvl w:val="1"/></w:numPr></w:pPr></w:style></w:styles>'
    )
    body = paragraph(text("总则"), '<w:pStyle w:val="a"/>')
    body += paragraph(text("目的"), '<w:pStyle w:val="b"/>')
    assert _lines(_brought(body, numbering=NUMBERS, styles=styles)) == ["第一章 总则", "1.1 目的"]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("加密.docx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "已加密"),
        ("稿.odt", b"PK\x03\x04", "另存为 .docx"),
        ("表.et", b"x", "复制表格"),
        ("稿.pptx", b"PK\x03\x04", "另存为 .pdf"),
    ],
)
def test_a_file_of_another_kind_is_told_what_helps(name: str, content: bytes, words: str) -> None:
    with pytest.raises(Unreadable, match=words):
        bring_file(name, content)


def test_a_saved_page_that_begins_as_xml_is_read() -> None:
    page = (
        '<?xml version="1.0" encoding="GB2312"?><!DOCTYPE html><html '
        'xmlns="http://www.w3.org/1999/xhtml"><head><title>集市</title></head>'
        "<body><h1>一、时间</h1><p>周六上午。</p></body></html>"
    )
    brought = bring_file("a.html", page.encode("gb18030"))
    assert [one.kind for one in brought.taken.document.blocks] == ["heading", "paragraph"]
    assert brought.taken.title == "集市"
    said = [part.text for part in read_attachment("a.html", page.encode("gb18030")).parts]
    assert "周六上午。" in said
