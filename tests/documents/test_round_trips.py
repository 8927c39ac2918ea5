"""Any article of ours goes out as .docx and as .html and comes back as the same blocks."""

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from blocks.document import Document, Picture, Table, read_document
from blocks.grid import table_of
from blocks.taken import LeftOut
from blocks.to_html import to_html
from documents.to_blocks import bring_file
from documents.to_docx import to_docx
from storage.media import marker
from tests.documents.made_pictures import picture

PNG = picture()
MEDIA = marker(PNG)
WORDS = st.text('甲乙，（）“*[]<>&#1.-a"=一、𠮷🎉', min_size=1, max_size=8)
LINKS = st.sampled_from(["", "https://www.gov.cn/a?b=1&c=2", "tel:12345"])


def _runs(bold: st.SearchStrategy[bool]) -> st.SearchStrategy[list[Any]]:
    one = st.fixed_dictionaries({"text": WORDS, "bold": bold, "link": LINKS})
    return st.lists(one, min_size=1, max_size=3)


def _lines(bold: st.SearchStrategy[bool]) -> st.SearchStrategy[list[Any]]:
    def broken(lines: list[list[Any]]) -> list[Any]:
        return [run for line in lines for run in ({"text": "\n"}, *line)][1:]

    return st.lists(_runs(bold), min_size=1, max_size=3).map(broken)


LINES, PLAIN = _lines(st.booleans()), _lines(st.just(value=False))


def _lists(depth: int) -> st.SearchStrategy[dict[str, Any]]:
    below = st.none() if depth == 1 else st.none() | _lists(depth - 1)
    points = st.lists(
        st.fixed_dictionaries({"runs": LINES, "below": below}), min_size=1, max_size=3
    )
    dots = st.fixed_dictionaries({"kind": st.just("list"), "items": points})
    counted = {"kind": st.just("list"), "ordered": st.just(value=True), "items": points}
    return dots | st.fixed_dictionaries({**counted, "start": st.integers(0, 99)})


FULL = st.fixed_dictionaries({"runs": PLAIN, "head": st.booleans()})
SPANS = st.fixed_dictionaries(
    {
        "runs": PLAIN | st.just([]),
        "head": st.booleans(),
        "colspan": st.integers(1, 3),
        "rowspan": st.integers(1, 3),
    }
)
ROWS = st.fixed_dictionaries(
    {"cells": (st.tuples(FULL, FULL) | st.tuples(FULL, SPANS, FULL)).map(list)}
)
BLOCKS = st.one_of(
    st.fixed_dictionaries({"kind": st.sampled_from(["paragraph", "quote"]), "runs": LINES}),
    st.fixed_dictionaries(
        {
            "kind": st.just("heading"),
            "level": st.sampled_from([1, 2]),
            "runs": _runs(st.just(value=False)),
        }
    ),
    _lists(4),
    st.fixed_dictionaries({"kind": st.just("table"), "rows": st.lists(ROWS, min_size=1)}),
    st.fixed_dictionaries(
        {
            "kind": st.just("picture"),
            "media": st.just(MEDIA),
            "alt": WORDS,
            "caption": st.just("") | WORDS,
            "origin": st.just("县融媒体中心"),
            "licence": st.just("自有"),
        }
    ),
    st.just({"kind": "divider"}),
)


def _apart(blocks: list[dict[str, Any]]) -> Document:
    """Words between: lists and quotes that follow each other are one."""
    words = {"kind": "paragraph", "runs": [{"text": "隔开"}]}
    return read_document([each for one in blocks for each in (one, words)])


def _fits(document: Document) -> bool:
    """No field of a table lies on another."""
    tables = [one for one in document.blocks if isinstance(one, Table)]
    return all(
        table_of([row.cells for row in one.rows], LeftOut(), guess=False) == one for one in tables
    )


DOCUMENTS = st.lists(BLOCKS, max_size=4).map(_apart).filter(_fits)


def _seen(data: Any) -> Any:
    """The data letter by letter; a line break looks like nothing."""
    if isinstance(data, list):
        return [_seen(one) for one in data]
    if not isinstance(data, dict):
        return data
    found = {key: _seen(value) for key, value in data.items() if key != "runs"}
    letters = [(one, run) for run in data.get("runs", []) for one in run["text"]]
    looks = [(one, one != "\n" and (run["bold"], run["link"])) for one, run in letters]
    return found | ({"runs": looks} if "runs" in data else {})


quick = settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


@quick
@given(DOCUMENTS)
def test_a_docx_of_any_article_comes_back_as_its_blocks(document: Document) -> None:
    brought = bring_file("a.docx", to_docx("夜市安排", document, {MEDIA: PNG}))
    assert _seen(brought.taken.document.data()) == _seen(document.data())
    assert (brought.taken.title, brought.taken.left_out) == ("夜市安排", ())


@quick
@given(DOCUMENTS)
def test_a_page_of_any_article_comes_back_as_its_blocks_without_the_licence(
    document: Document,
) -> None:
    page = to_html("夜市安排", document, {MEDIA: (PNG, "image/png")})
    brought = bring_file("a.html", page.encode())
    # Whoever brings a page says anew that its pictures may be used.
    kept = [
        one.model_copy(update={"licence": ""}) if isinstance(one, Picture) else one
        for one in document.blocks
    ]
    assert _seen(brought.taken.document.data()) == _seen(Document(blocks=tuple(kept)).data())
    assert (brought.taken.title, brought.taken.left_out) == ("夜市安排", ())
