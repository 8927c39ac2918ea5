"""Out again: .docx and one page of HTML, with the pictures this person may see."""

import base64
from urllib.parse import unquote

from blocks.document import read_document
from documents.to_blocks import bring_file
from review_queue import scope
from storage.media import marker
from tests.console.article import article, kept, png
from tests.console.office import Office

RUNS = [{"text": "周六"}, {"text": "上午", "bold": True}, {"text": "<开放>"}]


async def _item(office: Office) -> tuple[str, str]:
    media = await kept(office, png("#008080"))
    blocks = [
        {"kind": "heading", "runs": [{"text": "时间"}]},
        {"kind": "paragraph", "runs": RUNS},
        {"kind": "picture", "media": media, "alt": "现场", "origin": "县里", "licence": "自有"},
    ]
    row = await article(office, read_document(blocks))
    return row.id, media


async def test_an_item_goes_out_as_word_and_comes_back_as_its_blocks(office: Office) -> None:
    item_id, media = await _item(office)
    browser = await office.signed_in("editor")
    answer = await browser.client.get(f"/console/items/{item_id}/export?as=docx")
    assert answer.status == 200
    name = unquote(answer.headers["Content-Disposition"])
    assert name.startswith("attachment")
    assert name.endswith("（草稿）.docx")
    brought = bring_file("a.docx", await answer.read())
    assert [one.kind for one in brought.taken.document.blocks] == [
        "heading",
        "paragraph",
        "picture",
    ]
    assert [marker(one) for one in brought.pictures.values()] == [media]


async def test_the_page_needs_nothing_beside_it_and_runs_nothing(office: Office) -> None:
    item_id, _ = await _item(office)
    browser = await office.signed_in("reviewer1")
    answer = await browser.client.get(f"/console/items/{item_id}/export?as=html")
    text = await answer.text()
    assert "<b>上午</b>&lt;开放&gt;" in text
    assert base64.b64encode(png("#008080")[:30]).decode()[:36] in text
    assert "http" not in text.split("<body>")[1]
    assert "sandbox" in answer.headers["Content-Security-Policy"]


async def test_another_form_is_refused_in_words(office: Office) -> None:
    item_id, _ = await _item(office)
    browser = await office.signed_in("editor")
    status, page = await browser.get(f"/console/items/{item_id}/export?as=exe")
    assert status == 422
    assert "只能导出为 docx 或 html" in page


async def test_a_limited_item_and_its_pictures_go_out_to_nobody_outside(office: Office) -> None:
    item_id, _ = await _item(office)
    circle = [office.people["reviewer1"], office.people["reviewer3"]]
    await scope.confine(office.deps.queue, item_id, office.people["editor"], circle)
    outside = await office.signed_in("reviewer2")
    status, _ = await outside.get(f"/console/items/{item_id}/export?as=docx")
    assert status == 404
    inside = await office.signed_in("reviewer3")
    assert (await inside.client.get(f"/console/items/{item_id}/export?as=docx")).status == 200
