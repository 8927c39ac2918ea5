"""The light mark-up: what is written comes back, and what it cannot say is stated."""

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from blocks.document import Document, read_document
from blocks.markdown import from_markdown, to_markdown

MEDIA = "sha256:" + "a" * 64
WORDS = st.text('甲乙，（）“*_[]<>&#1.-+\\`|!~:a"=', min_size=1, max_size=12)
RUNS = st.lists(
    st.fixed_dictionaries(
        {
            "text": WORDS,
            "bold": st.booleans(),
            "link": st.sampled_from(["", "https://www.gov.cn/a_(b)?c=1&d"]),
        }
    ),
    min_size=1,
    max_size=4,
)
LINES = st.lists(RUNS, min_size=1, max_size=3).map(
    lambda lines: [run for line in lines for run in ({"text": "\n"}, *line)][1:]
)
POINTS = st.lists(st.fixed_dictionaries({"runs": LINES}), min_size=1, max_size=3)
BELOW = st.none() | st.fixed_dictionaries({"kind": st.just("list"), "items": POINTS})
BLOCKS = st.one_of(
    st.fixed_dictionaries({"kind": st.sampled_from(["paragraph", "quote"]), "runs": LINES}),
    st.fixed_dictionaries({"kind": st.just("heading"), "level": st.just(1), "runs": RUNS}),
    st.fixed_dictionaries({"kind": st.just("heading"), "level": st.just(2), "runs": RUNS}),
    st.fixed_dictionaries(
        {
            "kind": st.just("list"),
            "ordered": st.sampled_from([True]),
            "start": st.integers(0, 99),
            "items": st.lists(
                st.fixed_dictionaries({"runs": LINES, "below": BELOW}), min_size=1, max_size=3
            ),
        }
    ),
    st.fixed_dictionaries(
        {"kind": st.just("picture"), "media": st.just(MEDIA), "alt": WORDS, "caption": WORDS}
    ),
    st.just({"kind": "divider"}),
)


def _apart(blocks: list[dict[str, Any]]) -> Document:
    """A divider between: Markdown joins lists and quotes that follow each other."""
    return read_document([each for one in blocks for each in (one, {"kind": "divider"})])


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(BLOCKS, max_size=5).map(_apart))
def test_what_is_written_as_markdown_comes_back_as_the_same_blocks(document: Document) -> None:
    assert from_markdown(to_markdown(document)).document == document


def test_a_table_keeps_its_head_and_its_fields() -> None:
    head = [{"head": True, "runs": [{"text": word}]} for word in ("日|期", "地点")]
    rows = [{"cells": head}, {"cells": [{"runs": [{"text": "周六", "bold": True}]}, {}]}]
    document = read_document([{"kind": "table", "rows": rows}])
    assert from_markdown(to_markdown(document)).document == document


def test_origin_licence_and_files_are_kept_by_their_marker() -> None:
    document = read_document(
        [
            {"kind": "picture", "media": MEDIA, "alt": "会场", "origin": "甲", "licence": "自有"},
            {"kind": "attachment", "name": "名单.docx", "media": "sha256:" + "b" * 64},
        ]
    )
    text = to_markdown(document).replace("会场", "大厅")
    back = from_markdown(text, document).document.data()
    assert (back[0]["alt"], back[0]["origin"], back[0]["licence"]) == ("大厅", "甲", "自有")
    assert back[1]["kind"] == "attachment"


def test_bold_beside_chinese_marks_is_bold_and_markup_is_words() -> None:
    taken = from_markdown(
        "请带**（原件）**来，*不要*折。<script>x</script>\n\n![图](https://a/b.png)"
    )
    runs = taken.document.data()[0]["runs"]
    assert [(run["text"], run["bold"]) for run in runs] == [
        ("请带", False),
        ("（原件）", True),
        ("来，不要折。<script>x</script>", False),
    ]
    assert taken.left_out == ("1 张图片没有带过来：请把图片文件拖进来",)


def test_hostile_markdown_is_read_in_time() -> None:
    for text in ("> " * 500, "- " * 500, "[" * 5_000, "**" * 5_000, "![" * 2_000):
        assert isinstance(from_markdown(text).left_out, tuple)
