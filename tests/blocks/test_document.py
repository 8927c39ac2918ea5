"""The block document: one form for equal bodies, a text with places, words for what is none."""

import json
import time
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from blocks.document import (
    BlockFault,
    Document,
    ListBlock,
    Paragraph,
    Picture,
    Run,
    Table,
    read_document,
    schema,
)
from blocks.text import edited, from_plain, project
from tests.blocks.made import DOCUMENTS, MEDIA

quick = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@quick
@given(DOCUMENTS)
def test_a_document_is_itself_after_the_way_through_json(document: Document) -> None:
    assert read_document(json.loads(json.dumps(document.data()))) == document


@quick
@given(DOCUMENTS)
def test_each_place_of_the_text_leads_to_the_characters_that_stand_there(
    document: Document,
) -> None:
    told, data = project(document), document.data()
    for leaf in told.leaves:
        place: Any = data
        for step in leaf.where:
            place = place[step]
        said = place if isinstance(place, str) else "".join(run["text"] for run in place["runs"])
        assert told.text[leaf.start : leaf.end] == said
        assert leaf.start == leaf.end or told.block_at(leaf.start) == leaf.block
        assert told.leaf_of(leaf.start, leaf.end) is not None


@quick
@given(DOCUMENTS)
def test_every_word_is_in_the_text(document: Document) -> None:
    text = project(document).text
    for block in document.data():
        for run in block.get("runs", []):
            assert run["text"] in text


@quick
@given(DOCUMENTS, st.data())
def test_a_word_masked_in_the_text_is_masked_in_its_place(document: Document, data: Any) -> None:
    told = project(document)
    wide = [one for one in told.leaves if "\n" not in told.text[one.start : one.end].strip()]
    wide = [one for one in wide if told.text[one.start : one.end].strip()]
    if not wide:
        return
    leaf = data.draw(st.sampled_from(wide))
    start = data.draw(st.integers(leaf.start, leaf.end - 1))
    masked = told.text[:start] + "某" + told.text[start + 1 :]
    if told.text[start] == "\n":
        return
    after = edited(document, masked)
    assert project(after).text == masked
    assert [one.kind for one in after.blocks] == [one.kind for one in document.blocks]


def test_what_looks_the_same_is_one_run_and_empty_ones_are_none() -> None:
    typed = Paragraph(
        runs=(Run(text="甲"), Run(text=""), Run(text="乙"), Run(text="丙", bold=True))
    )
    assert typed == Paragraph(runs=(Run(text="甲乙"), Run(text="丙", bold=True)))


def test_control_characters_and_kinds_of_line_ends_are_not_kept() -> None:
    assert Paragraph(runs=(Run(text="甲\x00\r\n乙\u2028丙\x07"),)).text == "甲\n乙\n丙"


def test_rows_of_a_table_have_one_width_and_reach_no_further_than_the_last() -> None:
    table = read_document(
        [
            {
                "kind": "table",
                "rows": [
                    {"cells": [{"runs": [{"text": "甲"}], "rowspan": 9}, {}, {}]},
                    {"cells": [{"runs": [{"text": "乙"}]}]},
                ],
            }
        ]
    ).blocks[0]
    assert isinstance(table, Table)
    assert [len(row.cells) for row in table.rows] == [3, 2]
    assert table.rows[0].cells[0].rowspan == 2


@pytest.mark.parametrize(
    ("blocks", "where", "words"),
    [
        ([{"kind": "script"}], "blocks.0", "第 1 段"),
        ([{"kind": "paragraph", "html": "<b>"}], "blocks.0.html", "第 1 段"),
        ([{"kind": "table", "rows": [{"cells": [{}]}] * 5_000}], "blocks.0.rows", "最多 500 行"),
        ([{"kind": "table", "rows": [{"cells": [{}] * 41}]}], "blocks.0.rows", "最多 40 列"),
        ([{"kind": "picture", "media": "https://a/b.png"}], "blocks.0.media", "先上传"),
        ([{"kind": "list", "items": []}], "blocks.0.items", "第 1 段"),
        ("<p>文</p>", "blocks", "正文"),
        (None, "blocks", "正文"),
    ],
)
def test_what_is_no_document_is_refused_at_its_place(blocks: Any, where: str, words: str) -> None:
    with pytest.raises(BlockFault, match=words) as refused:
        read_document(blocks)
    assert refused.value.where == where


