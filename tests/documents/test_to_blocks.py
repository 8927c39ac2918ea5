"""A .docx as Word and WPS write it, a PDF, plain text and what cannot be read."""

import io
import zipfile
from collections.abc import Callable
from typing import Any

import docx
import pytest
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls
from PIL import Image

from blocks.text import project
from documents.parts import Unreadable
from documents.to_blocks import bring_file
from storage.media import marker

NUMBERING = """<w:numbering {ns}><w:abstractNum w:abstractNumId="7">
<w:lvl w:ilvl="0"><w:start w:val="1"/>
<w:numFmt w:val="chineseCountingThousand"/><w:lvlText w:val="%1、"/></w:lvl>
<w:lvl w:ilvl="1"><w:start w:val="1"/>
<w:numFmt w:val="chineseCountingThousand"/><w:lvlText w:val="（%2）"/></w:lvl>
<w:lvl w:ilvl="2"><w:start w:val="1"/>
<w:numFmt w:val="decimal"/><w:lvlText w:val="%3."/></w:lvl>
<w:lvl w:ilvl="3"><w:start w:val="1"/>
<w:numFmt w:val="bullet"/><w:lvlText w:val="·"/></w:lvl>
</w:abstractNum>
<w:num w:numId="5"><w:abstractNumId w:val="7"/></w:num>
<w:num w:numId="6"><w:abstractNumId w:val="7"/>
<w:lvlOverride w:ilvl="2"><w:startOverride w:val="4"/></w:lvlOverride></w:num>
</w:numbering>"""


def _png() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (4, 3), "red").save(out, "PNG")
    return out.getvalue()


def _saved(file: Any) -> bytes:
    out = io.BytesIO()
    file.save(out)
    return out.getvalue()


def _with(change: Callable[[Any], None]) -> Any:
    file = docx.Document()
    change(file)
    return bring_file("通知.docx", _saved(file))


def _point(file: Any, text: str, level: int, key: int = 5) -> None:
    paragraph = file.add_paragraph(text)
    paragraph._p.get_or_add_pPr().append(
        parse_xml(
            f'<w:numPr {nsdecls("w")}><w:ilvl w:val="{level}"/><w:numId w:val="{key}"/></w:numPr>'
        )
    )


def _body(file: Any, xml: str) -> None:
    file.element.body.insert(-1, parse_xml(xml.replace("<w:p>", f"<w:p {nsdecls('w')}>", 1)))


def _lines(brought: Any) -> list[str]:
    return project(brought.taken.document).text.split("\n")


def test_title_headings_bold_links_and_line_breaks_come_along() -> None:
    def write(file: Any) -> None:
        file.add_paragraph("关于举办招聘会的通知", style="Title")
        file.add_heading("一、时间", 1)
        file.add_heading("（一）上午", 2)
        paragraph = file.add_paragraph("　　请于")
        paragraph.add_run("周六").bold = True
        paragraph.add_run("到场").add_break()
        key = file.part.relate_to(
            "https://www.example.gov.cn/",
            RELATIONSHIP_TYPE.HYPERLINK,
            is_external=True,
        )
        link = parse_xml(
            f'<w:hyperlink {nsdecls("w", "r")} r:id="{key}"><w:r><w:t>报名</w:t></w:r>'
            "</w:hyperlink>"
        )
        paragraph._p.append(link)
        outline = file.add_paragraph("二、地点")
        outline._p.get_or_add_pPr().append(parse_xml(f'<w:outlineLvl {nsdecls("w")} w:val="0"/>'))

    brought = _with(write)
    assert brought.taken.title == "关于举办招聘会的通知"
    data = brought.taken.document.data()
    assert [(one["kind"], one.get("level")) for one in data] == [
        ("heading", 1),
        ("heading", 2),
        ("paragraph", None),
        ("heading", 1),
    ]
    assert data[2]["runs"] == [
        {"text": "请于", "bold": False, "link": ""},
        {"text": "周六", "bold": True, "link": ""},
        {"text": "到场\n", "bold": False, "link": ""},
        {"text": "报名", "bold": False, "link": "https://www.example.gov.cn/"},
    ]
    assert brought.taken.left_out == ()


def test_automatic_numbers_are_counted_as_word_counts_them() -> None:
    def write(file: Any) -> None:
        root = file.part.numbering_part.element
        for one in list(root):
            root.remove(one)
        for one in list(parse_xml(NUMBERING.format(ns=nsdecls("w")))):
            root.append(one)
        _point(file, "总则", 0)
        _point(file, "目的", 1)
        _point(file, "第一项", 2)
        _point(file, "细项", 3)
        _point(file, "第二项", 2)
        _point(file, "范围", 1)
        _point(file, "又一项", 2)
        _point(file, "附则", 0)
        _point(file, "从四起", 2, key=6)

    brought = _with(write)
    assert _lines(brought) == [
        *("一、总则", "（一）目的", "1. 第一项", "• 细项", "2. 第二项", "（二）范围"),
        *("1. 又一项", "二、附则", "4. 从四起"),
    ]
    kinds = [one.kind for one in brought.taken.document.blocks]
    assert kinds.count("list") == 3


