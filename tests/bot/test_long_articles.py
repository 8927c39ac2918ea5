"""Articles longer than a message: whatever stands at the border, nothing is lost and none cut."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from blocks.document import Document, read_document
from blocks.text import project
from bot.render import units
from bot.telegram.rendering import render_telegram
from tests.bot.made import article, dense

NUMBER = "青政办发〔2026〕12号"
WORDS = "办事指南全文\n第二行"
LINK = "https://www.example.gov.cn/zhinan?a=1&b=2"
FAMILY = "👨‍👩‍👧‍👦"  # one sign of seven characters, eleven units
CHUNKS = st.tuples(
    st.sampled_from(["办", "𠮷", "🎉", FAMILY, "办事大厅。", "a b", "，见", NUMBER, "\n"]),
    st.integers(1, 900),
)
LONG = st.tuples(
    st.lists(CHUNKS, min_size=1, max_size=4), st.booleans(), st.sampled_from(["", LINK])
)


def _words(chunks: list[tuple[str, int]]) -> str:
    """The chunks one after the other, none above some hundred characters but the filling ones."""
    filling = ("办", "𠮷", "🎉")
    return "".join(
        chunk * (times if chunk in filling else 1 + times % 3) for chunk, times in chunks
    )


def _runs(told: list[tuple[list[tuple[str, int]], bool, str]]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for chunks, bold, link in told:
        found.append({"text": _words(chunks), "bold": bold, "link": ""})
        if link:
            found.append({"text": WORDS, "bold": bold, "link": link})
    return found


RUNS = st.lists(LONG, min_size=1, max_size=4).map(_runs)
BLOCKS = st.one_of(
    st.fixed_dictionaries({"kind": st.just("paragraph"), "runs": RUNS}),
    st.fixed_dictionaries(
        {
            "kind": st.just("list"),
            "items": st.lists(st.fixed_dictionaries({"runs": RUNS}), min_size=1, max_size=2),
        }
    ),
    st.just({"kind": "quote", "runs": [{"text": f"依据{NUMBER}，" + "引" * 300}]}),
    st.just({"kind": "heading", "runs": [{"text": f"关于{NUMBER}的说明"}]}),
)
DOCUMENTS = st.lists(BLOCKS, min_size=1, max_size=4).map(read_document)
some = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@some
@given(DOCUMENTS)
def test_at_the_border_of_a_message_nothing_is_lost_and_no_number_sign_or_link_is_cut(
    document: Document,
) -> None:
    parts = render_telegram(article(document))["parts"]
    text = project(document).text
    said = dense("".join(part["text"] for part in parts))
    for line in text.split("\n"):
        assert dense(line).removeprefix("•") in said
    for whole in (NUMBER, FAMILY):
        assert sum(part["text"].count(whole) for part in parts) == text.count(whole)
    for part in parts:
        assert units(part["text"]) <= 4096
        raw = part["text"].encode("utf-16-le")
        for entity in part["entities"]:
            start, end = entity["offset"] * 2, (entity["offset"] + entity["length"]) * 2
            covered = raw[start:end].decode("utf-16-le")
            if entity["type"] == "text_link":
                assert covered == WORDS


def _told(heads: int, *blocks: dict[str, Any]) -> list[dict[str, Any]]:
    heading = {"kind": "heading", "runs": [{"text": "申领条件" * 20}]}
    return render_telegram(article(read_document([*[heading] * heads, *blocks])))["parts"]


@pytest.mark.parametrize("heads", [1, 3, 12, 60])
@pytest.mark.parametrize("bold", [False, True])
def test_below_headings_a_full_paragraph_is_parted_so_that_the_message_holds_both(
    heads: int, *, bold: bool
) -> None:
    runs = [{"text": "办" * 4090, "bold": bold}]
    parts = _told(heads, {"kind": "paragraph", "runs": runs})
    assert [part["text"] for part in parts if units(part["text"]) > 4096] == []
    said = "".join(part["text"] for part in parts)
    assert (said.count("办"), said.count("申领条件")) == (4090, 20 * heads)
    [last] = [part["text"] for part in parts if "件\n办" in part["text"]]
    assert last.startswith("申领条件")


def test_below_a_heading_a_quote_that_fills_a_message_keeps_its_own() -> None:
    parts = _told(1, {"kind": "quote", "runs": [{"text": "引" * 4096}]})
    assert [part["text"] for part in parts][-1] == "引" * 4096
    assert parts[-2]["text"].endswith("申领条件")


def test_below_a_heading_marks_are_counted_too() -> None:
    runs = [{"text": f"第{number}项", "bold": number % 2 == 0} for number in range(200)]
    parts = _told(1, {"kind": "paragraph", "runs": runs})
    assert max(len(part["entities"]) for part in parts) <= 100
    assert "".join(part["text"] for part in parts).count("项") == 200
