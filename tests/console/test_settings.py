"""设置: levels, rules and people are changed by two people, on the pages and by the API."""

import os
from typing import Any

import pytest
from lxml import html
from playwright.async_api import Browser as Chromium
from sqlalchemy import select, text, update

from ledger.models import Incident
from review_queue.governance.handovers import ask_reset
from review_queue.workflow import GATES
from staff.models import ConsoleSession, Proposal, Staff
from tests.console.office import PASSWORD, Browser, Office
from tests.console.test_journey import WIDTHS, chromium, fits, person

SETTINGS = "/console/settings"
__all__ = ["chromium"]  # the fixture
LEVELS = [
    {"name": "初审", "roles": ["reviewer_1"], "gates": ["policy", "wording"], "hours": 6},
    {"name": "终审", "roles": ["reviewer_3"], "gates": list(GATES), "hours": 6},
]
RULE = {
    "id": "office.market",
    "gate": "wording",
    "severity": "warn",
    "terms": ["河东市集"],
    "reason": "市集已改名为河东集市",
    "basis": "青禾县地名公告",
    "must": ["周末到河东市集办理"],
}
FORM = RULE | {"terms": "河东市集", "must": "周末到河东市集办理", "must_not": "周末到河东集市"}
WHY = "按县里的通知修改"
CHANGE = {"kind": "workflow", "payload": {"klass": "日常", "levels": LEVELS}, "reason": WHY}


async def proposed(browser: Browser, body: dict[str, Any] = CHANGE) -> str:
    status, row = await browser.api("POST", "/proposals", body)
    assert status == 201, row
    return row["id"]


async def sql(office: Office, words: str) -> None:
    async with office.deps.db.session() as session:
        await session.execute(text(words))


async def incidents(office: Office) -> set[str]:
    async with office.deps.db.session() as session:
        return set((await session.scalars(select(Incident.kind))).all())


# --- the whole way on pages ---------------------------------------------------------------


async def test_levels_are_previewed_proposed_and_approved_on_pages(office: Office) -> None:
    one, two = await office.signed_in("admin1"), await office.signed_in("admin2")
    fields = {
        "group": "",
        "l0_name": "科室初审",
        "l0_roles": "reviewer_1",
        "l0_gates": "wording",
        "l0_hours": "6",
        "l1_name": "领导终审",
        "l1_roles": "reviewer_3",
        "l1_hours": "8",
        "why": WHY,
    }
    gates = [("l1_gates", gate) for gate in GATES]
    path = f"{SETTINGS}/levels/日常"
    form = [*fields.items(), *gates, ("csrf", one.csrf)]
    answer = await one.client.post(path, data=form, allow_redirects=False)
    page = await answer.text()
    assert answer.status == 200
    assert "科室初审" in page
    assert "批准后会怎样" in page
    answer = await one.client.post(path, data=[*form, ("step", "propose")], allow_redirects=False)
    assert answer.status == 303
    place = answer.headers["Location"].split("?")[0]
    _, page = await one.get(place)
    assert "提出人不能批准" in page
    assert 'value="approve"' not in page
    _, page = await two.get(place)
    assert 'value="approve"' in page
    status, _ = await two.post(place, verdict="approve")
    assert status == 303
    _, page = await two.get(f"{SETTINGS}/levels")
    assert "领导终审" in page
    assert [level.name for level in office.deps.queue.levels["日常"].levels] == [
        "科室初审",
        "领导终审",
    ]


async def test_a_rule_is_previewed_proposed_approved_and_rolled_back(office: Office) -> None:
    one, two = await office.signed_in("admin1"), await office.signed_in("admin2")
    await office.item("周末到河东市集办理社保卡。")
    status, page = await one.post(f"{SETTINGS}/rules/new", **FORM, why=WHY, step="preview")
    assert status == 200
    assert "新标出" in page
    assert "<mark>河东市集</mark>" in page
    status, _ = await one.post(f"{SETTINGS}/rules/new", **FORM, why=WHY, step="propose")
    assert status == 303
    _, rows = await two.api("GET", "/proposals?state=proposed")
    key = rows["proposals"][0]["id"]
    await two.post(f"{SETTINGS}/proposals/{key}", verdict="approve")
    _, page = await two.get(f"{SETTINGS}/rules/office.market")
    assert "青禾县地名公告" in page
    assert "第 2 版" in page
    status, page = await one.post(f"{SETTINGS}/rules/rollback", version="1")
    assert status == 200
    assert "恢复到第 1 版" in page
    await one.post(f"{SETTINGS}/rules/rollback", version="1", why=WHY, step="propose")
    _, rows = await two.api("GET", "/proposals?state=proposed")
    await two.api("POST", f"/proposals/{rows['proposals'][0]['id']}/approve")
    _, answer = await two.api("GET", "/rules/versions")
    assert [row["version"] for row in answer["versions"]] == [3, 2, 1]
    _, page = await two.get(f"{SETTINGS}/rules/office.market")
    assert "已删除的规则" in page


