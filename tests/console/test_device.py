"""A passkey made and used in Chromium (its virtual authenticator); the sender verifies it."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from playwright.async_api import Browser, Page, async_playwright
from sqlalchemy import select

from ledger.models import LedgerEntry
from ledger.verify import Entry
from review_queue.chain import statement
from review_queue.models import Item
from review_queue.release import Releases
from staff.passkeys import assertion_faults
from tests.console.office import PASSWORD, Office
from tests.console.test_journey import ARGS, CHROMIUM, HAS_CHROMIUM

pytestmark = pytest.mark.browser
AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.fixture
async def chromium() -> AsyncIterator[Browser]:
    """The system's Chromium."""
    if not HAS_CHROMIUM:
        pytest.skip("no Chromium on this machine: apt-get install chromium fonts-noto-cjk")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGS)
        yield browser
        await browser.close()


async def at_home(chromium: Browser, office: Office, login: str, *, device: bool) -> Page:
    """A signed-in person on localhost, with a device or without one."""
    context = await chromium.new_context(locale="zh-CN")
    page = await context.new_page()
    page.set_default_timeout(45_000)
    if device:
        session = await context.new_cdp_session(page)
        await session.send("WebAuthn.enable")
        await session.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
    await page.goto(f"http://localhost:{office.server.port}/console/signin")
    await page.fill("#login", login)
    await page.fill("#password", PASSWORD)
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/console/")
    return page


async def ask_for_devices(office: Office) -> None:
    """The first level of 重要 wants a passkey from now on."""
    governance, flow = office.deps.governance, office.deps.queue.levels["重要"].to_json()
    first, *rest = flow["levels"]
    payload = {"klass": "重要", "levels": [first | {"passkey": True}, *rest]}
    made = governance.proposals
    row = await made.propose("workflow", payload, office.people["admin1"], "初审在设备上签名")
    await made.approve(row.id, office.people["admin2"])
    await governance.levels.refresh()


async def register(page: Page, admin: Page) -> None:
    await page.goto(page.url.replace("/console/", "/console/me/passkeys"))
    await page.fill("#label", "办公室电脑")
    await page.get_by_role("button", name="登记这台设备").click()
    await page.get_by_text("等另一位管理员确认", exact=True).wait_for()
    await admin.goto(admin.url.replace("/console/", "/console/me/passkeys"))
    await admin.get_by_role("button", name="确认 张海 的 办公室电脑").click()
    await admin.get_by_text("已确认，这台设备可以用来签名了").wait_for()


async def approve(page: Page, office: Office, row: Item) -> None:
    await page.goto(f"http://localhost:{office.server.port}/console/items/{row.id}")
    for box in await page.locator("input[type=radio][value=ok]").all():
        await box.check(force=True)
    for note in await page.locator("input.gate-note").all():
        if await note.is_visible():
            await note.fill("已核对原件")
    await page.locator("input[name=proof]").check()
    await page.locator("button[name=verdict][value=approve]").click()


async def nothing_found(_: object) -> list[Any]:
    return []


async def decided(office: Office, row: Item) -> list[Entry]:
    entries = await office.deps.ledger.facts(f"item:{row.id}")
    return [entry for entry in entries if entry.kind == "decision"]


async def test_a_decision_is_signed_in_the_browser_and_verified_at_sending(
    chromium: Browser, office: Office
) -> None:
    await ask_for_devices(office)
    row = await office.submitted()
    page = await at_home(chromium, office, "reviewer1", device=True)
    admin = await at_home(chromium, office, "admin1", device=False)
    await register(page, admin)
    await approve(page, office, row)
    await page.get_by_text("已记录您的批准").wait_for()

    (entry,) = await decided(office, row)
    ledger, signed = office.deps.ledger, entry.body["passkey"]
    staff = await ledger.facts(f"staff:{entry.actor}")
    submits = [e for e in await ledger.facts(f"item:{row.id}") if e.kind == "item.submitted"]
    said = statement(row.id, submits[-1].seq, entry.actor, entry.body)
    assert assertion_faults(signed, said, staff, entry.seq) == []
    for part in ("authenticatorData", "clientDataJSON", "signature"):
        middle = len(signed[part]) // 2
        other = "A" if signed[part][middle] != "A" else "B"
        bent = signed | {part: signed[part][:middle] + other + signed[part][middle + 1 :]}
        assert assertion_faults(bent, said, staff, entry.seq), part

    async with office.deps.db.session() as session:
        item = await session.get_one(Item, row.id)
    for login in ("reviewer2", "reviewer3"):
        item = await office.decide(item, login)
    assert (await Releases(ledger, nothing_found).verify(str(item.release_id))).item_id == row.id


async def test_without_the_device_the_page_says_what_to_do(
    chromium: Browser, office: Office
) -> None:
    await ask_for_devices(office)
    row = await office.submitted()
    page = await at_home(chromium, office, "reviewer1", device=False)
    await approve(page, office, row)
    await page.locator("#passkey-problem li", has_text="登记").wait_for()
    assert await decided(office, row) == []


async def test_the_device_is_the_second_step_and_signs_in_alone(
    chromium: Browser, office: Office
) -> None:
    page = await at_home(chromium, office, "reviewer1", device=True)
    admin = await at_home(chromium, office, "admin1", device=False)
    home = page.url
    await register(page, admin)
    await page.goto(home)
    await page.get_by_role("button", name="退出").first.click()
    await page.wait_for_url("**/console/signin")
    await page.fill("#login", "reviewer1")
    await page.fill("#password", PASSWORD)
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/console/signin/second**")
    await page.get_by_role("button", name="用通行密钥确认").click()
    await page.wait_for_url("**/console/")
    await page.get_by_role("button", name="退出").first.click()
    await page.wait_for_url("**/console/signin")
    await page.get_by_role("button", name="用通行密钥登录").click()
    await page.wait_for_url("**/console/")
    entries = await office.deps.ledger.facts(f"staff:{office.people['reviewer1']}")
    assert [entry.kind for entry in entries].count("passkey.confirmed") == 1
    async with office.deps.db.session() as session:
        query = select(LedgerEntry.preimage).where(LedgerEntry.kind == "signin")
        said = (await session.scalars(query.order_by(LedgerEntry.seq))).all()
    ways = [json.loads(one)["body"]["by"] for one in said]
    assert ways[-2:] == ["password+passkey", "passkey"]
