"""One item through three levels in a real browser: at a desk by keyboard, on a phone by touch."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Locator, Page, async_playwright
from pypdf import PdfReader
from sqlalchemy import select

from review_queue.models import Decision, Item
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
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=ARGS, timeout=120_000
        )
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


async def tab_to(page: Page, target: Locator) -> None:
    """Walk with the Tab key until `target` has the focus: what cannot be reached fails."""
    for _ in range(160):
        if await target.evaluate("one => one === document.activeElement"):
            return
        await page.keyboard.press("Tab")
    raise AssertionError(f"{target} cannot be reached by keyboard on {page.url}")


async def press(page: Page, target: Locator, key: str) -> None:
    """Reach it with Tab, then press one key."""
    await tab_to(page, target)
    await page.keyboard.press(key)


@pytest.mark.parametrize("width", WIDTHS)
async def test_three_levels_by_three_people_with_the_keyboard_alone(
    chromium: Browser, office: Office, width: int
) -> None:
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
        link = page.get_by_role("link", name="高校毕业生求职补贴开始申请")
        await press(page, link, "Enter")
        await page.wait_for_url(f"**/console/items/{row.id}")
        await fits(page)
        if width < 800:
            await press(page, page.locator(".open-sheet"), "Enter")
            await page.locator(".sheet").wait_for(state="visible")
            await fits(page)
        passed = page.get_by_label("通过", exact=True)
        assert await passed.count() == rows
        for index in range(rows):
            await press(page, passed.nth(index), "Space")
            note = page.locator(".gate-row:not(.off)").nth(index).locator(".gate-note")
            if "optional" not in (await note.get_attribute("class") or ""):
                await tab_to(page, note)
                await page.keyboard.type("原文如此，已与县人社局核对")
        await press(page, page.locator("input[name=proof]"), "Space")
        await press(page, page.get_by_role("button", name="批准", exact=True), "Enter")
        await page.locator(".done", has_text=done).wait_for()
        await fits(page)
        await page.context.close()
    async with office.deps.db.session() as session:
        item = await session.get(Item, row.id)
        proofs = (await session.scalars(select(Decision.proof))).all()
    assert item is not None
    assert (item.state, item.level) == ("approved", 3)
    assert proofs == [True, True, True]
    assert errors == []


async def test_a_selected_passage_is_returned_and_a_held_item_taken_over(
    chromium: Browser, office: Office
) -> None:
    errors.clear()
    row = await office.submitted("标准为每人1500元。\n每人1500元一次发放。", "求职补贴")
    first = await person(chromium, office, "reviewer1", 1280)
    address = str(office.server.make_url(f"/console/items/{row.id}"))
    await first.goto(address)
    await first.get_by_role("button", name="先领取").click()
    await first.locator(".done").wait_for()
    second = await person(chromium, office, "admin1", 390)
    await second.goto(address)
    await second.get_by_text("正在由张海审核").wait_for()
    await fits(second)
    await second.locator(".held summary").click()
    await second.locator("#takeover-reason").fill("张海外出开会")
    await second.get_by_role("button", name="收回", exact=True).click()
    await second.locator(".done").wait_for()
    await first.goto(address)
    await first.evaluate(
        """() => new Promise((done) => {
          document.addEventListener("selectionchange", () => done(), { once: true });
          const text = document.querySelectorAll(".article p .leaf")[1].firstChild;
          getSelection().setBaseAndExtent(text, 0, text, 8);
        })"""
    )  # the page has heard of it before
    await first.keyboard.press("m")
    assert await first.locator("#mark-text").input_value() == "每人1500元一"
    await first.locator("#mark-gate").select_option("policy")
    await first.locator("#note").fill("金额与通知不符")
    await first.get_by_role("button", name="退回", exact=True).click()
    await first.locator(".done", has_text="已退回").wait_for()
    await fits(first)
    async with office.deps.db.session() as session:
        [span] = (await session.scalars(select(Decision.span))).all()
    assert span == {"field": "text", "start": 12, "end": 20, "text": "每人1500元一"}
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
    await page.locator("input[name=proof]").check()
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
            f"/console/items/{ids['returned']}",
            f"/console/items/{ids['returned']}/edit",
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
            "/console/me/absence",
        ],
        "reviewer1": [f"/console/items/{ids['blocked']}#decide", "/console/me/absence"],
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