async def test_what_was_typed_stays_when_a_rule_is_refused(office: Office) -> None:
    browser = await office.signed_in("reviewer1")
    wrong = FORM | {"must": "这句没有那个词"}
    status, page = await browser.post(f"{SETTINGS}/rules/new", **wrong, step="preview")
    assert status == 422
    assert "应当命中却没有命中" in page
    assert "这句没有那个词" in page
    status, page = await browser.post(f"{SETTINGS}/rules/new", **FORM, more="[1", step="preview")
    assert status == 422
    assert "其他条件" in page


async def test_a_new_rule_cannot_silently_replace_another(office: Office) -> None:
    browser = await office.signed_in("admin1")
    known = (await office.deps.governance.rules.active()).rows[0]["id"]
    status, page = await browser.post(f"{SETTINGS}/rules/new", **(FORM | {"id": known}))
    assert status == 422
    assert "已有规则" in page


async def test_every_rule_survives_its_own_form(office: Office) -> None:
    browser = await office.signed_in("admin1")
    for row in (await office.deps.governance.rules.active()).rows[::9]:
        answer = await browser.client.get(f"{SETTINGS}/rules/{row['id']}/edit")
        assert answer.status == 200
        fields = await _fields(await answer.text())
        status, page = await browser.post(f"{SETTINGS}/rules/{row['id']}/edit", **fields)
        assert (status, "没有要改的规则" in page) == (422, True), row["id"]


async def _fields(page: str) -> dict[str, str]:
    """What a browser would send back unchanged."""
    soup: Any = html.fromstring(page)
    form = next(one for one in soup.forms if "/rules/" in str(one.get("action")))
    return {name: str(value) for name, value in form.form_values() if name not in ("csrf", "step")}


async def test_the_list_of_rules_is_searched_and_filtered(office: Office) -> None:
    browser = await office.signed_in("editor")
    _, page = await browser.get(f"{SETTINGS}/rules?gate=law&severity=hint")
    assert "law." in page
    assert "politics." not in page
    _, page = await browser.get(f"{SETTINGS}/rules?q=没有这样的词")
    assert "没有找到规则" in page


async def test_never_flag_this_here_goes_through_two_people(office: Office) -> None:
    one, two = await office.signed_in("admin1"), await office.signed_in("admin2")
    body = {"kind": "ruleset", "payload": {"changes": [{"now": RULE}]}, "reason": WHY}
    await two.api("POST", f"/proposals/{await proposed(one, body)}/approve")
    editor = await office.signed_in("editor")
    path = f"{SETTINGS}/rules/office.market/exception"
    status, page = await editor.post(path, text="老河东市集遗址")
    assert (status, "不再标出“老河东市集遗址”" in page) == (200, True)
    status, _ = await editor.post(path, text="老河东市集遗址", why=WHY, step="propose")
    assert status == 303
    _, rows = await two.api("GET", "/proposals?state=proposed")
    status, _ = await two.api("POST", f"/proposals/{rows['proposals'][0]['id']}/approve")
    assert status == 200
    _, answer = await two.api("GET", "/rules/office.market")
    assert answer["rule"]["unless"] == ["老河东市集遗址"]


async def test_false_alarms_are_reported_and_counted(office: Office) -> None:
    editor, item = await office.signed_in("editor"), await office.item()
    status, _ = await editor.post(f"{SETTINGS}/rules/law.ad-rank/false-alarm", item=item.id)
    assert status == 303
    path = "/rules/law.ad-rank/feedback"
    status, answer = await editor.api("POST", path, {"item": item.id})
    assert (status, answer["false_alarms"]) == (200, 1)
    _, rules = await editor.api("GET", "/rules")
    assert rules["false_alarms"] == {"law.ad-rank": 1}