@pytest.mark.parametrize(
    "link",
    ["javascript:alert(1)", "data:text/html,x", "http://", "//a.cn/b", "https://a b.cn", "/a"],
)
def test_a_link_that_leads_nowhere_good_is_refused(link: str) -> None:
    with pytest.raises(BlockFault, match="链接只能是"):
        read_document([{"kind": "paragraph", "runs": [{"text": "看", "link": link}]}])


def test_lists_twenty_deep_are_refused_in_words() -> None:
    inner: dict[str, Any] = {"kind": "list", "items": [{"runs": [{"text": "底"}]}]}
    for _ in range(19):
        inner = {"kind": "list", "items": [{"runs": [{"text": "层"}], "below": inner}]}
    with pytest.raises(BlockFault, match="最多 4 层"):
        read_document([inner])


def test_a_hundred_thousand_brackets_are_refused_without_recursion() -> None:
    deep: Any = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(BlockFault):
        read_document(deep)


def test_plain_text_is_a_paragraph_a_line_and_comes_back() -> None:
    text = f"第一段\n![图]({MEDIA})\n* * *\n末段"
    document = from_plain(f"\n  第一段  \n\n![图]({MEDIA})\n* * *\n末段\n")
    assert [one.kind for one in document.blocks] == ["paragraph", "picture", "divider", "paragraph"]
    assert project(document).text == text


@pytest.mark.parametrize("lines", [2_000, 2_001, 5_000])
def test_more_lines_than_blocks_are_one_last_paragraph_and_none_is_lost(lines: int) -> None:
    text = "\n".join(f"第{number}行" for number in range(lines))
    document = from_plain(text)
    assert project(document).text == text
    assert len(document.blocks) == 2_000
    assert project(edited(document, text + "\n另起")).text == text + "\n另起"


def test_a_new_paragraph_in_the_text_leaves_the_table_beside_it_whole() -> None:
    document = read_document(
        [
            {"kind": "heading", "runs": [{"text": "安排"}]},
            {"kind": "table", "rows": [{"cells": [{"runs": [{"text": "周六"}]}]}]},
        ]
    )
    after = edited(document, project(document).text + "\n另行通知")
    assert [one.kind for one in after.blocks] == ["heading", "table", "paragraph"]


def test_a_line_put_between_two_points_makes_paragraphs_of_the_list() -> None:
    document = read_document(
        [{"kind": "list", "items": [{"runs": [{"text": "甲"}]}, {"runs": [{"text": "乙"}]}]}]
    )
    after = edited(document, "• 甲\n插入\n• 乙")
    assert project(after).text == "• 甲\n插入\n• 乙"
    assert not any(isinstance(one, ListBlock) for one in after.blocks)


def test_the_schema_names_every_kind_of_block() -> None:
    said = json.dumps(schema())
    kinds = ("paragraph", "heading", "list", "table", "picture", "quote", "divider", "attachment")
    assert all(f'"{kind}"' in said for kind in kinds)


def test_a_caption_is_one_line_and_brackets_of_its_words_do_not_end_it() -> None:
    picture = Picture(media=MEDIA, alt="[甲]", caption="一\n二")
    assert (picture.alt, picture.caption) == ("［甲］", "一 二")


def test_new_words_look_like_those_they_replace() -> None:
    runs = [{"text": "请打"}, {"text": "12345", "bold": True}, {"text": "咨询"}]
    document = read_document([{"kind": "paragraph", "runs": runs}])
    after = edited(document, "请打12300咨询")
    assert after.data()[0]["runs"] == [
        {"text": "请打", "bold": False, "link": ""},
        {"text": "12300", "bold": True, "link": ""},
        {"text": "咨询", "bold": False, "link": ""},
    ]


def test_two_words_masked_in_two_fields_of_a_row_leave_the_table() -> None:
    cells = [{"runs": [{"text": name}]} for name in ("张三丰", "13812345678", "李四光")]
    document = read_document([{"kind": "table", "rows": [{"cells": cells}]}])
    after = edited(document, "张某某\t138****5678\t李某某")
    assert project(after).text == "张某某\t138****5678\t李某某"
    assert isinstance(after.blocks[0], Table)


def test_a_body_of_one_letter_is_compared_in_time() -> None:
    document = from_plain("\n".join(["啊" * 400] * 120))
    began = time.process_time()
    edited(document, "\n".join(["啊" * 199 + "哦" + "啊" * 199 + "哦"] * 120))
    assert time.process_time() - began < 20
