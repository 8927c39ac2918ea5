"""设置 and 回复模板 on pages and by the API: read by the staff, changed by two people."""

import os

import pytest
from playwright.async_api import Browser as Chromium
from sqlalchemy import text as sql

from review_queue.models import Item
from tests.console.office import Browser, Office
from tests.console.test_journey import WIDTHS, chromium, fits, person

PLACE = "/console/settings"
NEW = "0479-8221234"
WHY = "县里换了热线"
__all__ = ["chromium"]  # the fixture


def raw(text: str) -> str:
    """What a browser sends of a text area."""
    return text.replace("\n", "\r\n")


async def calendar_of(browser: Browser) -> str:
    status, row = await browser.api("GET", "/settings/calendar")
    assert status == 200
    return str(row["text"])


async def test_a_hotline_is_proposed_on_a_page_seen_as_a_difference_and_approved(
    office: Office,
) -> None:
    one, two = await office.signed_in("admin1"), await office.signed_in("admin2")
    words = raw((await calendar_of(one)).replace('"12345"', f'"{NEW}"'))
    path = f"{PLACE}/texts/calendar"
    status, page = await one.post(path, text=words, why=WHY, step="preview")
    assert status == 200
    assert "批准后会怎样" in page
    assert f"hotline: &#34;{NEW}&#34;" in page
    status, _ = await one.post(path, text=words, why=WHY, step="propose")
    assert status == 303
    _, rows = await two.api("GET", "/proposals?state=proposed")
    key = rows["proposals"][0]["id"]
    status, page = await two.get(f"{PLACE}/proposals/{key}")
    assert "设置“值班时间和热线”改为第 2 版" in page
    assert '<span class="sr">去掉 </span>hotline: &#34;12345&#34;' in page
    status, _ = await two.post(f"{PLACE}/proposals/{key}", verdict="approve")
    assert status == 303
    assert NEW in await calendar_of(two)
    _, page = await two.get(f"{PLACE}/texts")
    assert "第 2 版" in page
    assert "陈岩 提出，孙丽 批准" in page


async def test_a_text_that_cannot_be_read_is_shown_again_with_its_line(office: Office) -> None:
    one = await office.signed_in("admin1")
    stood = await calendar_of(one)
    row = stood[: stood.index("answer_minutes")].count("\n") + 1
    words = raw(stood.replace("answer_minutes: 240", "answer_minutes: 四小时"))
    status, page = await one.post(f"{PLACE}/texts/calendar", text=words, why=WHY, step="propose")
    assert status == 422
    assert f"calendar.yaml 第 {row} 行，字段 answer_minutes" in page
    assert "answer_minutes: 四小时" in page
    _, rows = await one.api("GET", "/proposals?state=proposed")
    assert rows["proposals"] == []


@pytest.mark.parametrize("login", ["editor", "reviewer1", "duty1"])
async def test_who_is_no_admin_reads_settings_and_proposes_none(office: Office, login: str) -> None:
    browser = await office.signed_in(login)
    words = (await calendar_of(await office.signed_in("admin1"))).replace("12345", NEW)
    status, _ = await browser.post(f"{PLACE}/texts/calendar", text=words, why=WHY, step="propose")
    assert status == 403
    body = {"kind": "setting", "payload": {"name": "calendar", "text": words}, "reason": WHY}
    status, _ = await browser.api("POST", "/proposals", body)
    assert status == 403
    status, page = await browser.get(f"{PLACE}/texts/calendar")
    if login == "duty1":
        assert status == 403
    else:
        assert "hotline" in page
        assert "<textarea" not in page


async def test_a_template_is_started_on_the_page_reviewed_used_and_taken_back(
    office: Office,
) -> None:
    editor = await office.signed_in("editor")
    _, page = await editor.get(f"{PLACE}/templates")
    assert "关注后的欢迎语" in page
    status, row = await editor.api("POST", "/templates/help/draft")
    assert status == 201
    _, page = await editor.get(f"/console/items/{row['item']}/edit")
    assert "不发布到账号" in page
    assert 'name="accounts"' not in page
    assert "署名" not in page
    fields = {
        "version": str(row["version"]), "title": "使用说明", "kind": "回复模板", "klass": "日常",
        "body": raw("请直接提问。\n回复“转人工”找值班人员。"), "then": "submit",
        "not_before": "2026-01-01T08:00", "not_after": "2030-01-01T08:00",
    }  # fmt: skip
    status, page = await editor.post(f"/console/items/{row['item']}/edit", **fields)
    assert status == 303, page
    deps = office.deps
    async with deps.db.session() as session:
        item = await session.get_one(Item, row["item"])
    for login in ("reviewer1", "reviewer3"):
        item = await office.decide(item, login)
    assert item.state == "shelved"
    _, found = await editor.api("GET", "/templates")
    help_ = next(one for one in found["templates"] if one["key"] == "help")
    assert (help_["state"], help_["version"]) == ("in_use", 2)
    assert help_["text"].startswith("请直接提问。")
    status, page = await editor.get(f"/console/items/{row['item']}")
    assert "已入库使用" in page
    assert "安排发布</a>" not in page
    status, _ = await editor.post(f"{PLACE}/templates/help/withdraw", reason="")
    assert status == 422
    status, _ = await editor.post(f"{PLACE}/templates/help/withdraw", reason="措辞不当")
    assert status == 303
    _, page = await editor.get(f"{PLACE}/templates")
    assert "已停用" in page
    status, _ = await editor.api("POST", "/templates/nothing/draft")
    assert status == 404


async def test_a_row_changed_by_sql_is_said_so_on_the_page(office: Office) -> None:
    async with office.deps.db.session() as session:
        await session.execute(sql("UPDATE setting SET text = 'x' WHERE name = 'links'"))
    admin = await office.signed_in("admin1")
    _, page = await admin.get(f"{PLACE}/texts")
    assert "不能确认" in page
    assert "暂停核对链接" in page


@pytest.mark.browser
@pytest.mark.parametrize("width", WIDTHS)
async def test_the_pages_fit_a_desk_and_a_phone(
    office: Office, chromium: Chromium, width: int
) -> None:
    page = await person(chromium, office, "admin1", width)
    for path in ("texts", "texts/calendar", "templates"):
        await page.goto(str(office.server.make_url(f"{PLACE}/{path}")))
        if shots := os.environ.get("SHOTS"):
            name = path.replace("/", "-")
            await page.screenshot(path=f"{shots}/{name}-{width}.png", full_page=path != "templates")
        await fits(page)
