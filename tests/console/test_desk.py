"""The duty desk as it fills, and what is done there beside answering."""

import json
from typing import Any

import pytest
from sqlalchemy import update

from config.clock import now
from console.web import streams
from escalations.models import Ticket, TicketMessage
from escalations.ratings import RATED
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