def test_merged_fields_a_head_and_a_picture_in_its_place_come_along() -> None:
    def write(file: Any) -> None:
        file.add_paragraph("上文")
        file.add_picture(io.BytesIO(_png()))
        file.paragraphs[-1]._p.xpath(".//wp:docPr")[0].set("descr", "会场")
        file.add_paragraph("图1 现场", style="Caption")
        table = file.add_table(3, 3)
        table.rows[0]._tr.get_or_add_trPr().append(parse_xml(f"<w:tblHeader {nsdecls('w')}/>"))
        table.cell(0, 0).merge(table.cell(0, 1)).text = "日期"
        table.cell(0, 2).text = "地点"
        table.cell(1, 0).merge(table.cell(2, 0)).text = "周六"
        table.cell(1, 1).text = "上午"
        table.cell(2, 1).text = "下午"

    brought = _with(write)
    data = brought.taken.document.data()
    assert [one["kind"] for one in data] == ["paragraph", "picture", "table"]
    assert (data[1]["media"], data[1]["alt"], data[1]["caption"]) == (
        marker(_png()),
        "会场",
        "图1 现场",
    )
    assert brought.pictures == {marker(_png()): _png()}
    first, second, third = (row["cells"] for row in data[2]["rows"])
    assert (first[0]["colspan"], first[0]["head"], first[0]["runs"][0]["text"]) == (2, True, "日期")
    assert (second[0]["rowspan"], second[0]["head"]) == (2, False)
    assert [cell["runs"][0]["text"] for cell in third if cell["runs"]] == ["下午"]


def test_tracked_changes_hidden_words_and_boxes_are_told() -> None:
    def write(file: Any) -> None:
        _body(
            file,
            "<w:p><w:r><w:t>免费</w:t></w:r>"
            '<w:ins w:id="1" w:author="甲"><w:r><w:t>开放</w:t></w:r></w:ins>'
            '<w:del w:id="2" w:author="甲"><w:r><w:delText>收费</w:delText></w:r></w:del>'
            "<w:r><w:rPr><w:vanish/></w:rPr><w:t>暗语</w:t></w:r>"
            "<w:sdt><w:sdtContent><w:r><w:t>（控件）</w:t></w:r></w:sdtContent></w:sdt></w:p>",
        )
        _body(
            file,
            "<w:p><w:r><w:t>旁边</w:t></w:r>"
            '<w:r><w:pict xmlns:v="urn:schemas-microsoft-com:vml"><v:shape>'
            "<v:textbox><w:txbxContent><w:p><w:r><w:t>框里的话</w:t></w:r></w:p></w:txbxContent>"
            "</v:textbox></v:shape></w:pict></w:r></w:p>",
        )

    brought = _with(write)
    assert _lines(brought) == ["免费开放（控件）", "旁边", "框里的话"]
    assert brought.taken.left_out == (
        "1 处修订插入的文字按接受处理，已带过来，请核对",
        "1 处修订删除的文字没有带过来，请核对",
        "1 处隐藏文字没有带过来",
        "1 个文本框的文字放在了所在段落的后面",
    )


def test_a_link_written_as_a_field_is_a_link() -> None:
    def write(file: Any) -> None:
        _body(
            file,
            '<w:p><w:r><w:fldChar w:fldCharType="begin"/></w:r>'
            '<w:r><w:instrText> HYPERLINK "https://a.gov.cn/" </w:instrText></w:r>'
            '<w:r><w:fldChar w:fldCharType="separate"/></w:r><w:r><w:t>官网</w:t></w:r>'
            '<w:r><w:fldChar w:fldCharType="end"/></w:r><w:r><w:t>可查</w:t></w:r></w:p>',
        )

    data = _with(write).taken.document.data()
    assert [(run["text"], run["link"]) for run in data[0]["runs"]] == [
        ("官网", "https://a.gov.cn/"),
        ("可查", ""),
    ]


def test_text_in_the_charset_of_old_programs_is_a_paragraph_a_line() -> None:
    brought = bring_file("通知.txt", "第一段，说明情况。\r\n第二段，请大家参加。".encode("gb18030"))
    assert _lines(brought) == ["第一段，说明情况。", "第二段，请大家参加。"]
    assert brought.taken.title == "通知"


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("旧.doc", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "另存为 .docx"),
        ("旧.wps", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "另存为 .docx"),
        ("坏.docx", b"PK\x03\x04" + bytes(50), "打不开"),
        ("空.docx", b"", "空的"),
        ("坏.pdf", b"%PDF-1.7 x", "PDF 文件不完整"),
        ("表.xlsx", b"PK\x03\x04", "可以导入"),
    ],
)
def test_what_cannot_be_read_says_why_and_what_to_do(name: str, content: bytes, words: str) -> None:
    with pytest.raises(Unreadable, match=words):
        bring_file(name, content)


def test_a_docx_with_an_entity_bomb_is_refused() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("word/document.xml", '<!DOCTYPE a [<!ENTITY b "x">]><a>&b;</a>')
    with pytest.raises(Unreadable):
        bring_file("炸弹.docx", out.getvalue())
