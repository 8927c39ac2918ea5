"""The phones in a real browser: an example is tapped and answered, the channel is only read."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page, async_playwright

from tests.documents.made_pictures import animated, long_picture, picture
from tests.sandbox.conftest import TOKEN, Client

CHROMIUM = Path("/usr/bin/chromium")
HAS_CHROMIUM = CHROMIUM.exists()
ARGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
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


@pytest.fixture
async def town(box: Client, receiver: Any) -> list[str]:
    """A bot with a channel and two people; what it hears, it answers with an echo."""
    heard: list[str] = []

    async def answering(request: web.Request) -> web.Response:
        message = (await request.json())["message"]
        heard.append(message["text"])
        reply = {"method": "sendMessage", "chat_id": message["chat"]["id"]}
        return web.json_response(reply | {"text": f"答：{message['text']}"})

    account = {"platform": "telegram", "token": TOKEN, "name": "青禾发布"}
    examples = ["失业保险金怎么领", "夜市几点关门", "买新能源汽车有什么补贴", "家电以旧换新补多少"]
    await box.control(
        "accounts", account | {"callback_url": await receiver(answering), "examples": examples}
    )
    channel = {"account": "424242", "kind": "channel", "name": "青禾频道", "username": "qinghe"}
    await box.control("citizens", channel | {"count": 1})
    await box.control("citizens", {"account": "424242", "count": 2, "prefix": "市民"})
    await box.bot("sendMessage", chat_id="@qinghe", text="频道里的一篇稿件")
    await box.bot("setMyCommands", commands=[{"command": "help", "description": "怎么用"}])
    return heard


async def looks_well(page: Page) -> None:
    """Nothing is wider than the window, and axe finds nothing."""
    assert await page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    found = await Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
async def test_a_newcomer_taps_an_example_types_and_reads_the_channel(
    chromium: Browser, box: Client, town: list[str], width: int, scheme: Any
) -> None:
    await box.control("limits", {"telegram": False})
    context = await chromium.new_context(
        viewport={"width": width, "height": 800}, locale="zh-CN", color_scheme=scheme
    )
    page = await context.new_page()
    page.set_default_timeout(45_000)
    await page.goto(f"{box.base}/phone/telegram")
    await page.get_by_role("button", name="失业保险金怎么领").click()
    await page.locator(".bubble", has_text="答：失业保险金怎么领").wait_for()
    await page.get_by_label("输入消息").fill("路灯坏了")
    await page.keyboard.press("Enter")
    await page.locator(".bubble", has_text="答：路灯坏了").wait_for()
    await page.get_by_role("button", name="菜单").click()
    await looks_well(page)
    await page.get_by_role("button", name="/help").click()
    await page.locator(".bubble", has_text="答：/help").wait_for()
    assert town == ["失业保险金怎么领", "路灯坏了", "/help"]
    await page.get_by_role("button", name="频道", exact=True).click()
    await page.locator(".bubble", has_text="频道里的一篇稿件").wait_for()
    assert not await page.get_by_label("输入消息").is_visible()
    assert not await page.get_by_role("button", name="失业保险金怎么领").is_visible()
    await looks_well(page)
    await page.get_by_role("button", name="对话", exact=True).click()
    await page.locator(".bubble", has_text="答：路灯坏了").wait_for()
    await page.goto(f"{box.base}/")
    await page.frame_locator("iframe").last.locator(".bubble").last.wait_for()
    assert await page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


async def test_an_animation_is_seen_and_a_long_picture_lies_there_as_a_file(
    chromium: Browser, box: Client, town: list[str]
) -> None:
    await box.control("limits", {"telegram": False})
    for method, name, content in (
        ("sendAnimation", "picture.gif", animated()),
        ("sendDocument", "picture.png", long_picture(600, 4_000)),
    ):
        form = aiohttp.FormData()
        form.add_field("chat_id", "@qinghe")
        form.add_field(method.removeprefix("send").lower(), content, filename=name)
        async with box.http.post(f"{box.base}/telegram/bot{TOKEN}/{method}", data=form) as answer:
            assert (await answer.json())["ok"]
    page = await chromium.new_page(viewport={"width": 390, "height": 800}, locale="zh-CN")
    page.set_default_timeout(45_000)
    await page.goto(f"{box.base}/phone/telegram")
    await page.get_by_role("button", name="频道", exact=True).click()
    await page.get_by_role("link", name="文件：picture.png").wait_for()
    shown = page.locator(".bubble img")
    await page.wait_for_function("document.querySelector('.bubble img').naturalWidth > 0")
    assert await shown.count() == 1, "the file itself is opened by who taps it"
    await looks_well(page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_a_phone_shows_quotes_tables_links_and_a_group_of_pictures(
    chromium: Browser, box: Client, town: list[str], scheme: Any
) -> None:
    await box.control("limits", {"telegram": False})
    text = "😀一\n\n重话，看指南\n\n甲  1"
    entities = [
        {"type": "bold", "offset": 0, "length": 3},
        {"type": "blockquote", "offset": 5, "length": 6},
        {"type": "bold", "offset": 5, "length": 2},
        {"type": "text_link", "offset": 9, "length": 2, "url": "https://a.gov.cn/"},
        {"type": "pre", "offset": 13, "length": 4},
    ]
    await box.bot("sendMessage", chat_id="@qinghe", text=text, entities=entities)
    form = aiohttp.FormData()
    form.add_field("chat_id", "@qinghe")
    media = [{"type": "photo", "media": f"attach://{name}"} for name in ("one", "two")]
    media[0]["caption"] = "图1 会场"
    form.add_field("media", json.dumps(media, ensure_ascii=False))
    for name in ("one", "two"):
        form.add_field(name, picture(80, 60), filename=f"{name}.png")
    async with box.http.post(f"{box.base}/telegram/bot{TOKEN}/sendMediaGroup", data=form) as answer:
        assert (await answer.json())["ok"]
    context = await chromium.new_context(
        viewport={"width": 390, "height": 800}, locale="zh-CN", color_scheme=scheme
    )
    page = await context.new_page()
    page.set_default_timeout(45_000)
    await page.goto(f"{box.base}/phone/telegram")
    await page.get_by_role("button", name="频道", exact=True).click()
    group = page.locator(".bubble", has_text="图1 会场")
    await group.wait_for()
    assert await group.locator("img").count() == 2
    assert await page.locator(".bubble blockquote").inner_text() == "重话，看指南"
    assert await page.locator(".bubble blockquote b").inner_text() == "重话"
    assert await page.locator(".bubble blockquote a").get_attribute("href") == "https://a.gov.cn/"
    assert await page.locator(".bubble pre").inner_text() == "甲  1"
    await looks_well(page)
