"""A policy is ended and amended in a real browser, at a desk and on a phone."""

import os
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page

from knowledge.library import PolicyLibrary
from tests.console.office import Office, busy_morning
from tests.console.test_journey import WIDTHS, chromium, fits, person

pytestmark = pytest.mark.browser
__all__ = ["chromium"]


async def seen(page: Page, width: int, name: str) -> None:
    """Nothing is too wide or out of reach; a picture of it where SHENFA_SHOTS says so."""
    await fits(page)
    if folder := os.environ.get("SHENFA_SHOTS"):
        await page.screenshot(path=Path(folder) / f"{name}-{width}.png", full_page=True)


@pytest.mark.parametrize("width", WIDTHS)
async def test_a_clause_is_amended_and_the_policy_ended_by_two(
    office: Office, chromium: Browser, width: int
) -> None:
    policy = (await busy_morning(office))["policy"]
    library = PolicyLibrary(office.deps.governance.proposals)
    editor = await person(chromium, office, "editor", width)
    admin = await person(chromium, office, "admin2", width)
    address = str(office.server.make_url(f"/console/policies/{policy}"))

    await editor.goto(address)
    await seen(editor, width, "policy")
    await editor.get_by_role("link", name="修改条文").click()
    await editor.get_by_label("新的条文从哪一天起施行").fill("2027-02-01")
    await editor.get_by_text("第二条").first.click()
    await editor.get_by_label("第二条的新条文").fill("第二条　符合条件的毕业生，每人补贴2000元。")
    await editor.get_by_label("为什么要改").fill("按修改决定")
    await seen(editor, width, "amend")
    await editor.get_by_role("button", name="先看影响").click()
    await editor.get_by_text("修改 1 条").wait_for()
    await seen(editor, width, "amend-effect")
    await editor.get_by_role("button", name="提出", exact=True).click()
    await editor.get_by_text("已提出变更").wait_for()

    await admin.goto(address)
    await admin.get_by_text("全文对照").click()
    await seen(admin, width, "approve")
    await admin.get_by_role("button", name="批准", exact=True).click()
    await admin.get_by_text("2027-02-01 起施行").wait_for()
    await seen(admin, width, "amended")

    await editor.goto(f"{address}/change/end")
    await seen(editor, width, "end")
    await editor.get_by_label("从哪一天起不再有效").fill("2027-03-01")
    await editor.get_by_label("为什么要改").fill("新办法已经施行")
    await editor.get_by_role("button", name="先看影响").click()
    await editor.get_by_text("起废止").first.wait_for()
    await seen(editor, width, "end-effect")
    await editor.get_by_role("button", name="提出", exact=True).click()
    await editor.get_by_text("已提出变更").wait_for()
    (change,) = await library.changes(policy, state="proposed")
    assert change.kind == "policy_end"
    await editor.goto(f"{address}/change/edit")
    await seen(editor, width, "edit")
