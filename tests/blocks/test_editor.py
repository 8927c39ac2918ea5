"""The tree of the browser's editor and back: the same document, and words for what is none."""

import json
from typing import Any

import pytest
from hypothesis import given

from blocks.document import BlockFault, Document, read_document
from blocks.editor import from_editor, to_editor
from tests.blocks.made import DOCUMENTS, MEDIA
from tests.blocks.test_document import quick


def paragraph(*words: str) -> dict[str, Any]:
    return {"type": "paragraph", "content": [{"type": "text", "text": word} for word in words]}


def tree(*nodes: dict[str, Any]) -> dict[str, Any]:
    return {"type": "doc", "content": list(nodes)}


@quick
@given(DOCUMENTS)
def test_a_document_is_itself_after_the_way_through_the_editor(document: Document) -> None:
    assert from_editor(json.loads(json.dumps(to_editor(document)))) == document


@quick
@given(DOCUMENTS)
def test_the_editor_is_given_no_empty_words_and_no_line_ends(document: Document) -> None:
    def words(node: dict[str, Any]) -> list[str]:
        own = [node["text"]] if node["type"] == "text" else []
        return own + [word for inner in node.get("content", []) for word in words(inner)]

    assert [word for word in words(to_editor(document)) if not word or "\n" in word] == []


def test_an_empty_document_is_a_paragraph_to_type_into_and_none_when_it_stays_empty() -> None:
    assert to_editor(Document()) == tree({"type": "paragraph"})
    assert from_editor(tree({"type": "paragraph"})) == Document()


def test_paragraphs_of_a_quote_a_point_and_a_field_are_lines_of_it() -> None:
    two = [paragraph("甲"), paragraph("乙")]
    cell = {"type": "tableCell", "attrs": {"colspan": 1, "rowspan": 1}, "content": two}
    made = from_editor(
        tree(
            {"type": "blockquote", "content": two},
            {"type": "bulletList", "content": [{"type": "listItem", "content": two}]},
            {"type": "table", "content": [{"type": "tableRow", "content": [cell]}]},
        )
    )
    lines = [{"text": "甲\n乙"}]
    assert made == read_document(
        [
            {"kind": "quote", "runs": lines},
            {"kind": "list", "items": [{"runs": lines}]},
            {"kind": "table", "rows": [{"cells": [{"runs": lines}]}]},
        ]
    )


def test_two_lists_below_one_point_are_one_and_no_point_is_lost() -> None:
    inner = [{"type": "listItem", "content": [paragraph(word)]} for word in ("一", "二")]
    point = [
        paragraph("上"),
        {"type": "bulletList", "content": inner[:1]},
        {"type": "orderedList", "content": inner[1:]},
    ]
    made = from_editor(
        tree({"type": "bulletList", "content": [{"type": "listItem", "content": point}]})
    )
    below = made.data()[0]["items"][0]["below"]
    assert [item["runs"][0]["text"] for item in below["items"]] == ["一", "二"]


def _holding(kind: str, inner: dict[str, Any]) -> dict[str, Any]:
    return {"type": kind, "content": [inner]}


def _link(href: Any) -> dict[str, Any]:
    mark = {"type": "link", "attrs": {"href": href}}
    return {"type": "paragraph", "content": [{"type": "text", "text": "看", "marks": [mark]}]}


@pytest.mark.parametrize(
    ("data", "where", "words"),
    [
        (None, "blocks", "读不出来"),
        ({"type": "doc", "content": ["<p>"]}, "blocks", "读不出来"),
        (
            tree({"type": "paragraph", "content": [{"type": "text", "marks": 7}]}),
            "blocks",
            "读不出",
        ),
        (tree({"type": "blockquote", "content": [{"type": "table"}]}), "blocks", "只能写文字"),
        (
            tree({"type": "heading", "content": [{"type": "image"}]}),
            "blocks.0.runs.0.text",
            "第 1 段",
        ),
        (tree(paragraph("好"), {"type": "iframe"}), "blocks.1", "第 2 段"),
        (tree(_link("javascript:alert(1)")), "blocks.0.runs.0.link", "链接只能是"),
        (tree(_link("data:text/html,x")), "blocks.0.runs.0.link", "链接只能是"),
        (tree(_link(7)), "blocks.0.runs.0.link", "第 1 段"),
        (tree({"type": "picture", "attrs": {"media": "blob:x"}}), "blocks.0.media", "先上传"),
        (tree({"type": "picture", "attrs": [MEDIA]}), "blocks.0.media", "第 1 段"),
        (tree({"type": "heading", "attrs": {"level": 3}}), "blocks.0.level", "第 1 段"),
        (tree({"type": "table", "content": []}), "blocks.0.rows", "第 1 段"),
    ],
)
def test_what_is_no_document_is_refused_at_its_place(data: Any, where: str, words: str) -> None:
    with pytest.raises(BlockFault, match=words) as refused:
        from_editor(data)
    assert refused.value.where == where


def test_lists_twenty_deep_are_refused_in_words() -> None:
    node = paragraph("底")
    for _ in range(2_000):
        node = {"type": "bulletList", "content": [{"type": "listItem", "content": [node]}]}
    with pytest.raises(BlockFault, match="最多 4 层"):
        from_editor(tree(node))
