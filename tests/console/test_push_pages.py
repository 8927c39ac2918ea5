"""发布 → 推送: who lacks it, by reason and without a name; and a push seen as it goes."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import ClientResponse
from sqlalchemy import select, update

from bot.channels import CHANNELS
from bot.contract import State
from bot.meaning import Meaning
from bot.models import Account, AccountRest, Delivery, Publication
from config.clock import now
from console.publications.pace import Pace
from console.web import streams
from console.web.guard import HEADERS
from staff.models import ConsoleSession
from tests.console.office import Office, busy_morning
from tests.office.both import until


async def _events(answer: ClientResponse) -> AsyncIterator[tuple[str, dict[str, Any]]]:
    """What a stream says, one by one."""
    name = ""
    async for line in answer.content:
        text = line.decode().strip()
        if text.startswith("event: "):
            name = text.removeprefix("event: ")
        if text.startswith("data: "):
            yield name, json.loads(text.removeprefix("data: "))


async def _pushed(office: Office) -> str:
    """A publication of which people lack the push for several reasons; its id."""
    ids = await busy_morning(office)
    place = ids["publication"]
    async with office.deps.db.session() as session:
        rows = list(await session.scalars(
            select(Delivery).where(Delivery.publication_id == place).order_by(Delivery.id)
        ))  # fmt: skip
        ends = [
            (State.FAILED, "400", "", "平台拒收：文字过长"),
            (State.UNKNOWN, "no_answer", "", "平台没有应答，不能确定是否送达"),
            (State.HELD, "window", "window", "等对方来信"),
        ]
        for row, (state, code, hold, why) in zip(rows, ends, strict=False):
            row.state, row.code, row.hold, row.why = state, code, hold, why
        for row in rows[len(ends) :]:
            row.state, row.finished_at = State.PUBLISHED, now()
    assert len(rows) > len(ends)
    return place


async def test_people_are_counted_by_reason_and_nobody_is_named(office: Office) -> None:
    place = await _pushed(office)
    browser = await office.signed_in("editor")
    status, text = await browser.get(f"/console/publications/{place}/push")
    assert status == 200
    reasons = ("平台拒收：文字过长", "不能确定是否送达", "等对方来信")
    for words in (*reasons, "只发给没收到的", "暂停推送"):
        assert words in text
    async with office.deps.db.session() as session:
        people = list(await session.scalars(select(Delivery.contact_id)))
    assert not [one for one in people if one in text]
    _, told = await browser.api("GET", f"/publications/{place}/push")
    choices = {row["state"]: row["choices"] for row in told["people"]}
    assert choices == {
        "failed": ["again", "give_up"],
        "unknown": ["leave", "risk"],
        "held": ["give_up"],
    }
    assert {row["people"] for row in told["people"]} == {1}


async def test_a_code_is_looked_up_and_its_row_says_what_comes_next(office: Office) -> None:
    place = await _pushed(office)
    until_ = now() + timedelta(hours=5)
    async with office.deps.db.session() as session:
        row = await session.get_one(Publication, place)
        account = await session.get_one(Account, row.account_id)
        codes = CHANNELS[account.platform].codes
        review, limited, rights = (
            next(key for key, one in codes.items() if one.meaning is meaning)
            for meaning in (Meaning.REVIEW, Meaning.BACK_OFF, Meaning.PERSON)
        )
        query = select(Delivery).where(Delivery.publication_id == place).order_by(Delivery.id)
        failed, waits, held = list(await session.scalars(query.limit(3)))
        failed.code, failed.why = review, codes[review].words
        waits.state, waits.code, waits.next_at = State.RETRYING, limited, now()
        held.state, held.code, held.hold = State.HELD, rights, "person"
        session.add(AccountRest(account_id=account.id, scope="account", until=until_))
    browser = await office.signed_in("editor")
    _, told = await browser.api("GET", f"/publications/{place}/push")
    rows = {one["code"]: one for one in told["people"]}
    assert rows[review]["choices"] == ["give_up"]
    assert rows[rights]["choices"] == ["again", "give_up"]
    assert rows[limited]["next_at"][:16] == until_.isoformat()[:16]
    _, text = await browser.get(f"/console/publications/{place}/push")
    assert f"/console/codes?code={review}" in text
    assert "同一稿再发还会被拒" in text
    body = {"state": "failed", "code": review, "choice": "again"}
    status, _ = await browser.api("POST", f"/publications/{place}/push/choose", body)
    assert status == 422


async def test_the_table_of_codes_is_a_page_and_a_list(office: Office) -> None:
    browser = await office.signed_in("editor")
    _, text = await browser.get("/console/codes")
    assert all(code in text for channel in CHANNELS.values() for code in channel.codes)
    _, text = await browser.get("/console/codes?code=45015")
    assert ("48 小时" in text, "45047" in text) == (True, False)
    _, text = await browser.get("/console/codes?code=90001")
    assert "没有列出这个代码" in text
    _, found = await browser.api("GET", "/codes?code=45015")
    assert [one["meaning"] for one in found["codes"]] == ["wait"]


@pytest.mark.parametrize("login", ["reviewer1", "duty1"])
async def test_who_may_not_decide_is_shown_no_button_and_refused(
    office: Office, login: str
) -> None:
    place = await _pushed(office)
    browser = await office.signed_in(login)
    _, text = await browser.get(f"/console/publications/{place}/push")
    assert "只发给没收到的" not in text
    body = {"state": "unknown", "code": "no_answer", "choice": "leave"}
    for path, sent in (("choose", body), ("lacking", None)):
        status, _ = await browser.api("POST", f"/publications/{place}/push/{path}", sent)
        assert status == 403


async def test_a_choice_is_refused_with_its_reason_and_done_when_it_is_allowed(
    office: Office,
) -> None:
    place = await _pushed(office)
    browser = await office.signed_in("editor")
    fields = {"state": "unknown", "hold": "", "code": "no_answer", "why": ""}
    path = f"/console/publications/{place}/push/choose"
    status, text = await browser.post(path, **fields, choice="risk", words="好")
    assert (status, "要再发一次，请照抄" in text) == (422, True)
    status, _ = await browser.post(path, **fields, choice="leave", words="")
    assert status == 303
    _, text = await browser.get(f"/console/publications/{place}/push?done=push_chosen")
    assert "已照您的选择处理" in text
    assert "可能已经收到，不再发送" in text


async def test_a_push_is_paused_by_its_page_and_dropped_by_who_may(office: Office) -> None:
    place = await _pushed(office)
    editor, reviewer = await office.signed_in("editor"), await office.signed_in("reviewer1")
    path = f"/console/publications/{place}/push"
    status, _ = await reviewer.post(f"{path}/mend", act="pause", reason="地点写错了")
    assert status == 303
    _, text = await editor.get(path)
    assert "推送已暂停，等稿件改正" in text
    assert "起草更正" in text
    status, _ = await reviewer.post(f"{path}/mend", act="resume", reason="没有错")
    assert status == 403
    status, _ = await editor.post(f"{path}/lacking")
    assert status == 409
    status, _ = await editor.post(f"{path}/mend", act="drop", reason="时间已过")
    assert status == 303
    _, text = await editor.get(path)
    assert "推送已由人决定不再发送" in text


async def test_a_push_is_seen_as_it_goes_and_the_stream_ends_with_the_session(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "EVERY", 0.05)
    place = await _pushed(office)
    browser = await office.signed_in("editor")
    async with browser.client.get(f"/console/publications/{place}/push/live") as answer:
        assert answer.status == 200
        assert answer.content_type == "text/event-stream"
        policy = "Content-Security-Policy"
        assert answer.headers[policy] == HEADERS[policy]
        events = _events(answer)
        name, first = await anext(events)
        assert (name, first["counts"]["unknown"]) == ("push", 1)
        assert "不能确定是否送达" in first["html"]
        assert first["rate"] > 0
        async with office.deps.db.session() as session:
            await session.execute(
                update(Delivery)
                .where(Delivery.publication_id == place, Delivery.state == State.UNKNOWN)
                .values(state=State.FAILED)
            )
        async with asyncio.timeout(20):
            while (await anext(events))[1]["counts"].get("unknown"):
                pass
            async with office.deps.db.session() as session:
                for row in await session.scalars(select(ConsoleSession)):
                    row.revoked_at = now()
            names = [name async for name, _ in events]
    assert names[-1] == "end"


async def test_streams_are_few_and_close_with_the_office(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "EVERY", 0.05)
    place = await _pushed(office)
    browser = await office.signed_in("editor")
    path = f"/console/publications/{place}/push/live"
    open_ones = [await browser.client.get(path) for _ in range(streams.MOST_OF_ONE)]
    assert (await browser.client.get(path)).status == 429
    open_ones.pop().close()

    async def again_open() -> bool:
        answer = await browser.client.get(path)
        if answer.status == 200:
            open_ones.append(answer)
        return answer.status == 200

    async with asyncio.timeout(20):
        assert await until(again_open, 15)
        await office.server.app.shutdown()
        for one in open_ones:
            told = [name async for name, _ in _events(one)]
            assert told[-1] == "end"


def test_the_time_that_is_left_is_what_is_due_by_the_rate() -> None:
    assert Pace(2.0, 600).left == 300
    assert "大约还要 5 分 0 秒" in Pace(2.0, 600).words
    assert Pace(0.0, 6).left is None
    assert "没有在发" in Pace(0.0, 6).words
    assert Pace(2.0, 0).words == "现在没有等着发的。"


async def test_a_page_left_open_keeps_no_session_alive(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "EVERY", 0.05)
    place = await _pushed(office)
    browser = await office.signed_in("editor")
    async with browser.client.get(f"/console/publications/{place}/push/live") as answer:
        events = _events(answer)
        await anext(events)
        async with office.deps.db.session() as session:
            for row in await session.scalars(select(ConsoleSession)):
                row.seen_at = now() - timedelta(minutes=20)
        await anext(events)
        await anext(events)
        async with office.deps.db.session() as session:
            (row,) = await session.scalars(select(ConsoleSession))
        assert now() - row.seen_at > timedelta(minutes=19)
