"""Files brought in as drafts and pastes turned into blocks, through page and command line."""

import asyncio
import base64
import io
import json
from typing import Any

import docx
import pytest
from aiohttp import FormData
from PIL import Image
from sqlalchemy import select

from console.items.turns import MOST_WAITING
from documents.normalise_picture import normalise
from documents.to_blocks import bring_html
from gates.work import InThread, Work
from review_queue.canonical import Draft
from review_queue.models import Item, Revision
from staff.models import Staff
from staff.people import Person, set_staff
from storage.media import load, marker
from tests.console.office import Browser, Office

OLD = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)


def _photo() -> bytes:
    """A phone photo that lies on its side and names its device."""
    out, exif = io.BytesIO(), Image.Exif()
    exif[0x0112], exif[0x0110] = 6, "PHONE X"
    Image.new("RGB", (400, 300), "red").save(out, "JPEG", exif=exif)
    return out.getvalue()


def _sent() -> bytes:
    """The same as it is reviewed and sent."""
    return normalise(_photo()).data


def _notice() -> bytes:
    file, out = docx.Document(), io.BytesIO()
    file.add_paragraph("招聘会通知", style="Title")
    file.add_heading("时间", 1)
    file.add_paragraph("周六上午九点。")
    file.add_picture(io.BytesIO(_photo()))
    file.save(out)
    return out.getvalue()


async def _drafts(office: Office) -> list[Draft]:
    query = select(Revision.canonical).join(Item, Item.id == Revision.item_id)
    async with office.deps.db.session() as session:
        texts = (await session.scalars(query.order_by(Revision.created_at))).all()
    return [Draft.from_canonical(text) for text in texts]


async def _import(office: Office, login: str, files: dict[str, bytes]) -> tuple[int, str]:
    browser = await office.signed_in(login)
    form = FormData({"csrf": browser.csrf})
    for name, content in files.items():
        form.add_field("file", content, filename=name)
    answer = await browser.client.post("/console/items/import", data=form)
    return answer.status, await answer.text()


async def _paste(office: Office, body: Any) -> tuple[int, Any]:
    browser = await office.signed_in("editor")
    answer = await browser.client.post(
        "/console/items/paste", json=body, headers={"X-CSRF": browser.csrf}
    )
    text = await answer.text()
    return answer.status, json.loads(text) if answer.status == 200 else text


async def test_each_file_is_a_draft_and_a_bad_one_stops_no_other(office: Office) -> None:
    files = {"通知.docx": _notice(), "旧.doc": OLD, "说明.txt": "第一段\n第二段".encode("gb18030")}
    status, page = await _import(office, "editor", files)
    assert status == 200
    assert "另存为 .docx 再导入" in page
    first, second = await _drafts(office)
    assert (first.title, first.body.split("\n")[:2]) == ("招聘会通知", ["时间", "周六上午九点。"])
    assert first.blocks is not None
    assert [one.kind for one in first.blocks.blocks] == ["heading", "paragraph", "picture"]
    assert (second.title, second.body) == ("说明", "第一段\n第二段")
    async with office.deps.db.session() as session:
        assert await load(session, marker(_sent())) == (_sent(), "image/jpeg")


async def test_who_writes_no_drafts_imports_none(office: Office) -> None:
    status, _ = await _import(office, "reviewer1", {"说明.txt": b"text"})
    assert status == 403
    assert await _drafts(office) == []


async def test_the_page_of_a_new_draft_offers_the_import(office: Office) -> None:
    browser = await office.signed_in("editor")
    _, page = await browser.get("/console/items/new")
    assert 'action="/console/items/import"' in page


async def test_a_paste_comes_back_as_blocks_with_what_was_left_out(office: Office) -> None:
    data = base64.b64encode(_photo()).decode()
    html = (
        f"<h1>时间</h1><p>周<b>六</b></p><img src='data:image/jpeg;base64,{data}'>"
        "<img src='file:///C:/a.jpg'>"
    )
    status, told = await _paste(office, {"html": html})
    assert status == 200
    assert [one["kind"] for one in told["blocks"]] == ["heading", "paragraph", "picture"]
    assert told["blocks"][2]["media"] == marker(_sent())
    assert b"PHONE X" not in _sent()
    assert told["left_out"] == ["1 张图片没有带过来：请把图片文件拖进来"]
    async with office.deps.db.session() as session:
        assert await load(session, marker(_sent())) is not None


async def test_a_damaged_picture_of_a_paste_is_named_and_the_words_stay(office: Office) -> None:
    data = base64.b64encode(_photo()[:200]).decode()
    html = f"<p>正文</p><img src='data:image/jpeg;base64,{data}'>"
    status, told = await _paste(office, {"html": html})
    assert status == 200
    assert [one["kind"] for one in told["blocks"]] == ["paragraph"]
    assert any(one.startswith("1 张图片没有带过来：图片不完整") for one in told["left_out"])


async def test_a_paste_that_is_none_is_refused_in_words(office: Office) -> None:
    given: tuple[Any, ...] = ({"html": 3}, [], {})
    for body in given:
        status, page = await _paste(office, body)
        assert status == 422
        assert "再粘贴一次" in page


async def test_a_paste_nested_without_end_is_refused_in_a_line(office: Office) -> None:
    browser = await office.signed_in("editor")
    body = b'{"html":' + b"[" * 200_000 + b"]" * 200_000 + b"}"
    headers = {"X-CSRF": browser.csrf, "Content-Type": "application/json"}
    answer = await browser.client.post("/console/items/paste", data=body, headers=headers)
    assert answer.status == 422
    assert "粘贴的内容读不了" in await answer.text()


async def test_what_one_editor_hands_in_at_once_waits_for_itself_and_for_nobody_else(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with office.deps.ledger.transaction() as tx:
        hashed = (await tx.session.get_one(Staff, office.people["editor"])).password_hash
        await set_staff(tx, Person("editor2", "何平", ("editor",), hashed), "init")
    held, running, most = asyncio.Event(), 0, 0

    async def run(self: InThread, work: Work) -> object:
        nonlocal running, most
        running += 1
        most = max(most, running)
        if "慢" in str(work.given):
            await held.wait()
        running -= 1
        return bring_html("<p>好</p>")

    monkeypatch.setattr(InThread, "run", run)
    hasty, other = await office.signed_in("editor"), await office.signed_in("editor2")

    async def paste(browser: Browser, words: str) -> int:
        headers = {"X-CSRF": browser.csrf}
        async with browser.client.post(
            "/console/items/paste", json={"html": words}, headers=headers
        ) as answer:
            return answer.status

    slow = [asyncio.create_task(paste(hasty, f"慢{n}")) for n in range(MOST_WAITING + 5)]
    done, _ = await asyncio.wait(slow, timeout=20, return_when=asyncio.FIRST_COMPLETED)
    assert {task.result() for task in done} == {429}
    assert await paste(other, "快") == 200
    held.set()
    statuses = sorted(await asyncio.gather(*slow))
    assert statuses == [200] * MOST_WAITING + [429] * 5
    assert most == 2, "one of each person"
