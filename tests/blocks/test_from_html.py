"""What a paste becomes: the forms of Word, WPS, Excel, Writer, a web page and a 公众号 article."""

import base64
import hashlib
import time
from pathlib import Path
from typing import Any

import pytest

from blocks.from_html import from_html
from blocks.taken import Taken, own_title, split_title
from blocks.text import project

HERE = Path(__file__).parent / "clipboard"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)
DATA = "data:image/png;base64," + base64.b64encode(PNG).decode()


def _marker(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _taken(html: str) -> Taken:
    return from_html(html, lambda content, name: _marker(content) if content else None)


def _file(name: str) -> str:
    return (HERE / f"{name}.html").read_text(encoding="utf-8")


def _short(taken: Taken) -> list[Any]:
    """Kind and words of each block, enough to compare by eye."""
    found: list[Any] = []
    for block in taken.document.blocks:
        if block.kind == "heading":
            found.append(f"h{block.level} {block.text}")
        elif block.kind == "list":
            found.append(project(taken.document.__class__(blocks=(block,))).text)
        elif block.kind == "table":
            found.append([[cell.text for cell in row.cells] for row in block.rows])
        else:
            found.append(f"{block.kind} {getattr(block, 'text', '')}".strip())
    return found


def test_word_keeps_headings_bold_links_its_own_numbers_and_merged_fields() -> None:
    taken = _taken(_file("word"))
    assert _short(taken) == [
        "h1 一、活动安排",
        "h2 报名",
        "paragraph 请于本周六到服务大厅办理。\n电话 12345",
        "3. 带身份证\n• 原件\n4. 带照片",
        "paragraph （一）办理范围",
        [["时间", "地点"], ["周六", "上午\n九点", "一楼"], ["下午", "二楼"]],
        "paragraph 作废",
    ]
    runs = taken.document.data()[2]["runs"]
    assert {"text": "本周六", "bold": True, "link": ""} in runs
    link = "https://www.example.gov.cn/a?b=1&c=2"
    assert {"text": "服务大厅", "bold": False, "link": link} in runs
    rows = taken.document.data()[5]["rows"]
    assert [cell["head"] for cell in rows[0]["cells"]] == [True, True]
    assert rows[0]["cells"][0]["colspan"] == 2
    assert rows[1]["cells"][0]["rowspan"] == 2
    assert taken.left_out == (
        "1 张图片没有带过来（在“办理范围”之后）：请把图片文件拖进来",
        "1 处删除线没有保留，文字还在",
        "1 处批注没有带过来",
    )


def test_wps_keeps_headings_of_a_style_and_of_a_size_and_its_numbers() -> None:
    taken = _taken(_file("wps"))
    assert _short(taken) == [
        "h1 关于举办招聘会的通知",
        "h2 一、时间",
        "paragraph 定于5月10日举办，欢迎参加并转告身边的人，具体安排如下。免费",
        "1. 带简历\n2. 带学历证明",
    ]
    assert taken.document.data()[2]["runs"][1] == {"text": "免费", "bold": True, "link": ""}
    assert not taken.document.data()[1]["runs"][0]["bold"]
    assert taken.left_out == ()
    assert split_title(taken).title == "关于举办招聘会的通知"


@pytest.mark.parametrize(
    ("said", "heading", "title"),
    [
        (
            "关于印发若干措施的通知_市政府文件_某市人民政府",
            "关于印发若干措施的通知",
            "关于印发若干措施的通知",
        ),
        ("某市_关于印发若干措施的通知", "某市", "某市_关于印发若干措施的通知"),
        ("某市关于印发措施的通知", "某市", "某市关于印发措施的通知"),
        ("关于印发若干措施的通知", "", "关于印发若干措施的通知"),
    ],
)
def test_a_page_is_not_called_by_its_site(said: str, heading: str, title: str) -> None:
    assert own_title(said, [heading] if heading else []) == title


def test_excel_brings_its_fields_and_not_the_empty_ones_beside_them() -> None:
    taken = _taken(_file("excel"))
    assert _short(taken) == [[["单位", "人数"], ["甲局", "3"], ["乙局", "5"]]]
    cells = taken.document.data()[0]["rows"][0]["cells"]
    assert all(cell["head"] and not cell["runs"][0]["bold"] for cell in cells)


def test_writer_brings_lists_of_two_levels_a_start_and_a_picture_with_its_caption() -> None:
    taken = _taken(
        '<!DOCTYPE html><html><head><meta name="generator" content="LibreOffice 7.4"/></head><body>'
        '<h2 class="western">材料</h2><ol start="5"><li><p>甲</p><ul><li><p>子</p></li></ul></li>'
        '<li><p>乙</p><p>续</p></li></ol><ol type="A"><li><p>选项</p></li></ol>'
        f'<figure><img src="{DATA}" name="Image1" width="300" height="200"/>'
        "<figcaption>现场</figcaption></figure>"
        "<blockquote><p>引文一</p><p>引文二</p></blockquote><hr/></body></html>"
    )
    assert [block.kind for block in taken.document.blocks] == [
        *("heading", "list", "paragraph", "picture", "quote", "divider")
    ]
    told = taken.document.data()
    assert told[1]["start"] == 5
    assert told[1]["items"][0]["below"]["items"][0]["runs"][0]["text"] == "子"
    assert told[1]["items"][1]["runs"][0]["text"] == "乙\n续"
    assert told[2]["runs"][0]["text"] == "A. 选项"
    assert (told[3]["media"], told[3]["caption"]) == (_marker(PNG), "现场")
    assert told[4]["runs"][0]["text"] == "引文一\n引文二"
    assert taken.left_out == ()


def test_an_article_of_an_account_keeps_its_words_and_names_pictures_by_their_place() -> None:
    taken = _taken(_file("account"))
    assert _short(taken) == [
        "h1 报名条件",
        "paragraph 年满十八周岁，具有本市户籍，身体健康。",
        "• 身份证",
    ]
    assert taken.left_out == (
        "在别的网站上的 1 张图片没有带过来（在“具有本市户籍，身体健康。”之后）："
        "请先存下图片，确认可以用，再拖进来",
        "1 处看不见的文字没有带过来",
        "1 处视频、音频或网页嵌入没有带过来：请在文中写明到哪里看",
    )


def test_a_table_that_only_places_things_gives_its_words_and_pictures_in_place() -> None:
    taken = _taken(
        f"<table><tr><td><p>上</p><img src='{DATA}'><table><tr><th>甲</th><td>1</td></tr></table>"
        "</td></tr></table>"
    )
    assert _short(taken) == ["paragraph 上", "picture", [["甲", "1"]]]


def test_a_picture_inside_a_field_stands_after_the_table_and_that_is_told() -> None:
    taken = _taken(f"<table><tr><td>图<img src='{DATA}'></td><td>文</td></tr></table>")
    assert _short(taken) == [[["图", "文"]], "picture"]
    assert taken.left_out == ("表格里的 1 张图片移到了表格后面",)


def test_lists_of_other_numbers_keep_them_as_words() -> None:
    taken = _taken(
        '<ol style="list-style-type: cjk-ideographic"><li>总则</li><li>附则</li></ol>'
        '<ol><li>甲</li><li value="7">乙</li></ol>'
    )
    assert _short(taken) == ["paragraph 一、总则", "paragraph 二、附则", "1. 甲", "7. 乙"]


def test_three_sizes_of_headings_become_two_and_that_is_told() -> None:
    taken = _taken("<h2>一</h2><p>文</p><h3>二</h3><h4>三</h4>")
    assert _short(taken) == ["h1 一", "paragraph 文", "h2 二", "h2 三"]
    assert taken.left_out == ("标题只有两级，更小的标题都作为第二级",)


HOSTILE = {
    "script": "<p onclick='x()'>文<script>alert(1)</script></p><svg><script>x</script></svg>",
    "addresses": "<a href='javascript:alert(1)'>甲</a><a href='data:text/html,x'>乙</a>"
    "<a href='/c'>丙</a>",
    "deep lists": "<ul><li>层" * 20,
    "deeper lists": "<ul><li>层" * 1_000,
    "deep boxes": "<div>" * 100_000 + "字",
    "rows": "<table>" + "<tr><td>甲</td><td>乙</td></tr>" * 5_000 + "</table>",
    "spans": "<table>" + ("<tr>" + "<td rowspan=500 colspan=40>甲</td>" * 9 + "</tr>") * 200,
    "columns": "<table><tr>" + "<td>甲</td>" * 500 + "</tr></table>",
    "paragraphs": "<p>字</p>" * 280_000,
    "breaks": "<p>" + "字<br>" * 280_000,
    "brackets": "<" * 2_000_000,
    "comments in a style": "<style>" + "/*" * 900_000,
    "attributes": "<p " + "".join(f"a{number}=1 " for number in range(200_000)) + ">字",
    "no picture": "<img src='data:image/png;base64,!!!!'><img src='data:image/svg+xml,<svg/>'>",
    "controls": "<p>\x00\x01字\ud800\uffff</p>",
    "nothing": "",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_paste_gives_blocks_or_a_line_in_time_and_never_an_error(name: str) -> None:
    began = time.process_time()
    taken = _taken(HOSTILE[name])
    assert time.process_time() - began < 40
    said = str(taken.document.data())
    assert "script" not in said
    assert "alert" not in said
    assert taken.document.blocks or taken.left_out or name in ("nothing", "comments in a style")


def test_what_was_too_much_is_told_with_the_remedy() -> None:
    assert _taken(HOSTILE["deep lists"]).left_out == ("列表最多 4 层，更深的 16 项并入了上一项",)
    assert _taken(HOSTILE["rows"]).left_out[0].startswith("表格的 4500 行没有带过来")
    assert _taken(HOSTILE["columns"]).left_out[0].startswith("表格的 460 格没有带过来")
    assert _taken(HOSTILE["addresses"]).left_out[0].startswith("3 个链接没有带过来")


def test_every_point_of_a_list_twenty_deep_is_still_there() -> None:
    taken = _taken("".join(f"<ul><li>第{number}层" for number in range(20)))
    text = project(taken.document).text
    assert all(f"第{number}层" in text for number in range(20))


def test_twice_the_paste_takes_about_twice_the_time() -> None:
    def seconds(count: int) -> float:
        html = "<p>" + "<span style='font-size:12pt'>字</span>" * count
        taken = []
        for _ in range(3):  # a busy machine is not a slow reader
            began = time.process_time()
            _taken(html)
            taken.append(time.process_time() - began)
        return min(taken)

    assert seconds(16_000) < 12 * max(seconds(4_000), 0.02)


def test_half_of_a_cut_picture_sign_ends_no_paste() -> None:
    taken = from_html("<p>前\ud83d半个</p><p>后面的一段</p>", lambda content, name: None)
    assert project(taken.document).text == "前\ufffd半个\n后面的一段"