async def test_a_new_person_signs_in_with_the_password_shown_once(office: Office) -> None:
    one, two = await office.signed_in("admin1"), await office.signed_in("admin2")
    fields = {"login": "newcomer", "name": "王小明", "roles": "editor", "why": WHY}
    status, _ = await one.post(f"{SETTINGS}/staff", **fields, step="propose")
    assert status == 303
    _, rows = await two.api("GET", "/proposals?state=proposed")
    path = f"{SETTINGS}/proposals/{rows['proposals'][0]['id']}"
    status, page = await two.post(path, verdict="approve")
    assert status == 200
    password = page.split('class="secret">', 1)[1].split("<", 1)[0]
    assert await Browser(office.client()).sign_in("newcomer", password) == 303
    _, page = await two.get(path)
    assert password not in page


async def test_a_deactivated_person_is_out_at_once(office: Office) -> None:
    editor, admin = await office.signed_in("editor"), await office.signed_in("admin1")
    status, _ = await admin.post(f"{SETTINGS}/staff/editor/deactivate")
    assert status == 303
    assert (await editor.get("/console/items"))[0] == 303


async def test_a_reset_password_ends_what_was_signed_in(office: Office) -> None:
    editor, admin = await office.signed_in("editor"), await office.signed_in("admin1")
    status, page = await admin.post(f"{SETTINGS}/staff/editor/password", why=WHY)
    assert status == 200
    half = page.split('class="secret">', 1)[1].split("<", 1)[0]
    assert (await editor.get("/console/items"))[0] == 200  # only asked for, until somebody agrees
    other = await office.signed_in("admin2")
    path = page.split('href="/console/settings/proposals/', 1)[1].split('"', 1)[0]
    status, page = await other.post(f"{SETTINGS}/proposals/{path}", verdict="approve")
    assert status == 200
    second = page.split('class="secret">', 1)[1].split("<", 1)[0]
    password = f"{half}-{second}"
    assert (await editor.get("/console/items"))[0] == 303
    assert await Browser(office.client()).sign_in("editor", PASSWORD) == 401
    assert await Browser(office.client()).sign_in("editor", password) == 303
    assert "password_reset" in await incidents(office)


async def test_a_person_changes_their_own_password_with_the_old_one(office: Office) -> None:
    editor, elsewhere = await office.signed_in("editor"), await office.signed_in("editor")
    new = "lan yang ji feng xue"
    status, page = await editor.post("/console/me/password", old="wrong", new=new)
    assert (status, "现在的密码不对" in page) == (403, True)
    status, _ = await editor.post("/console/me/password", old=PASSWORD, new="short")
    assert status == 422
    status, page = await editor.post("/console/me/password", old=PASSWORD, new="password2026")
    assert (status, "常用密码" in page) == (422, True)
    status, _ = await editor.post("/console/me/password", old=PASSWORD, new=new)
    assert status == 303
    assert (await editor.get("/console/items"))[0] == 200
    assert (await elsewhere.get("/console/items"))[0] == 303
    assert await Browser(office.client()).sign_in("editor", PASSWORD) == 401
    assert await Browser(office.client()).sign_in("editor", new) == 303


async def test_guessing_the_own_password_is_cut_off(office: Office) -> None:
    editor = await office.signed_in("editor")
    answers = [
        (await editor.post("/console/me/password", old=f"guess-{n}", new="lan yang ji feng xue"))[0]
        for n in range(7)
    ]
    assert answers == [403] * 5 + [429] * 2


async def test_an_editor_reports_a_false_alarm_from_the_item(office: Office) -> None:
    editor, item = await office.signed_in("editor"), await office.item()
    _, page = await editor.get(f"/console/items/{item.id}")
    path = page.split('action="/console/settings/rules/', 1)[1].split('"', 1)[0]
    status, _ = await editor.post(f"{SETTINGS}/rules/{path}", item=item.id)
    assert status == 303
    status, page = await editor.get(f"{SETTINGS}/rules/{path.split('/')[0]}")
    assert (status, "1 次" in page) == (200, True)
    assert (await editor.get(f"{SETTINGS}/rules/secrecy.mobile"))[0] == 200
    assert (await editor.get(f"{SETTINGS}/rules/nothing.here"))[0] == 404


