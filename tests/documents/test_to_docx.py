"""An article goes out as .docx and comes back as the same blocks."""

import io
import zipfile

import docx
from PIL import Image

from blocks.document import Document, Picture, read_document
from documents.to_blocks import bring_file
from documents.to_docx import to_docx
from storage.media import marker


def _png() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (1200, 300), "navy").save(out, "PNG")
    return out.getvalue()


def _article() -> Document:
    def said(text: str, **look: object) -> list[dict[str, object]]:
        return [{"text": text, **look}]

    deep = {"kind": "list", "items": [{"runs": said("原件")}, {"runs": said("复印件")}]}
    cells = [
        [{"runs": said("时间"), "head": True}, {"runs": said("地点"), "head": True, "colspan": 2}],
        [{"runs": said("周六"), "rowspan": 2}, {"runs": said("广场")}, {"runs": said("甲\n乙")}],
        [{"runs": said("体育馆")}, {}],
    ]
    return read_document(
        [
            {"kind": "heading", "level": 1, "runs": said("一、安排")},
            {
                "kind": "paragraph",
                "runs": [
                    {"text": "请带"},
                    {"text": "身份证", "bold": True},
                    {"text": "，详见\n"},
                    {"text": "办事指南", "link": "https://www.gov.cn/a?b=1&c=2"},
                ],
            },
            {
                "kind": "list",
                "ordered": True,
                "start": 3,
                "items": [{"runs": said("登记"), "below": deep}, {"runs": said("领号")}],
            },
            {"kind": "heading", "level": 2, "runs": said("（一）摊位")},
            {"kind": "list", "ordered": True, "items": [{"runs": said("重新数起")}]},
            {"kind": "table", "rows": [{"cells": row} for row in cells]},
            {
                "kind": "picture",
                "media": marker(_png()),
                "alt": "现场",
                "caption": "夜市现场",
                "origin": "县融媒体中心",
                "licence": "自有",
            },
            {"kind": "quote", "runs": said("群众的事没有小事。")},
            {"kind": "divider"},
            {"kind": "paragraph", "runs": said("咨询电话 12345")},
        ]
    )


def test_every_block_comes_back_as_it_went_out() -> None:
    document = _article()
    brought = bring_file("a.docx", to_docx("夜市安排", document, {marker(_png()): _png()}))
    assert brought.taken.title == "夜市安排"
    assert brought.taken.left_out == ()
    assert brought.taken.document == document
    assert brought.pictures == {marker(_png()): _png()}


def test_a_picture_that_is_gone_is_named_in_its_place() -> None:
    document = Document(blocks=(Picture(media=marker(b"?"), alt="现场"),))
    (words,) = bring_file("a.docx", to_docx("题", document, {})).taken.document.blocks
    assert getattr(words, "text", "") == "［图片：现场，文件里没有］"


def test_the_file_is_one_that_word_opens() -> None:
    with zipfile.ZipFile(io.BytesIO(to_docx("题", _article(), {}))) as archive:
        numbering = archive.read("word/numbering.xml").decode()
    first, last = numbering.index("<w:num "), numbering.rindex("<w:abstractNum ")
    assert last < first  # the schema has all abstract ones first


def test_signs_that_no_xml_holds_stop_no_file() -> None:
    odd = "甲\ufffe乙\uffff"
    picture = {"kind": "picture", "media": "sha256:" + "a" * 64, "alt": odd, "caption": odd}
    blocks = [{"kind": "paragraph", "runs": [{"text": odd, "link": "https://a.cn/\ufffe"}]}]
    made = to_docx("题\x0b" + "长" * 300, read_document([*blocks, picture]), {})
    text = "\n".join(one.text for one in docx.Document(io.BytesIO(made)).paragraphs)
    assert "甲乙" in text


def test_fields_that_reach_over_each_other_stop_no_file() -> None:
    first = [{"runs": [{"text": "一"}]}, {"runs": [{"text": "二"}], "rowspan": 2}, {}]
    second = [{"runs": [{"text": "三"}], "colspan": 2}]
    table = {"kind": "table", "rows": [{"cells": first}, {"cells": second}]}
    made = to_docx("题", read_document([table]), {})
    (found,) = docx.Document(io.BytesIO(made)).tables
    assert {cell.text for row in found.rows for cell in row.cells} == {"一", "二", "三", ""}
