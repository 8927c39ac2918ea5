"""Beside the editor in Chromium: pictures of what is typed, files that come without a loss."""

import io

import pytest
from PIL import Image
from playwright.async_api import Browser, FilePayload
from sqlalchemy import select

from blocks.document import read_document
from console.items.models import WorkingCopy
from review_queue import drafting
from tests.console import test_journey
from tests.console.article import article, draft_of, kept, notice, png, said
from tests.console.office import PASSWORD, Office
from tests.console.test_editor_page import opened, save
from tests.console.test_journey import chromium, fits

pytestmark = pytest.mark.browser
__all__ = ["chromium"]


def file_of(name: str) -> FilePayload:
    """A small text file of this name."""
    return {"name": name, "mimeType": "text/plain", "buffer": "办理说明".encode()}


@pytest.mark.parametrize("width", [1280, 390])
async def test_each_channel_shows_what_is_typed_before_anything_is_saved(
    chromium: Browser, office: Office, width: int
) -> None:
    row = await article(office, notice(await kept(office, png())))
    page = await opened(chromium, office, f"/console/items/{row.id}/edit", width)
    if width < 860:
        await page.get_by_role("button", name="预览", exact=True).click()
    else:
        await page.get_by_role("tab", name="预览").click()
    await page.locator("#previews label", has_text="Telegram").click()
    await page.locator("#previews .bubble").first.wait_for()
    await page.locator("#previews label", has_text="微信").click()
    await page.locator("#title").fill("正在改的标题")
    await page.locator(".ed-text h2").first.click()
    await page.keyboard.type("新打的")
    await page.locator("#previews .wx-title", has_text="正在改的标题").wait_for()
    await page.locator("#previews .wx-body h2", has_text="新打的").wait_for()
    # The channel that was chosen stays chosen when the picture is drawn anew.
    assert await page.locator("#previews .wx-body").is_visible()
    await fits(page)
    # The reasons follow the words, too.
    await page.locator(".ed-text h2").first.click()
    await page.keyboard.type("手机13812345678")
    await page.locator(".before-sum", has_text="仍可提交").wait_for()
    assert test_journey.errors == []
    await page.locator("#from-url").fill("javascript:alert(1)")
    await page.get_by_text("预览停在改动以前：原文链接只能是网址").wait_for()
    assert (await draft_of(office, row.id)).title == "求职补贴开始申请"


async def test_a_file_comes_in_and_goes_without_leaving_the_words_behind(
    chromium: Browser, office: Office
) -> None:
    row = await article(office, read_document([{"kind": "heading", "runs": said("通知")}]))
    page = await opened(chromium, office, f"/console/items/{row.id}/edit")
    await page.locator(".ed-text h2").click()
    await page.keyboard.press("End")
    await page.keyboard.type("，还没有保存")
    upload = page.get_by_role("button", name="上传", exact=True)
    await upload.click()
    await page.get_by_text("请先选择要上传的文件").wait_for()
    await page.locator("#attachment-file").set_input_files(file_of("坏.exe"))
    await upload.click()
    await page.get_by_text("不能上传 .exe 的文件").wait_for()
    await page.locator("#attachment-file").set_input_files(file_of("说明.txt"))
    await upload.click()
    await page.get_by_text("已上传，稿件成为新的一稿").wait_for()
    await page.locator("#attachments a", has_text="说明.txt").wait_for()
    assert await page.locator(".ed-text h2").inner_text() == "通知，还没有保存"
    assert [part["name"] for part in (await draft_of(office, row.id)).attachments] == ["说明.txt"]
    await save(page)
    await page.get_by_text("已保存。").wait_for()
    assert (await draft_of(office, row.id)).body == "通知，还没有保存"
    await page.locator("#editor[data-ready]").wait_for()
    await page.get_by_role("button", name="去掉 说明.txt").click()
    await page.get_by_text("已去掉。").wait_for()
    assert (await draft_of(office, row.id)).attachments == ()


async def test_looking_at_an_article_that_ends_in_a_table_keeps_no_words(
    chromium: Browser, office: Office
) -> None:
    row = await article(office, notice(await kept(office, png())))
    page = await opened(chromium, office, f"/console/items/{row.id}/edit")
    await page.get_by_role("tab", name="预览").click()
    await page.locator("#previews .wx-title").wait_for()
    await page.wait_for_timeout(3500)  # the words are kept after three seconds
    async with office.deps.db.session() as session:
        assert (await session.scalars(select(WorkingCopy))).all() == []


