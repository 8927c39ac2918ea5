"""The pictures of a 图片消息 in a form without scripts: added at once, put in order, taken out."""

import re
from collections.abc import Sequence
from typing import Any

import pytest
from aiohttp import FormData

from blocks.document import Document, Picture, read_document
from blocks.light import to_light
from bot.picture_message import KIND, pictures_of
from console.items.picturing import arranged
from review_queue.canonical import Draft
from review_queue.models import Item
from tests.console.article import draft_of
from tests.console.office import Browser, Office
from tests.console.test_editing import fields_of
from tests.console.test_picture_messages import TEXT, drafted, laid_out, pictures, stored
from tests.documents import made_pictures as made

MARKERS = [f"sha256:{number:064x}" for number in range(5)]


def order(document: Document) -> str:
    """The pictures by their numbers, words as a dash."""
    return "".join(
        str(MARKERS.index(one.media)) if isinstance(one, Picture) else "-"
        for one in document.blocks
    )


def parted(numbers: Sequence[int]) -> Document:
    """Pictures with words before the first and behind the second."""
    placed = [{"kind": "picture", "media": MARKERS[number]} for number in numbers]
    said = [{"kind": "paragraph", "runs": [{"text": words}]} for words in ("一", "二")]
    return read_document([said[0], *placed[:2], said[1], *placed[2:]])


@pytest.mark.parametrize(
    ("button", "wanted"),
    [
        (f"up:3:{MARKERS[2]}", "-02-13"),
        (f"down:1:{MARKERS[0]}", "-10-23"),
        (f"up:1:{MARKERS[0]}", "-01-23"),
        (f"down:4:{MARKERS[3]}", "-01-23"),
        (f"take:2:{MARKERS[1]}", "-0-23"),
        # The page was drawn before the text changed: the picture is known by its bytes.
        (f"up:1:{MARKERS[3]}", "-01-32"),
        (f"take:1:{MARKERS[4]}", "-01-23"),
        ("up:99999999999:x", "-01-23"),
        ("nonsense", "-01-23"),
        ("", "-01-23"),
    ],
)
def test_a_button_changes_the_order_of_the_pictures_and_leaves_the_words(
    button: str, wanted: str
) -> None:
    assert order(arranged(parted([0, 1, 2, 3]), {"picture": [button]})) == wanted


@pytest.mark.parametrize(
    ("numbers", "wanted"),
    [
        (["4", "3", "2", "1"], "-32-10"),
        (["1", "2", "3", "1"], "-03-12"),
        (["", "x", "3", "4"], "-01-23"),
        (["9", "", "1", "2"], "-23-01"),
    ],
)
def test_numbers_put_all_pictures_in_order_at_once(numbers: list[str], wanted: str) -> None:
    sent = {"picture": ["order"], "placed": MARKERS[:4], "place": numbers}
    assert order(arranged(parted([0, 1, 2, 3]), sent)) == wanted


def test_one_picture_that_stands_twice_is_moved_where_it_was_pressed() -> None:
    told = parted([0, 1, 0])
    assert order(arranged(told, {"picture": [f"up:3:{MARKERS[0]}"]})) == "-00-1"
    assert order(arranged(told, {"picture": [f"take:3:{MARKERS[0]}"]})) == "-01-"


# --- on the page --------------------------------------------------------------------------------


async def sent(browser: Browser, path: str, fields: dict[str, Any], *files: Any) -> tuple[int, str]:
    """The form as a browser without scripts sends it."""
    form = FormData({"csrf": browser.csrf})
    for name, value in fields.items():
        for one in value if isinstance(value, list) else [value]:
            form.add_field(name, one)
    for name, content in files:
        form.add_field("pictures", content, filename=name, content_type="image/png")
    answer = await browser.client.post(path, data=form, allow_redirects=False)
    return answer.status, answer.headers.get("Location", "") + await answer.text()


def plain_box(draft: Draft, version: int, **typed: Any) -> dict[str, Any]:
    """The fields of a page that runs no scripts."""
    fields = fields_of(draft, version, marks="1", body=to_light(draft.blocks or Document()))
    return fields | typed


async def opened(office: Office, row: Item) -> tuple[Draft, int]:
    async with office.deps.db.session() as session:
        return await draft_of(office, row.id), (await session.get_one(Item, row.id)).version


