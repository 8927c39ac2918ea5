"""Documents of every kind, drawn by hypothesis."""

from typing import Any

from hypothesis import strategies as st

from blocks.document import DEEPEST, Made, read_document, seen

MEDIA = "sha256:" + "a" * 64
WORDS = st.text(st.characters(codec="utf-8"), max_size=20)
RUNS = st.lists(
    st.fixed_dictionaries(
        {
            "text": WORDS,
            "bold": st.booleans(),
            "link": st.sampled_from(["", "https://www.gov.cn/a?b=1", "tel:12345"]),
        }
    ),
    max_size=4,
)


def _is_name(words: str) -> bool:
    return bool("".join(seen(words).split()))


def _lists(depth: int) -> st.SearchStrategy[dict[str, Any]]:
    below = st.none() if depth == 1 else st.none() | _lists(depth - 1)
    points = st.lists(st.fixed_dictionaries({"runs": RUNS, "below": below}), min_size=1, max_size=3)
    bullets = st.fixed_dictionaries({"kind": st.just("list"), "items": points})
    numbers = st.fixed_dictionaries(
        {
            "kind": st.just("list"),
            "ordered": st.sampled_from([True]),
            "start": st.integers(0, 99),
            "items": points,
        }
    )
    return bullets | numbers


CELLS = st.fixed_dictionaries(
    {
        "runs": RUNS,
        "head": st.booleans(),
        "colspan": st.integers(1, 3),
        "rowspan": st.integers(1, 3),
    }
)
BLOCKS = st.one_of(
    st.fixed_dictionaries({"kind": st.sampled_from(["paragraph", "quote"]), "runs": RUNS}),
    st.fixed_dictionaries(
        {"kind": st.just("heading"), "level": st.sampled_from([1, 2]), "runs": RUNS}
    ),
    _lists(DEEPEST),
    st.fixed_dictionaries(
        {
            "kind": st.just("table"),
            "rows": st.lists(
                st.fixed_dictionaries({"cells": st.lists(CELLS, min_size=1, max_size=3)}),
                min_size=1,
                max_size=4,
            ),
        }
    ),
    st.fixed_dictionaries(
        {
            "kind": st.just("picture"),
            "media": st.just(MEDIA),
            **dict.fromkeys(("alt", "caption", "origin", "licence"), WORDS),
            "made": st.sampled_from(list(Made)),
        }
    ),
    st.just({"kind": "divider"}),
    st.fixed_dictionaries(
        {"kind": st.just("attachment"), "name": WORDS.filter(_is_name), "media": st.just(MEDIA)}
    ),
)
DOCUMENTS = st.lists(BLOCKS, max_size=6).map(read_document)
