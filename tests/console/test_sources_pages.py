"""来源 and 任务 in browser and API: two people, lists, exceptions, tasks, the difference."""

import base64
from datetime import timedelta

from aiohttp import FormData
from sqlalchemy import select

from bot.models import Account
from config.clock import now
from content_sources.models import Column, Source
from staff.models import Task
from staff.tasks import NewTask, open_task
from staff.waiting import open_rows
from tests.console.office import Browser, Office, busy_morning

NEW = {
    "organisation": "北原市商务局",
    "hosts": "swj.beiyuan.example",
    "basis": "北原市商务局授权转载函",
    "owner": "editor",
    "paths": "/zwgk/",
}
LIST = "单位名称,地区\n青禾县人民政府,\n草原通讯社,\n,北原\n".encode()


async def proposed(office: Office, browser: Browser) -> str:
    assert (await browser.post("/console/sources", **NEW))[0] == 303
    (row,) = await open_rows(office.deps.governance.proposals)
    return row.subject.removeprefix("source:")


async def test_a_change_is_shown_field_by_field_to_the_second_admin(office: Office) -> None:
    first, second = await office.signed_in("admin1"), await office.signed_in("admin2")
    source_id = await proposed(office, first)
    path = f"/console/sources/{source_id}"
    assert (await second.post(path, verdict="approve"))[0] == 303
    changed = NEW | {"hosts": "swj.beiyuan.example www.swj.beiyuan.example", "action": "edit"}
    status, _ = await first.post(f"{path}/change", **changed)
    assert status == 303
    _, text = await second.get(path)
    assert "<ins>swj.beiyuan.example、www.swj.beiyuan.example</ins>" in text
    _, own = await first.get(path)
    assert "要由另一位管理员批准" in own
    assert (await second.post(path, verdict="reject"))[0] == 303
    _, text = await second.get(path)
    assert "不批准变更" in text
    assert "等待批准" not in text
    (row,) = await office.deps.governance.proposals.rows("rejected")
    assert row.subject == f"source:{source_id}"


async def test_a_form_with_faults_comes_back_filled_in(office: Office) -> None:
    first = await office.signed_in("admin1")
    wrong = NEW | {"hosts": "https://a.example", "valid_to": "2020-01-01"}
    status, text = await first.post("/console/sources", **wrong)
    assert status == 422
    assert "不是完整的域名" in text
    assert "有效期必须晚于生效时间" in text
    assert 'value="北原市商务局"' in text


async def upload(browser: Browser, **fields: str) -> tuple[int, str]:
    form = FormData()
    for name, value in ({"csrf": browser.csrf} | fields).items():
        form.add_field(name, value)
    form.add_field("file", LIST, filename="名单.csv", content_type="text/csv")
    answer = await browser.client.post("/console/sources/import", data=form, allow_redirects=False)
    return answer.status, await answer.text()


async def test_a_list_is_uploaded_by_one_and_approved_by_another(office: Office) -> None:
    first, second = await office.signed_in("admin1"), await office.signed_in("admin2")
    status, text = await upload(first, list_version="", basis="公告")
    assert status == 422
    assert "请填写名单版本" in text
    assert (await upload(first, list_version="2025年6月版", basis="稿源名单公告"))[0] == 303
    (row,) = await open_rows(office.deps.governance.proposals)
    path = f"/console/sources/imports/{row.id}"
    _, text = await second.get(path)
    assert "<ins>草原通讯社</ins>" in text
    assert "第 4 行第 1 列：没有单位名称" in text
    status, text = await first.post(path, verdict="approve")
    assert status == 403
    assert (await second.post(path, verdict="approve"))[0] == 303
    async with office.deps.db.session() as session:
        states = (await session.scalars(select(Source.state))).all()
    assert set(states) == {"active"}


async def test_the_api_does_what_the_pages_do(office: Office) -> None:
    first, second = await office.signed_in("admin1"), await office.signed_in("admin2")
    body = {"organisation": "北原市", "hosts": ["www.by.example"], "basis": "授权函一份"}
    status, made = await first.api("POST", "/sources", body)
    assert (status, made["state"]) == (201, "proposed")
    path = f"/sources/{made['id']}"
    asked = {"url": "https://www.by.example/a"}
    _, judged = await first.api("POST", "/sources/check", asked)
    assert (judged["ok"], judged["rule"]) == (False, "host")
    assert (await first.api("POST", f"{path}/approve"))[0] == 403
    assert (await second.api("POST", f"{path}/approve"))[0] == 200
    _, judged = await first.api("POST", "/sources/check", asked)
    assert judged["ok"] is True
    status, _ = await first.api("POST", f"{path}/change", body | {"hosts": ["x.example"]})
    assert status == 201
    _, one = await second.api("GET", path)
    assert one["waiting"]["fields"]["hosts"] == ["x.example"]
    assert (await second.api("POST", f"{path}/reject"))[0] == 200
    status, done = await first.api("POST", f"{path}/revoke")
    assert (status, done["quarantined"], done["listed"]) == (200, 0, 0)
    given = {
        "file_name": "名单.csv",
        "file": base64.b64encode(LIST).decode(),
        "list_version": "2025",
        "basis": "稿源名单公告",
    }
    status, row = await first.api("POST", "/sources/imports", given)
    assert (status, row["diff"]["added"]) == (201, ["青禾县人民政府", "草原通讯社"])
    assert (await first.api("POST", "/sources/imports", given | {"file": "?"}))[0] == 422
    assert (await first.api("POST", f"/sources/imports/{row['id']}/approve"))[0] == 403
    status, done = await second.api("POST", f"/sources/imports/{row['id']}/approve")
    assert (status, done["changed"]) == (200, 2)