async def test_an_admin_sees_at_once_that_changes_wait(office: Office) -> None:
    await proposed(await office.signed_in("admin1"))
    _, page = await (await office.signed_in("admin2")).get("/console/")
    assert "等我批准" in page


# --- attacks ------------------------------------------------------------------------------


async def test_the_proposer_is_refused_by_the_api_too(office: Office) -> None:
    one = await office.signed_in("admin1")
    key = await proposed(one)
    status, answer = await one.api("POST", f"/proposals/{key}/approve")
    assert (status, answer["rule"]) == (403, "two_people")
    status, page = await one.post(f"{SETTINGS}/proposals/{key}", verdict="approve")
    assert (status, "提出人不能批准" in page) == (403, True)


@pytest.mark.parametrize("who", ["editor", "reviewer3", "duty1"])
async def test_who_is_no_admin_cannot_approve(office: Office, who: str) -> None:
    key = await proposed(await office.signed_in("admin1"))
    other = await office.signed_in(who)
    assert (await other.api("POST", f"/proposals/{key}/approve"))[0] == 403
    assert (await other.post(f"{SETTINGS}/proposals/{key}", verdict="approve"))[0] == 403


async def test_an_editor_cannot_propose_levels_rules_or_people(office: Office) -> None:
    editor = await office.signed_in("editor")
    for body in (
        CHANGE,
        {"kind": "ruleset", "payload": {"changes": [{"now": RULE}]}, "reason": WHY},
        {"kind": "staff", "payload": {"login": "editor", "roles": ["admin"]}, "reason": WHY},
    ):
        status, answer = await editor.api("POST", "/proposals", body)
        assert (status, answer["rule"]) == (403, "role")


async def test_an_admin_made_by_sql_is_refused(office: Office) -> None:
    key = await proposed(await office.signed_in("admin1"))
    editor = await office.signed_in("editor")
    async with office.deps.db.session() as session:
        await session.execute(update(Staff).where(Staff.login == "editor").values(roles=["admin"]))
    status, answer = await editor.api("POST", f"/proposals/{key}/approve")
    assert (status, answer["rule"]) == (401, "signin")
    assert await Browser(office.client()).sign_in("editor", PASSWORD) == 401


async def test_a_payload_changed_between_proposal_and_approval_is_refused(office: Office) -> None:
    one, two = await office.signed_in("admin1"), await office.signed_in("admin2")
    key = await proposed(one)
    async with office.deps.db.session() as session:
        row = await session.get(Proposal, key)
        assert row is not None
        row.payload = row.payload.replace("reviewer_3", "reviewer_1")
    _, page = await two.get(f"{SETTINGS}/proposals/{key}")
    assert 'value="approve"' not in page
    status, answer = await two.api("POST", f"/proposals/{key}/approve")
    assert (status, answer["rule"]) == (409, "tampered")
    assert "proposal_tampered" in await incidents(office)


async def test_approved_twice_is_a_conflict(office: Office) -> None:
    one, two = await office.signed_in("admin1"), await office.signed_in("admin2")
    key = await proposed(one)
    assert (await two.api("POST", f"/proposals/{key}/approve"))[0] == 200
    assert (await two.api("POST", f"/proposals/{key}/approve"))[0] == 409


async def test_levels_changed_by_sql_stop_submitting_that_class_only(office: Office) -> None:
    change = "UPDATE workflow_definition SET body = replace(body, '24', '1') WHERE klass = '重要'"
    await sql(office, change)
    two = await office.signed_in("admin2")
    key = await proposed(await office.signed_in("admin1"))
    await two.api("POST", f"/proposals/{key}/approve")
    editor = await office.signed_in("editor")
    row = await office.item(klass="日常")
    status, answer = await editor.api("POST", f"/items/{row.id}/submit", {"version": row.version})
    assert status == 200, answer
    assert "workflow_tampered" in await incidents(office)
    status, answer = await editor.api(
        "POST", "/items", {"kind": "原创", "klass": "重要", "title": "标题", "body": "正文"}
    )
    assert status == 422


