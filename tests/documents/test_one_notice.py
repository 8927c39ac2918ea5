"""One notice as LibreOffice saves it and as Word and WPS put it on the clipboard: the same blocks.

`notice_writer.docx` was made by LibreOffice 7.4 of words of our own: two headings, a table with
merged fields, a numbered list begun anew, three pictures and a link.
"""

from pathlib import Path
from typing import Any

import pytest

from blocks.document import Document, Picture, read_document
from documents.to_blocks import bring_file, bring_html
from storage.media import marker

WRITER = (Path(__file__).parent / "notice_writer.docx").read_bytes()
TITLE = "关于举办丰收市集的通知"
LINK = "https://www.example.gov.cn/ming-e?x=1&y=2"


def said(text: str, **look: object) -> list[dict[str, object]]:
    return [{"text": text, **look}]


def cells(*texts: str, **look: Any) -> list[dict[str, Any]]:
    return [{"runs": said(one), **look} for one in texts]


def original(pictures: list[str]) -> Document:
    """The notice; without pictures it is what a clipboard can bring."""
    shown = [
        {"kind": "picture", "media": media, "alt": f"图{name}说明"}
        for media, name in zip(pictures, "一二三", strict=False)
    ]
    first, second, third = shown or ([], [], [])
    steps = ["填表", "交表\n（一）到窗口\n（二）或网上", "领号"]
    rows = [
        [*cells("日期", head=True), *cells("地点与负责人", head=True, colspan=2)],
        [*cells("周六", rowspan=2), *cells("东广场", "王五")],
        cells("西广场", "赵六\n（替补）"),
    ]
    blocks = [
        {"kind": "heading", "level": 1, "runs": said("一、市集安排")},
        {
            "kind": "paragraph",
            "runs": [
                *said("各镇农户请于"),
                *said("周六上午", bold=True),
                *said("到场，名额见"),
                *said("名额公示", link=LINK),
                *said("。"),
            ],
        },
        first,
        {"kind": "table", "rows": [{"cells": row} for row in rows]},
        {"kind": "heading", "level": 2, "runs": said("（一）报名步骤")},
        {"kind": "list", "ordered": True, "items": [{"runs": said(one)} for one in steps]},
        second,
        {"kind": "paragraph", "runs": said("现场步骤：")},
        {
            "kind": "list",
            "ordered": True,
            "items": [{"runs": said("验号")}, {"runs": said("进场")}],
        },
        third,
        {"kind": "paragraph", "runs": said("咨询电话 12345。")},
    ]
    return read_document([one for one in blocks if one])


def test_a_docx_of_libreoffice_is_the_notice_with_nothing_left_out() -> None:
    brought = bring_file("notice_writer.docx", WRITER)
    media = [one.media for one in brought.taken.document.blocks if isinstance(one, Picture)]
    assert len(set(media)) == 3
    assert media == [marker(content) for content in brought.pictures.values()]
    assert (brought.taken.title, brought.taken.left_out) == (TITLE, ())
    assert brought.taken.document == original(media)


STEPS = [
    ("1.", "填表", 1),
    ("2.", "交表", 1),
    ("（一）", "到窗口", 2),
    ("（二）", "或网上", 2),
    ("3.", "领号", 1),
]
ON_THE_DAY = [("1.", "验号", 1, 1), ("2.", "进场", 1, 1)]
"""Points as a program writes them: mark, words, level, number of the list."""


def _word_point(mark: str, words: str, level: int, key: int = 0) -> str:
    """A point as Word puts it: its number in a part that only old programs show."""
    return (
        f"<p class=MsoListParagraph style='margin-left:21.0pt;text-indent:-21.0pt;"
        f"mso-list:l{key} level{level} lfo{key + 1}'><![if !supportLists]><span lang=EN-US>"
        f"<span style='mso-list:Ignore'>{mark}<span style='font:7.0pt \"Times New Roman\"'>"
        f"&nbsp;&nbsp;&nbsp; </span></span></span><![endif]><span lang=ZH-CN>{words}</span></p>"
    )


def _wps_point(mark: str, words: str, level: int, key: int = 0) -> str:
    """A point as WPS puts it."""
    return (
        f'<p class=MsoNormal style="mso-list:l{key} level{level} lfo{key + 1};">'
        "<![if !supportLists]><span style=\"mso-spacerun:'yes';\"><span style='mso-list:Ignore;'>"
        f"{mark}<span>&nbsp;</span></span></span><![endif]><span style=\"mso-spacerun:'yes';\">"
        f'<font face="宋体">{words}</font></span></p>'
    )


