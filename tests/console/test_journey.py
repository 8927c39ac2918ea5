"""One item through three levels in a real browser: at a desk by keyboard, on a phone by touch."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Locator, Page, async_playwright
from pypdf import PdfReader

from review_queue.models import Item
from tests.console.office import BODY, PASSWORD, Office, busy_morning

CHROMIUM = Path("/usr/bin/chromium")
HAS_CHROMIUM = CHROMIUM.exists()
ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WIDTHS = [pytest.param(1280, id="desk"), pytest.param(390, id="phone")]
pytestmark = pytest.mark.browser


@pytest.fixture
async def chromium() -> AsyncIterator[Browser]:
    """The system's Chromium."""
    if not HAS_CHROMIUM:
        pytest.skip("no Chromium on this machine: apt-get install chromium fonts-noto-cjk")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGS)
        yield browser
        await browser.close()


async def person(chromium: Browser, office: Office, login: str, width: int) -> Page:
    """A window of this width where `login` signed in; console errors fail the test."""
    context = await chromium.new_context(viewport={"width": width, "height": 844}, locale="zh-CN")
    page = await context.new_page()
    page.set_default_timeout(45_000)  # a busy machine is not a fault
    page.on("console", lambda line: _no_error(line.type, line.text))
    await page.goto(str(office.server.make_url("/console/signin")))
    await page.locator("#login:focus").wait_for()
    await page.keyboard.type(login)
    await page.keyboard.press("Tab")
    await page.keyboard.type(PASSWORD)
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/console/")
    return page


errors: list[str] = []


def _no_error(kind: str, text: str) -> None:
    if kind == "error":
        errors.append(text)


async def fits(page: Page) -> None:
    """Nothing is wider than the window, and axe finds nothing."""
    over = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert over <= 0, f"{page.url} is {over} px too wide"
    found = await Axe().run(page)
    assert found.violations_count == 0, f"{page.url}\n{found.generate_report()}"


async def press(page: Page, target: Locator, key: str) -> None:
    """By keyboard alone at the desk."""
    await target.focus()
    await page.keyboard.press(key)


@pytest.mark.parametrize("width", WIDTHS)
async def test_three_levels_by_three_people(chromium: Browser, office: Office, width: int) -> None:
    errors.clear()
    row = await office.submitted(BODY, "高校毕业生求职补贴开始申请")
    levels = (
        ("reviewer1", 2, "已记录您的批准"),
        ("reviewer2", 3, "已记录您的批准"),
        ("reviewer3", 5, "已通过全部审核"),
    )
    for login, rows, done in levels:
        page = await person(chromium, office, login, width)
        await fits(page)
        await page.get_by_role("link", name="高校毕业生求职补贴开始申请").click()
        await page.wait_for_url(f"**/console/items/{row.id}")
        await fits(page)
        if width < 800:
            await page.locator(".open-sheet").click()
            await page.locator(".sheet").wait_for(state="visible")
            await fits(page)
        passed = page.get_by_label("通过", exact=True)
        assert await passed.count() == rows
        for index in range(rows):
            if width < 800:
                await page.locator("label", has_text="通过").nth(index).click()
            else:
                await press(page, passed.nth(index), "Space")
        for note in await page.locator(".gate-note:not(.optional)").all():
            await note.fill("原文如此，已与县人社局核对")
        approve = page.get_by_role("button", name="批准", exact=True)
        await (approve.click() if width < 800 else press(page, approve, "Enter"))
        await page.locator(".done", has_text=done).wait_for()
        await fits(page)
        await page.context.close()
    async with office.deps.db.session() as session:
        item = await session.get(Item, row.id)
    assert item is not None
    assert (item.state, item.level) == ("approved", 3)
    assert errors == []


async def test_deciding_works_without_scripts(chromium: Browser, office: Office) -> None:
    row = await office.submitted()
    context = await chromium.new_context(
        viewport={"width": 390, "height": 844}, java_script_enabled=False
    )
    page = await context.new_page()
    page.set_default_timeout(45_000)  # a busy machine is not a fault
    await page.goto(str(office.server.make_url(f"/console/items/{row.id}")))
    await page.locator("#login").fill("reviewer1")
    await page.locator("#password").fill(PASSWORD)
    await page.get_by_role("button", name="登录").click()
    await page.locator(".open-sheet").click()
    for index in range(2):
        await page.locator("label", has_text="通过").nth(index).click()
    await page.get_by_role("button", name="批准", exact=True).click()
    await page.locator(".done", has_text="已记录您的批准").wait_for()


@pytest.mark.parametrize("width", WIDTHS)
async def test_every_page_fits_and_is_accessible(
    chromium: Browser, office: Office, width: int
) -> None:
    errors.clear()
    ids = await busy_morning(office)
    by_login = {
        "editor": [
            "/console/",
            "/console/items",
            "/console/items/new",
            f"/console/items/{ids['reviewing']}",
            f"/console/items/{ids['draft']}/edit",
            f"/console/items/{ids['approved']}/schedule",
            "/console/publications",
            f"/console/publications/{ids['unknown']}",
            "/console/more",
            f"/verify/{ids['publication']}",
            f"/console/items/{ids['reviewing']}?since=source",
            f"/console/items/{ids['published']}/form",
        ],
        "admin2": [
            "/console/sources",
            "/console/policies",
            f"/console/policies/{ids['policy']}",
            "/console/subscriptions",
            "/console/incidents",
            "/console/ledger",
            "/console/settings",
            "/console/me",
        ],
        "duty1": ["/console/tickets", f"/console/tickets/{ids['ticket']}"],
    }
    for login, paths in by_login.items():
        page = await person(chromium, office, login, width)
        for path in paths:
            answer = await page.goto(str(office.server.make_url(path)))
            assert answer is not None
            assert answer.status == 200, path
            await fits(page)
        await page.context.close()
    assert errors == []


async def test_the_review_form_prints_on_a4_with_its_code(
    chromium: Browser, office: Office, tmp_path: Path
) -> None:
    ids = await busy_morning(office)
    page = await person(chromium, office, "editor", 1280)
    await page.goto(str(office.server.make_url(f"/console/items/{ids['published']}/form")))
    await fits(page)
    await page.pdf(path=tmp_path / "form.pdf", prefer_css_page_size=True)
    pdf = PdfReader(tmp_path / "form.pdf")
    first = pdf.pages[0]
    assert [round(float(side)) for side in (first.mediabox.width, first.mediabox.height)] == [
        595,
        842,
    ]
    words = "".join(one.extract_text() for one in pdf.pages)
    assert "政务新媒体信息发布审核表" in words
    assert "赵国强" in words
    assert "退出" not in words  # the console around it is not printed
    assert len(pdf.pages) <= 3
