"""Nothing typed is lost: a closed tab, an ended session, in Chromium."""

from datetime import timedelta
from typing import Any

import pytest
from playwright.async_api import Browser
from sqlalchemy import select

from blocks.document import read_document
from config.clock import now
from console.items.models import WorkingCopy
from staff.models import ConsoleSession
from tests.console.article import article, draft_of, said
from tests.console.office import PASSWORD, Office
from tests.console.test_editor_page import opened, save
from tests.console.test_journey import chromium

pytestmark = pytest.mark.browser
__all__ = ["chromium"]


async def an_article(office: Office) -> Any:
    return await article(office, read_document([{"kind": "heading", "runs": said("通知")}]))


async def test_a_tab_that_was_killed_while_typing_gives_its_words_back(
    chromium: Browser, office: Office
) -> None:
    row = await an_article(office)
    path = f"/console/items/{row.id}/edit"
    page = await opened(chromium, office, path)
    await page.locator(".ed-text h2").click()
    await page.keyboard.press("End")
    await page.keyboard.type("，打了一半")
    await page.locator("#summary").fill("写了一半的摘要")
    await page.get_by_text("已暂存").wait_for()
    context = page.context
    await page.close()
    page = await context.new_page()
    await page.goto(str(office.server.make_url(path)))
    await page.get_by_text("有一份没有保存的内容").wait_for()
    assert await page.locator(".ed-text h2").inner_text() == "通知"
    await page.get_by_role("link", name="恢复").click()
    await page.locator("#editor[data-ready]").wait_for()
    assert await page.locator(".ed-text h2").inner_text() == "通知，打了一半"
    assert await page.locator("#summary").input_value() == "写了一半的摘要"
    await save(page)
    await page.get_by_text("已保存。").wait_for()
    draft = await draft_of(office, row.id)
    assert (draft.body, draft.summary) == ("通知，打了一半", "写了一半的摘要")
    async with office.deps.db.session() as session:
        assert (await session.scalars(select(WorkingCopy))).all() == []


async def test_words_of_a_session_that_ended_stay_and_are_saved_after_signing_in(
    chromium: Browser, office: Office
) -> None:
    row = await an_article(office)
    page = await opened(chromium, office, f"/console/items/{row.id}/edit")
    async with office.deps.db.session() as session:
        for one in (await session.scalars(select(ConsoleSession))).all():
            one.seen_at = now() - timedelta(hours=1)
        await session.commit()
    await page.locator(".ed-text h2").click()
    await page.keyboard.press("End")
    await page.keyboard.type("，会话结束以后打的")
    await page.get_by_role("button", name="保存", exact=True).click()
    await page.get_by_text("登录已结束，文字还在这一页").wait_for()
    other = await page.context.new_page()
    await other.goto(str(office.server.make_url("/console/signin")))
    await other.fill("#login", "editor")
    await other.fill("#password", PASSWORD)
    await other.keyboard.press("Enter")
    await other.wait_for_url("**/console/")
    await page.get_by_role("button", name="保存", exact=True).click()
    await page.get_by_text("已保存。").wait_for()
    assert (await draft_of(office, row.id)).body == "通知，会话结束以后打的"
