"""The duty desk as it fills, and what is done there beside answering."""

import json
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from config.clock import now
from console.web import streams
from escalations.models import Ticket, TicketMessage, TicketReply
from escalations.ratings import RATED
from review_queue import shelving
from review_queue.canonical import QA, Draft
from review_queue.shelf import Shelved
from storage.database import new_id
from tests.console.office import Office, busy_morning, set_roles


async def _next(answer: Any) -> dict[str, Any]:
    """The next event that says something."""
    async for line in answer.content:
        if line.startswith(b"data: "):
            return dict(json.loads(line.removeprefix(b"data: ")))
    raise AssertionError("the stream ended")


async def test_the_desk_and_a_conversation_fill_by_themselves(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "EVERY", 0.05)
    ids = await busy_morning(office)
    duty = await office.signed_in("duty1")
    ticket = ids["ticket"]
    async with duty.client.get("/console/tickets/live") as desk:
        first = await _next(desk)
        assert f"/console/tickets/{ticket}" in first["html"]
        async with office.deps.db.session() as session:
            row = TicketMessage(id=new_id(), ticket_id=ticket, text="还在等", at=now())
            session.add(row)
        await duty.post(f"/console/tickets/{ticket}/claim")
        second = await _next(desk)
    assert (second["newest"], second["html"] != first["html"]) == (row.id, True)
    async with duty.client.get(f"/console/tickets/{ticket}/live") as talk:
        assert 'id="live"' in (await _next(talk))["html"]
    editor = await office.signed_in("editor")
    assert (await editor.get("/console/tickets/live"))[0] == 403


async def test_a_note_a_sheet_and_a_refusal_stand_on_the_page(office: Office) -> None:
    ids = await busy_morning(office)
    duty = await office.signed_in("duty1")
    path = f"/console/tickets/{ids['ticket']}"
    await duty.post(f"{path}/claim")
    page = (await duty.get(path))[1]
    # The way to the answer stands before everything that was said.
    assert page.index('href="#text">写答复') < page.index("<h2>对话</h2>") < page.index('id="text"')
    assert (await duty.post(f"{path}/note", note="已联系就业局。"))[0] == 303
    status, page = await duty.post(f"{path}/hotline", number="")
    assert (status, "工单号" in page, "已联系就业局" in page) == (422, True, True)
    status, page = await duty.get(f"{path}/sheet")
    assert (status, "咨询事项转办单" in page, "周洋" in page) == (200, True, True)
    status, page = await duty.post(f"{path}/transfer", to=office.people["duty1"])
    assert (status, "另一位" in page) == (409, True)


async def test_a_stopped_answer_waits_for_a_second_person_on_the_first_page(office: Office) -> None:
    ids = await busy_morning(office)
    duty = await office.signed_in("duty1")
    path = f"/console/tickets/{ids['ticket']}"
    await duty.post(f"{path}/claim")
    assert (await duty.post(f"{path}/reply", text="请打 13812345678。"))[0] == 303
    assert "被拦下的答复" not in (await duty.get("/console/"))[1]
    await set_roles(office, "nobody", ["supervisor"])
    other = await office.signed_in("nobody")
    page = (await other.get("/console/"))[1]
    assert "被拦下的答复" in page
    assert f'href="{path}"' in page


async def test_a_bad_rating_stands_until_somebody_called_back_and_ended_it(office: Office) -> None:
    ids = await busy_morning(office)
    async with office.deps.db.session() as session:
        given = {"state": "answered", "answered_at": now()}
        await session.execute(update(Ticket).where(Ticket.id == ids["ticket"]).values(**given))
    duty = await office.signed_in("duty1")
    assert "请回访" not in (await duty.get("/console/tickets"))[1]
    async with office.deps.queue.ledger.transaction() as tx:
        subject, body = f"ticket:{ids['ticket']}", {"stars": 2}
        await tx.append(RATED, subject=subject, actor="system", body=body)
    assert "请回访" in (await duty.get("/console/tickets"))[1]
    await duty.post(f"/console/tickets/{ids['ticket']}/close")
    assert "请回访" not in (await duty.get("/console/tickets"))[1]


async def second_question(office: Office, first: str) -> str:
    """Another one of the citizen who asked the first, as while its answer waited."""
    async with office.deps.ledger.transaction() as tx:
        opened = next(iter(await office.deps.ledger.facts(f"ticket:{first}")))
        row = await tx.session.get(Ticket, first)
        assert row is not None
        held = {column.name: getattr(row, column.name) for column in Ticket.__table__.columns}
        at = row.created_at + timedelta(minutes=1)
        new = {"id": new_id(), "question": "外县户口能领求职补贴吗", "created_at": at}
        tx.session.add(Ticket(**(held | new)))
        reply = {"staff_id": "x", "text": "请等核实。", "findings": [], "state": "failed"}
        tx.session.add(TicketReply(id=new_id(), ticket_id=new["id"], created_at=at, **reply))
        await tx.append("ticket.opened", subject=f"ticket:{new['id']}", actor="robot",
                        body=dict(opened.body))  # fmt: skip
    return str(new["id"])


async def test_two_questions_of_one_citizen_are_shown_whole_on_one_page_and_parted_again(
    office: Office,
) -> None:
    first = (await busy_morning(office))["ticket"]
    later = await second_question(office, first)
    duty = await office.signed_in("duty1")
    path = f"/console/tickets/{first}"
    assert "是一件事，合并由我办理" in (await duty.get(path))[1]
    assert (await duty.post(f"/console/tickets/{later}/merge", other=first))[0] == 303
    page = (await duty.get(path))[1]
    for words in ("我去年毕业", "外县户口能领", "请等核实", "并进来的", "发送答复"):
        assert words in page
    assert "外县户口能领" in (await duty.get(f"{path}/sheet"))[1]
    status, told = await duty.api("GET", f"/escalations/{first}")
    assert (status, told["merged"], told["state"]) == (200, [later], "claimed")
    assert (await duty.api("POST", f"/escalations/{first}/merge", {"other": later}))[0] == 409
    assert "重开即拆开" in (await duty.get(f"/console/tickets/{later}"))[1]
    status, told = await duty.api("POST", f"/escalations/{later}/reopen")
    assert (status, told["state"]) == (200, "claimed")
    assert "并进来的" not in (await duty.get(path))[1]


async def test_a_reviewed_answer_without_a_clause_is_put_in_with_a_click_and_no_other(
    office: Office,
) -> None:
    first = (await busy_morning(office))["ticket"]
    duty, shelf = await office.signed_in("duty1"), office.deps.queue.library[QA]
    times = (now() - timedelta(hours=1), now() + timedelta(days=9))
    for words, rests in (("请带身份证到大厅三号窗口。", ()), ("由条文答复。", ("c",))):
        draft = Draft(QA, "B", "窗口在哪里", words, (), *times, entry=new_id(), rests=rests)
        async with office.deps.ledger.transaction() as tx:
            await shelf.put(tx, Shelved("i", new_id(), "0" * 64, draft))
    await shelving.new_entry(office.deps.queue, "没有审过的", office.people["editor"])
    path = f"/console/tickets/{first}"
    assert "常用答复" not in (await duty.get(path))[1]
    await duty.post(f"{path}/claim")
    page = (await duty.get(path))[1]
    assert 'data-append="请带身份证到大厅三号窗口。"' in page
    assert "由条文答复" not in page
    assert "没有审过的" not in page