async def test_wrong_bodies_name_the_field(office: Office) -> None:
    one = await office.signed_in("admin1")
    for body, words in (
        ({"kind": "king", "payload": {}, "reason": WHY}, "king"),
        ({"kind": "workflow", "payload": {"klass": "日常"}, "reason": WHY}, "至少要有两级"),
        ({"kind": "workflow", "payload": CHANGE["payload"], "reason": "嗯"}, "为什么要改"),
        ({"kind": "staff", "payload": {"login": "X"}, "reason": WHY}, "登录名"),
        ({"kind": "ruleset", "payload": {}, "reason": WHY}, "changes"),
        ({"kind": "exception", "payload": {}, "reason": WHY}, "text"),
    ):
        status, answer = await one.api("POST", "/proposals", body)
        assert (status, words in answer["message"]) == (422, True), answer
    assert (await one.api("GET", "/proposals?state=x"))[0] == 422
    assert (await one.api("GET", "/proposals/nothing"))[0] == 404


async def test_sessions_of_nobody_else_end(office: Office) -> None:
    await office.signed_in("editor")
    await office.signed_in("admin1")
    made, people = office.deps.governance.proposals, office.people
    row, _ = await ask_reset(made, "editor", people["admin1"], WHY)
    await made.approve(row.id, people["admin2"])
    async with office.deps.db.session() as session:
        query = select(ConsoleSession.staff_id).where(ConsoleSession.revoked_at.is_(None))
        rows = (await session.scalars(query)).all()
    assert set(rows) == {office.people["admin1"]}


# --- in a browser -------------------------------------------------------------------------


@pytest.mark.browser
@pytest.mark.parametrize("width", WIDTHS)
async def test_settings_pages_fit_and_are_accessible(
    chromium: Chromium, office: Office, width: int
) -> None:
    one = await office.signed_in("admin1")
    await office.item("周末到河东市集办理社保卡。")
    levels, rule = (
        await proposed(one),
        await proposed(
            one, {"kind": "ruleset", "payload": {"changes": [{"now": RULE}]}, "reason": WHY}
        ),
    )
    people, made = office.people, office.deps.governance.proposals
    reset, _ = await ask_reset(made, "reviewer2", people["admin1"], WHY)
    other, _ = await ask_reset(made, "reviewer1", people["admin1"], WHY)
    await made.approve(other.id, people["admin2"])
    page = await person(chromium, office, "admin2", width)
    for path in (
        "",
        "/accounts?slug=qinghe-wx",
        f"/proposals/{reset.id}",
        "/../incidents",
        "/../me/absence",
        "/levels",
        "/levels/日常",
        "/rules",
        "/rules/law.ad-rank",
        "/rules/law.ad-rank/edit",
        "/rules/new",
        "/staff?login=editor",
        "/proposals",
        f"/proposals/{levels}",
        f"/proposals/{rule}",
    ):
        await page.goto(str(office.server.make_url(SETTINGS + path)))
        await fits(page)
        if folder := os.environ.get("SHENFA_SCREENSHOTS"):
            name = path.strip("./").replace("/", "-").split("?")[0] or "settings"
            await page.screenshot(path=f"{folder}/{name}-{width}.png", full_page=True)
    await page.context.close()


@pytest.mark.browser
async def test_a_change_is_proposed_and_approved_without_scripts(
    chromium: Chromium, office: Office
) -> None:
    for login, act in (("admin1", "提出"), ("admin2", "批准")):
        context = await chromium.new_context(
            viewport={"width": 390, "height": 844}, java_script_enabled=False
        )
        page = await context.new_page()
        page.set_default_timeout(45_000)  # a busy machine is not a fault
        where = "/staff?login=duty1" if act == "提出" else "/proposals"
        await page.goto(str(office.server.make_url(SETTINGS + where)))
        await page.locator("#login").fill(login)
        await page.locator("#password").fill(PASSWORD)
        await page.get_by_role("button", name="登录").click()
        if act == "提出":
            await page.get_by_label("监督").check()
            await page.locator("#why-change").fill(WHY)
            await page.get_by_role("button", name="先看影响").click()
            await page.get_by_text("增加监督角色").wait_for()
            await page.get_by_role("button", name="提出", exact=True).click()
            await page.locator(".done", has_text="已提出").wait_for()
        else:
            await page.get_by_role("link", name="变更人员 周洋").click()
            await page.get_by_role("button", name="批准，马上生效").click()
            await page.locator(".done", has_text="已批准").wait_for()
        await context.close()
    async with office.deps.db.session() as session:
        row = await session.get(Staff, office.people["duty1"])
    assert row is not None
    assert row.roles == ["duty", "supervisor"]
