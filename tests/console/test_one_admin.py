"""One admin with nothing but a browser: what they try in the names of others, and what they get."""

from datetime import timedelta
from typing import Any

from sqlalchemy import select

from config.clock import now
from ledger.models import Incident
from review_queue import drafting
from review_queue.governance.handovers import ask_reset
from staff.models import Staff
from staff.people import Person, password_holds, set_staff
from tests.console.office import PASSWORD, Browser, Office

SETTINGS = "/console/settings"
WHY = "本人忘记了密码"


async def hired(office: Office, login: str, name: str, *roles: str) -> str:
    """One person more, with the password everybody has."""
    async with office.deps.ledger.transaction() as tx:
        other = (await tx.session.scalars(select(Staff.password_hash).limit(1))).one()
        row = await set_staff(tx, Person(login, name, roles, other), "init")
    office.people[login] = row.id
    return row.id


def secret(page: str) -> str:
    return page.split('class="secret">', 1)[1].split("<", 1)[0]


async def incident(office: Office, kind: str) -> Incident:
    async with office.deps.db.session() as session:
        return (await session.scalars(select(Incident).where(Incident.kind == kind))).one()


async def test_four_reviewers_and_the_other_admin_keep_their_passwords(office: Office) -> None:
    admin = await office.signed_in("admin1")
    for login in ("reviewer1", "reviewer2", "reviewer3", "editor", "admin2"):
        status, page = await admin.post(f"{SETTINGS}/staff/{login}/password", why=WHY)
        assert status == 200
        half = secret(page)
        _, rows = await admin.api("GET", "/proposals?state=proposed")
        key = rows["proposals"][0]["id"]
        status, page = await admin.post(f"{SETTINGS}/proposals/{key}", verdict="approve")
        assert (status, "提出人不能批准" in page) == (403, True)
        assert (await admin.api("POST", f"/proposals/{key}/approve"))[0] == 403
        for word in (half, f"{half}-", f"-{half}", f"{half}-{half}"):
            assert await Browser(office.client()).sign_in(login, word) in (401, 429)
        assert await signs_in(office, login, PASSWORD)


async def signs_in(office: Office, login: str, password: str) -> bool:
    """Whether it is the password: asked of the row, past the limit on guessing."""
    async with office.deps.db.session() as session:
        row = (await session.scalars(select(Staff).where(Staff.login == login))).one()
    return await password_holds(row.password_hash, password)


async def test_a_reset_by_two_is_confirmed_by_a_third_before_anything_counts(
    office: Office,
) -> None:
    await hired(office, "supervisor", "监督甲", "supervisor")
    one, two = await office.signed_in("admin1"), await office.signed_in("admin2")
    status, answer = await one.api("POST", "/staff/reviewer1/reset-password", {"reason": WHY})
    assert status == 201
    status, shown = await two.api("POST", f"/proposals/{answer['id']}/approve")
    assert status == 200
    code = f"{answer['half']}-{shown['result']['half']}"
    reviewer = Browser(office.client())
    assert await reviewer.sign_in("reviewer1", code) == 303
    item = await office.submitted()
    status, page = await reviewer.post(f"/console/items/{item.id}/claim")
    assert (status, "还没有确认" in page) == (403, True)
    for admin in (one, two):
        status, page = await admin.post(f"{SETTINGS}/staff/reviewer1/confirm")
        assert (status, "您经手" in page) == (403, True)
    watcher = await office.signed_in("supervisor")
    assert (await watcher.api("POST", "/staff/reviewer1/confirm"))[0] == 422
    new = {"old": code, "new": "a-new-password-2026"}
    assert (await reviewer.post("/console/me/password", **new))[0] == 303
    _, page = await watcher.get(f"{SETTINGS}/proposals")
    assert "等待当面确认的人" in page
    status, _ = await watcher.post(f"{SETTINGS}/staff/reviewer1/confirm")
    assert status == 303
    assert (await reviewer.post(f"/console/items/{item.id}/claim"))[0] == 303


async def test_one_admin_sends_nobody_away(office: Office) -> None:
    item = await office.submitted()
    admin = await office.signed_in("admin1")
    fields = {
        "staff": office.people["reviewer1"],
        "substitute": office.people["reviewer2"],
        "starts": "2020-01-01T08:00",
        "ends": "2090-01-01T08:00",
        "why": "他在外地开会",
    }
    status, _ = await admin.post("/console/me/absence", **fields)
    assert status == 303  # to the proposal, which somebody else approves
    body: dict[str, Any] = {
        "staff": office.people["reviewer1"],
        "substitute": office.people["reviewer3"],
        "starts": (now() - timedelta(hours=1)).isoformat(),
        "ends": (now() + timedelta(days=1)).isoformat(),
        "reason": "他在外地开会",
    }
    status, answer = await admin.api("POST", "/absence", body)
    assert (status, answer["state"]) == (202, "proposed")
    junior = await office.signed_in("reviewer2")
    status, page = await junior.post(f"/console/items/{item.id}/claim")
    assert (status, "初审要由初审角色的人审核" in page) == (403, True)


