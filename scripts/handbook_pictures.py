"""Take the pictures of the handbook: `PYTHONPATH=. python scripts/handbook_pictures.py`.

Plays the demo in a temporary folder, signs in as its people and writes docs/images/*.png, all from
the running product. Needs Chromium and a Chinese font, as the browser tests do.
"""

import asyncio
import shutil
import sys
import tempfile
from pathlib import Path

from playwright.async_api import Browser, Page, ViewportSize, async_playwright

from demo.acts import leave_one_waiting
from demo.play import EMPTY, play
from demo.stage import Stage, open_stage

OUT = Path(__file__).parents[1] / "docs" / "images"
SIZE: ViewportSize = {"width": 1280, "height": 900}


async def signed_in(browser: Browser, stage: Stage, login: str) -> Page:
    """A window in which this person of the demo is signed in."""
    context = await browser.new_context(viewport=SIZE, locale="zh-CN")
    page = await context.new_page()
    await page.goto(f"{stage.shenfa.settings.public_url}/console/signin")
    await page.fill("#login", login)
    await page.fill("#password", stage.passwords[login])
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/console/")
    return page


async def take(page: Page, name: str) -> None:
    """One picture of what the window shows."""
    await page.screenshot(path=OUT / f"{name}.png")


async def pictures(stage: Stage, browser: Browser) -> None:
    """今日 and an item before a reviewer, the accounts after 试一下, both phones."""
    console = f"{stage.shenfa.settings.public_url}/console"
    page = await signed_in(browser, stage, "reviewer1")
    await take(page, "today")
    await page.click("main a[href^='/console/items/']")
    await page.wait_for_load_state()
    await take(page, "review")
    page = await signed_in(browser, stage, "admin1")
    await page.goto(f"{console}/settings/accounts")
    await page.click("form[action$='/qinghe-tg/test'] button")
    await page.wait_for_load_state()
    await take(page, "account-test")
    phones = await browser.new_page(viewport=SIZE, locale="zh-CN")
    await phones.goto(stage.sandbox.url)
    await phones.wait_for_timeout(2000)
    await take(phones, "phones")


async def main() -> None:
    """Play, take the pictures, leave nothing behind."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        sys.exit("没有 Chromium：请先安装，再运行一次")
    with tempfile.TemporaryDirectory() as folder:
        async with open_stage(Path(folder), None, fresh=True) as stage:
            await play(stage, dict(EMPTY))
            await leave_one_waiting(stage)
            async with async_playwright() as driver:
                browser = await driver.chromium.launch(
                    executable_path=chromium, args=["--no-sandbox"]
                )
                await pictures(stage, browser)
                await browser.close()


if __name__ == "__main__":
    asyncio.run(main())