async def test_without_scripts_the_words_are_back_after_a_file_came_in(
    chromium: Browser, office: Office
) -> None:
    row = await article(office, notice(await kept(office, png())))
    Image.new("RGB", (1600, 900)).save(large := io.BytesIO(), "PNG")
    cover = {"cover": await kept(office, large.getvalue())}
    editor = office.people["editor"]
    row = await drafting.edit(office.deps.queue, row.id, editor, row.version, cover)
    context = await chromium.new_context(java_script_enabled=False, locale="zh-CN")
    page = await context.new_page()
    await page.goto(str(office.server.make_url("/console/signin")))
    await page.fill("#login", "editor")
    await page.fill("#password", PASSWORD)
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/console/")
    await page.goto(str(office.server.make_url(f"/console/items/{row.id}/edit")))
    shown = await page.locator(".cover-now").bounding_box()
    assert shown is not None
    assert (0 < shown["width"] < 400, 0 < shown["height"] <= 200) == (True, True)
    box = page.locator("#body")
    before = await box.input_value()
    await box.fill(before.replace("身份证明", "身份证原件"))
    await page.locator("#attachment-file").set_input_files(file_of("说明.txt"))
    await page.get_by_role("button", name="上传", exact=True).click()
    await page.get_by_text("没有保存的文字都在下面").wait_for()
    assert "身份证原件" in await box.input_value()
    # Enter in a field saves; it presses no button of a file.
    await page.locator("#title").press("Enter")
    await page.get_by_text("已保存。").wait_for()
    draft = await draft_of(office, row.id)
    assert "身份证原件" in draft.body
    assert [part["name"] for part in draft.attachments] == ["说明.txt"]
    assert draft.blocks is not None
    assert [one.kind for one in draft.blocks.blocks] == [
        one.kind for one in notice("sha256:" + "a" * 64).blocks
    ]
    await context.close()


async def test_a_new_text_is_checked_counted_and_mended_and_its_tools_stay_with_it(
    chromium: Browser, office: Office
) -> None:
    page = await opened(chromium, office, "/console/items/new?start=活动", 390)
    assert await page.locator(".ed-text table").count() == 1
    assert await page.locator("#from-editor").input_value() == "李雪"
    await page.locator("#title").fill("残废人活动")
    await page.locator(".ed-text > p").first.click(click_count=3)
    await page.keyboard.type("补贴发到帐号。")
    await page.get_by_text("正在写的文字有").wait_for()
    # The list of findings stands with the checks, not above the switch.
    await page.locator("#checks > .findings .live-findings .finding").nth(1).wait_for()
    count = page.locator(".ed-count")
    letters = await page.locator(".ed-text").evaluate(
        "one => [...one.textContent.replace(/\\s/g, '')].length"
    )
    assert await count.inner_text() == f"{letters} 字"
    await page.locator(".live-findings summary", has_text="残废人").click()
    await page.get_by_role("button", name="改为“残疾人”").click()
    await page.wait_for_function("document.getElementById('title').value === '残疾人活动'")
    # A word that somebody changed before the press is said to be gone, and nothing is put in.
    row = page.locator(".live-findings .finding", has=page.locator("summary", has_text="帐号"))
    await row.locator("summary").click()
    await page.evaluate(
        "document.querySelectorAll('.offers button').forEach(one => one.dataset.old = 1)"
    )
    await page.locator(".ed-text > p").first.click(click_count=3)
    await page.keyboard.type("另写一句。")
    await page.evaluate("document.querySelector('.offers button[data-old]')?.click()")
    assert await page.locator(".ed-text > p").first.inner_text() == "另写一句。"
    await page.locator("#from-url").scroll_into_view_if_needed()
    tools, field = page.locator(".ed-bar"), page.locator("#from-url")
    over, under = await tools.bounding_box(), await field.bounding_box()
    assert over is not None
    assert under is not None
    assert over["y"] + over["height"] <= 0 or over["y"] + over["height"] <= under["y"]
