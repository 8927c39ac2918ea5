"""An item's life through the pages and through the API: both faces, the same answers."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import func, select, text, update

from bot.delivery.processes import clock
from bot.models import Contact, Process, Publication
from config.clock import now
from console.items.facts import facts_of
from console.items.timeline import steps
from console.web.words import field_time
from escalations.models import Ticket
from escalations.tickets import Question
from escalations.urgent import open_urgent
from knowledge.documents import PolicyDraft
from knowledge.library import PolicyLibrary
from ledger.models import Incident
from review_queue import drafting, recalling, submitting
from review_queue.models import Item, Revision
from staff.waiting import open_rows
from storage.switches import Switch
from tests.console.office import BODY, Office, busy_morning, set_roles

PHONE = BODY + "\n联系人手机13812345678。"


def fields_of(text: str) -> dict[str, str]:
    """The hidden fields of the decision panel."""
    return {
        name: re.findall(f'name="{name}" value="([^"]*)"', text)[-1]
        for name in ("digest", "version")
    }


def answers(*gates: str, note: str = "") -> dict[str, str]:
    """Every named gate passed."""
    given = {f"gate_{gate}": "ok" for gate in gates}
    return given | {f"note_{gate}": note for gate in gates}


EVERY = ("politics", "law", "policy", "secrecy", "wording")


async def test_three_people_approve_level_by_level_through_the_page(office: Office) -> None:
    row = await office.submitted()
    steps = (
        ("reviewer1", ("policy", "wording"), "approved"),
        ("reviewer2", ("politics", "law", "policy"), "approved"),
        ("reviewer3", EVERY, "final"),
    )
    for login, gates, done in steps:
        browser = await office.signed_in(login)
        _, home = await browser.get("/console/")
        assert f"/console/items/{row.id}" in home
        _, text = await browser.get(f"/console/items/{row.id}")
        answer = await browser.client.post(
            f"/console/items/{row.id}/decide",
            data={"csrf": browser.csrf, "verdict": "approve", "proof": "1"}
            | fields_of(text)
            | answers(*gates),
            allow_redirects=False,
        )
        assert answer.headers["Location"] == f"/console/items/{row.id}?done={done}#main"
        _, home = await browser.get("/console/")
        assert "没有等您审核的稿件" in home
    async with office.deps.db.session() as session:
        item = await session.get(Item, row.id)
        assert item is not None
        assert (item.state, item.level) == ("approved", 3)


async def test_all_reasons_stand_on_the_page_and_in_the_api_and_the_button_is_off(
    office: Office,
) -> None:
    row = await office.submitted(PHONE + "\n内部资料 注意保存")
    browser = await office.signed_in("reviewer1")
    _, text = await browser.get(f"/console/items/{row.id}")
    _, body = await browser.api("GET", f"/items/{row.id}/why-not")
    messages = [reason["message"] for reason in body["reasons"]]
    assert len(messages) >= 2
    assert {reason["rule"] for reason in body["reasons"]} == {"finding"}
    for message in messages:
        assert message in text
    assert re.search(r'value="approve" disabled', text)


async def test_who_cannot_decide_reads_whom_the_item_waits_for_and_no_red_box(
    office: Office,
) -> None:
    row = await office.submitted(PHONE + "\n内部资料 注意保存")
    for login in ("reviewer3", "editor"):
        browser = await office.signed_in(login)
        _, text = await browser.get(f"/console/items/{row.id}")
        [line] = re.findall(r'<p class="waits-for">(.*?)</p>', text, re.DOTALL)
        words = re.sub("<[^>]+>", "", line).strip()
        assert re.fullmatch("等待初审：张海，还有 \\d+ 小时", words)
        assert 'class="reasons"' not in text
        assert 'name="verdict"' not in text
    browser = await office.signed_in("reviewer3")
    _, body = await browser.api("GET", f"/items/{row.id}/why-not")
    assert {reason["rule"] for reason in body["reasons"]} >= {"role", "finding"}


async def test_a_refused_decision_keeps_what_was_typed_and_names_every_gate(
    office: Office,
) -> None:
    row = await office.submitted()
    browser = await office.signed_in("reviewer1")
    _, text = await browser.get(f"/console/items/{row.id}")
    fields = fields_of(text) | {"verdict": "approve", "gate_policy": "ok", "note_policy": "查过"}
    status, text = await browser.post(
        f"/console/items/{row.id}/decide", **fields, note="请看第二段"
    )
    assert status == 422
    assert "还没有回答文字关" in text
    assert 'value="查过"' in text
    assert "请看第二段</textarea>" in text


async def test_a_return_needs_its_reason_and_reaches_the_editor(office: Office) -> None:
    row = await office.submitted()
    browser = await office.signed_in("reviewer1")
    _, text = await browser.get(f"/console/items/{row.id}")
    fields = fields_of(text) | {"verdict": "return"}
    status, text = await browser.post(f"/console/items/{row.id}/decide", **fields)
    assert status == 422
    assert "退回要写明理由" in text
    await browser.post(f"/console/items/{row.id}/decide", **fields, note="金额与原文不符")
    editor = await office.signed_in("editor")
    _, text = await editor.get(f"/console/items/{row.id}/edit")
    assert "金额与原文不符" in text


async def test_a_form_read_before_a_change_is_stale(office: Office) -> None:
    row = await office.submitted()
    browser = await office.signed_in("reviewer1")
    _, text = await browser.get(f"/console/items/{row.id}")
    fields = fields_of(text) | {"verdict": "approve"} | answers("policy", "wording")
    again = await drafting.edit(
        office.deps.queue, row.id, office.people["editor"], row.version, {"body": "改过的正文"}
    )
    await submitting.submit(office.deps.queue, row.id, office.people["editor"], again.version)
    status, text = await browser.post(f"/console/items/{row.id}/decide", **fields)
    assert status == 409
    assert "改过的正文" in text


async def test_a_new_item_is_written_checked_corrected_and_submitted(office: Office) -> None:
    browser = await office.signed_in("editor")
    _, text = await browser.get("/console/items/new")
    accounts = re.findall(r'name="accounts" value="([^"]+)"', text)
    fields = {"title": "求职补贴", "kind": "原创", "klass": "日常", "accounts": accounts}
    status, text = await browser.post("/console/items/new", **fields, body="")
    assert status == 422
    assert "正文不能为空" in text
    assert 'value="求职补贴"' in text
    answer = await browser.client.post(
        "/console/items/new",
        data={"csrf": browser.csrf, "body": "残废人可申请。\n\n  第二段\u3000\n"} | fields,
        allow_redirects=False,
    )
    path = answer.headers["Location"].split("?")[0]
    _, text = await browser.get(path)
    assert "建议" in text or "改为" in text
    assert "残疾人" in text
    hidden = {
        name: re.findall(f'name="{name}" value="([^"]*)"', text)[0]
        for name in ("version", "not_before", "not_after")
    }
    status, _ = await browser.post(
        path, **fields, **hidden, body="残疾人可申请。\n第二段", then="submit"
    )
    assert status == 303
    item_path = path.removesuffix("/edit")
    _, text = await browser.get(item_path)
    assert "等待初审" in text


async def test_an_unchanged_save_keeps_the_approvals(office: Office) -> None:
    row = await office.submitted()
    row = await office.decide(row, "reviewer1")
    browser = await office.signed_in("editor")
    _, text = await browser.get(f"/console/items/{row.id}/edit")
    hidden = {
        name: re.findall(f'name="{name}" value="([^"]*)"', text)[0]
        for name in ("version", "not_before", "not_after", "title")
    }
    body = text.split('<textarea id="body"', 1)[1].split(">", 1)[1].split("</textarea>", 1)[0]
    answer = await browser.client.post(
        f"/console/items/{row.id}/edit",
        data={
            "csrf": browser.csrf,
            "body": body,
            "kind": "原创",
            "klass": "重要",
            "accounts": re.findall(r'name="accounts" value="([^"]+)" checked', text),
            "push": "1",
            "topics": "employment",
        }
        | hidden,
        allow_redirects=False,
    )
    assert answer.headers["Location"].endswith("done=same")
    async with office.deps.db.session() as session:
        item = await session.get(Item, row.id)
        assert item is not None
        assert (item.state, item.level) == ("review", 1)


async def test_a_cleared_item_is_scheduled_inside_its_window_and_recalled(office: Office) -> None:
    row = await office.approved()
    browser = await office.signed_in("editor")
    path = f"/console/items/{row.id}/schedule"
    status, text = await browser.post(path, at="2020-01-01T08:00")
    assert status == 422
    assert "还没到审核通过的最早发布时间" in text
    status, text = await browser.post(path, at="明天")
    assert status == 422
    assert ("发布时间不是有效时间" in text, 'value="明天"' in text) == (True, True)
    assert (await browser.post(path, at=field_time(now() + timedelta(hours=5))))[0] == 303
    path = f"/console/items/{row.id}"
    # A refused box stays open with what was chosen and typed in it.
    status, text = await browser.post(f"{path}/recall", reason=" ", why="merged")
    assert status == 422
    assert 'card recall" open' in text
    assert 'value="merged" selected' in text
    status, text = await browser.post(f"{path}/recall", reason="数字有误", why="x")
    assert (status, ">数字有误</textarea>" in text) == (422, True)
    assert (await browser.post(f"{path}/recall", reason="数字有误"))[0] == 303
    # What ended before its moment is told at the moment it ended.
    facts = await facts_of(office.deps, row.id)
    async with office.deps.db.session() as session:
        rows = (await session.scalars(select(Publication))).all()
    told = {one.what[-3:]: one.at for one in steps(facts, rows, {})}
    recalled = next(one.at for one in facts.entries if one.kind == "item.recalled")
    assert told["已终止"] == recalled < rows[0].due_at
    async with office.deps.db.session() as session:
        states = (await session.scalars(select(Publication.state))).all()
    assert set(states) == {"ended"}


async def test_the_same_life_through_the_api(office: Office) -> None:
    editor = await office.signed_in("editor")
    status, item = await editor.api(
        "POST", "/items", {"kind": "原创", "klass": "日常", "title": "通知", "body": "正文一句。"}
    )
    assert status == 201
    path = f"/items/{item['id']}"
    status, item = await editor.api("POST", f"{path}/submit", {"version": item["version"]})
    assert (status, item["words"]) == (200, "等待初审")
    gates = {gate: {"ok": True} for gate in EVERY}
    reviewer = await office.signed_in("reviewer1")
    status, seen = await reviewer.api("GET", path)
    body = {"verdict": "approve", "digest": seen["digest"], "version": seen["version"]}
    status, problem = await reviewer.api("POST", f"{path}/decisions", body | {"gates": {}})
    assert (status, problem["error"]) == (422, "invalid")
    assert {one["rule"] for one in problem["reasons"]} == {"gate_missing"}
    stale = body | {"gates": gates, "version": 0}
    assert (await reviewer.api("POST", f"{path}/decisions", stale))[0] == 409
    status, item = await reviewer.api("POST", f"{path}/decisions", body | {"gates": gates})
    assert (status, item["level"]) == (200, 1)
    last = await office.signed_in("reviewer3")
    body["version"] = item["version"]
    status, item = await last.api("POST", f"{path}/decisions", body | {"gates": gates})
    assert item["state"] == "approved"
    status, problem = await last.api("POST", f"{path}/decisions", body | {"gates": gates})
    assert status == 409
    assert (await editor.api("POST", f"{path}/schedule", {"at": None}))[1]["state"] == "scheduled"
    status, correction = await editor.api(
        "POST", f"{path}/correct", {"title": "更正", "body": "更正一句。"}
    )
    assert (status, correction["kind"]) == (201, "更正")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"kind": "原创"}, "字段 title 不对：缺少"),
        ({"kind": "原创", "title": "", "body": "x"}, "字段 title 不对：不能为空"),
        ({"kind": "原创", "title": "x", "body": "x", "force": True}, "没有这个字段"),
        ({"kind": "广告", "title": "x", "body": "x"}, "稿件种类只能是"),
    ],
)
async def test_the_api_names_each_wrong_field(
    office: Office, body: dict[str, object], words: str
) -> None:
    editor = await office.signed_in("editor")
    status, problem = await editor.api("POST", "/items", body)
    assert status == 422
    assert set(problem) == {"error", "rule", "message", "reasons"}
    assert words in problem["message"]


async def test_openapi_lists_every_route_of_the_contract(office: Office) -> None:
    answer = await office.client().get("/api/v1/openapi.json")
    paths = (await answer.json())["paths"]
    for name in ("revisions", "submit", "claim", "decisions", "schedule", "recall", "correct"):
        assert "post" in paths[f"/api/v1/items/{{item}}/{name}"]
    for name in ("sources", "rules", "policies", "incidents", "switches", "ledger"):
        assert "get" in paths[f"/api/v1/{name}"]
    assert "post" in paths["/api/v1/escalations/{ticket}/reply"]


async def test_a_person_settles_an_unknown_publication_once(office: Office) -> None:
    ids = await busy_morning(office)
    browser = await office.signed_in("editor")
    path = f"/console/publications/{ids['unknown']}"
    _, text = await browser.get(path)
    assert "请先在公众号后台" in text
    assert (await browser.post(f"{path}/settle", sent="maybe"))[0] == 422
    async with office.deps.db.session() as session:
        await session.execute(
            update(Item).where(Item.id == ids["published"]).values(state="scheduled")
        )
    assert (await browser.post(f"{path}/settle", sent="yes"))[0] == 303
    assert (await browser.post(f"{path}/settle", sent="no"))[0] == 409
    async with office.deps.db.session() as session:
        row = await session.get(Publication, ids["unknown"])
        item = await session.get(Item, ids["published"])
    assert row is not None
    assert item is not None
    assert (row.state, item.state) == ("published", "published")


async def test_a_source_needs_a_second_person(office: Office) -> None:
    first, second = await office.signed_in("admin1"), await office.signed_in("admin2")
    good = {"organisation": "北原市商务局", "hosts": "swj.beiyuan.example", "basis": "授权函一份"}
    status, text = await first.post("/console/sources", **(good | {"hosts": "http://x/y"}))
    assert status == 422
    assert "不是完整的域名" in text
    assert 'value="北原市商务局"' in text
    assert (await first.post("/console/sources", **good))[0] == 303
    (row,) = await open_rows(office.deps.governance.proposals)
    source_id = row.subject.removeprefix("source:")
    path = f"/console/sources/{source_id}"
    status, text = await first.post(path, verdict="approve")
    assert status == 403
    assert "提出人不能批准" in text
    assert (await second.post(path, verdict="approve"))[0] == 303
    assert (await first.post(path, verdict="revoke"))[0] == 303
    entries = [entry.kind for entry in await office.deps.ledger.facts(f"source:{source_id}")]
    assert entries == ["source.approved", "source.revoked"]


async def test_switches_and_incidents_need_their_reason_and_are_signed(office: Office) -> None:
    ids = await busy_morning(office)
    browser = await office.signed_in("admin1")
    fields = {"name": "publishing", "stopped": "yes"}
    assert (await browser.post("/console/settings/switches", **fields))[0] == 422
    await browser.post("/console/settings/switches", **fields, reason="核对内容")
    async with office.deps.db.session() as session:
        assert (await session.get_one(Switch, "publishing")).stopped
        incident = (await session.scalars(select(Incident.id))).one()
    _, home = await browser.get("/console/")
    assert "已停止：公开发布" in home
    assert (await browser.post(f"/console/incidents/{incident}", resolution="好"))[0] == 422
    await browser.post(f"/console/incidents/{incident}", resolution="已恢复原文并重新审核")
    assert await office.deps.ledger.facts("switch:publishing")
    assert (await browser.get(f"/console/items/{ids['published']}"))[0] == 200


async def test_a_ticket_is_taken_and_answered(office: Office) -> None:
    ids = await busy_morning(office)
    browser = await office.signed_in("duty1")
    path = f"/console/tickets/{ids['ticket']}"
    status, text = await browser.post(f"{path}/reply", text="可以申请。")
    assert status == 409
    assert "可以申请。</textarea>" in text
    assert (await browser.post(f"{path}/claim"))[0] == 303
    _, text = await browser.get(path)
    assert f"/console/policies/{ids['policy']}" in text
    assert "现行有效" in text
    assert (await browser.post(f"{path}/reply", text="可以申请，请带身份证明。"))[0] == 303
    _, text = await browser.get(path)
    assert "可以申请，请带身份证明。" in text
    assert "已答复" in text


async def test_the_ledger_page_shows_the_chain_and_a_break_in_it(office: Office) -> None:
    await office.approved()
    browser = await office.signed_in("admin1")
    _, text = await browser.get("/console/ledger")
    assert "核验通过" in text
    assert "审核结论：终审批准" in text
    _, export = await browser.get("/console/ledger/export")
    assert '"head"' in export.strip().splitlines()[-1]


async def test_the_verify_page_proves_without_naming_anybody(office: Office) -> None:
    ids = await busy_morning(office)
    client = (await office.signed_in("editor")).client
    text = await (await client.get(f"/verify/{ids['publication']}")).text()
    assert "属实" in text
    assert "初审 → 复审 → 终审" in text
    for name in ("李雪", "张海", "王敏", "赵国强"):
        assert name not in text
    await recalling.recall(office.deps.queue, ids["published"], office.people["admin1"], "数字有误")
    text = await (await client.get(f"/verify/{ids['publication']}")).text()
    assert "已被发布单位撤回" in text
    assert (await client.get("/verify/none")).status == 404


async def test_a_changed_text_is_not_proved(office: Office) -> None:
    ids = await busy_morning(office)
    async with office.deps.db.session() as session:
        await session.execute(
            update(Publication).where(Publication.id == ids["publication"]).values(digest="0" * 64)
        )
    text = await (await office.client().get(f"/verify/{ids['publication']}")).text()
    assert "属实" not in text


async def test_health_readiness_and_metrics_answer(office: Office) -> None:
    await office.submitted()
    client = office.client()
    assert (await (await client.get("/healthz")).json())["ok"] is True
    assert (await client.get("/readyz")).status == 200
    office.deps.settings.metrics_from = "127.0.0.1"
    assert 'shenfa_items{state="review"} 1.0' in await (await client.get("/metrics")).text()


async def test_health_is_red_while_the_database_has_a_trigger(office: Office) -> None:
    client = office.client()
    async with office.deps.db.session() as session:
        await session.execute(
            text(
                "CREATE TRIGGER quiet BEFORE INSERT ON ledger_entry"
                " BEGIN SELECT RAISE(ABORT, 'no'); END"
            )
        )
    answer = await client.get("/healthz")
    assert (answer.status, await answer.json()) == (503, {"ok": False, "problems": {"triggers": 1}})
    async with office.deps.db.session() as session:
        await session.execute(text("DROP TRIGGER quiet"))
    assert (await client.get("/healthz")).status == 200


async def test_readiness_is_red_with_words_when_the_task_engine_has_stopped(
    office: Office,
) -> None:
    client = office.client()
    async with office.deps.db.session() as session:
        moment = (await session.scalars(select(clock(office.deps.db)))).one()
        session.add(Process(id="one", since=moment - 900, until=moment + 15, worked=moment - 300))
    answer = await client.get("/readyz")
    problems = (await answer.json())["problems"]
    assert (answer.status, list(problems)) == (503, ["engine"])
    assert re.search(r"任务引擎已有 3\d\d 秒没有动静", problems["engine"])
    async with office.deps.db.session() as session:
        await session.execute(update(Process).values(worked=moment))
    assert (await client.get("/readyz")).status == 200


async def test_an_answer_becomes_a_draft_for_review_and_the_ticket_ends(office: Office) -> None:
    ids = await busy_morning(office)
    browser = await office.signed_in("duty1")
    path = f"/console/tickets/{ids['ticket']}"
    await browser.post(f"{path}/claim")
    await browser.post(f"{path}/reply", text="可以申请，请带身份证明。")
    answer = await browser.client.post(
        f"{path}/close", data={"csrf": browser.csrf, "promote": "1"}, allow_redirects=False
    )
    assert answer.headers["Location"].endswith("done=ticket_promoted")
    async with office.deps.db.session() as session:
        query = select(Item).where(Item.kind == "问答")
        draft = (await session.scalars(query)).one()
    assert (draft.state, draft.author_id) == ("draft", office.people["duty1"])
    assert (await browser.post(f"{path}/close"))[0] == 303
    assert (await browser.post(f"{path}/close"))[0] == 409


async def test_a_stopped_answer_goes_out_only_with_a_second_person(office: Office) -> None:
    ids = await busy_morning(office)
    browser = await office.signed_in("duty1")
    path = f"/console/tickets/{ids['ticket']}"
    await browser.post(f"{path}/claim")
    status, _ = await browser.post(f"{path}/reply", text="请拨打经办人手机13812345678。")
    _, text = await browser.get(path)
    assert status == 303
    assert "等待第二人确认的答复" in text
    reply_id = re.findall(r'name="reply" value="([^"]+)"', text)[0]
    assert (await browser.post(f"{path}/reply", reply=reply_id))[0] == 403
    await set_roles(office, "admin1", ["supervisor"])
    second = await office.signed_in("admin1")
    assert (await second.post(f"{path}/reply", reply=reply_id))[0] == 303
    _, text = await second.get(path)
    assert "等待第二人确认的答复" not in text


async def test_a_stopped_answer_is_edited_or_thrown_away_on_its_page(office: Office) -> None:
    ids = await busy_morning(office)
    browser = await office.signed_in("duty1")
    path, words = f"/console/tickets/{ids['ticket']}", "请拨打经办人手机13812345678。"
    await browser.post(f"{path}/claim")
    await browser.post(f"{path}/reply", text=words)
    _, text = await browser.get(path)
    (reply_id,) = re.findall(r"\?edit=([^#]+)#text", text)
    _, text = await browser.get(f"{path}?edit={reply_id}")
    assert f"{words}</textarea>" in text
    assert (await browser.post(f"{path}/reply", text=f"{words}谢谢", instead=reply_id))[0] == 303
    _, text = await browser.get(path)
    (again,) = re.findall(r'name="drop" value="([^"]+)"', text)
    assert again != reply_id
    assert (await browser.post(f"{path}/reply", drop=again))[0] == 303
    _, text = await browser.get(path)
    assert "等待第二人确认的答复" not in text
    assert words not in text


async def test_the_interface_tells_the_conversation_and_drops_a_stopped_answer(
    office: Office,
) -> None:
    ids = await busy_morning(office)
    browser = await office.signed_in("duty1")
    path, words = f"/escalations/{ids['ticket']}", "请拨打经办人手机13812345678。"
    await browser.api("POST", f"{path}/claim")
    _, first = await browser.api("POST", f"{path}/reply", {"text": words})
    _, second = await browser.api("POST", f"{path}/reply", {"text": words, "instead": first["id"]})
    assert (first["state"], second["state"]) == ("stopped", "stopped")
    gone = f"{path}/replies/{second['id']}"
    assert await browser.api("DELETE", gone) == (200, {"id": second["id"], "state": "dropped"})
    assert (await browser.api("DELETE", gone))[0] == 409
    _, told = await browser.api("GET", path)
    assert [one["state"] for one in told["replies"]] == ["dropped", "dropped"]
    assert "求职补贴怎么领" in [one["text"] for one in told["conversation"]]
    assert "没有留下机器人的答复" in "".join(told["notes"])


async def test_a_policy_change_is_approved_by_a_second_person_or_turned_down(
    office: Office,
) -> None:
    library = PolicyLibrary(office.deps.governance.proposals)
    drafts = [PolicyDraft(title=f"办法{name}", text="第一条 一。\n第二条 二。") for name in "甲乙"]
    made = await library.propose_import(drafts, office.people["admin1"])
    first, second = await office.signed_in("admin1"), await office.signed_in("admin2")
    paths = [f"/console/policies/{one.policy_id}/changes/{one.change_id}" for one in made]
    assert (await first.post(paths[0], verdict="approve"))[0] == 403
    assert (await second.post(paths[0], verdict="approve"))[0] == 303
    assert (await second.post(paths[1], verdict="reject"))[0] == 422
    assert (await second.post(paths[1], verdict="reject", reason="文件不全"))[0] == 303
    _, text = await second.get("/console/policies")
    assert "办法甲" in text
    assert "办法乙" not in text


async def test_a_held_publication_can_be_sent_again_and_a_finished_one_cannot(
    office: Office,
) -> None:
    ids = await busy_morning(office)
    browser = await office.signed_in("editor")
    path = f"/console/publications/{ids['publication']}/settle"
    assert (await browser.post(path, sent="retry"))[0] == 409
    async with office.deps.db.session() as session:
        (await session.get_one(Publication, ids["unknown"])).state = "held"
    _, text = await browser.get(f"/console/publications/{ids['unknown']}")
    assert "已拦下，没有发出" in text
    held = f"/console/publications/{ids['unknown']}/settle"
    assert (await browser.post(held, sent="retry"))[0] == 303
    async with office.deps.db.session() as session:
        assert (await session.get_one(Publication, ids["unknown"])).state == "created"


async def test_nobody_is_talked_into_sending_twice(office: Office) -> None:
    """A row that calls itself held, or its old seal put back: what is signed as out stays out."""
    ids = await busy_morning(office)
    browser = await office.signed_in("editor")
    path = f"/console/publications/{ids['publication']}/settle"
    for by_sql in (True, False):
        async with office.deps.db.session() as session:
            if by_sql:
                await session.execute(
                    update(Publication)
                    .where(Publication.id == ids["publication"])
                    .values(state="held")
                )
            else:
                row = await session.get_one(Publication, ids["publication"])
                row.state = "held"
                row.accept()
        status, text = await browser.post(path, sent="retry")
        assert status == 409
        assert ("绕过本系统改动" if by_sql else "已经发出") in text
    kinds = [entry.kind for entry in await office.deps.ledger.facts(f"item:{ids['published']}")]
    assert "publication.settled" not in kinds


async def test_a_text_changed_behind_the_back_is_shown_as_such(office: Office) -> None:
    row = await office.submitted()
    browser = await office.signed_in("reviewer1")
    _, text = await browser.get(f"/console/items/{row.id}")
    assert "内容与摘要不符" not in text
    async with office.deps.db.session() as session:
        changed = func.replace(Revision.canonical, "办理", "停止办理")
        await session.execute(update(Revision).values(canonical=changed))
    _, text = await browser.get(f"/console/items/{row.id}")
    assert "内容与摘要不符" in text


async def test_whoever_is_in_danger_stands_first_and_is_not_given_hours(office: Office) -> None:
    ids = await busy_morning(office)
    deps = office.deps
    async with deps.db.session() as session:
        told = await session.get_one(Ticket, ids["ticket"])
        contact = await session.get_one(Contact, told.contact_id)
    browser = await office.signed_in("duty1")
    _, page = await browser.get("/console/tickets")
    assert "有人遇险</" not in page
    row = await open_urgent(deps.tickets, contact, Question("我不想活了", "emergency"))
    assert row.id == told.id  # the question that was open already is one of danger now
    _, page = await browser.get("/console/tickets")
    assert page.index("有人遇险</") < page.index("正在处理")
    assert page.index("马上处理") < page.index("还有")
    _, page = await browser.get(f"/console/tickets/{row.id}")
    assert "情况危急的，替本人拨打 110、119 或 120" in page
    assert "还有" not in page.partition("<h1>")[0].rpartition("item-facts")[2]
