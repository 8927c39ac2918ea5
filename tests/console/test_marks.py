"""Marking findings in a text, and cleaning what is pasted."""

from hypothesis import given
from hypothesis import strategies as st

from console.items.forms import clean_body
from console.items.marks import Passage, mark, paragraphs


def finding(start: int, end: int, field: str = "text") -> Passage:
    return Passage(field, start, end, "law", "warn")


@given(st.text(max_size=60), st.lists(st.tuples(st.integers(-5, 70), st.integers(-5, 70))))
def test_marked_pieces_always_join_to_the_text(text: str, spans: list[tuple[int, int]]) -> None:
    findings = [finding(start, end) for start, end in spans]
    assert "".join(piece.text for piece in mark(text, findings, "text")) == text


def test_overlapping_findings_are_both_marked_and_end_where_they_end() -> None:
    pieces = mark("甲乙丙丁", [finding(0, 3), finding(1, 4)], "text")
    assert [(piece.text, piece.findings, piece.ends) for piece in pieces] == [
        ("甲", (0,), ()),
        ("乙丙", (0, 1), (0,)),
        ("丁", (1,), (1,)),
    ]


def test_offsets_count_code_points_beyond_the_basic_plane() -> None:
    pieces = mark("𠮷田最佳", [finding(2, 4)], "text")
    assert [piece.text for piece in pieces if piece.findings] == ["最佳"]


def test_a_finding_of_the_title_does_not_mark_the_body() -> None:
    assert not any(piece.findings for piece in mark("甲乙", [finding(0, 1, "title")], "text"))


def test_pictures_and_paragraphs_keep_their_order() -> None:
    media = "a" * 64
    found = paragraphs(f"第一段\n![会场](sha256:{media})\n第二段", [finding(0, 1)])
    assert [(row.media, row.alt) for row in found] == [("", ""), (media, "会场"), ("", "")]
    assert found[0].pieces[0].findings == (0,)


def test_pasted_text_loses_stray_spaces_and_blank_lines() -> None:
    assert clean_body("\u3000\u3000第一段\u00a0\r\n\r\n\t第二段  ") == "第一段\n第二段"
