"""值班提醒: everybody's own page and an admin's of anybody; what came of each way stands there."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser as Window

from escalations.routes import Line
from tests.console.office import Browser, Office, build, busy_morning, close
from tests.console.test_journey import chromium, fits, person
from tests.escalations.peers import Hook, hook

__all__ = ["chromium"]
PAGE = "/console/alarms/duty1"


@pytest.fixture
async def room() -> AsyncIterator[Hook]:
    async with hook() as made:
        yield made


@pytest.fixture
async def office(tmp_path: Path, password_hash: str, room: Hook) -> AsyncIterator[Office]:
    made = await build(tmp_path, password_hash, dev=True, dev_allow=room.host)
    yield made
    await close(made)


async def ways(office: Office) -> list[Line]:
    async with office.deps.db.session() as session:
        found = await office.deps.alarms.routes.read(session, office.people["duty1"])
    return [one.line for one in found]


async def fill(browser: Browser, *lines: tuple[str, str]) -> tuple[int, str]:
    kinds, addresses = [kind for kind, _ in lines], [address for _, address in lines]
    return await browser.post(PAGE, kind=kinds, address=addresses)


async def test_whoever_is_on_duty_fills_in_their_ways_and_tries_them_with_one_click(
    office: Office, room: Hook
) -> None:
    browser = await office.signed_in("duty1")
    assert "值班通知不到您" in (await browser.get("/console/"))[1]
    _, own = await browser.get("/console/me")
    assert f'href="{PAGE}"' in own
    _, page = await browser.get(PAGE)
    assert "还没有提醒方式" in page
    status, _ = await fill(
        browser, ("webhook", room.url), ("", ""), ("mail", "duty@qinghe.example"), ("telegram", "4")
    )
    assert status == 303
    assert await ways(office) == [
        Line("webhook", room.url),
        Line("mail", "duty@qinghe.example"),
        Line("telegram", "4"),
    ]
    assert "值班通知不到您" not in (await browser.get("/console/"))[1]
    _, page = await browser.get(PAGE)
    assert page.count("还没有用过") == 3
    status, _ = await browser.post(f"{PAGE}/test")
    assert (status, len(room.got)) == (303, 1)
    assert "测试提醒" in room.got[0]["text"]
    _, page = await browser.get(f"{PAGE}?done=alarms_failed")
    assert "有的没有送到" in page
    assert (page.count("上次已送到"), page.count("上次没有送到")) == (1, 2)
    assert "SHENFA_SMTP_HOST" in page


async def test_a_hostile_address_is_refused_and_what_was_typed_is_there_again(
    office: Office,
) -> None:
    browser = await office.signed_in("duty1")
    typed = "https://169.254.169.254/latest"
    status, page = await fill(browser, ("mail", "duty@qinghe.example"), ("webhook", typed))
    assert status == 422
    assert "第 2 种提醒方式：地址 webhook 不能指向内部网络地址" in page
    assert f'value="{typed}"' in page
    assert 'value="duty@qinghe.example"' in page
    assert await ways(office) == []


async def test_an_admin_looks_after_anybody_and_nobody_else_does(
    office: Office, room: Hook
) -> None:
    admin, other = await office.signed_in("admin1"), await office.signed_in("editor")
    for answer in (
        await other.get(PAGE),
        await fill(other, ("webhook", room.url)),
        await other.post(f"{PAGE}/test"),
    ):
        assert answer[0] == 403
    assert (await fill(admin, ("webhook", room.url)))[0] == 303
    assert await ways(office) == [Line("webhook", room.url)]
    _, staff = await admin.get("/console/settings/staff")
    assert f'href="{PAGE}"' in staff
    assert (await admin.post(f"{PAGE}/test"))[0] == 303
    assert len(room.got) == 1
    entries = await office.deps.ledger.facts(f"staff:{office.people['duty1']}")
    assert (entries[-1].kind, entries[-1].actor) == ("staff.alarms", office.people["admin1"])
    assert (await admin.get("/console/alarms/nobody-here"))[0] == 404


async def test_test_alarms_are_counted(office: Office, room: Hook) -> None:
    browser = await office.signed_in("duty1")
    await fill(browser, ("webhook", room.url))
    for _ in range(5):
        assert (await browser.post(f"{PAGE}/test"))[0] == 303
    status, page = await browser.post(f"{PAGE}/test")
    assert (status, len(room.got)) == (429, 5)
    assert "最多发 5 次" in page


async def test_the_page_of_a_question_says_who_was_called_and_whether_it_reached_them(
    office: Office,
) -> None:
    ids = await busy_morning(office)
    entries = (
        {"to": office.people["duty1"], "tier": 0, "step": 1},  # as an earlier version signed it
        {"to": office.people["duty1"], "tier": 0, "step": 2, "reached": False, "route": ""},
        {"to": office.people["admin1"], "tier": 1, "step": 3, "reached": True, "route": "mail"},
    )
    async with office.deps.ledger.transaction() as tx:
        for body in entries:
            subject = f"ticket:{ids['ticket']}"
            await tx.append("ticket.escalated", subject=subject, actor="system", body=body)
    browser = await office.signed_in("duty1")
    _, page = await browser.get(f"/console/tickets/{ids['ticket']}")
    called = page.split("通知过谁")[1].split("</section>")[0]
    words = ("周洋", "已通知", "周洋", "没有通知到", "陈岩", "邮件")
    at = 0
    for word in words:
        at = called.index(word, at) + len(word)


@pytest.fixture
async def plain(tmp_path: Path, password_hash: str) -> AsyncIterator[Office]:
    """An office as it is run, without what development may reach."""
    made = await build(tmp_path, password_hash)
    yield made
    await close(made)


@pytest.mark.browser
@pytest.mark.parametrize("width", [1280, 390])
async def test_the_page_fits_a_desk_and_a_phone(
    plain: Office, chromium: Window, width: int
) -> None:
    browser = await plain.signed_in("duty1")
    lines = (("mail", "duty@qinghe.example"), ("telegram", "4711"))
    await fill(browser, lines[0])
    await browser.post(f"{PAGE}/test")
    await fill(browser, *lines)
    window = await person(chromium, plain, "duty1", width)
    await window.goto(str(plain.server.make_url(PAGE)))
    await fits(window)
    if shots := os.environ.get("SHOTS"):
        await window.screenshot(path=f"{shots}/alarms-{width}.png", full_page=True)
    await window.get_by_role("button", name="发送测试提醒").click()
    await window.get_by_text("有的没有送到").wait_for()
    assert await window.get_by_text("上次没有送到").count() == 2
