"""The blocks of a text on the page of its item: drawn as what they are, findings at their words."""

import re

from hypothesis import given

from blocks.document import Document, read_document
from blocks.text import project
from console.items.blocks import Shown, shown_blocks
from console.items.marks import Passage
from tests.blocks.made import DOCUMENTS
from tests.blocks.test_document import quick
from tests.console.article import article, kept, notice, png, said
from tests.console.office import Office


def words(one: Shown) -> str:
    own = "".join(part.piece.text for part in one.words)
    return own + "".join(words(inner) for inner in one.inside)


@quick
@given(DOCUMENTS)
def test_every_word_is_shown_once_and_marked_where_the_text_is(document: Document) -> None:
    told = project(document)
    half = len(told.text) // 2
    finding = Passage("text", half, len(told.text), "wording")
    found = shown_blocks(document, [finding] if half < len(told.text) else [])
    places = [leaf for leaf in told.leaves if leaf.where[-1] not in ("alt", "name") and told.text]
    assert "".join(map(words, found)) == "".join(
        told.text[leaf.start : leaf.end] for leaf in places
    )
    marked = [piece for one in found for piece in pieces(one) if piece.findings]
    inside = "".join(told.text[max(leaf.start, half) : max(leaf.end, half)] for leaf in places)
    assert "".join(piece.text for piece in marked) == inside


def pieces(one: Shown):
    yield from (part.piece for part in one.words)
    for inner in one.inside:
        yield from pieces(inner)


def test_the_address_of_a_link_that_is_partly_bold_stands_once_behind_it() -> None:
    there = {"link": "https://www.gov.cn/a"}
    bold = {"text": "原文", "bold": True} | there
    runs = [{"text": "政策"} | there, bold, {"text": "另见", "link": "https://www.gov.cn/b"}]
    document = read_document([{"kind": "paragraph", "runs": runs}])
    (shown,) = shown_blocks(document, [Passage("text", 1, 3, "wording")])
    led = [(part.piece.text, part.leads) for part in shown.words if part.leads]
    assert led == [("文", "https://www.gov.cn/a"), ("另见", "https://www.gov.cn/b")]


async def test_the_page_shows_headings_lists_tables_links_and_pictures(office: Office) -> None:
    row = await article(office, notice(await kept(office, png())))
    _, page = await (await office.signed_in("editor")).get(f"/console/items/{row.id}")
    start = page.index('class="view article"')
    text = page[start : page.index('class="view"', start)]
    for tag in ("<h3>", "<h4>", 'start="3"', 'rowspan="2"', "<th>", "<blockquote>", "<hr>"):
        assert tag in text, tag
    assert "来源：李雪摄" in text
    assert "https://www.gov.cn/a?b=1" in text  # where a link leads is read, not guessed
    assert "sha256:" not in text


async def test_a_finding_stands_underlined_in_its_field_of_the_table(office: Office) -> None:
    cells = [{"runs": said("办法")}, {"runs": [*said("残"), *said("废人", bold=True)]}]
    table = {"kind": "table", "rows": [{"cells": cells}]}
    row = await article(office, read_document([table]))
    _, page = await (await office.signed_in("editor")).get(f"/console/items/{row.id}")
    marked = re.findall(r"<mark class=\"\w+\"><a href=\"#finding-\d+\">([^<]*)</a></mark>", page)
    assert "".join(marked).count("残废人") == 1


async def test_a_new_draft_names_who_writes_it(office: Office) -> None:
    _, page = await (await office.signed_in("editor")).get("/console/items/new")
    assert re.search(r'name="from_editor" value="李雪"', page)
