"""The canonical form of an article of blocks: it is read back as it was, and all of it matters."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from blocks.document import Document, Made
from blocks.text import project
from review_queue.canonical import Corrects, Draft, canonical
from tests.blocks.made import DOCUMENTS
from tests.review_queue.test_digest import DRAFTS, WORDS, quick, renderings, sealed

EDGES = st.tuples(*[st.integers(0, 1_000_000)] * 4)
CORRECTED = st.builds(
    Corrects,
    item=WORDS,
    digest=st.text("0123456789abcdef", min_size=64),
    changes=st.just("") | WORDS,
    title=st.just("") | WORDS,
)
FORM: dict[str, st.SearchStrategy[Any]] = {
    "blocks": DOCUMENTS,
    "summary": WORDS,
    "author": WORDS,
    "made": st.sampled_from(list(Made)),
    "crops": st.dictionaries(st.sampled_from(["wide", "square"]), EDGES),
    "corrects": st.none() | CORRECTED,
}


def _article(draft: Draft, form: dict[str, Any]) -> Draft:
    blocks: Document = form["blocks"]
    return replace(draft, **form, body=project(blocks).text)


ARTICLES = st.builds(_article, DRAFTS, st.fixed_dictionaries(FORM))


@quick
@given(ARTICLES)
def test_an_article_survives_the_way_through_its_canonical_text(article: Draft) -> None:
    text = canonical(article, renderings(article))
    back = Draft.from_canonical(text)
    assert canonical(back, renderings(back)) == text
    assert {name: getattr(back, name) for name in FORM} == {
        name: getattr(article, name) for name in FORM
    }


@quick
@given(ARTICLES, st.sampled_from(list(FORM)), st.data())
def test_each_field_of_an_article_matters(article: Draft, name: str, data: Any) -> None:
    other = data.draw(FORM[name])
    assume(other != getattr(article, name))
    # With the same renderings: the field itself is in the form, not only what comes of it.
    changed = _article(article, {one: getattr(article, one) for one in FORM} | {name: other})
    shown = renderings(article)
    assert canonical(changed, shown) != canonical(article, shown)
    assert sealed(changed) != sealed(article)


@quick
@given(ARTICLES, DOCUMENTS)
def test_a_text_that_is_not_the_text_of_its_blocks_is_refused(
    article: Draft, other: Document
) -> None:
    assume(project(other).text != article.body)
    told = json.loads(canonical(article, renderings(article)))
    with pytest.raises(ValueError, match="not the text"):
        Draft.from_canonical(json.dumps(told | {"blocks": other.data()}))
