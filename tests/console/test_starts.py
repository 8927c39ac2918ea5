"""A new draft from an outline or from an older item."""

from sqlalchemy import select

from blocks.document import Table, read_document
from blocks.light import to_light
from console.items.starts import OUTLINES, from_outline, like
from review_queue import scope
from review_queue.canonical import Draft
from review_queue.models import Item
from tests.console.article import article, draft_of, kept, png
from tests.console.office import Office
from tests.console.test_differences import DRAFT

TABLE = {"kind": "table", "rows": [{"cells": [{"runs": [{"text": "周六"}]}]}]}


async def test_the_new_form_offers_outlines_and_fills_in_the_chosen_one(office: Office) -> None:
    browser = await office.signed_in("editor")
    _, page = await browser.get("/console/items/new")
    assert all(f"/console/items/new?start={name}" in page for name in OUTLINES)
    _, page = await browser.get("/console/items/new?start=解读")
    assert "三、标准是多少" in page
    assert "<option selected>解读" in page
    _, page = await browser.get("/console/items/new?start=没有的")
    assert "三、标准是多少" not in page


def test_every_outline_is_a_document_with_places_to_fill() -> None:
    for name in OUTLINES:
        draft = from_outline(DRAFT, name)
        assert draft.blocks is not None
        assert "……" in draft.body


def test_an_older_item_lends_its_words_and_none_of_its_decisions() -> None:
    empty = Draft("原创", "日常", "", "", ("wx",), DRAFT.not_before, DRAFT.not_after)
    empty = empty.changed({"attribution": {"editor": "李雪"}})
    older = DRAFT.changed({"blocks": read_document([TABLE]), "kind": "更正", "summary": "一句"})
    made = like(empty, older)
    assert (made.title, made.summary, made.kind) == (older.title, "一句", "原创")
    assert made.blocks is not None
    assert isinstance(made.blocks.blocks[0], Table)
    assert (made.klass, made.accounts, made.corrects) == ("日常", ("wx",), None)
    assert made.attribution["editor"] == "李雪"


async def test_a_limited_item_is_copied_by_nobody_and_unknown_outside(office: Office) -> None:
    row = await article(office, read_document([TABLE]))
    browser = await office.signed_in("editor")
    status, page = await browser.get(f"/console/items/new?like={row.id}")
    assert (status, "周六" in page) == (200, True)
    circle = [office.people["reviewer1"], office.people["reviewer3"]]
    await scope.confine(office.deps.queue, row.id, office.people["editor"], circle)
    status, page = await browser.get(f"/console/items/new?like={row.id}")
    assert (status, "周六" in page) == (409, False)
    status, _ = await browser.get("/console/items/new?like=nowhere")
    assert status == 404


async def test_a_copy_sent_without_scripts_keeps_what_its_box_cannot_say(office: Office) -> None:
    picture = {
        "kind": "picture",
        "media": await kept(office, png()),
        "origin": "本单位拍摄",
        "licence": "自有",
        "made": "assisted",
    }
    older = await article(office, read_document([TABLE, picture]))
    browser = await office.signed_in("editor")
    await browser.get(f"/console/items/new?like={older.id}")
    draft = await draft_of(office, older.id)
    fields = {"title": "另一篇", "klass": "日常", "kind": "原创", "like": older.id, "marks": "1"}
    assert draft.blocks is not None
    status, _ = await browser.post("/console/items/new", **fields, body=to_light(draft.blocks))
    assert status == 303
    async with office.deps.db.session() as session:
        made = await session.scalar(select(Item.id).where(Item.begun_like == older.id))
    assert made is not None
    assert (await draft_of(office, made)).blocks == draft.blocks