async def test_whom_an_incident_is_about_does_not_close_it(office: Office) -> None:
    watcher = await hired(office, "supervisor", "监督甲", "supervisor")
    made, people = office.deps.governance.proposals, office.people
    row, _ = await ask_reset(made, "reviewer1", people["admin1"], WHY)
    await made.approve(row.id, people["admin2"])
    about = await incident(office, "password_reset")
    for login in ("admin1", "admin2"):
        browser = await office.signed_in(login)
        status, page = await browser.post(f"/console/incidents/{about.id}", resolution="已经核实过")
        assert (status, "请由监督甲处理" in page) == (403, True)
    _, page = await browser.get("/console/incidents")
    assert "由监督甲处理" in page
    assert "记为已处理" not in page
    supervisor = await office.signed_in("supervisor")
    status, answer = await supervisor.api("GET", "/incidents")
    assert [one["closers"] for one in answer["incidents"]] == [[watcher]]
    status, _ = await supervisor.post(f"/console/incidents/{about.id}", resolution="已经核实过")
    assert status == 303


async def test_who_proposed_a_change_does_not_close_the_incident_about_it(office: Office) -> None:
    made, people = office.deps.governance.proposals, office.people
    row, _ = await ask_reset(made, "reviewer1", people["admin1"], WHY)
    await office.deps.ledger.open_incident(
        "proposal_tampered", subject=f"proposal:{row.id}", message="一项变更被改动", detail={}
    )
    about = await incident(office, "proposal_tampered")
    one, two = await office.signed_in("admin1"), await office.signed_in("admin2")
    path = f"/console/incidents/{about.id}"
    assert (await one.post(path, resolution="已经核实过"))[0] == 403
    assert (await two.post(path, resolution="已经核实过"))[0] == 303


async def test_who_wrote_the_item_does_not_close_the_incident_about_it(office: Office) -> None:
    await hired(office, "both", "身兼两职", "admin", "editor")
    item = await office.item()
    await office.deps.queue.ledger.open_incident(
        "release_refused", subject=f"item:{item.id}", message="发送前核验未通过", detail={}
    )
    about = await incident(office, "release_refused")
    editor, text = office.people["both"], {"body": "另写一段正文"}
    await drafting.edit(office.deps.queue, item.id, editor, item.version, text)
    both, other = await office.signed_in("both"), await office.signed_in("admin2")
    path = f"/console/incidents/{about.id}"
    status, page = await both.post(path, resolution="已经核实过")
    assert (status, "与您有关" in page) == (403, True)
    assert (await other.post(path, resolution="已经核实过"))[0] == 303


async def test_an_account_and_the_roster_change_on_a_page_by_two_people(office: Office) -> None:
    one, two = await office.signed_in("admin1"), await office.signed_in("admin2")
    form = {
        "slug": "qinghe-wx",
        "platform": "wechat",
        "name": "青禾县政务",
        "api_base": "https://api.weixin.qq.com",
        "secrets": f"appid=wx1\nsecret=very-secret\ntoken=t0\naes_key={'a' * 43}",
        "settings": "{}",
        "enabled": "yes",
        "why": "平台更换了密钥",
    }
    path = f"{SETTINGS}/accounts"
    status, page = await one.post(path, **form, step="preview")
    assert (status, "更换密钥" in page, "very-secret" in page) == (200, True, False)
    assert (await one.post(path, **form | {"settings": "{"}, step="propose"))[0] == 422
    assert (await one.post(path, **form, step="propose"))[0] == 303
    duty = f"{SETTINGS}/duty"
    lines = {"login": ["duty1", "reviewer1", ""], "topic": ["", "employment", ""], "why": WHY}
    wrong, roster = lines | {"tier": ["1", "x", "1"]}, lines | {"tier": ["1", "2", "1"]}
    status, page = await one.post(f"{duty}/roster", **wrong, step="propose")
    assert (status, "reviewer1 的梯次" in page) == (422, True)
    assert (await one.post(f"{duty}/roster", **roster, step="propose"))[0] == 303
    _, rows = await two.api("GET", "/proposals?state=proposed")
    assert {row["kind"] for row in rows["proposals"]} == {"account", "roster"}
    assert "very-secret" not in str(rows)
    for row in rows["proposals"]:
        assert (await one.api("POST", f"/proposals/{row['id']}/approve"))[0] == 403
        assert (await two.api("POST", f"/proposals/{row['id']}/approve"))[0] == 200
    _, page = await two.get(path)
    assert "青禾县政务" in page
    assert "第 2 梯次" in (await two.get(duty))[1]
    editor = await office.signed_in("editor")
    assert (await editor.post(path, **form, step="propose"))[0] == 403