def _table(paragraph: str) -> str:
    def field(words: str, spans: str = "", *, bold: bool = False) -> str:
        words = f"<b>{words}</b>" if bold else words
        return f"<td {spans} valign=top>" + paragraph.format(words) + "</td>"

    more = paragraph.format("赵六") + paragraph.format("（替补）")
    return (
        "<table class=MsoTableGrid border=1 cellspacing=0 style='border-collapse:collapse'><tr>"
        + field("日期", bold=True)
        + field("地点与负责人", "colspan=2", bold=True)
        + "</tr><tr>"
        + field("周六", "rowspan=2")
        + field("东广场")
        + field("王五")
        + f"</tr><tr>{field('西广场')}<td>{more}</td></tr></table>"
    )


WORD = (
    '<html xmlns:v="urn:schemas-microsoft-com:vml" xmlns:w="urn:schemas-microsoft-com:office:word">'
    '<head><meta name=Generator content="Microsoft Word 15">'
    "<!--[if gte mso 9]><xml><w:WordDocument><w:View>Normal</w:View></w:WordDocument></xml>"
    '<![endif]--><style><!-- h1 {mso-style-name:"标题 1";mso-outline-level:1;font-weight:bold;}'
    " h2 {mso-outline-level:2;} p.MsoNormal {font-size:10.5pt;} --></style></head><body>"
    "<!--StartFragment--><p class=MsoTitle><span>关于举办丰收市集的通知<o:p></o:p></span></p>"
    "<h1><span>一、市集安排<o:p></o:p></span></h1>"
    "<p class=MsoNormal style='text-indent:21.0pt'><span>各镇农户请于<b>周六上午</b>到场，名额见"
    f'<span lang=EN-US><a href="{LINK.replace("&", "&amp;")}"><span lang=ZH-CN>名额公示</span></a>'
    "</span>。</span></p><p class=MsoNormal><span lang=EN-US><!--[if gte vml 1]><v:shape>"
    '<v:imagedata src="file:///C:/t/image001.png"/></v:shape><![endif]--><![if !vml]>'
    '<img width=120 height=80 src="file:///C:/Temp/msohtmlclip1/01/clip_image002.png"><![endif]>'
    "</span></p>"
    + _table("<p class=MsoNormal><span>{}<o:p></o:p></span></p>")
    + "<h2><span>（一）报名步骤</span></h2>"
    + "".join(_word_point(*each) for each in STEPS)
    + "<p class=MsoNormal><span>现场步骤：</span></p>"
    + "".join(_word_point(*each) for each in ON_THE_DAY)
    + "<p class=MsoNormal><span>咨询电话<span lang=EN-US> 12345</span>。</span></p>"
    "<!--EndFragment--></body></html>"
)
WPS = (
    '<html xmlns:w="urn:schemas-microsoft-com:office:word"><head>'
    "<meta name=ProgId content=Word.Document><style>p.MsoNormal{mso-style-name:正文;"
    'font-size:10.5000pt;} h1{mso-style-name:"标题 1";font-weight:bold;font-size:22.0000pt;}'
    "p.MsoTitle{mso-style-name:标题;font-size:26.0000pt}</style></head>"
    '<body style="tab-interval:21pt">'
    "<!--StartFragment--><p class=MsoTitle><span style=\"mso-spacerun:'yes';\">"
    '<font face="宋体">关于举办丰收市集的通知</font></span></p>'
    "<h1><b><span style=\"mso-spacerun:'yes';font-weight:bold;\"><font>一、市集安排</font>"
    "</span></b>"
    "<b><span><o:p></o:p></span></b></h1>"
    '<p class=MsoNormal><span><font face="宋体">各镇农户请于</font></span><b><span style='
    '"font-weight:bold"><font>周六上午</font></span></b><span><font>到场，名额见</font></span>'
    f'<a href="{LINK.replace("&", "&amp;")}"><u><span class="15">名额公示</span></u></a>'
    "<span><font>。</font></span></p>"
    '<p class=MsoNormal><img width="120" height="80" '
    'src="file:///C:\\Users\\a\\AppData\\Local\\Temp\\ksohtml12\\wps1.png" ></p>'
    + _table("<p class=MsoNormal><span style=\"mso-spacerun:'yes';\"><font>{}</font></span></p>")
    + "<h2><b><span><font>（一）报名步骤</font></span></b></h2>"
    + "".join(_wps_point(*each) for each in STEPS)
    + "<p class=MsoNormal><span><font>现场步骤：</font></span></p>"
    + "".join(_wps_point(*each) for each in ON_THE_DAY)
    + "<p class=MsoNormal><span><font>咨询电话 12345。</font></span></p>"
    "<!--EndFragment--></body></html>"
)


@pytest.mark.parametrize("html", [WORD, WPS], ids=["Word", "WPS"])
def test_the_clipboards_of_word_and_wps_are_the_notice_and_name_the_picture(html: str) -> None:
    taken = bring_html(html).taken
    title, *blocks = taken.document.blocks
    assert getattr(title, "text", "") == TITLE
    assert Document(blocks=tuple(blocks)) == original([])
    (told,) = taken.left_out
    assert told.startswith("1 张图片没有带过来（在“")
    assert told.endswith("名额见名额公示。”之后）：请把图片文件拖进来")
