"""Pastes of programs in the browser, of WPS and of the 公众平台, with their numbers and parts."""

import time
from typing import Any

from blocks.taken import Taken
from blocks.text import from_plain, project
from tests.blocks.test_from_html import _file, _short, _taken


def _heads(taken: Taken) -> list[list[bool]]:
    rows: list[Any] = taken.document.data()[0]["rows"]
    return [[cell["head"] for cell in row["cells"]] for row in rows]


def test_word_in_the_browser_brings_headings_by_their_role_and_numbers_that_go_on() -> None:
    taken = _taken(_file("word_online"))
    assert _short(taken) == [
        "h1 一、报名办法",
        "1. 下载表格\n2. 盖章后送交\n窗口",
        [["项目"], ["甲", "乙"]],
    ]
    assert taken.left_out == ()


def test_letters_that_each_point_names_stay_and_a_wrapping_bold_is_none() -> None:
    taken = _taken(_file("docs_online"))
    assert _short(taken) == [
        "h1 一、报名办法",
        "paragraph 请周五前报名。",
        "1. 填表\na. 到窗口\nb. 网上\n2. 交表",
        [["甲", "乙"]],
    ]
    bold = [run["text"] for run in taken.document.data()[1]["runs"] if run["bold"]]
    assert bold == ["周五前"]


def test_a_list_of_tasks_keeps_what_is_ticked() -> None:
    taken = _taken(_file("notes_online"))
    assert "• ☑ 已办" in _short(taken)
    assert len(taken.left_out) == 1
    assert taken.left_out[0].startswith("在别的网站上的 1 张图片没有带过来")


def test_wps_brings_numbers_of_headings_without_making_them_bold() -> None:
    taken = _taken(_file("wps_numbers"))
    assert _short(taken) == [
        "h1 一、市集安排",
        "1. 填表",
        [["时间"], ["周六", "周日"]],
        "paragraph 官网²",
    ]
    assert not any(run["bold"] for run in taken.document.data()[0]["runs"])
    assert taken.left_out == ("1 张图片没有带过来（在“填表”之后）：请把图片文件拖进来",)


def test_a_head_of_two_rows_is_a_head() -> None:
    taken = _taken(_file("et"))
    assert _short(taken) == [[["单位", "人数"], ["男", "女"], ["甲局", "3", "5"]]]
    assert _heads(taken) == [[True, True], [True, True], [False, False, False]]


def test_a_hidden_row_of_a_sheet_shortens_the_fields_that_reached_over_it() -> None:
    taken = _taken(_file("excel_hidden"))
    assert _short(taken) == [
        [["单位", "比例"], ["甲局", "12.50%", ""], ["说明\n二行", "", "链接"]],
    ]
    assert taken.left_out == ("2 处看不见的文字没有带过来",)


def test_parts_that_only_an_account_article_has_are_told() -> None:
    taken = _taken(_file("account_cards"))
    assert _short(taken) == [
        "paragraph 01 报名条件",
        "paragraph 年满十八周岁。",
        "• 身份证\n• 照片两张",
        "paragraph 点击办理",
        "paragraph 往期回顾",
    ]
    assert taken.left_out[1:] == (
        "4 个公众号组件（名片、小程序、投票、音乐）没有带过来：请在文中写明到哪里看",
        "1 个小程序链接没有带过来，文字还在",
        "1 处视频、音频或网页嵌入没有带过来：请在文中写明到哪里看",
    )


def test_thousands_of_hidden_rows_cost_as_much_as_other_rows() -> None:
    rows = "<tr><td rowspan=3>甲</td><td>一</td></tr><tr style='display:none'><td>二</td></tr>"
    page = f"<table>{(rows + '<tr><td>三</td></tr>') * 4_000}</table>"
    began = time.process_time()
    taken = _taken(page)
    assert time.process_time() - began < 10
    first, second = taken.document.data()[0]["rows"][:2]
    assert [cell["rowspan"] for cell in first["cells"]] == [2, 1]
    assert [cell["runs"][0]["text"] for cell in second["cells"]] == ["三"]


def test_a_text_of_a_hundred_thousand_lines_is_read_in_time_and_whole() -> None:
    text = "\n".join(f"第{number}行" for number in range(100_000))
    began = time.process_time()
    document = from_plain(text)
    assert time.process_time() - began < 10
    assert project(document).text == text