async def test_several_pictures_are_added_at_once_and_moved_without_scripts(
    office: Office,
) -> None:
    editor = await office.signed_in("editor")
    row = await drafted(office, [])
    path = f"/console/items/{row.id}/edit"
    draft, version = await opened(office, row)
    files = [(f"海报{number}.png", content) for number, content in enumerate(pictures(3))]
    typed = {"picture": "add", "pictures_origin": "县应急局制作", "pictures_licence": "自有"}
    form = plain_box(draft, version, **typed, title="新标题")
    status, told = await sent(editor, path, form, *files)
    assert (status, told) == (303, f"{path}?done=saved#pictures")
    draft, version = await opened(office, row)
    assert draft.title == "新标题"  # what was typed beside them is saved with them
    added = pictures_of(draft.blocks or Document())
    assert [(one.origin, one.licence) for one in added] == [("县应急局制作", "自有")] * 3
    assert [one.media for one in added] == await stored(office, pictures(3))

    _, page = await editor.get(path)
    buttons = re.findall(r'name="picture" value="((?:up|down|take):[^"]+)"([^>]*)>', page)
    assert [value.split(":")[0] for value, _ in buttons] == ["up", "down", "take"] * 3
    assert [("disabled" in more) for _, more in buttons] == [
        True, False, False, False, False, False, False, True, False
    ]  # fmt: skip
    [up] = [value for value, _ in buttons if value.startswith("up:3:")]
    status, _ = await sent(editor, path, plain_box(draft, version, picture=up))
    assert status == 303
    draft, version = await opened(office, row)
    moved = pictures_of(draft.blocks or Document())
    assert moved == [added[0], added[2], added[1]]  # with origin and licence
    take = f"take:1:{added[0].media}"
    await sent(editor, path, plain_box(draft, version, picture=take))
    draft, _ = await opened(office, row)
    assert pictures_of(draft.blocks or Document()) == [added[2], added[1]]
    assert TEXT in draft.body


async def test_a_new_message_is_begun_with_its_kind_and_its_pictures(office: Office) -> None:
    editor = await office.signed_in("editor")
    _, page = await editor.get(f"/console/items/new?start={KIND}")
    assert f"<option selected>{KIND}</option>" in page
    assert 'name="pictures" multiple' in page
    fields = {"title": "防汛海报", "kind": KIND, "klass": "日常", "marks": "1", "body": TEXT}
    files = [("甲.png", made.picture(50, 40)), ("乙.png", made.picture(60, 40))]
    status, told = await sent(editor, "/console/items/new", fields | {"picture": "add"}, *files)
    assert status == 303, told
    item = told.split("/")[3]
    draft = await draft_of(office, item)
    assert draft.kind == KIND
    assert len(pictures_of(draft.blocks or Document())) == 2


async def test_a_file_that_is_none_keeps_what_was_typed_and_adds_nothing(office: Office) -> None:
    editor = await office.signed_in("editor")
    row = await drafted(office, [])
    draft, version = await opened(office, row)
    form = plain_box(draft, version, picture="add", title="刚打的标题")
    good, bad = ("好.png", made.picture(50, 40)), ("坏.png", b"\x89PNG\r\n\x1a\n" + b"0" * 20)
    path = f"/console/items/{row.id}/edit"
    status, page = await sent(editor, path, form, good, bad)
    assert status == 422
    assert "坏.png：" in page
    assert "刚打的标题" in page
    assert (await opened(office, row))[1] == version


@pytest.mark.parametrize("button", ["add", ""])
async def test_chosen_files_that_did_not_come_along_are_told_of(
    office: Office, button: str
) -> None:
    editor = await office.signed_in("editor")
    row = await drafted(office, [])
    draft, version = await opened(office, row)
    form = plain_box(draft, version, picture=button, pictures="海报.png")
    status, page = await sent(editor, f"/console/items/{row.id}/edit", form)
    assert status == 422
    assert "再按“保存并添加”" in page


async def test_more_than_twenty_are_not_added(office: Office) -> None:
    editor = await office.signed_in("editor")
    row = await drafted(office, await stored(office, pictures(19)))
    draft, version = await opened(office, row)
    files = [(f"{number}.png", made.picture(30, 20 + number)) for number in range(2)]
    path = f"/console/items/{row.id}/edit"
    status, page = await sent(editor, path, plain_box(draft, version, picture="add"), *files)
    assert status == 422
    assert "图片消息最多 20 张图片，已有 19 张，这次选了 2 张" in page


async def test_another_kind_has_no_such_buttons(office: Office) -> None:
    editor = await office.signed_in("editor")
    row = await office.item()
    _, page = await editor.get(f"/console/items/{row.id}/edit")
    assert 'id="pictures"' not in page


async def test_the_page_of_a_message_numbers_its_pictures_and_opens_each_at_its_full_size(
    office: Office,
) -> None:
    markers = await stored(office, pictures(2))
    row = await drafted(office, markers)
    reviewer = await office.signed_in("reviewer1")
    _, page = await reviewer.get(f"/console/items/{row.id}")
    for number, marker in enumerate(markers, 1):
        place = page.index(f"第 {number} 张，共 2 张")
        assert f'href="/console/media/{marker[7:]}">看原大' in page[place : place + 200]
    shown = page.split('class="wx-pictures"', 1)[1].split("</ol>", 1)[0]
    assert re.findall(r"/console/media/([0-9a-f]{64})", shown) == [one[7:] for one in markers]
    assert "2/2" in shown


def test_the_laid_out_message_is_words_and_then_pictures() -> None:
    assert order(laid_out(MARKERS)) == "-01234"
