"""The decision sheet on a phone: what is missing is said inside it; who only watches has none."""

import re

import pytest
from playwright.async_api import Browser, Page

from tests.console.office import PASSWORD, Office
from tests.console.test_journey import chromium, fits, person
from tests.waiting import until

__all__ = ["chromium"]
pytestmark = pytest.mark.browser


async def phone(chromium: Browser, office: Office, path: str, *, scripts: bool) -> Page:
    """The first reviewer's phone, on this page."""
    context = await chromium.new_context(
        viewport={"width": 390, "height": 844}, java_script_enabled=scripts, locale="zh-CN"
    )
    page = await context.new_page()
    page.set_default_timeout(45_000)  # a busy machine is not a fault
    await page.goto(str(office.server.make_url(path)))
    await page.locator("#login").fill("reviewer1")
    await page.locator("#password").fill(PASSWORD)
    await page.get_by_role("button", name="登录").click()
    await page.locator(".open-sheet").wait_for()
    return page


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "plain"])
@pytest.mark.parametrize(
    ("button", "reason"),
    [
        pytest.param("批准", "还没有回答文字关", id="approve"),
        pytest.param("退回", "退回要写明理由", id="return"),
    ],
)
async def test_what_a_decision_lacks_is_said_inside_the_sheet(
    chromium: Browser, office: Office, button: str, reason: str, *, scripts: bool
) -> None:
    row = await office.submitted()
    page = await phone(chromium, office, f"/console/items/{row.id}", scripts=scripts)
    await page.locator(".open-sheet").click()
    await page.locator("label[for=ok-policy]").click()
    await page.locator("input[name=proof]").check()
    await page.get_by_role("button", name=button, exact=True).click()
    told = page.locator(".reasons", has_text=reason)
    await told.wait_for()
    assert await page.locator(".reasons").count() == 1
    assert await page.locator(".sheet .reasons").count() == 1
    await until(lambda: told.evaluate("one => one === document.activeElement"))
    box = await told.bounding_box()
    assert box is not None
    middle = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
    assert await told.evaluate(
        "(one, at) => one.contains(document.elementFromPoint(at.x, at.y))", middle
    )  # nothing lies over it
    assert await page.locator("#ok-policy").is_checked()
    assert await page.locator("input[name=proof]").is_checked()
    await page.get_by_role("link", name="收起").click()
    await page.locator(".sheet").wait_for(state="hidden")
    await page.locator(".open-sheet").click()
    await page.locator(".sheet").wait_for(state="visible")
    if scripts:
        await fits(page)


async def test_a_reviewer_of_a_later_level_sees_whom_it_waits_for_and_no_sheet(
    chromium: Browser, office: Office
) -> None:
    row = await office.submitted("联系人张某，手机13812345678。")
    page = await person(chromium, office, "reviewer2", 390)
    await page.goto(str(office.server.make_url(f"/console/items/{row.id}")))
    line = page.locator(".waits-for")
    assert re.fullmatch("等待初审：张海，还有 \\d+ 小时", await line.inner_text())
    box = await line.bounding_box()
    assert box is not None
    assert box["y"] + box["height"] < 844  # seen without scrolling
    assert await page.locator(".reasons, .sheet, .open-sheet, button:disabled").count() == 0
    await fits(page)