async def test_every_reviewer_sees_the_difference_to_the_original(office: Office) -> None:
    ids = await busy_morning(office)
    for login in ("editor", "reviewer2", "reviewer3"):
        browser = await office.signed_in(login)
        status, text = await browser.get(f"/console/items/{ids['reviewing']}")
        assert status == 200
        assert "与原文对照：" in text
        part = text.split('id="to-source"', 1)[1].split("</details>", 1)[0]
        assert "<ins>" in part
        assert "残废人毕业生" in part


async def test_an_exception_is_asked_for_and_signed_by_another(office: Office) -> None:
    ids = await busy_morning(office)
    editor, final = await office.signed_in("editor"), await office.signed_in("reviewer3")
    path = f"/console/items/{ids['reviewing']}/exception"
    status, text = await editor.post(path, reason="短")
    assert status == 422
    assert "至少 6 个字" in text
    assert (await editor.post(path, reason="县里急需，来不及登记稿源"))[0] == 303
    row, *_ = await open_rows(office.deps.governance.proposals)
    path = f"/console/sources/exceptions/{row.id}"
    assert (await editor.post(path, verdict="grant", note="好"))[0] == 403
    assert (await final.post(path, verdict="grant", note="情况属实"))[0] == 303
    _, text = await final.get("/console/sources/exceptions")
    assert "县里急需，来不及登记稿源" in text
    assert "已签字" in text


async def test_a_task_waits_on_the_first_page_until_it_is_settled(office: Office) -> None:
    ids = await busy_morning(office)
    async with office.deps.ledger.transaction() as tx:
        task = await open_task(
            tx,
            NewTask(
                kind="correction",
                title="原文有变：取暖补助",
                due_at=now() + timedelta(hours=5),
                item_id=ids["published"],
                assignee=office.people["editor"],
                detail={"before": "每户800元", "after": "每户900元", "problem": "原文有改动"},
            ),
        )
    editor = await office.signed_in("editor")
    assert "原文有变：取暖补助" in (await editor.get("/console/"))[1]
    _, text = await editor.get("/console/tasks")
    assert "<del>8</del>" in text or "<del>800</del>" in text
    path = f"/console/tasks/{task.id}"
    status, text = await editor.post(path, outcome="no_change", note="")
    assert status == 422
    assert "请写明理由" in text
    assert (await editor.post(path, outcome="no_change", note="已口头说明"))[0] == 303
    assert "原文有变：取暖补助" not in (await editor.get("/console/"))[1]
    assert (await editor.post(path, outcome="no_change", note="再来一次"))[0] == 409


async def test_a_mandatory_repost_is_given_out_and_reported(office: Office) -> None:
    editor = await office.signed_in("editor")
    async with office.deps.db.session() as session:
        account = (await session.scalars(select(Account.id).order_by(Account.slug))).first()
    fields = {"title": "=全省通知", "due_at": "2030-01-01T09:00", "accounts": account}
    assert (await editor.post("/console/tasks", **(fields | {"due_at": ""})))[0] == 422
    assert (await editor.post("/console/tasks", **fields))[0] == 303
    async with office.deps.db.session() as session:
        assert (await session.scalars(select(Task))).one().kind == "repost"
    status, text = await editor.get("/console/tasks/reposts.csv")
    assert status == 200
    assert "'=全省通知" in text
    assert "未完成" in text
    _, body = await editor.api("GET", "/tasks?state=open")
    assert body["tasks"][0]["kind"] == "repost"


async def test_a_picture_gets_its_origin_and_licence(office: Office) -> None:
    item = await office.item()
    editor = await office.signed_in("editor")
    path = f"/console/items/{item.id}/pictures"
    media = "sha256:" + "a" * 64
    assert (await editor.post(path, media=media, origin="", licence="自有"))[0] == 422
    assert (await editor.post(path, media="x", origin="本单位拍摄", licence="自有"))[0] == 422
    assert (await editor.post(path, media=media, origin="本单位拍摄", licence="自有"))[0] == 303


async def test_a_column_is_looked_at_before_it_is_switched_on(office: Office) -> None:
    first, second = await office.signed_in("admin1"), await office.signed_in("admin2")
    source_id = await proposed(office, first)
    path = f"/console/sources/{source_id}"
    assert (await second.post(path, verdict="approve"))[0] == 303
    fields = {"name": "公示", "url": "https://swj.beiyuan.example/zwgk/", "kind": "list"}
    fields["every"] = "30"
    outside = fields | {"url": "https://swj.beiyuan.example/other/", "every": "1", "do": "add"}
    status, text = await first.post(f"{path}/columns", **outside)
    assert status == 422
    assert "不在稿源“北原市商务局”准许转载的栏目路径内" in text
    assert "抓取间隔" in text
    status, text = await first.post(f"{path}/columns", **fields, do="preview")
    assert status == 200
    assert "没有读到" in text
    assert 'value="add"' not in text
    assert (await first.post(f"{path}/columns", **fields, do="add"))[0] == 303
    async with office.deps.db.session() as session:
        column = (await session.scalars(select(Column))).one()
    assert (column.enabled, column.source_id) == (True, source_id)
    assert (await first.post(f"{path}/columns/{column.id}", turn="off"))[0] == 303
    assert (await first.post(f"{path}/columns/{column.id}", turn="what"))[0] == 404
    _, text = await first.get(path)
    assert "未启用" in text
    assert "停用或恢复栏目" in text


async def test_a_long_list_is_searched(office: Office) -> None:
    await busy_morning(office)
    editor = await office.signed_in("editor")
    _, text = await editor.get("/console/sources?q=rsj.qinghe")
    assert "青禾县人力资源和社会保障局" in text
    assert "北原市商务局" not in text
    _, text = await editor.get("/console/sources?q=nothing")
    assert "没有找到" in text
