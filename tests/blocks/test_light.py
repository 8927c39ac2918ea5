"""The plain box: what is left alone stays to its last look, what is changed is read."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from blocks.document import Document, Paragraph, Run, read_document
from blocks.light import from_light, to_light
from tests.blocks.made import DOCUMENTS, MEDIA

SLOW = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
OTHER = "sha256:" + "b" * 64
NOTHING = Document(blocks=())


def typed(text: str) -> str:
    """As a browser sends a box: lines end with CR LF; the form is trimmed."""
    return text.replace("\n", "\r\n").strip()


@SLOW
@given(DOCUMENTS)
def test_a_box_that_was_left_alone_is_the_same_document(document: Document) -> None:
    back = from_light(typed(to_light(document)), document)
    assert (back.document, back.left_out) == (document, ())


@SLOW
@given(DOCUMENTS, st.integers(0, 6))
def test_a_paragraph_put_in_between_touches_no_other_block(document: Document, at: int) -> None:
    chunks = [to_light(Document(blocks=(one,))) for one in document.blocks]
    at = min(at, len(chunks))
    back = from_light(typed("\n\n".join([*chunks[:at], "新写的一段", *chunks[at:]])), document)
    new = Paragraph(runs=(Run(text="新写的一段"),))
    assert back.document.blocks == (*document.blocks[:at], new, *document.blocks[at:])
    assert back.left_out == ()


@SLOW
@given(DOCUMENTS, st.integers(0, 5))
def test_a_chunk_taken_out_takes_one_block_out(document: Document, at: int) -> None:
    blocks = list(document.blocks)
    if not blocks:
        return
    del blocks[at % len(blocks)]
    rest = "\n\n".join(to_light(Document(blocks=(one,))) for one in blocks)
    back = from_light(typed(rest), document).document
    # Two blocks may read the same: either of them was taken out.
    assert to_light(back) == rest
    assert all(one in document.blocks for one in back.blocks)


def test_each_line_is_a_paragraph_and_a_backslash_breaks_a_line_inside() -> None:
    back = from_light(
        "第一行\r\n第二行\\\r\n还是第二段\r\n\r\n**粗**的[细则](https://a.cn/b)", NOTHING
    )
    assert [one["kind"] for one in back.document.data()] == ["paragraph"] * 3
    second, third = back.document.data()[1:]
    assert second["runs"][0]["text"] == "第二行\n还是第二段"
    assert [(run["text"], run["bold"], run["link"]) for run in third["runs"]] == [
        ("粗", True, ""),
        ("的", False, ""),
        ("细则", False, "https://a.cn/b"),
    ]


def test_headings_lists_quotes_lines_and_tables_can_be_written() -> None:
    text = """# 大
## 小
#### 更小
正文
- 甲
- 乙
  - 丙

3. 丁
4. 戊

> 引
> 文

---

| 日期 | 地点 |
| --- | --- |
| 周六 | 大厅 |
后面一段"""
    back = from_light(text, NOTHING)
    said = [(one["kind"], one.get("level"), one.get("start")) for one in back.document.data()]
    assert [kind for kind, _, _ in said] == [
        *("heading", "heading", "heading", "paragraph", "list", "list", "quote", "divider"),
        *("table", "paragraph"),
    ]
    assert [level for _, level, _ in said[:3]] == [1, 2, 2]
    assert said[5][2] == 3
    assert back.left_out == ()


def table(**cell: Any) -> dict[str, Any]:
    head = [{"head": True, "runs": [{"text": word}]} for word in ("日期", "地点")]
    row = [{"runs": [{"text": "周六"}], **cell}, {"runs": [{"text": "大厅"}]}]
    return {"kind": "table", "rows": [{"cells": head}, {"cells": row[: 1 if cell else 2]}]}


def test_a_plain_table_is_changed_and_one_with_joined_fields_says_that_it_cannot_be() -> None:
    plain = read_document([table()])
    back = from_light(to_light(plain).replace("周六", "周日"), plain)
    assert back.left_out == ()
    assert "周日" in str(back.document.data())
    joined = read_document([table(colspan=2), {"kind": "paragraph", "runs": [{"text": "段"}]}])
    left_alone = from_light(to_light(joined).replace("段", "另一段"), joined)
    assert left_alone.left_out == ()
    assert left_alone.document.blocks[0] == joined.blocks[0]
    (words,) = from_light(to_light(joined).replace("周六", "周日"), joined).left_out
    assert words.startswith("有 1 个表格在这里改不了")
    # Taken out whole, it is gone, and nobody is told off.
    gone = from_light("段", joined)
    assert (gone.document.blocks, gone.left_out) == (joined.blocks[1:], ())


def test_a_picture_keeps_whose_it_is_and_a_file_stays_a_file_when_their_lines_change() -> None:
    told = {"origin": "李雪摄", "licence": "自有", "made": "human"}
    document = read_document(
        [
            {"kind": "picture", "media": MEDIA, "alt": "会场", "caption": "图一", **told},
            {"kind": "attachment", "name": "名单.docx", "media": MEDIA},
            {"kind": "attachment", "name": "表.xlsx", "media": OTHER},
        ]
    )
    text = to_light(document).replace("会场", "大厅").replace("![名单", "前面一段\n![名单")
    text = text.replace("表.xlsx", "名字改了")
    one, before, two, three = from_light(text, document).document.data()
    assert (one["alt"], one["caption"]) == ("大厅", "图一")
    assert {name: one[name] for name in told} == told
    assert before["kind"] == "paragraph"
    assert (two["kind"], two["name"]) == ("attachment", "名单.docx")
    assert (three["kind"], three["name"]) == ("attachment", "表.xlsx")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("![图](https://x.example/a.png)", "1 张图片没有带过来"),
        ("[点我](javascript:alert(1))", ""),
        ("| 日期 | 地点 |\n| 周六 | 大厅 |", "有 1 处没有看懂：表格"),
        ("<b>粗</b>", ""),
    ],
)
def test_what_is_not_understood_is_said_and_no_tag_is_read(text: str, said: str) -> None:
    back = from_light(text, NOTHING)
    assert "".join(back.left_out).startswith(said)
    assert all(not run.link for one in back.document.blocks for run in getattr(one, "runs", ()))
    if not said:
        assert back.document.blocks[0].kind == "paragraph"
